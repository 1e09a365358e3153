"""The failures of an SFTP door. What a stand-in does with its files has failures of its own beside these."""

from typing import Literal, Self

from pydantic import model_validator

from simulators.failures import FailureRule

Place = Literal["connection", "write", "rename", "read", "list"]
"""The place of a failure of the SFTP door: at a new connection, or at a request of that kind."""

DOOR_FAILURES = frozenset({"refuse", "hang", "answer_late", "break_off", "lose_reply", "system_error"})
_PLACES: dict[str, frozenset[str]] = {
    "refuse": frozenset({"connection"}),
    "hang": frozenset({"connection", "write", "rename", "read", "list"}),
    "answer_late": frozenset({"connection", "write", "rename", "read", "list"}),
    "break_off": frozenset({"write", "rename", "read", "list"}),
    "lose_reply": frozenset({"write", "rename"}),
    "system_error": frozenset({"write", "rename", "read", "list"}),
}


class DoorFailure(FailureRule):
    """A failure of the door, `at` a place (`refuse` and `hang` by default at the connection, the others at the rename).

    - refuse: the connection is reset as soon as it is made;
    - hang: read, never answered, nothing done;
    - answer_late: done, answered after `seconds`;
    - break_off: the connection is reset in the middle: half of a write is done, of the others nothing;
    - lose_reply: done, the connection is reset without an answer;
    - system_error: answered with SFTP's `failure`, nothing done.

    Of the whole system:

    - down: it goes away for `seconds`: every connection is reset and no cycle runs, until the time is over or the rule is
      removed.
    """

    at: Place | None = None

    @model_validator(mode="after")
    def _has_a_possible_place(self) -> Self:
        if self.at and self.at not in _PLACES.get(self.failure, frozenset()):
            raise ValueError("this failure does not happen there")
        return self

    @property
    def place(self) -> Place:
        """The place of a failure of the door."""
        return self.at or ("connection" if self.failure in {"refuse", "hang"} else "rename")

    def is_of_door(self, place: Place, path: str = "") -> bool:
        """Whether this happens at this place of the SFTP door, to the file or folder of this path."""
        return self.failure in DOOR_FAILURES and self.place == place and self.concerns_path(path)

    def concerns_path(self, path: str) -> bool:  # noqa: ARG002 - for those that know whose file it is
        """Whether this is for the file or folder of this path; a connection has none."""
        return True

    def is_outage(self) -> bool:
        """Whether this takes the whole system away at the next contact."""
        return self.failure == "down"
