"""The failures that CMS-COTS can be told to have."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.failures import FailureRule

Call = Literal["POST", "BY_TRANSFER", "LIST"]
"""The three calls of the interface."""

_WITHOUT_A_CALL = {"refuse", "down"}
_POST_ONLY = {"refuse_application", "conflict"}


class ClaimToLose(BaseModel):
    """The order to forget, as if overnight, all that is held for a claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_ref: str


class CotsFailure(FailureRule):
    """One failure. Without call or claim_ref it is for all; `refuse` and `down` come before either is known.

    - refuse: the connection is reset as soon as it is made;
    - down: the system goes away for `seconds`: every connection is reset, until the time is over or the rule is removed;
    - hang: read, never answered, nothing held;
    - close_mid_request: reset with the request taken in, no answer, nothing held;
    - unavailable, too_many: 503 or 429 with `retry_after`, nothing held;
    - system_error: 500 without a word of when to come again, nothing held;
    - refuse_application: 422 with `code`, `field` and `text`, nothing held;
    - conflict: 409, as if the key were held with another body;
    - answer_late: held, answered after `seconds`;
    - lose_reply: held, closed without an answer;
    - cut_reply: held, half of the body is sent and the connection closed;
    - garble: held, a body that is no JSON;
    - slow_body: held, the body comes byte by byte within `seconds`;
    - endless_body: held, the body never ends: a byte every `seconds`, or with 0 as fast as the line takes it.
    """

    failure: Literal[
        "refuse",
        "down",
        "hang",
        "close_mid_request",
        "unavailable",
        "too_many",
        "system_error",
        "refuse_application",
        "conflict",
        "answer_late",
        "lose_reply",
        "cut_reply",
        "garble",
        "slow_body",
        "endless_body",
    ]
    call: Call | None = None
    code: str = Field(default="CC0090", pattern="^[A-Z]{2}[0-9]{4}$")
    field: str = Field(default="applicant.title", max_length=64)
    text: str = Field(default="not on the table of this system", max_length=200)

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.failure in _WITHOUT_A_CALL and (self.call or self.claim_ref):
            raise ValueError("a connection is refused before its call and claim are known")
        if self.failure in _POST_ONLY and self.call not in {None, "POST"}:
            raise ValueError("only an application that is posted is refused")
        return self

    def is_outage(self) -> bool:
        """Whether this takes the whole system away at the next contact."""
        return self.failure == "down"

    def applies_to(self, call: Call, claim_ref: str | None) -> bool:
        """Whether this is for a call about this claim."""
        if self.failure in _WITHOUT_A_CALL or (self.failure in _POST_ONLY and call != "POST"):
            return False
        return self.call in {None, call} and self.claim_ref in {None, claim_ref}
