"""Confirmed claims go to PSCS's stand-in in files, over real SFTP and a real ledger."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock, deadlines
from cms.gateway.v1 import events_pb2
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.domain import System
from legacy_gateway.store import batches as store
from legacy_gateway.store import transfers
from legacy_gateway.systems.pscs_files import MOST_RESPONSE_BYTES
from tests.support.file_exchange import FileExchange, exchange_with_pscs

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "files.md"
RELEASED_CHANGE = """
    INSERT INTO transfers (
        transfer_id, replaces, claim_ref, claim_version, action, generation, system, phase, state, next_attempt_time,
        confirmed_time, office_code, assessor_id, traceparent, created, updated
    )
    SELECT overlay(transfer_id PLACING 'CHANGE' FROM 1 FOR 6), transfer_id, claim_ref, 9, 'CHANGE', 2, system, phase,
        'WAITING', statement_timestamp(), confirmed_time, office_code, assessor_id, traceparent, created, updated
    FROM transfers WHERE claim_ref = %s
"""


@pytest.fixture
def exchange(gateway: Any, clock_file: Path, tmp_path: Path) -> Iterator[FileExchange]:
    with exchange_with_pscs(gateway, tmp_path) as made:
        yield made


def commands_of_the_runbook() -> list[str]:
    """The statements by which a file gets another sequence."""
    [commands] = [
        found for found in re.findall(r"```sql\n(.*?)```", RUNBOOK.read_text(), re.DOTALL) if found.startswith("BEGIN")
    ]
    return [found for one in commands.split(";") if (found := one.strip()) not in {"", "BEGIN", "COMMIT"}]


def messages(gateway: Any, claim_ref: str) -> list[tuple[str, str, str]]:
    with gateway.database.transaction() as conn:
        found = transfers.of_claim(conn, gateway.vault, claim_ref)
    return [(one.code, one.field, one.question_id) for shown in found for one in shown.messages]


def held(exchange: FileExchange, claim_ref: str) -> tuple[int, int]:
    found = exchange.held(claim_ref)
    return found.get("held", 0), found.get("duplicates", 0)


def test_claims_go_in_one_file_and_are_held_once(exchange: FileExchange) -> None:
    claims = [exchange.claim(number) for number in (1, 2, 3)]

    exchange.step()
    assert [exchange.gateway.states(claim) for claim in claims] == [["SENDING"]] * 3
    assert exchange.incoming() == ["CMS3.PSCS.S000001.DAT"]
    exchange.cycle()
    exchange.step()

    assert [exchange.gateway.states(claim) for claim in claims] == [["ACCEPTED"]] * 3
    assert exchange.states() == [(1, "ANSWERED")]
    assert exchange.batches()[0]["content"] is None
    assert [held(exchange, claim) for claim in claims] == [(1, 0)] * 3
    accepted = [
        events_pb2.TransferAccepted.FromString(row["payload"]).legacy_ref
        for row in exchange.gateway.events()
        if row["type"] == "cms.gateway.v1.TransferAccepted"
    ]
    assert sorted(accepted) == sorted(exchange.gateway.rows(claim)[0]["legacy_ref"] for claim in claims)


def test_the_next_file_goes_only_when_the_one_before_it_is_answered(exchange: FileExchange) -> None:
    first = exchange.claim(1)
    exchange.step()
    second = exchange.claim(2)
    exchange.step()

    assert exchange.states() == [(1, "SENT")]
    assert exchange.gateway.states(second) == ["WAITING"]

    exchange.cycle()
    exchange.carry()
    assert exchange.states() == [(1, "ANSWERED"), (2, "ANSWERED")]
    assert [held(exchange, claim) for claim in (first, second)] == [(1, 0)] * 2


def test_change_goes_in_a_later_file_after_what_it_replaces(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.carry()
    exchange.gateway.know(claim, version=9, **exchange.ill(illness="Back injury"))
    exchange.gateway.change(RELEASED_CHANGE, claim)

    exchange.carry()

    assert exchange.states() == [(1, "ANSWERED"), (2, "ANSWERED")]
    assert exchange.gateway.states(claim, generation=2) == ["ACCEPTED"]
    assert held(exchange, claim) == (1, 0)


def test_a_claim_of_which_no_record_can_be_made_does_not_stop_the_file(exchange: FileExchange) -> None:
    bad, good = exchange.claim(1, sick_from=None), exchange.claim(2)

    exchange.carry()

    assert exchange.gateway.states(bad) == ["REJECTED"]
    assert exchange.gateway.states(good) == ["ACCEPTED"]


def test_a_record_that_cannot_be_opened_any_more_does_not_stop_the_file(exchange: FileExchange) -> None:
    bad, good = exchange.claim(1), exchange.claim(2)
    exchange.prepare()
    exchange.gateway.change("UPDATE transfers SET payload = payload || 'x'::bytea WHERE claim_ref = %s", bad)

    exchange.work.step()
    exchange.gateway.change("UPDATE transfers SET next_attempt_time = 'tomorrow' WHERE claim_ref = %s", bad)
    exchange.carry()

    assert exchange.gateway.states(good) == ["ACCEPTED"]
    assert exchange.gateway.rows(bad)[0]["defects"] >= 1


def test_a_refused_line_is_rejected_with_its_message_and_the_others_are_held(exchange: FileExchange) -> None:
    bad, good = exchange.claim(1), exchange.claim(2)
    exchange.order("refuse_record", claim_ref=bad, code="PS0022", field="PD-MED-CERT-FROM")

    exchange.carry()

    assert [exchange.gateway.states(claim) for claim in (bad, good)] == [["REJECTED"], ["ACCEPTED"]]
    assert messages(exchange.gateway, bad) == [("PS0022", "PD-MED-CERT-FROM", "med_cert_from")]


def test_a_withdrawn_claim_is_left_out_of_the_next_file(exchange: FileExchange) -> None:
    claim, other = exchange.claim(1), exchange.claim(2)
    exchange.prepare()
    exchange.gateway.withdraw(claim)

    exchange.carry()

    assert exchange.gateway.states(claim) == ["CANCELLED"]
    assert (held(exchange, claim), held(exchange, other)) == ((0, 0), (1, 0))


def test_a_refused_file_goes_again_under_its_sequence_made_anew(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.order("refuse_file", count=2)

    exchange.carry()
    first = exchange.batches()[0]
    assert (first["sequence"], first["state"], first["refusals"], first["fault"]) == (1, "SENT", 1, "PF0004")
    exchange.cycle()
    exchange.step()
    exchange.cycle()
    exchange.step()

    assert exchange.states() == [(1, "ANSWERED")]
    assert exchange.gateway.states(claim) == ["ACCEPTED"]
    assert held(exchange, claim) == (1, 0)


def test_the_bytes_change_only_after_a_refusal(exchange: FileExchange) -> None:
    exchange.claim(1)
    exchange.order("system_error", at="rename", count=2)
    exchange.step()
    sent = (exchange.root / "in" / "CMS3.PSCS.S000001.DAT").read_bytes()

    with exchange.gateway.database.transaction() as conn:
        found = store.find_open(conn, System.PSCS)
        assert found is not None
        assert store.content_of(conn, exchange.gateway.vault, found.batch) == sent
    assert exchange.batches()[0]["setbacks"] == 0


def test_a_file_of_a_wrong_sequence_is_left_to_a_person_who_gives_it_the_right_one(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.expect(5)
    for _ in range(10):
        exchange.carry()
    assert exchange.states() == [(1, "CLERICAL")]
    assert exchange.batches()[0]["fault"] == "PF0001"
    assert exchange.gateway.states(claim) == ["SENDING"]

    for statement in commands_of_the_runbook():
        exchange.gateway.change(statement.replace("<expected>", "5"))
    exchange.carry()
    other = exchange.claim(2)
    exchange.carry()

    assert exchange.states() == [(5, "ANSWERED"), (6, "ANSWERED")]
    assert [held(exchange, one) for one in (claim, other)] == [(1, 0)] * 2


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        ({"failure": "cut_response"}, "UNREADABLE"),
        ({"failure": "other_sequence"}, "OTHER_SEQUENCE"),
        ({"failure": "other_transfer"}, "OTHER_TRANSFERS"),
    ],
)
def test_nothing_of_a_wrong_response_is_believed_and_it_may_be_put_right(
    exchange: FileExchange, failure: dict[str, str], fault: str
) -> None:
    claims = [exchange.claim(1), exchange.claim(2)]
    exchange.order(**failure, count=1)

    exchange.carry()

    assert exchange.batches()[0]["fault"] == fault
    assert exchange.states() == [(1, "SENT")]
    assert [exchange.gateway.states(claim) for claim in claims] == [["SENDING"]] * 2
    exchange.respond(1)
    exchange.step()
    assert [exchange.gateway.states(claim) for claim in claims] == [["ACCEPTED"]] * 2
    assert exchange.batches()[0]["fault"] == ""


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "LENGTH"), (b"\x00" * 600, "UNREADABLE"), (b"\xf0" * (MOST_RESPONSE_BYTES + 200), "TOO_LONG")],
    ids=["nothing", "garbage", "more-than-any-response"],
)
def test_the_work_goes_on_after_a_response_that_is_none(exchange: FileExchange, content: bytes, fault: str) -> None:
    claim = exchange.claim(1)
    exchange.step()
    (exchange.root / "out" / "CMS3.PSCS.S000001.RSP").write_bytes(content)

    exchange.step()
    assert exchange.batches()[0]["fault"] == fault
    assert exchange.gateway.states(claim) == ["SENDING"]
    exchange.cycle()
    exchange.step()

    assert exchange.gateway.states(claim) == ["ACCEPTED"]


def test_a_response_that_stays_wrong_is_made_good_by_the_daily_lists(exchange: FileExchange) -> None:
    lost, good = exchange.claim(1), exchange.claim(2)
    exchange.order("refuse_record", claim_ref=lost, count=1)
    exchange.order("cut_response", count=1)
    exchange.carry()

    exchange.wait_in_vain(hours=1)
    exchange.step()  # the same bytes go again
    assert exchange.cycle()[0]["code"] == "PF0002"
    exchange.step()  # it is known to be taken
    exchange.wait_in_vain(hours=1)
    exchange.step()  # and given up
    assert exchange.gateway.states(good) == ["ACCEPTED"]
    assert exchange.gateway.states(lost) == ["UNKNOWN"]
    for _ in range(2):
        exchange.cycle()
        exchange.step()

    assert exchange.gateway.states(lost) == ["ACCEPTED"]
    assert [held(exchange, claim) for claim in (lost, good)] == [(1, 0)] * 2
    assert exchange.states() == [(1, "ANSWERED"), (2, "ANSWERED")]


@pytest.mark.parametrize("recount", [False, True])
def test_a_missing_line_is_found_in_the_daily_list(exchange: FileExchange, *, recount: bool) -> None:
    missing, other = exchange.claim(1), exchange.claim(2)
    exchange.order("omit_line", claim_ref=missing, recount=recount)

    exchange.step()
    exchange.cycle()
    exchange.step()

    assert [exchange.gateway.states(claim) for claim in (missing, other)] == [["ACCEPTED"]] * 2
    assert [held(exchange, claim) for claim in (missing, other)] == [(1, 0)] * 2


def test_a_missing_line_that_a_later_list_lacks_goes_with_the_next_file(exchange: FileExchange) -> None:
    missing, other = exchange.claim(1), exchange.claim(2)
    exchange.order("refuse_record", claim_ref=missing, count=1)
    exchange.order("omit_line", claim_ref=missing, count=1)

    exchange.carry()
    assert [exchange.gateway.states(claim) for claim in (missing, other)] == [["UNKNOWN"], ["ACCEPTED"]]
    exchange.order("cut_control", count=1)
    exchange.carry()
    assert exchange.gateway.states(missing) == ["UNKNOWN"]  # a list that was cut short proves nothing
    exchange.carry()
    exchange.carry()

    assert exchange.gateway.states(missing) == ["ACCEPTED"]
    assert held(exchange, missing) == (1, 0)


def test_a_missing_line_that_a_person_asks_about_is_left_to_its_file(exchange: FileExchange) -> None:
    missing = exchange.claim(1)
    exchange.order("refuse_record", claim_ref=missing, count=1)
    exchange.order("omit_line", claim_ref=missing, count=1)
    exchange.carry()
    exchange.gateway.change("UPDATE transfers SET next_attempt_time = clock_timestamp() WHERE claim_ref = %s", missing)

    exchange.prepare()

    assert exchange.gateway.states(missing) == ["UNKNOWN"]
    for _ in range(2):
        exchange.cycle()
        exchange.step()
    assert held(exchange, missing) == (1, 0)


def test_silence_is_awaited_and_a_fetched_file_goes_again_after_hours(exchange: FileExchange) -> None:
    claim = exchange.claim(1)
    exchange.order("no_response", seconds=3600, count=1)
    exchange.carry()
    assert exchange.states() == [(1, "SENT")]

    exchange.wait_in_vain(hours=4)
    exchange.step()
    assert exchange.incoming() == ["CMS3.PSCS.S000001.DAT"]
    exchange.cycle()
    exchange.step()
    assert exchange.batches()[0]["taken"] is True
    exchange.respond(1)
    exchange.step()

    assert exchange.gateway.states(claim) == ["ACCEPTED"]
    assert held(exchange, claim) == (1, 0)


def test_after_the_last_sequence_the_first_one_comes(exchange: FileExchange) -> None:
    exchange.start_at(999_999)
    first = exchange.claim(1)
    exchange.carry()
    second = exchange.claim(2)
    exchange.carry()

    assert exchange.states() == [(999_999, "ANSWERED"), (1, "ANSWERED")]
    assert [held(exchange, claim) for claim in (first, second)] == [(1, 0)] * 2


def test_overdue_files_have_an_owner(exchange: FileExchange, clock_file: Path) -> None:
    claim = exchange.claim(1)
    exchange.step()

    clock.advance(timedelta(hours=3))

    with exchange.gateway.database.transaction() as conn:
        late = [(one.state, one.reference, one.owner) for one in deadlines.overdue(conn, DEADLINES)]
    assert ("IN_FILE", claim, "SUPPORT") in late
