"""The failures that the councils can be told to have."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.sftp.failures import DOOR_FAILURES, DoorFailure, Place

AUTHORITY = "^(E06|E07|E08|E09|W06|S12)[0-9]{6}$"
_POST_ONLY = {"invalid", "refuse_load"}
_API = {
    "unavailable",
    "too_many",
    "invalid",
    "lose_reply",
    "slow",
    "refuse_load",
    "conflict",
    "huge_reply",
    "packed_reply",
}
ACK_FAILURES = frozenset({"no_ack", "cut_ack", "omit_row", "jumble_ack", "other_version", "huge_ack"})


class TakenSequence(BaseModel):
    """The file that an order at the control door is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authority: str = Field(pattern=AUTHORITY)
    sequence: int = Field(ge=1, le=999_999)


class CouncilFailure(DoorFailure):
    """One failure. Without authority, claim_ref or method it is for all.

    Of `api`, and `refuse_load` of the other two ways too:

    - unavailable, too_many: 503 or 429 with `retry_after`, nothing held;
    - invalid: 422 naming `field`, nothing held;
    - lose_reply: held (or looked up), the connection closed without an answer;
    - slow: answered after `seconds`;
    - refuse_load: held, and later REFUSED with `reason`;
    - conflict: held, and answered as if a later version were held: 409, or that version's number to a GET;
    - huge_reply: held, and answered with a body of `megabytes`;
    - packed_reply: held, and answered with gzip that unpacks to `megabytes`.

    Of `sftp`, those of the door (`lose_reply` with `at` is one), `down`, and:

    - silent: for `seconds` the authority takes no file and writes none;
    - hasty: the authority takes a file that ends in `.csv` as soon as it sees a piece of it;
    - refuse_file: every row is REFUSED with `reason`, nothing is held;
    - no_ack: the acknowledgement comes after `seconds`;
    - cut_ack: half of the acknowledgement, cut within a line;
    - omit_row: it lacks the row of the claim, or that in the middle;
    - jumble_ack: it has its rows from the last to the first, each twice;
    - other_version: it names the next version of the claim's row, or of that in the middle;
    - huge_ack: it has `megabytes` more.

    Of `post`:

    - lost_letter: it never arrives.
    """

    failure: Literal[
        "unavailable",
        "too_many",
        "invalid",
        "lose_reply",
        "slow",
        "refuse_load",
        "conflict",
        "huge_reply",
        "packed_reply",
        "refuse",
        "down",
        "hang",
        "answer_late",
        "break_off",
        "system_error",
        "silent",
        "hasty",
        "refuse_file",
        "no_ack",
        "cut_ack",
        "omit_row",
        "jumble_ack",
        "other_version",
        "huge_ack",
        "lost_letter",
    ]
    authority: str | None = None
    method: Literal["POST", "GET"] | None = None
    field: str = Field(default="tenancy.kind", max_length=64)
    reason: str = Field(default="the address is not one of this authority", min_length=1, max_length=200)
    megabytes: int = Field(default=64, ge=1, le=4_096)

    @model_validator(mode="after")
    def _has_a_possible_target(self) -> Self:
        if self.failure in _POST_ONLY and self.method == "GET":
            raise ValueError("only a notice that is posted is refused")
        if self.failure in DOOR_FAILURES | {"down"} and not self._is_of_api() and (self.claim_ref or self.method):
            raise ValueError("the door does not know whose claim it is")
        if self.authority and (self.failure == "down" or (not self._is_of_api() and self.place == "connection")):
            raise ValueError("a connection is for all authorities")
        return self

    def applies_to(self, method: str, authority: str, claim_ref: str | None) -> bool:
        """Whether this is for a request by `api` of this method, authority and claim."""
        if not self._is_of_api() or (self.failure in _POST_ONLY and method != "POST"):
            return False
        return self.method in {None, method} and self._concerns(authority, {claim_ref})

    def is_(self, failure: str, authority: str, claim_refs: set[str]) -> bool:
        """Whether this is that failure, for this authority and one of these claims."""
        return self.failure == failure and self.method is None and self._concerns(authority, claim_refs)

    def is_of_ack(self, authority: str, claim_refs: set[str]) -> bool:
        """Whether this makes something of the acknowledgement of a file of this authority with these claims."""
        return self.failure in ACK_FAILURES and self._concerns(authority, claim_refs)

    def is_of_door(self, place: Place, path: str = "") -> bool:
        """Whether this happens at this place of the SFTP door, to the file of this path."""
        return not self._is_of_api() and super().is_of_door(place, path)

    def concerns_path(self, path: str) -> bool:
        """Whether the file is one of the authority."""
        return self.authority is None or f"HB.{self.authority}." in path

    def is_silence_of(self, authority: str) -> bool:
        """Whether this keeps the authority from reading, from the next cycle on."""
        return self.failure == "silent" and self.authority in {None, authority}

    def _is_of_api(self) -> bool:
        return self.failure in _API and self.at is None

    def _concerns(self, authority: str, claim_refs: set[str] | set[str | None]) -> bool:
        return self.authority in {None, authority} and (self.claim_ref is None or self.claim_ref in claim_refs)
