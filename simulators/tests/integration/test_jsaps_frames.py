"""JSAPS over its real door: the rules of frames and connections."""

from contextlib import ExitStack

import pytest

from simulators.clock import Clock
from simulators.record_link.link import Link
from simulators.record_link.server import MainframeServer
from simulators.testing import (
    LinkClient,
    first_phase_values,
    transfer_id,
    wait_until,
)
from tests.support.jsaps import held, is_closed, takes_a_connection

ES, BA = transfer_id(1), transfer_id(2)
RECORD = first_phase_values(Clock().today())


@pytest.mark.parametrize(
    "header",
    [
        {"LH_EYECATCHER": "CMS2"},
        {"LH_VERSION": 2},
        {"LH_SOURCE": "ANOTHER"},
        {"LH_DIALOGUE": "IS001"},
        {"LH_TRANSFER_ID": "T1"},
        {"LH_PAYLOAD_LENGTH": 1},
    ],
)
def test_a_header_that_is_not_right_closes_the_connection(
    jsaps: MainframeServer, jsaps_client: LinkClient, header: dict[str, str]
) -> None:
    jsaps_client.send("ES504", ES, RECORD, **header)

    assert is_closed(jsaps_client)
    assert held(jsaps) == 0


@pytest.mark.parametrize(
    "frame",
    [(8193).to_bytes(4, "big"), (10).to_bytes(4, "big") + b"0123456789", (78).to_bytes(4, "big") + b"\xff" * 78],
    ids=["too long", "too short", "not a header"],
)
def test_a_frame_that_is_not_one_closes_the_connection(jsaps_client: LinkClient, frame: bytes) -> None:
    jsaps_client.socket.sendall(frame)

    assert is_closed(jsaps_client)


def test_a_payload_of_the_wrong_length_closes_the_connection(jsaps_client: LinkClient) -> None:
    jsaps_client.socket.sendall(jsaps_client.frame("ES504", ES, jsaps_client.payload("ES504", RECORD)[:-1]))

    assert is_closed(jsaps_client)


def test_an_enquiry_whose_header_names_another_transfer_closes_the_connection(jsaps_client: LinkClient) -> None:
    jsaps_client.send("ENQ01", ES, {"EN-TRANSFER-ID": BA})

    assert is_closed(jsaps_client)


def test_half_a_frame_holds_nothing(jsaps: MainframeServer, jsaps_client: LinkClient, link: Link) -> None:
    frame = jsaps_client.frame("ES504", ES, jsaps_client.payload("ES504", RECORD))
    jsaps_client.socket.sendall(frame[:400])
    jsaps_client.socket.close()

    with LinkClient(link, jsaps.port) as other:
        assert other.ask("ES504", BA, RECORD).completion == "A"
    assert held(jsaps) == 1


def test_answers_come_in_the_order_of_the_requests(jsaps_client: LinkClient) -> None:
    for number in range(20):
        jsaps_client.send("ES504", transfer_id(number), RECORD)

    answers = [jsaps_client.receive() for _ in range(20)]

    assert [answer and answer.transfer_id for answer in answers] == [transfer_id(number) for number in range(20)]


def test_sixteen_connections_are_taken_and_no_more(jsaps: MainframeServer, link: Link) -> None:
    with ExitStack() as open_ones:
        clients = [open_ones.enter_context(LinkClient(link, jsaps.port)) for _ in range(16)]
        assert all(jsaps_client.enquire(ES).completion == "N" for jsaps_client in clients)

        assert not takes_a_connection(jsaps, link)

        clients[0].socket.close()
        wait_until(lambda: takes_a_connection(jsaps, link))
