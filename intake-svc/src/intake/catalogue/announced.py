"""Changes of the rules that were announced with a day, held against what a catalogue has."""

from collections.abc import Iterable
from datetime import date, timedelta

from chassis.outside import Change
from intake.domain.catalogue import Catalogue
from intake.domain.rules import timestamp


def not_covered(catalogue: Catalogue, changes: Iterable[Change]) -> list[Change]:
    """The changes that a catalogue does not have, in the order of their days."""
    return sorted((change for change in changes if not _has(catalogue, change)), key=lambda change: change.first_day)


def _has(catalogue: Catalogue, change: Change) -> bool:
    if change.table:
        value = timestamp(change.value) if isinstance(change.value, date) else change.value
        table = catalogue.tables.get(change.table)
        return table is not None and (change.first_day, value) in table.rows
    rules = catalogue.schemes.get(change.scheme)
    if rules is None:
        return change.closes  # what it never had it need not close
    if change.opens:
        return rules.claimed_from == change.first_day
    return rules.claimed_until == change.first_day - timedelta(days=1)
