"""The history of a claim's answers: who gave each, when and why."""

from dataclasses import dataclass
from datetime import datetime

from intake.domain.values import JsonValue


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The origin of answers: who gave them, in which roles, when and why.

    `reason` is empty in the interview; `script_version` is that of the script that asked.
    """

    by: str
    roles: tuple[str, ...]
    at: datetime
    reason: str
    script_version: int


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One answer, and the answer before it (None: there was none, or it had been cleared)."""

    question_id: str
    version: int
    old: JsonValue
    new: JsonValue
    confirmed_from: str | None = None
    """The earlier claim whose answer was confirmed."""
    origin: Origin
