"""The authority of a postcode."""

from chassis.authorities import Authority
from chassis.enums import number_of
from chassis.postcodes import Postcodes
from cms.notifier.v1 import notifier_pb2 as pb
from la_notifier.service.authorities import find_authority


class AuthorityMethods:
    """Finds authorities."""

    def __init__(self, postcodes: Postcodes) -> None:
        self._postcodes = postcodes

    def FindAuthority(self, request: pb.FindAuthorityRequest) -> pb.FindAuthorityResponse:
        """The authority of a postcode today."""
        found = find_authority(self._postcodes, request.postcode)
        return pb.FindAuthorityResponse(
            authority=_authority(found.authority), others=map(_authority, found.others), certain=found.is_certain
        )


def _authority(authority: Authority) -> pb.Authority:
    channel = number_of(pb.NoticeChannel, authority.channel.name)
    return pb.Authority(code=authority.code, name=authority.name, channel=channel)
