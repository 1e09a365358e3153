"""The local authority of a place."""

from chassis import clock
from chassis.errors import NotFound
from chassis.postcodes import MalformedPostcode, Postcodes
from la_notifier.domain.authorities import Authority, AuthorityTable, AuthorityUnknown, InNorthernIreland
from la_notifier.domain.reviews import ReferralReason


class PostcodeUnknown(NotFound):
    """The postcode directory has no such postcode."""

    def __init__(self) -> None:
        super().__init__("POSTCODE_UNKNOWN", "the postcode is not in the directory: check the address")


def find_authority(postcodes: Postcodes, postcode: str) -> Authority:
    """The authority of a postcode today.

    Raises MalformedPostcode, PostcodeUnknown, InNorthernIreland (which says who to ask) or AuthorityUnknown.
    """
    place = postcodes.find(postcode)
    if place is None:
        raise PostcodeUnknown
    return AuthorityTable.load().find(place.authority_code, clock.today())


def authority_or_reason(postcodes: Postcodes, postcode: str) -> Authority | ReferralReason:
    """The authority of a postcode, or why a processing officer has to find it."""
    try:
        return find_authority(postcodes, postcode)
    except InNorthernIreland:
        return ReferralReason.NORTHERN_IRELAND
    except AuthorityUnknown:
        return ReferralReason.AUTHORITY_UNKNOWN
    except (PostcodeUnknown, MalformedPostcode):
        return ReferralReason.POSTCODE_UNKNOWN
