"""The failures that JSAPS can be told to have."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.failures import FailureRule
from simulators.jsaps.link import Message

_RECORD_ONLY = {"hold_late", "buffer", "refuse_record"}


class ClaimToLose(BaseModel):
    """The order to forget, as if overnight, all that is held for a claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_ref: str


class JsapsFailure(FailureRule):
    """One failure. Without dialogue or claim_ref it is for all; `refuse` comes before either is known.

    - refuse: the connection is reset as soon as it is made;
    - hang: read, never answered, nothing held;
    - answer_late: held, answered after `seconds`;
    - lose_reply: held, closed without an answer;
    - hold_late: closed at once, and held at some time within the 10 s (scaled) that a frame may lie in a buffer;
    - buffer: read whole and put into a queue; taken out and held when the sender has closed the connection, at some time
      within the 10 s (scaled), or answered after `seconds` where the connection is open by then;
    - cut_reply: held, half of the reply is sent;
    - other_transfer: held, the reply bears another transfer id;
    - system_error, busy: `E` or `B`, nothing held;
    - refuse_record: `R` by an edit rule that the sender could not check;
    - close_mid_frame: reset with the record half taken in, nothing held.
    """

    failure: Literal[
        "refuse",
        "hang",
        "answer_late",
        "lose_reply",
        "hold_late",
        "buffer",
        "cut_reply",
        "other_transfer",
        "system_error",
        "busy",
        "refuse_record",
        "close_mid_frame",
    ]
    dialogue: Literal["ES504", "BA504", "ENQ01", "CN504", "REC01"] | None = None
    code: str | None = Field(default=None, pattern="^[A-Z]{2}[0-9]{4}$")
    field: str = Field(default="CM-TITLE", pattern="^[A-Z0-9-]{1,24}$")
    text: str = Field(default="NOT ON THE TABLE OF THIS SYSTEM", pattern="^[A-Z0-9 ,.-]{1,40}$")

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.failure == "refuse" and (self.dialogue or self.claim_ref):
            raise ValueError("a connection is refused before its dialogue and claim are known")
        if self.failure in _RECORD_ONLY and self.dialogue not in {None, "ES504", "BA504"}:
            raise ValueError("only records of ES504 and BA504 are held or refused")
        return self

    def applies_to(self, dialogue: str, claim_ref: str | None) -> bool:
        """Whether this is for a request of this dialogue and claim."""
        if self.failure == "refuse" or (self.failure in _RECORD_ONLY and dialogue not in {"ES504", "BA504"}):
            return False
        return self.dialogue in {None, dialogue} and self.claim_ref in {None, claim_ref}

    def refusal(self, dialogue: str) -> Message:
        """The message of refuse_record."""
        return Message(code=self.code or f"{dialogue[:2]}0090", field=self.field, text=self.text)
