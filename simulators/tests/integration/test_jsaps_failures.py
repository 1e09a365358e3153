"""JSAPS over its real door: every failure that can be ordered."""

import time
from pathlib import Path

import pytest

from simulators.clock import Clock
from simulators.jsaps import JSAPS
from simulators.record_link.link import Link
from simulators.record_link.server import MainframeServer
from simulators.settings import JsapsSettings
from simulators.testing import (
    CLAIM_REF,
    LinkClient,
    call,
    digits_of,
    first_phase_values,
    second_phase_values,
    transfer_id,
    wait_until,
)
from tests.support.jsaps import fired, held, is_closed, order, takes_a_connection

ES, BA = transfer_id(1), transfer_id(2)
RECORD = first_phase_values(Clock().today())


def test_a_refused_connection_is_reset_and_the_next_is_taken(jsaps: MainframeServer, link: Link) -> None:
    order(jsaps, "refuse", count=1)

    assert not takes_a_connection(jsaps, link)
    assert takes_a_connection(jsaps, link)


def test_hanging_never_answers_and_holds_nothing(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "hang", dialogue="ES504")
    jsaps_client.socket.settimeout(0.3)

    with pytest.raises(TimeoutError):
        jsaps_client.ask("ES504", ES, RECORD)

    assert held(jsaps) == 0


def test_a_late_answer_comes_late_for_a_record_that_is_held(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "answer_late", seconds=0.3)
    began = time.monotonic()
    jsaps_client.send("ES504", ES, RECORD)

    wait_until(lambda: held(jsaps) == 1)
    answer = jsaps_client.receive()

    assert answer is not None
    assert answer.completion == "A"
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("failure", ["lose_reply", "cut_reply"])
def test_a_lost_or_cut_reply_leaves_the_record_held(
    jsaps: MainframeServer, jsaps_client: LinkClient, failure: str
) -> None:
    order(jsaps, failure)

    jsaps_client.send("ES504", ES, RECORD)

    assert is_closed(jsaps_client)
    assert held(jsaps) == 1


def test_a_cut_reply_is_half_a_frame(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "cut_reply")
    jsaps_client.send("ES504", ES, RECORD)

    with jsaps_client.socket.makefile("rb") as answer:
        assert len(answer.read()) == 203


def test_a_record_in_the_buffer_is_held_after_the_connection_has_closed(
    jsaps: MainframeServer, jsaps_client: LinkClient
) -> None:
    order(jsaps, "hold_late")

    jsaps_client.send("ES504", ES, RECORD)

    assert is_closed(jsaps_client)
    wait_until(lambda: held(jsaps) == 1, seconds=1)


def test_a_queued_record_is_held_only_after_its_sender_has_closed_the_connection(
    jsaps: MainframeServer, jsaps_client: LinkClient, link: Link
) -> None:
    order(jsaps, "buffer", seconds=60, count=1)

    jsaps_client.send("ES504", ES, RECORD)
    wait_until(lambda: fired(jsaps) == {"buffer": 1})
    with LinkClient(link, jsaps.port) as other:
        asked = other.enquire(ES)
    before = held(jsaps)
    jsaps_client.reset()

    assert (asked.completion, before) == ("N", 0)
    wait_until(lambda: held(jsaps) == 1, seconds=1)


def test_a_queued_record_is_answered_after_a_time_where_its_sender_waits(
    jsaps: MainframeServer, jsaps_client: LinkClient
) -> None:
    order(jsaps, "buffer", seconds=0.05, count=1)

    answer = jsaps_client.ask("ES504", ES, RECORD)

    assert answer.completion == "A"
    assert held(jsaps) == 1


def test_closing_in_mid_frame_holds_nothing(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "close_mid_frame")

    jsaps_client.send("ES504", ES, RECORD)

    assert is_closed(jsaps_client)
    assert held(jsaps) == 0


def test_an_answer_for_another_transfer_leaves_the_record_held(
    jsaps: MainframeServer, jsaps_client: LinkClient
) -> None:
    order(jsaps, "other_transfer")

    answer = jsaps_client.ask("ES504", ES, RECORD)

    assert answer.transfer_id != ES
    assert held(jsaps) == 1


def test_a_system_error_and_busy_hold_nothing(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "system_error", count=1)
    order(jsaps, "busy", count=1, retry_after=7)

    error, busy, good = (jsaps_client.ask("ES504", ES, RECORD) for _ in range(3))

    assert error.completion == "E"
    assert (busy.completion, busy.retry_after) == ("B", 7)
    assert good.completion == "A"
    assert held(jsaps) == 1


def test_a_rule_that_the_sender_could_not_check_refuses_and_is_told_again(
    jsaps: MainframeServer, jsaps_client: LinkClient
) -> None:
    order(jsaps, "refuse_record", count=1, code="ES0091", field="CM-TITLE", text="NOT ON THE TABLE")

    answer = jsaps_client.ask("ES504", ES, RECORD)

    assert (answer.completion, answer.codes) == ("R", ["ES0091"])
    wait_until(lambda: jsaps_client.enquire(ES).completion == "R")
    assert held(jsaps) == 0


def test_a_failure_can_be_meant_for_one_claims_second_phase(
    jsaps: MainframeServer, jsaps_client: LinkClient, link: Link
) -> None:
    order(jsaps, "lose_reply", dialogue="BA504", claim_ref=CLAIM_REF, count=1)
    first = jsaps_client.ask("ES504", ES, RECORD)

    jsaps_client.send("BA504", BA, second_phase_values(Clock().today(), first.legacy_ref))

    assert is_closed(jsaps_client)
    with LinkClient(link, jsaps.port) as again:
        wait_until(lambda: again.enquire(BA).completion == "A")
    assert call(jsaps.control_port, "GET", "/failures/counts").body == {"counts": {"lose_reply": 1}}


def test_the_failures_are_listed_replaced_and_cleared(jsaps: MainframeServer) -> None:
    order(jsaps, "hang", count=2)

    listed = call(jsaps.control_port, "GET", "/failures").body["failures"]
    replaced = call(jsaps.control_port, "PUT", "/failures", body=[{"failure": "busy", "rate": 0.5, "seed": 7}]).body
    cleared = call(jsaps.control_port, "DELETE", "/failures").body

    assert [(rule["failure"], rule["fired"], rule["remaining"]) for rule in listed] == [("hang", 0, 2)]
    assert [rule["failure"] for rule in replaced["failures"]] == ["busy"]
    assert cleared == {"failures": []}


@pytest.mark.parametrize(
    "rule",
    [
        {"failure": "explode"},
        {"failure": "hang", "rate": 0},
        {"failure": "hang", "count": 0},
        {"failure": "hang", "unknown": 1},
        {"failure": "refuse", "dialogue": "ES504"},
        {"failure": "refuse_record", "dialogue": "ENQ01"},
        ["hang"],
    ],
)
def test_an_order_that_cannot_be_is_refused(jsaps: MainframeServer, rule: object) -> None:
    answer = call(jsaps.control_port, "POST", "/failures", body=rule)

    assert answer.status == 400
    assert answer.body["errors"]
    assert call(jsaps.control_port, "GET", "/failures").body == {"failures": []}


def test_the_control_door_says_that_it_is_alive_and_ready(jsaps: MainframeServer) -> None:
    assert call(jsaps.control_port, "GET", "/healthz").status == 200
    assert call(jsaps.control_port, "GET", "/readyz").status == 200


def test_a_system_that_is_down_resets_every_connection_until_its_time_is_over(
    jsaps: MainframeServer, jsaps_client: LinkClient, link: Link
) -> None:
    order(jsaps, "down", seconds=40, count=1)  # scaled to 0.4 s
    began = time.monotonic()

    jsaps_client.send("ES504", ES, RECORD)
    closed = is_closed(jsaps_client)
    wait_until(lambda: takes_a_connection(jsaps, link))

    assert closed
    assert time.monotonic() - began >= 0.4
    assert held(jsaps) == 0


def test_a_system_that_is_down_is_back_when_the_rule_is_removed(jsaps: MainframeServer, link: Link) -> None:
    order(jsaps, "down", seconds=86_400, count=1)
    assert not takes_a_connection(jsaps, link)
    assert not takes_a_connection(jsaps, link)

    call(jsaps.control_port, "DELETE", "/failures")

    assert takes_a_connection(jsaps, link)


def test_only_the_first_phase_of_a_chosen_claim_is_held(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "first_phase_only", rate=0.5, seed=1)
    second = {}
    for number in range(20):
        claim = {"CM-CLAIM-REF": f"C{number:010d}A"}
        first = jsaps_client.ask("ES504", transfer_id(number), RECORD | claim)
        values = second_phase_values(Clock().today(), first.legacy_ref) | claim
        twice = [jsaps_client.ask("BA504", transfer_id(100 + number), values).completion for _ in range(2)]
        second[number] = set(twice)

    assert {"E"} in second.values()
    assert {"A"} in second.values()
    assert {"A", "E"} not in second.values()
    halves = call(jsaps.control_port, "GET", "/ledger").body["half"]
    assert halves == sum(answers == {"E"} for answers in second.values())


def test_a_record_lost_overnight_is_held_until_the_day_is_over(
    tmp_path: Path, jsaps_settings: JsapsSettings, link: Link
) -> None:
    offset = tmp_path / "offset"
    stand_in = MainframeServer(JSAPS, jsaps_settings.model_copy(update={"clock_offset_file": offset}))
    stand_in.start()
    order(stand_in, "lose_overnight", count=1)
    with LinkClient(link, stand_in.port) as jsaps_client:
        answers = [jsaps_client.ask("ES504", transfer, RECORD).completion for transfer in (ES, BA)]
        before = held(stand_in)
        offset.write_text(str(86_400))
        after = held(stand_in)
        wait_until(lambda: jsaps_client.enquire(BA).completion == "A")
        known = jsaps_client.enquire(ES).completion
    stand_in.stop()

    assert answers == ["A", "A"]
    assert (before, after) == (2, 1)
    assert known == "N"


def test_a_share_of_all_that_is_held_can_be_lost_by_a_seed(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    for number in range(40):
        jsaps_client.ask("ES504", transfer_id(number), RECORD)

    lost = call(jsaps.control_port, "POST", "/ledger/lose", body={"rate": 0.5, "seed": 3}).body["lost"]

    assert 0 < lost < 40
    assert held(jsaps) == 40 - lost


def test_a_reply_that_announces_two_gigabytes_leaves_the_record_held(
    jsaps: MainframeServer, jsaps_client: LinkClient
) -> None:
    order(jsaps, "announce_too_long")

    jsaps_client.send("ES504", ES, RECORD)

    assert jsaps_client.socket.recv(4) == (2**31).to_bytes(4, "big")
    assert held(jsaps) == 1


@pytest.mark.parametrize(("failure", "completion"), [("system_error", "E"), ("busy", "B")])
def test_a_balance_that_fails_sends_no_page(
    jsaps: MainframeServer, jsaps_client: LinkClient, failure: str, completion: str
) -> None:
    order(jsaps, failure, dialogue="REC01", count=1)
    asked = {"RQ-DATE": digits_of(Clock().today()), "RQ-PAGE": 1}

    failed, answered = (jsaps_client.ask("REC01", transfer_id(9), asked) for _ in range(2))

    assert (failed.completion, failed.page) == (completion, b"")
    assert (answered.completion, len(answered.page)) == ("A", 3824)


def test_attempts_are_counted_with_those_that_failed(jsaps: MainframeServer, jsaps_client: LinkClient) -> None:
    order(jsaps, "system_error", count=1)

    for number in range(3):
        jsaps_client.ask("ES504", transfer_id(number), RECORD)
    jsaps_client.enquire(ES)

    assert call(jsaps.control_port, "GET", "/failures/attempts").body == {"attempts": 3, "failed": 1}
