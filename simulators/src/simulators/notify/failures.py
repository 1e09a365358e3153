"""The failures that Notify can be told to have."""

from typing import Literal, Self

from pydantic import Field, model_validator

from simulators.failures import FailureRule

FATES = {
    "bounce": "permanent-failure",
    "temporary_failure": "temporary-failure",
    "technical_failure": "technical-failure",
}
"""Failures that become the status of a message that was taken."""
_SENDING_ONLY = {*FATES, "delay", "never", "list_late", "refuse_recipient", "over_daily_limit"}


class NotifyFailure(FailureRule):
    """One failure. Without type, method, reference, recipient or claim_ref it is for all.

    Nothing is taken:

    - rate_limited, over_daily_limit: 429, RateLimitError or TooManyRequestsError;
    - system_error, unavailable: 500, 503;
    - forbidden: 403, as when the key was revoked;
    - refuse_recipient: 400 about the number or address.

    The message is taken (or looked up):

    - lose_reply: the connection is closed without an answer;
    - slow: answered after `seconds`;
    - huge_reply: answered with a body of `megabytes`;
    - bounce, temporary_failure, technical_failure: it never arrives, which shows once it should have been delivered;
    - delay: it is delivered after `seconds`;
    - never: it stays `sending`;
    - list_late: the list by reference does not show it for `seconds`.
    """

    failure: Literal[
        "rate_limited",
        "over_daily_limit",
        "system_error",
        "unavailable",
        "forbidden",
        "refuse_recipient",
        "lose_reply",
        "slow",
        "huge_reply",
        "bounce",
        "temporary_failure",
        "technical_failure",
        "delay",
        "never",
        "list_late",
    ]
    type: Literal["sms", "email"] | None = None
    method: Literal["POST", "GET"] | None = None
    reference: str | None = None
    recipient: str | None = None
    megabytes: int = Field(default=64, ge=1, le=4_096)

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.method == "GET" and self.failure in _SENDING_ONLY:
            raise ValueError("this happens to a message that is sent")
        if self.method == "GET" and (self.type or self.reference or self.recipient or self.claim_ref):
            raise ValueError("a question names no message")
        return self

    def is_of_sending(self, kind: str, reference: str, recipient: str, text: str) -> bool:
        """Whether this is for a message of this type, with this text."""
        return (
            self.method in {None, "POST"}
            and self.type in {None, kind}
            and self.reference in {None, reference}
            and self.recipient in {None, recipient}
            and (self.claim_ref is None or self.claim_ref in text)
        )

    def is_of_asking(self) -> bool:
        """Whether this is for a question about messages."""
        aimed = self.type or self.reference or self.recipient or self.claim_ref
        return self.method in {None, "GET"} and not aimed and self.failure not in _SENDING_ONLY
