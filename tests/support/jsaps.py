"""JSAPS as its tests use it: ordered failures, the ledger, and its connections."""

from simulators.errors import FrameError
from simulators.record_link.link import Link
from simulators.record_link.server import MainframeServer
from simulators.testing import (
    LinkClient,
    call,
    transfer_id,
)


def order(jsaps: MainframeServer, failure: str, **rule: object) -> None:
    answer = call(jsaps.control_port, "POST", "/failures", body={"failure": failure, **rule})
    assert answer.status == 200


def held(jsaps: MainframeServer) -> int:
    count = call(jsaps.control_port, "GET", "/ledger").body["dialogues"]["ES504"]["held"]
    assert isinstance(count, int)
    return count


def fired(jsaps: MainframeServer) -> object:
    return call(jsaps.control_port, "GET", "/failures/counts").body["counts"]


def is_closed(client: LinkClient) -> bool:
    """Whether the connection ends without a whole answer."""
    try:
        return client.receive() is None
    except (ConnectionError, FrameError):
        return True


def takes_a_connection(jsaps: MainframeServer, link: Link) -> bool:
    """Whether JSAPS answers an enquiry on a connection of its own."""
    try:
        with LinkClient(link, jsaps.port) as client:
            return client.enquire(transfer_id(1)).completion == "N"
    except (ConnectionError, FrameError):
        return False
