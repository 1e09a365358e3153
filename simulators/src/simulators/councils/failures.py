"""The failures that the councils' API can be told to have."""

from typing import Literal, Self

from pydantic import Field, model_validator

from simulators.failures import FailureRule

_POST_ONLY = {"invalid", "refuse_load"}


class CouncilFailure(FailureRule):
    """One failure. Without authority, claim_ref or method it is for all.

    - unavailable, too_many: 503 or 429 with `retry_after`, nothing held;
    - invalid: 422 naming `field`, nothing held;
    - lose_reply: held (or looked up), the connection closed without an answer;
    - slow: answered after `seconds`;
    - refuse_load: held, and later REFUSED with `reason`;
    - conflict: held, and answered as if a later version were held: 409, or that version's number to a GET.
    """

    failure: Literal["unavailable", "too_many", "invalid", "lose_reply", "slow", "refuse_load", "conflict"]
    authority: str | None = None
    method: Literal["POST", "GET"] | None = None
    field: str = Field(default="tenancy.kind", max_length=64)
    reason: str = Field(default="the address is not one of this authority", max_length=200)

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.failure in _POST_ONLY and self.method == "GET":
            raise ValueError("only a notice that is posted is refused")
        return self

    def applies_to(self, method: str, authority: str, claim_ref: str | None) -> bool:
        """Whether this is for a request of this method, authority and claim."""
        if self.failure in _POST_ONLY and method != "POST":
            return False
        return (
            self.method in {None, method}
            and self.authority in {None, authority}
            and self.claim_ref in {None, claim_ref}
        )
