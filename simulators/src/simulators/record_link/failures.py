"""The failures that a mainframe can be told to have."""

import random
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.failures import FailureRule
from simulators.record_link.link import Message
from simulators.record_link.mainframe import BALANCE, ENQUIRY

_CONNECTION_ONLY = {"refuse"}
_RECORD_ONLY = {"hold_late", "buffer", "refuse_record", "lose_overnight"}
_NO_RECORD = {ENQUIRY, "CN504", BALANCE}
_FIRST_PHASES = {"IS001", "SF001", "ES504"}


class RecordsToLose(BaseModel):
    """The order to forget now, as if overnight, what is held: of one claim, or a share of all records by a seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_ref: str | None = None
    dialogue: Literal["IS001", "SF001", "ES504", "BA504"] | None = None
    rate: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.claim_ref is None and self.rate is None:
            raise ValueError("an order to lose names a claim or a rate")
        return self


class RecordLinkFailure(FailureRule):
    """One failure. Without dialogue or claim_ref it is for all; `refuse` comes before either is known.

    - refuse: the connection is reset as soon as it is made;
    - down: the system goes away for `seconds` (scaled): every connection is reset, until the time is over or the rule
      is removed;
    - hang: read, never answered, nothing held;
    - answer_late: held, answered after `seconds`;
    - lose_reply: held, closed without an answer;
    - hold_late: closed at once, and held at some time within the 10 s (scaled) that a frame may lie in a buffer;
    - buffer: read whole and put into a queue; taken out and held when the sender has closed the connection, at some time
      within the 10 s (scaled), or answered after `seconds` where the connection is open by then;
    - cut_reply: held, half of the reply is sent;
    - other_transfer: held, the reply bears another transfer id;
    - announce_too_long: held, the reply's frame announces 2 GB;
    - system_error, busy: `E` or `B`, nothing held;
    - refuse_record: `R` by an edit rule that the sender could not check;
    - close_mid_frame: reset with the record half taken in, nothing held;
    - first_phase_only: a second phase is answered `E`, nothing held; `rate` is of claims, each of which fares alike every
      time;
    - lose_overnight: held and answered, and forgotten when the day of its receipt is over.
    """

    failure: Literal[
        "refuse",
        "down",
        "hang",
        "answer_late",
        "lose_reply",
        "hold_late",
        "buffer",
        "cut_reply",
        "other_transfer",
        "announce_too_long",
        "system_error",
        "busy",
        "refuse_record",
        "close_mid_frame",
        "first_phase_only",
        "lose_overnight",
    ]
    dialogue: Literal["IS001", "SF001", "ES504", "BA504", "ENQ01", "CN504", "REC01"] | None = None
    code: str | None = Field(default=None, pattern="^[A-Z]{2}[0-9]{4}$")
    field: str = Field(default="CM-TITLE", pattern="^[A-Z0-9-]{1,24}$")
    text: str = Field(default="NOT ON THE TABLE OF THIS SYSTEM", pattern="^[A-Z0-9 ,.-]{1,40}$")

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.failure in _CONNECTION_ONLY and (self.dialogue or self.claim_ref):
            raise ValueError("a connection is refused before its dialogue and claim are known")
        if self.failure in _RECORD_ONLY and self.dialogue in _NO_RECORD:
            raise ValueError("only records of claims are held, refused or lost")
        if self.failure == "first_phase_only" and self.dialogue not in {None, "BA504"}:
            raise ValueError("only BA504 is a second phase")
        return self

    def is_outage(self) -> bool:
        """Whether this takes the whole system away at the next contact, whoever makes it."""
        return self.failure == "down" and not self.dialogue and not self.claim_ref

    def applies_to(self, dialogue: str, claim_ref: str | None) -> bool:
        """Whether this is for a request of this dialogue and claim."""
        if self.failure in _CONNECTION_ONLY or (self.failure in _RECORD_ONLY and dialogue in _NO_RECORD):
            return False
        if self.failure == "first_phase_only" and (
            dialogue in _NO_RECORD | _FIRST_PHASES or not self._chosen(claim_ref)
        ):
            return False
        return self.dialogue in {None, dialogue} and self.claim_ref in {None, claim_ref}

    def chance(self) -> float:
        """How likely it is, once it applies: of first_phase_only the rate has chosen the claims already."""
        return 1.0 if self.failure == "first_phase_only" else self.rate

    def refusal(self, dialogue: str) -> Message:
        """The message of refuse_record."""
        return Message(code=self.code or f"{dialogue[:2]}0090", field=self.field, text=self.text)

    def _chosen(self, claim_ref: str | None) -> bool:
        return random.Random(f"{self.seed}|{claim_ref}").random() < self.rate
