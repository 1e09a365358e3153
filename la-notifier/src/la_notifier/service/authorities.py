"""The local authority of a place."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis import clock
from chassis.authorities import Authority, AuthorityTable, AuthorityUnknown, OutsideGreatBritain
from chassis.elsewhere import elsewhere
from chassis.errors import FailedPrecondition, NotFound, Text, Violation
from chassis.postcodes import MalformedPostcode, Postcodes
from la_notifier.domain.facts import ClaimFacts
from la_notifier.domain.reviews import ReferralReason


class PostcodeUnknown(NotFound):
    """The postcode directory has no such postcode."""

    TOLD = Text(
        en="is not in the directory of postcodes: check each letter and digit; it may be a new one",
        cy="nid yw yn y cyfeiriadur codau post: gwiriwch bob llythyren a digid; gall fod yn un newydd",
    )

    def __init__(self, near: Sequence[str]) -> None:
        """`near` are the codes of the authorities of the postcodes around."""
        violation = Violation.of("postcode", self.TOLD)
        metadata = {"near": ",".join(near)} if near else {}
        super().__init__("POSTCODE_UNKNOWN", f"the postcode {self.TOLD.en}", violations=[violation], metadata=metadata)


class AuthorityAbolished(FailedPrecondition):
    """The authority was merged into another. The message names that."""

    def __init__(self, code: str, successor: Authority) -> None:
        super().__init__(
            "AUTHORITY_ABOLISHED",
            f"the local authority {code} is no more: its successor is {successor.name} ({successor.code})",
            metadata={"authority": code, "successor": successor.code},
        )


@dataclass(frozen=True, kw_only=True)
class Found:
    """The authority of a postcode, and others that may serve some of its addresses, the nearest first."""

    authority: Authority
    others: tuple[Authority, ...]
    is_certain: bool


def find_authority(postcodes: Postcodes, postcode: str) -> Found:
    """The authority of a postcode today.

    Raises MalformedPostcode, PostcodeUnknown, OutsideGreatBritain (which says who to ask) or AuthorityUnknown.
    """
    place = elsewhere(postcode)
    if place is not None:
        raise OutsideGreatBritain(place)
    found = postcodes.councils(postcode)
    if not found.is_listed:
        raise PostcodeUnknown(found.codes)
    own, *others = (AuthorityTable.load().find(code, clock.today()) for code in found.codes)
    return Found(authority=own, others=tuple(others), is_certain=found.is_certain)


def is_abolished(code: str) -> bool:
    """Whether the authority was merged into another before today."""
    return AuthorityTable.load().find(code, clock.today()).code != code


def authority_in_force(code: str) -> Authority:
    """The authority of this code today.

    Raises OutsideGreatBritain, AuthorityUnknown, or AuthorityAbolished where it was merged into another.
    """
    found = AuthorityTable.load().find(code, clock.today())
    if found.code != code:
        raise AuthorityAbolished(code, found)
    return found


def authority_or_reason(
    postcodes: Postcodes, facts: ClaimFacts, redirected_to: str | None = None
) -> Authority | ReferralReason:
    """The authority to which an officer redirected the claim, the one that the claimant named, or that of the postcode.

    Or the reason for which a processing officer has to find it.
    """
    try:
        if redirected_to is not None:
            return AuthorityTable.load().find(redirected_to, clock.today())
        if facts.council is not None:
            return AuthorityTable.load().find(facts.council, clock.today())
        return find_authority(postcodes, facts.postcode).authority
    except OutsideGreatBritain as outside:
        return _REASONS.get(outside.reason, ReferralReason.POSTCODE_UNKNOWN)
    except AuthorityUnknown:
        return ReferralReason.AUTHORITY_UNKNOWN
    except (PostcodeUnknown, MalformedPostcode):
        return ReferralReason.POSTCODE_UNKNOWN


_REASONS = {"NORTHERN_IRELAND": ReferralReason.NORTHERN_IRELAND}
"""Intake refuses places outside Great Britain; what is left are claims that it took before it did."""
