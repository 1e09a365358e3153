"""Rules as data: what an authority may see, and by which rule it dates a claim."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from la_notifier.domain.date_of_claim import Rule
from la_notifier.domain.disclosure import Disclosure

_FOLDER = Path(__file__).parent


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: list[Rule]


@cache
def disclosure() -> Disclosure:
    """The table of what an authority may see. Raises msgspec.ValidationError where the file does not keep to its schema."""
    return msgspec.toml.decode((_FOLDER / "disclosure.toml").read_bytes(), type=Disclosure)


@cache
def date_of_claim_rules() -> Sequence[Rule]:
    """The rules for the date of claim, in the order of their first days. Raises msgspec.ValidationError."""
    rules = msgspec.toml.decode((_FOLDER / "date_of_claim.toml").read_bytes(), type=_Rules).rules
    return sorted(rules, key=lambda rule: rule.starts or date.min)
