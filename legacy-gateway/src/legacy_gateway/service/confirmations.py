"""The use cases of events: a confirmation starts transfers, an amendment makes a held change or a correction."""

from collections.abc import Iterable

from chassis.database import Connection
from legacy_gateway.domain import Confirmation, systems_of
from legacy_gateway.store import claims


def confirm(conn: Connection, confirmation: Confirmation, schemes: Iterable[str]) -> None:
    """Starts the transfers of a confirmed claim; a second call changes nothing.

    An amendment heard of earlier makes a held change. Raises FailedPrecondition for a scheme that no system takes yet.
    """
    systems = systems_of(schemes)
    amended = claims.note_amendment(conn, confirmation.claim_ref, version=0)
    for system in systems:
        claims.add_new(conn, confirmation, system)
    if amended:
        _hold_change(conn, confirmation.claim_ref, version=amended)


def amend(conn: Connection, claim_ref: str, *, version: int) -> None:
    """Remembers an amendment; if the claim was confirmed at an older version, it makes a held change.

    If the record before it was refused, the change is the correction and goes at once.
    """
    newest = claims.note_amendment(conn, claim_ref, version=version)
    _hold_change(conn, claim_ref, version=newest)
    claims.send_corrected(conn, claim_ref)


def _hold_change(conn: Connection, claim_ref: str, *, version: int) -> None:
    for newest in claims.newest(conn, claim_ref):
        if newest.claim_version >= version:
            continue
        if newest.is_held:
            claims.move_change_on(conn, newest, claim_version=version)
        else:
            claims.add_change(conn, newest, claim_version=version)
