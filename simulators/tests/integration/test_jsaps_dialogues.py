"""JSAPS over its real door: every dialogue and completion, when nothing fails."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from simulators.clock import Clock
from simulators.jsaps import JSAPS
from simulators.record_link.link import Link
from simulators.record_link.record import decode
from simulators.record_link.server import MainframeServer
from simulators.settings import JsapsSettings
from simulators.testing import (
    CLAIM_REF,
    Answer,
    LinkClient,
    call,
    digits_of,
    first_phase_values,
    second_phase_values,
    transfer_id,
    wait_until,
)

TODAY = Clock().today()
ES, BA, OTHER = transfer_id(1), transfer_id(2), transfer_id(3)


@pytest.fixture
def client(jsaps: MainframeServer, link: Link) -> Iterator[LinkClient]:
    with LinkClient(link, jsaps.port) as connection:
        yield connection


def hold_first(client: LinkClient, transfer: str = ES, **changes: str) -> Answer:
    return client.ask("ES504", transfer, first_phase_values(TODAY) | with_hyphens(changes))


def hold_second(client: LinkClient, reference: str, transfer: str = BA, **changes: str) -> Answer:
    return client.ask("BA504", transfer, second_phase_values(TODAY, reference) | with_hyphens(changes))


def with_hyphens(changes: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in changes.items()}


def claim(jsaps: MainframeServer) -> dict[str, object]:
    found = call(jsaps.control_port, "GET", f"/ledger?claim_ref={CLAIM_REF}").body["claims"][CLAIM_REF]
    assert isinstance(found, dict)
    return found


def test_both_phases_are_held_under_references_of_twelve_characters(jsaps: MainframeServer, client: LinkClient) -> None:
    first = hold_first(client)
    second = hold_second(client, first.legacy_ref)

    assert (first.completion, first.transfer_id, len(first.legacy_ref)) == ("A", ES, 12)
    assert (second.completion, second.transfer_id, len(second.legacy_ref)) == ("A", BA, 12)
    assert first.legacy_ref != second.legacy_ref
    assert claim(jsaps) == {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}


def test_the_first_phase_alone_is_half_a_transfer(jsaps: MainframeServer, client: LinkClient) -> None:
    hold_first(client)

    assert claim(jsaps) == {"es_held": 1, "ba_held": 0, "duplicates": 0, "half": True}


def test_a_record_sent_twice_is_held_twice(jsaps: MainframeServer, client: LinkClient) -> None:
    first, again = hold_first(client), hold_first(client)

    assert (first.completion, again.completion) == ("A", "A")
    assert first.legacy_ref != again.legacy_ref
    assert claim(jsaps)["duplicates"] == 1


def test_a_broken_rule_is_refused_with_at_most_five_messages(client: LinkClient) -> None:
    answer = hold_first(
        client, CM_NINO="X", CM_SURNAME="1", CM_FORENAMES="2", CM_POSTCODE="3", CM_LA_CODE="4", CM_OFFICE_CODE="5"
    )

    assert answer.completion == "R"
    assert answer.codes == ["ES0001", "ES0002", "ES0003", "ES0006", "ES0007"]
    assert answer.messages[0].field == "CM-NINO"


def test_a_crc_that_does_not_agree_is_answered_e_and_nothing_is_held(
    jsaps: MainframeServer, client: LinkClient
) -> None:
    answer = client.ask("ES504", ES, first_phase_values(TODAY), LH_PAYLOAD_CRC=1)

    assert (answer.completion, answer.codes) == ("E", ["LK0003"])
    assert call(jsaps.control_port, "GET", "/ledger").body["claims"] == {}


def test_the_enquiry_tells_what_is_held_refused_and_not_known(client: LinkClient) -> None:
    held = hold_first(client)
    refused = hold_first(client, transfer=OTHER, CM_NINO="QQ123456C")
    wait_until(lambda: client.enquire(ES).completion == "A")
    wait_until(lambda: client.enquire(OTHER).completion == "R")

    assert client.enquire(ES).legacy_ref == held.legacy_ref
    assert client.enquire(OTHER).messages == refused.messages
    assert client.enquire(BA).completion == "N"


@pytest.mark.parametrize(
    "changes",
    [
        {"JB_ES_LEGACY_REF": "JS0000009999"},
        {"JB_ES_LEGACY_REF": ""},
        {"CM_CLAIM_REF": "C9999999999Z"},
        {"CM_NINO": "AB123457C"},
    ],
    ids=["unknown reference", "no reference", "other claim", "other NINO"],
)
def test_a_second_phase_without_its_first_is_refused(client: LinkClient, changes: dict[str, str]) -> None:
    first = hold_first(client)

    assert hold_second(client, first.legacy_ref, **changes).codes == ["BA0017"]


def test_a_second_phase_whose_first_is_withdrawn_is_refused(client: LinkClient) -> None:
    first = hold_first(client)
    client.enquire(ES, "CN504")

    assert hold_second(client, first.legacy_ref).codes == ["BA0017"]


def test_a_second_phase_does_not_stand_on_another_second_phase(client: LinkClient) -> None:
    second = hold_second(client, hold_first(client).legacy_ref)

    assert hold_second(client, second.legacy_ref, transfer=OTHER).codes == ["BA0017"]


def test_withdrawing_may_be_repeated_and_the_enquiry_says_so(jsaps: MainframeServer, client: LinkClient) -> None:
    first = hold_first(client)

    answers = [client.enquire(ES, "CN504") for _ in range(2)]

    assert [(answer.completion, answer.legacy_ref) for answer in answers] == [("A", first.legacy_ref)] * 2
    wait_until(lambda: client.enquire(ES).completion == "A")
    assert client.enquire(ES).codes == ["ES0031"]
    assert call(jsaps.control_port, "GET", "/ledger").body["dialogues"]["ES504"]["withdrawn"] == 1


def test_a_first_phase_in_use_is_not_withdrawn(jsaps: MainframeServer, client: LinkClient) -> None:
    hold_second(client, hold_first(client).legacy_ref)

    answer = client.enquire(ES, "CN504")

    assert (answer.completion, answer.codes) == ("R", ["ES0030"])
    assert claim(jsaps)["half"] is False


@pytest.mark.parametrize("transfer", [BA, OTHER], ids=["second phase", "never sent"])
def test_only_a_first_phase_is_known_to_the_withdrawal(client: LinkClient, transfer: str) -> None:
    hold_second(client, hold_first(client).legacy_ref)

    assert client.enquire(transfer, "CN504").completion == "N"


def test_a_change_takes_the_place_of_what_is_held(jsaps: MainframeServer, client: LinkClient) -> None:
    hold_second(client, hold_first(client).legacy_ref)

    first = hold_first(client, transfer=transfer_id(5), CM_ACTION="C")
    between = claim(jsaps)
    second = hold_second(client, first.legacy_ref, transfer=transfer_id(6), CM_ACTION="C")

    assert (first.completion, second.completion) == ("A", "A")
    assert between["half"] is True
    assert claim(jsaps) == {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}


def test_a_change_of_what_is_not_held_is_refused_in_either_phase(client: LinkClient) -> None:
    assert hold_first(client, CM_ACTION="C").codes == ["ES0013"]

    first = hold_first(client, transfer=OTHER)

    assert hold_second(client, first.legacy_ref, CM_ACTION="C").codes == ["BA0013"]


def day(client: LinkClient, link: Link, number: int, page: int = 1) -> dict[str, object]:
    answer = client.ask("REC01", transfer_id(900), {"RQ-DATE": number, "RQ-PAGE": page})
    assert (answer.completion, answer.transfer_id) == ("A", transfer_id(900))
    return dict(decode(link.layout("RECON-PAGE"), answer.page).values)


def test_the_days_balance_lists_a_hundred_to_a_page_in_order_of_receipt(client: LinkClient, link: Link) -> None:
    references = [hold_first(client, transfer=transfer_id(number)).legacy_ref for number in range(101)]

    first, second = (day(client, link, digits_of(TODAY), page) for page in (1, 2))

    assert [first[name] for name in ("RP-TOTAL", "RP-COUNT", "RP-LAST-PAGE")] == [101, 100, "N"]
    assert [second[name] for name in ("RP-TOTAL", "RP-COUNT", "RP-LAST-PAGE")] == [101, 1, "Y"]
    assert first["RP-LEGACY-REF"] == references[:100]
    assert isinstance(second["RP-TRANSFER-ID"], list)
    assert second["RP-TRANSFER-ID"][0] == transfer_id(100)


def test_the_days_balance_leaves_out_the_withdrawn_and_lists_twice_what_is_held_twice(
    client: LinkClient, link: Link
) -> None:
    for transfer in (ES, OTHER, OTHER):
        hold_first(client, transfer=transfer)
    client.enquire(ES, "CN504")

    page = day(client, link, digits_of(TODAY))

    assert page["RP-TOTAL"] == 2
    assert isinstance(page["RP-TRANSFER-ID"], list)
    assert page["RP-TRANSFER-ID"][:3] == [OTHER, OTHER, ""]


@pytest.mark.parametrize("number", [digits_of(TODAY - timedelta(days=1)), 20260231])
def test_a_day_without_receipts_is_one_empty_last_page(client: LinkClient, link: Link, number: int) -> None:
    hold_first(client)

    page = day(client, link, number)

    assert [page[name] for name in ("RP-PAGE", "RP-TOTAL", "RP-COUNT", "RP-LAST-PAGE")] == [1, 0, 0, "Y"]


def test_the_platforms_clock_moves_the_day_of_receipt(
    tmp_path: Path, jsaps_settings: JsapsSettings, link: Link
) -> None:
    offset = tmp_path / "offset"
    stand_in = MainframeServer(JSAPS, jsaps_settings.model_copy(update={"clock_offset_file": offset}))
    stand_in.start()
    offset.write_text(str(3 * 86_400))

    with LinkClient(link, stand_in.port) as client:
        hold_first(client)
        moved = day(client, link, digits_of(Clock(offset).today()))
    stand_in.stop()

    assert moved["RP-TOTAL"] == 1


def test_a_record_lost_overnight_is_not_known_to_the_system(
    jsaps: MainframeServer, client: LinkClient, link: Link
) -> None:
    hold_second(client, hold_first(client).legacy_ref)

    lost = call(jsaps.control_port, "POST", "/ledger/lose", body={"claim_ref": CLAIM_REF}).body

    assert lost == {"lost": 2}
    assert client.enquire(ES).completion == "N"
    assert day(client, link, digits_of(TODAY))["RP-TOTAL"] == 0


def test_an_order_to_lose_nothing_in_particular_is_refused(jsaps: MainframeServer) -> None:
    assert call(jsaps.control_port, "POST", "/ledger/lose", body={}).status == 400


def test_the_ledger_is_on_disk_before_the_reply_and_names_nobody(
    jsaps_settings: JsapsSettings, jsaps: MainframeServer, client: LinkClient
) -> None:
    answer = hold_first(client)

    text = (jsaps_settings.data / "ledger.jsonl").read_text()

    entry = json.loads(text)
    assert (entry["event"], entry["legacy_ref"], entry["transfer_id"]) == ("held", answer.legacy_ref, ES)
    assert len(entry["payload_sha256"]) == 64
    assert all(value not in text for value in ("AB123456C", "BRIEN", "LEEDS", "LS1", "87654321"))


def test_a_restart_finds_the_ledger(jsaps_settings: JsapsSettings, link: Link) -> None:
    for transfer in (ES, OTHER):
        stand_in = MainframeServer(JSAPS, jsaps_settings)
        stand_in.start()
        with LinkClient(link, stand_in.port) as client:
            last = hold_first(client, transfer=transfer)
        stand_in.stop()
    with (jsaps_settings.data / "ledger.jsonl").open("ab") as ledger:
        ledger.write(b'{"sequence":3,"ev')

    stand_in = MainframeServer(JSAPS, jsaps_settings)
    stand_in.start()
    with LinkClient(link, stand_in.port) as client:
        assert client.enquire(ES).completion == "A"
        assert client.enquire(OTHER).legacy_ref == last.legacy_ref
        assert hold_second(client, last.legacy_ref).completion == "A"
    assert claim(stand_in)["duplicates"] == 1
    stand_in.stop()


def test_a_second_phase_stands_on_the_newest_first_phase_alone(client: LinkClient) -> None:
    first = hold_first(client)
    hold_second(client, first.legacy_ref)
    change = hold_first(client, transfer=OTHER, CM_ACTION="C")

    assert hold_second(client, first.legacy_ref, transfer=transfer_id(7), CM_ACTION="C").codes == ["BA0017"]
    assert hold_second(client, change.legacy_ref, transfer=transfer_id(8), CM_ACTION="C").completion == "A"


def test_withdrawing_a_change_restores_what_it_replaced(jsaps: MainframeServer, client: LinkClient) -> None:
    first = hold_first(client)
    hold_second(client, first.legacy_ref)
    hold_first(client, transfer=OTHER, CM_ACTION="C")

    assert client.enquire(OTHER, "CN504").completion == "A"
    assert claim(jsaps) == {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
    assert hold_second(client, first.legacy_ref, transfer=transfer_id(8), CM_ACTION="C").completion == "A"
