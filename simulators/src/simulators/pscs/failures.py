"""The failures that PSCS can be told to have."""

from collections.abc import Collection
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.failures import FailureRule
from simulators.pscs.batch import Message

Place = Literal["connection", "write", "rename", "read", "list"]
"""Where a failure of the SFTP door happens: at a new connection, or at a request of that kind."""

DOOR_FAILURES = frozenset({"refuse", "hang", "answer_late", "break_off", "lose_reply", "system_error"})
RESPONSE_FAILURES = frozenset({"no_response", "omit_line", "cut_response", "other_sequence", "other_transfer"})
_PLACES: dict[str, frozenset[str]] = {
    "refuse": frozenset({"connection"}),
    "hang": frozenset({"connection", "write", "rename", "read", "list"}),
    "answer_late": frozenset({"connection", "write", "rename", "read", "list"}),
    "break_off": frozenset({"write", "rename", "read", "list"}),
    "lose_reply": frozenset({"write", "rename"}),
    "system_error": frozenset({"write", "rename", "read", "list"}),
}


class ClaimToLose(BaseModel):
    """The order to forget, as if overnight, all that is held for a claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_ref: str


class Sequence(BaseModel):
    """A file's sequence number, in an order at the control door."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: int = Field(ge=1, le=999_999)


class PscsFailure(FailureRule):
    """One failure. Without claim_ref it is for all.

    Of the SFTP door, `at` a place (`refuse` and `hang` by default at the connection, the others at the rename):

    - refuse: the connection is reset as soon as it is made;
    - hang: read, never answered, nothing done;
    - answer_late: done, answered after `seconds`;
    - break_off: the connection is reset in the middle: half of a write is done, of the others nothing;
    - lose_reply: done, the connection is reset without an answer;
    - system_error: answered with SFTP's `failure`, nothing done.

    Of the whole system:

    - down: it goes away for `seconds`: every connection is reset and no cycle runs, until the time is over or the rule is
      removed.

    Of the cycle:

    - silent: for `seconds` no file is taken and nothing is written;
    - refuse_file: the file is refused whole with `code` (default PF0004), nothing is held;
    - refuse_record: the claim's detail is refused by an edit rule that the sender could not check.

    Of the files in out/ and control/; a control file is right again after the next cycle, a response when it is ordered
    at the control door:

    - no_response: the file's details are held, the response comes after `seconds`;
    - omit_line: the response lacks the claim's line; with `recount` its trailer counts those that are left;
    - cut_response: half of the response;
    - other_sequence: the response's header bears the next sequence;
    - other_transfer: the claim's line bears another transfer id;
    - cut_control: the day's control file is cut short within a line.
    """

    failure: Literal[
        "refuse",
        "down",
        "hang",
        "answer_late",
        "break_off",
        "lose_reply",
        "system_error",
        "silent",
        "refuse_file",
        "refuse_record",
        "no_response",
        "omit_line",
        "cut_response",
        "other_sequence",
        "other_transfer",
        "cut_control",
    ]
    at: Place | None = None
    code: str | None = Field(default=None, pattern="^[A-Z]{2}[0-9]{4}$")
    field: str = Field(default="CM-TITLE", pattern="^[A-Z0-9-]{1,24}$")
    text: str = Field(default="NOT ON THE TABLE OF THIS SYSTEM", pattern="^[A-Z0-9 ,.-]{1,40}$")
    recount: bool = False

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.at and self.at not in _PLACES.get(self.failure, frozenset()):
            raise ValueError("this failure does not happen there")
        if self.claim_ref and self.failure not in RESPONSE_FAILURES | {"refuse_file", "refuse_record"}:
            raise ValueError("the door and the cycle do not know whose claim it is")
        return self

    @property
    def place(self) -> Place:
        """Where a failure of the door happens."""
        return self.at or ("connection" if self.failure in {"refuse", "hang"} else "rename")

    def is_of_door(self, place: Place) -> bool:
        """Whether this happens at this place of the SFTP door."""
        return self.failure in DOOR_FAILURES and self.place == place

    def is_of_response(self, claim_refs: Collection[str]) -> bool:
        """Whether this makes something of the response to a file with these claims."""
        return self.failure in RESPONSE_FAILURES and self._concerns(claim_refs)

    def is_(self, failure: str, claim_refs: Collection[str] = ()) -> bool:
        """Whether this is that failure, for one of these claims."""
        return self.failure == failure and self._concerns(claim_refs)

    def is_outage(self) -> bool:
        """Whether this takes the whole system away at the next contact."""
        return self.failure == "down"

    def is_silence(self) -> bool:
        """Whether this keeps the cycle from running, from the next one on."""
        return self.failure == "silent"

    def message(self, default_code: str) -> Message:
        """The message of a file or record that is refused."""
        return Message(code=self.code or default_code, field=self.field, text=self.text)

    def _concerns(self, claim_refs: Collection[str]) -> bool:
        return self.claim_ref is None or self.claim_ref in claim_refs
