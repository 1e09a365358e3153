"""The failures that PSCS can be told to have."""

from collections.abc import Collection
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.pscs.batch import Message
from simulators.sftp.failures import DoorFailure

RESPONSE_FAILURES = frozenset({"no_response", "omit_line", "cut_response", "other_sequence", "other_transfer"})


class ClaimToLose(BaseModel):
    """The order to forget, as if overnight, all that is held for a claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_ref: str


class Sequence(BaseModel):
    """A file's sequence number, in an order at the control door."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: int = Field(ge=1, le=999_999)


class PscsFailure(DoorFailure):
    """One failure, beside those of the door. Without claim_ref it is for all.

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
    code: str | None = Field(default=None, pattern="^[A-Z]{2}[0-9]{4}$")
    field: str = Field(default="CM-TITLE", pattern="^[A-Z0-9-]{1,24}$")
    text: str = Field(default="NOT ON THE TABLE OF THIS SYSTEM", pattern="^[A-Z0-9 ,.-]{1,40}$")
    recount: bool = False

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.claim_ref and self.failure not in RESPONSE_FAILURES | {"refuse_file", "refuse_record"}:
            raise ValueError("the door and the cycle do not know whose claim it is")
        return self

    def is_of_response(self, claim_refs: Collection[str]) -> bool:
        """Whether this makes something of the response to a file with these claims."""
        return self.failure in RESPONSE_FAILURES and self._concerns(claim_refs)

    def is_(self, failure: str, claim_refs: Collection[str] = ()) -> bool:
        """Whether this is that failure, for one of these claims."""
        return self.failure == failure and self._concerns(claim_refs)

    def is_silence(self) -> bool:
        """Whether this keeps the cycle from running, from the next one on."""
        return self.failure == "silent"

    def message(self, default_code: str) -> Message:
        """The message of a file or record that is refused."""
        return Message(code=self.code or default_code, field=self.field, text=self.text)

    def _concerns(self, claim_refs: Collection[str]) -> bool:
        return self.claim_ref is None or self.claim_ref in claim_refs
