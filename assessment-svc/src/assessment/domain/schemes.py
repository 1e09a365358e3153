"""The desk that confirms each scheme, and the schemes that wait for an interview."""

from collections.abc import Iterable
from enum import StrEnum

CHILD_MAINTENANCE = "CHILD_MAINTENANCE"
CRISIS_LOAN = "CRISIS_LOAN"

WITHOUT_INTERVIEW = frozenset({CHILD_MAINTENANCE, CRISIS_LOAN})
"""Schemes that do not wait for an interview: child maintenance has none, and a crisis loan is decided on the same day."""


class Desk(StrEnum):
    """A part of a claim's work, by the role of those who do it."""

    ASSESSOR = "ASSESSOR"
    CASEWORKER = "CASEWORKER"


def desk_of(scheme: str) -> Desk:
    """The desk that confirms the scheme: a caseworker's for child maintenance, an assessor's for every other."""
    return Desk.CASEWORKER if scheme == CHILD_MAINTENANCE else Desk.ASSESSOR


def schemes_of(desks: Iterable[Desk], schemes: Iterable[str]) -> tuple[str, ...]:
    """Those of the schemes that these desks confirm."""
    wanted = set(desks)
    return tuple(scheme for scheme in schemes if desk_of(scheme) in wanted)
