"""Claims to ISCS and SFCS by the whole way inside the gateway, against their stand-ins; and no system slows another."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import legacy_gateway
from chassis import clock
from chassis.inbox import Event
from chassis.testing import eventually
from chassis.workers import Turns
from legacy_gateway.domain import Confirmation, Facts, System, trust
from legacy_gateway.domain.trust import SchemeConfirmation
from legacy_gateway.link import LinkPool
from legacy_gateway.records import decode, layout
from legacy_gateway.service import confirmations
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sending import send_next
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.store import kept_facts, leases, transfers
from legacy_gateway.systems import RULES
from legacy_gateway.systems.record_link import RecordLinkSystem
from simulators.iscs import ISCS
from simulators.record_link.mainframe import Mainframe
from simulators.record_link.server import MainframeServer
from simulators.settings import IscsSettings, RecordLinkSettings, SfcsSettings, read_settings
from simulators.sfcs import SFCS
from simulators.testing import call

COPYBOOKS = Path(legacy_gateway.__file__).parent / "copybooks"
SCALE, REPLY_SECONDS = 0.05, 0.5
CLAIM = "C00000000018"
CHILD = {"name": "Ann", "date_of_birth": "2004-02-29", "relationship": "SON_OR_DAUGHTER"}
ANSWERS: dict[System, dict[str, Any]] = {
    System.ISCS: {"is_group": "LP", "part_time_hours": 0.0, "children": [CHILD], "other_income": []},
    System.SFCS: {"crisis_reason": "LM", "amount": "45.00", "existing_debt": "0.00", "other_resources": "1.20"},
}
SCHEMES = {System.ISCS: "INCOME_SUPPORT", System.SFCS: "CRISIS_LOAN"}
WITHOUT_A_REPLY = [
    "lose_reply",
    "cut_reply",
    "hang",
    "close_mid_frame",
    "other_transfer",
    "announce_too_long",
    "buffer",
]
STAND_INS: dict[System, tuple[Mainframe, type[RecordLinkSettings]]] = {
    System.ISCS: (ISCS, IscsSettings),
    System.SFCS: (SFCS, SfcsSettings),
}


@dataclass(kw_only=True)
class Outside:
    """The gateway, with one more system whose stand-in runs."""

    gateway: Any
    system: System
    stand_in: MainframeServer
    resources: Resources
    facts: Callable[..., Facts]
    confirmation: Callable[..., Event]

    def claim(self, claim_ref: str = CLAIM, **answers: Any) -> str:
        """A confirmed claim for the system alone."""
        given = ANSWERS[self.system] | {"money_needed_by": (clock.today() + timedelta(days=1)).isoformat()} | answers
        self.gateway.intake.known[claim_ref, 7] = self.facts(**given)
        self.gateway.hear(self.confirmation(claim_ref, schemes=[SCHEMES[self.system]]))
        return claim_ref

    def send(self) -> bool:
        """A step of a sender of the system's crew."""
        return send_next(self.resources, self.system)

    def order(self, failure: str, **rule: Any) -> None:
        """Orders a failure of the stand-in."""
        answer = call(self.stand_in.control_port, "POST", "/failures", body={"failure": failure, **rule})
        assert answer.status == 200, answer.body

    def held(self, claim_ref: str = CLAIM) -> int:
        """How many records the stand-in holds of the claim, those held twice counted twice."""
        body = call(self.stand_in.control_port, "GET", f"/ledger?claim_ref={claim_ref}").body
        entry: dict[str, int] = body["claims"].get(claim_ref, {"held": 0, "duplicates": 0})
        return entry["held"] + entry["duplicates"]

    def work_until(self, *states: str, claim_ref: str = CLAIM) -> None:
        """Steps until the claim's transfers are in these states."""

        def there() -> bool:
            self.send()
            sweep(self.resources)
            return bool(self.gateway.states(claim_ref) == list(states))

        eventually(there, seconds=15, what=f"{states}")


@pytest.fixture(params=[System.ISCS, System.SFCS])
def outside(
    request: pytest.FixtureRequest,
    gateway: Any,
    tmp_path: Path,
    facts: Callable[..., Facts],
    confirmation: Callable[..., Event],
) -> Iterator[Outside]:
    system: System = request.param
    mainframe, kind = STAND_INS[system]
    settings = read_settings(
        kind, port=0, control_port=0, data=tmp_path / mainframe.name, copybooks=COPYBOOKS, time_scale=SCALE
    )
    with ExitStack() as closing:
        stand_in = MainframeServer(mainframe, settings)
        stand_in.start()
        closing.callback(stand_in.stop)
        pool = LinkPool("127.0.0.1", stand_in.port, size=2, timeout=REPLY_SECONDS, in_flight=RULES[system].in_flight)
        closing.callback(pool.close)
        resources = replace(
            gateway.resources,
            systems={**gateway.resources.systems, system: RecordLinkSystem(RULES[system], pool)},
            turns={**gateway.resources.turns, system: Turns(pause_seconds=0)},
        )
        yield Outside(
            gateway=gateway,
            system=system,
            stand_in=stand_in,
            resources=resources,
            facts=facts,
            confirmation=confirmation,
        )


def test_a_confirmed_claim_is_held_by_its_system_once_and_whole(outside: Outside) -> None:
    outside.claim()

    outside.work_until("ACCEPTED")

    assert outside.held() == 1
    [event] = [row for row in outside.gateway.events() if row["type"].endswith("TransferAccepted")]
    assert event["claim_ref"] == CLAIM


@pytest.mark.parametrize("outside", [System.SFCS], indirect=True)
def test_the_loan_that_was_decided_goes_to_sfcs_although_the_facts_were_kept_before(outside: Outside) -> None:
    gateway = outside.gateway
    decided = SchemeConfirmation(
        scheme="CRISIS_LOAN", claim_version=7, office_code="100999", assessor_id="AS000777", loan_amount="30.50"
    )
    gateway.assessment.known[CLAIM] = [decided]
    outside.claim()
    undecided = trust.Basis(facts=gateway.intake.known[CLAIM, 7], office_code="100123", assessor_id="ASSESS01")
    with gateway.database.transaction() as conn:
        kept_facts.keep(conn, outside.resources.vault, gateway.shown(CLAIM)[0].transfer, undecided)

    outside.work_until("ACCEPTED")

    with gateway.database.transaction() as conn:
        cipher = outside.resources.vault.cipher(conn, CLAIM)
        payload = leases.open_payload(gateway.shown(CLAIM)[0].transfer, gateway.rows(CLAIM)[0]["payload"], cipher)
        assert conn.execute("SELECT 1 FROM kept_facts").fetchone() is None
    record = decode(layout("SFCS-LOAN"), payload)
    assert (record["SF-AMOUNT"], record["CM-ASSESSOR-ID"]) == (Decimal("30.50"), "AS000777")
    assert gateway.intake.asked == []


def test_an_unknown_record_is_asked_about_and_held_once(outside: Outside) -> None:
    for number, failure in enumerate(WITHOUT_A_REPLY):
        claim_ref = f"C{number:011}"
        outside.order(failure, claim_ref=claim_ref, count=1)
        outside.claim(claim_ref)

        outside.work_until("ACCEPTED", claim_ref=claim_ref)

        assert outside.held(claim_ref) == 1, failure


def test_a_record_of_a_sender_that_was_killed_goes_again_while_its_process_may_live(outside: Outside) -> None:
    outside.order("close_mid_frame", count=1)
    outside.claim()
    outside.send()
    outside.gateway.change("UPDATE transfers SET sender_id = 1, sender_token = gen_random_uuid()")
    outside.gateway.change("INSERT INTO senders VALUES (1, '', 'elsewhere', 1, '', statement_timestamp(), NULL)")

    outside.work_until("ACCEPTED")

    assert outside.held() == 1


def test_a_refusal_leads_to_its_question(outside: Outside) -> None:
    outside.order("refuse_record", count=1)
    outside.claim()

    outside.work_until("REJECTED")

    assert outside.held() == 0


def test_a_scheme_that_waited_for_a_system_is_taken_up_and_held(outside: Outside) -> None:
    database = outside.gateway.database
    older = {"JOBSEEKERS_ALLOWANCE": System.JSAPS}
    outside.claim()
    outside.gateway.change("DELETE FROM transfers")
    with database.transaction() as conn:
        confirmations.confirm(conn, _confirmation(), [SCHEMES[outside.system]], systems=older)
    assert outside.gateway.states(CLAIM) == []

    assert confirmations.take_up_next(database)
    outside.work_until("ACCEPTED")

    assert outside.held() == 1


def test_the_system_lists_what_it_holds_of_a_day(outside: Outside) -> None:
    claims = [outside.claim(f"C{number:011}") for number in range(3)]
    for claim_ref in claims:
        outside.work_until("ACCEPTED", claim_ref=claim_ref)

    system = outside.resources.systems[outside.system]
    listed = [one for page in system.held_on(clock.today()) for one in page]

    rows = [row for claim_ref in claims for row in outside.gateway.rows(claim_ref)]
    assert {(one.transfer_id, one.legacy_ref) for one in listed} == {
        (row["transfer_id"], row["legacy_ref"]) for row in rows
    }
    assert [list(page) for page in system.held_on(clock.today() - timedelta(days=1))] == [[]]


def test_another_system_that_hangs_does_not_hold_up_this_one(outside: Outside) -> None:
    gateway = outside.gateway
    gateway.order("hang")
    for number in range(4):
        gateway.claim(f"C9{number:010}")
    stopping = threading.Event()
    hanging = [threading.Thread(target=_work, args=(stopping, gateway.send)) for _ in range(4)]
    for thread in hanging:
        thread.start()
    try:
        eventually(lambda: _sending(gateway) == 4, what="every sender of the other system waits for a reply")
        outside.claim()
        assert outside.send()
        assert outside.gateway.states(CLAIM) == ["ACCEPTED"]
    finally:
        stopping.set()
        for thread in hanging:
            thread.join()


@pytest.mark.parametrize("outside", [System.ISCS], indirect=True)
def test_records_in_flight_to_an_unreliable_system_are_held_once(outside: Outside) -> None:
    for failure in ("lose_reply", "cut_reply", "close_mid_frame", "system_error", "other_transfer"):
        outside.order(failure, rate=0.15, seed=len(failure), count=4)
    claims = [outside.claim(f"C000000000{number:02d}") for number in range(10, 26)]
    stopping = threading.Event()
    senders = [threading.Thread(target=_work, args=(stopping, outside.send)) for _ in range(6)]
    for thread in senders:
        thread.start()
    try:
        states = outside.gateway.states
        eventually(lambda: all(states(one) == ["ACCEPTED"] for one in claims), seconds=40, what="every claim accepted")
    finally:
        stopping.set()
        for thread in senders:
            thread.join()

    failures = call(outside.stand_in.control_port, "GET", "/failures/counts").body["counts"]
    assert sum(failures.values()) >= 3
    assert [outside.held(claim_ref) for claim_ref in claims] == [1] * len(claims)


def _work(stopping: threading.Event, step: Callable[[], bool]) -> None:
    while not stopping.is_set():
        step() or stopping.wait(0.01)


def _sending(gateway: Any) -> int:
    with gateway.database.transaction() as conn:
        [row] = conn.execute("SELECT count(*) AS count FROM transfers WHERE state = 'SENDING'")
    return int(row["count"])


def _confirmation() -> Confirmation:
    return Confirmation(
        claim_ref=CLAIM, claim_version=7, confirmed_time=clock.now(), office_code="100123", assessor_id="ASSESS01"
    )


def test_a_record_that_was_lost_overnight_is_sent_again_under_its_id(
    outside: Outside, books_of: Callable[..., Any]
) -> None:
    outside.claim()
    outside.work_until("ACCEPTED")
    [before] = outside.gateway.rows(CLAIM)
    books = books_of(outside.system, outside.resources.systems[outside.system], outside.stand_in.control_port)
    books.let_it_settle()
    books.lose(CLAIM)
    books.next_morning()

    books.run()
    outside.work_until("ACCEPTED")

    [after] = outside.gateway.rows(CLAIM)
    assert (after["transfer_id"], after["payload"], after["attempts"]) == (before["transfer_id"], before["payload"], 2)
    assert outside.held() == 1


@pytest.mark.parametrize("outside", [System.ISCS], indirect=True)
@pytest.mark.parametrize(
    "answers",
    [
        {"children": [CHILD] * 11},
        {"other_income": [{"kind": "OTHER", "amount": "1.00", "period": "WEEKLY"}] * 7},
        {"children": [CHILD | {"name": "A" * 31}]},
    ],
    ids=["eleven children", "seven incomes", "a long name"],
)
def test_a_value_that_the_record_cannot_hold_goes_to_a_person_with_the_reason(
    outside: Outside, answers: dict[str, Any]
) -> None:
    outside.claim(**answers)

    outside.work_until("CLERICAL")

    with outside.gateway.database.transaction() as conn:
        [shown] = transfers.of_claim(conn, outside.gateway.vault, CLAIM)
    [message] = shown.messages
    assert (message.code, message.question_id) == ("GW0004", next(iter(answers)))
    assert (outside.send(), outside.held()) == (False, 0)
