"""Events in any order, also repeated, lead to the same record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessment.consumers import HANDLERS
from assessment.domain.assessments import Assessment
from assessment.domain.items import Check, Checked, Facts, ItemStatus
from assessment.domain.schemes import Desk
from assessment.domain.work import WorkFilter
from assessment.store import assessments as store
from assessment.store.work import list_work
from chassis import outbox
from chassis.bus import Bus
from chassis.database import Database
from chassis.errors import InvalidArgument
from chassis.inbox import Event, Inbox
from chassis.metrics import REGISTRY
from chassis.outbox import Relay
from chassis.testing import SignaturesOf, event_of, eventually, handle
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2 as intake_events
from cms.scheduling.v1 import events_pb2 as scheduling_events

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OFFICE = "123456"


def event(message: Message, *, version: int = 1, minutes: int = 0) -> Event:
    return event_of(message, claim_ref="", version=version, at=NOON + timedelta(minutes=minutes))


def submitted() -> Event:
    message = intake_events.ClaimSubmitted(schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE])
    message.submit_time.FromDatetime(NOON)
    return event(message, version=7)


def booked(appointment_id: str, *, minutes: int) -> Event:
    message = scheduling_events.AppointmentBooked(
        appointment_id=appointment_id, office_code=OFFICE, assessor_id="AS000001", channel=common_pb2.CHANNEL_TELEPHONE
    )
    message.start_time.FromDatetime(NOON + timedelta(days=1))
    return event(message, minutes=minutes)


def rejected(transfer_id: str, question_id: str, *, minutes: int) -> Event:
    message = gateway_events.TransferRejected(
        system=common_pb2.SYSTEM_JSAPS, transfer_id=transfer_id, question_ids=[question_id]
    )
    return event(message, minutes=minutes)


def accepted(*, minutes: int) -> Event:
    return event(gateway_events.TransferAccepted(system=common_pb2.SYSTEM_JSAPS, transfer_id="T9"), minutes=minutes)


def amended(*facts: str, version: int) -> Event:
    return event(intake_events.ClaimAmended(changed_fields=facts), version=version)


def withdrawn() -> Event:
    message = intake_events.ClaimWithdrawn()
    message.withdraw_time.FromDatetime(NOON + timedelta(minutes=40))
    return event(message, version=9)


def moved(office_code: str, *, minutes: int) -> Event:
    message = scheduling_events.AppointmentMoved(
        appointment_id="A1", office_code=office_code, assessor_id="AS000002", channel=common_pb2.CHANNEL_OFFICE
    )
    message.start_time.FromDatetime(NOON + timedelta(days=2))
    return event(message, minutes=minutes)


def cancelled(*, minutes: int, claim_withdrawn: bool = False) -> Event:
    message = scheduling_events.AppointmentCancelled(appointment_id="A1", claim_withdrawn=claim_withdrawn)
    return event(message, minutes=minutes)


def came(appointment_id: str, *, minutes: int, missed: bool = False) -> Event:
    kind = scheduling_events.AppointmentMissed if missed else scheduling_events.AppointmentAttended
    message = kind(appointment_id=appointment_id, office_code=OFFICE, assessor_id="AS000001")
    message.start_time.FromDatetime(NOON + timedelta(days=1, minutes=minutes))
    return event(message, minutes=minutes)


def decided(*, version: int, minutes: int) -> Event:
    scheme = common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE
    return event(gateway_events.DecisionRecorded(scheme=scheme, decision_version=version), minutes=minutes)


SECOND_ATTEMPT = [
    submitted(),
    booked("A1", minutes=5),
    came("A1", minutes=10, missed=True),
    booked("A2", minutes=20),
    came("A2", minutes=30),
]

HISTORY = [
    submitted(),
    booked("A1", minutes=5),
    booked("A2", minutes=9),
    amended("surname", version=8),
    rejected("T1", "surname", minutes=20),
    rejected("T2", "tenure", minutes=30),
    accepted(minutes=25),
]


def handle_all(database: Database, claim_ref: str, events: list[Event]) -> None:
    for each in events:
        handle(database, HANDLERS, replace(each, claim_ref=claim_ref))


def listed(database: Database, claim_ref: str) -> Any:
    """The claim's work item without its reference."""
    wanted = WorkFilter(office=OFFICE, with_unbooked=True)
    with database.transaction() as conn:
        found = [work for work in list_work(conn, wanted, after=None, limit=10_000) if work.claim_ref == claim_ref]
    return vars(found[0]) | {"claim_ref": ""} if found else None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([*HISTORY, withdrawn()]))
def test_a_withdrawn_claim_is_closed_work_in_any_order(database: Database, order: list[Event]) -> None:
    claim_ref = uuid4().hex[:12]

    handle_all(database, claim_ref, order)

    assert (listed(database, claim_ref)["state"], listed(database, claim_ref)["closed_reason"]) == (
        "CLOSED",
        "WITHDRAWN",
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(HISTORY), again=st.lists(st.sampled_from(HISTORY), max_size=5))
def test_events_in_any_order_and_repeated_give_the_same_work_item(
    database: Database, order: list[Event], again: list[Event]
) -> None:
    straight, shuffled = uuid4().hex[:12], uuid4().hex[:12]

    handle_all(database, straight, HISTORY)
    handle_all(database, shuffled, order + again)

    assert listed(database, shuffled) == listed(database, straight)


def test_the_latest_report_of_each_kind_counts(database: Database) -> None:
    handle_all(database, "C1", HISTORY)

    work = listed(database, "C1")

    assert work["appointment"].appointment_id == "A2"
    assert work["appointment"].channel == "TELEPHONE"
    assert (work["accepted_by"], work["rejected_question_ids"]) == (("JSAPS",), ("tenure",))


MOVES = [submitted(), booked("A1", minutes=5), moved(OFFICE, minutes=7), cancelled(minutes=9), booked("A2", minutes=12)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(MOVES))
def test_a_claim_has_the_interview_booked_after_the_cancelled_one_in_any_order(
    database: Database, order: list[Event]
) -> None:
    claim_ref = uuid4().hex[:12]

    handle_all(database, claim_ref, order)

    assert listed(database, claim_ref)["appointment"].appointment_id == "A2"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(MOVES[:-1]))
def test_a_cancelled_interview_leaves_the_claim_unbooked_in_any_order(database: Database, order: list[Event]) -> None:
    claim_ref = uuid4().hex[:12]

    handle_all(database, claim_ref, order)

    assert listed(database, claim_ref)["appointment"] is None


def test_a_moved_interview_has_its_new_time_and_a_withdrawn_claim_keeps_its_office(database: Database) -> None:
    handle_all(database, "C1", [*MOVES[:3], cancelled(minutes=9, claim_withdrawn=True)])

    work = listed(database, "C1")
    assert (work["appointment"].assessor_id, work["appointment"].start_time) == ("AS000002", NOON + timedelta(days=2))


def test_a_claim_becomes_work_only_when_it_is_submitted(database: Database) -> None:
    handle_all(database, "C1", [booked("A1", minutes=5), amended("surname", version=8)])
    before = listed(database, "C1")
    handle_all(database, "C1", [submitted()])

    assert before is None
    assert listed(database, "C1")["appointment"].appointment_id == "A1"


@pytest.fixture
def checked_claim(database: Database) -> Callable[[], Assessment]:
    """A claim in progress whose facts of version 3 were both confirmed; gives it as it is now."""
    handle_all(database, "C1", [submitted()])
    facts = Facts(version=7, answered={"surname": 3, "tenure": 3})
    checks = [Check(fact=fact, status=ItemStatus.CONFIRMED) for fact in facts.answered]
    with database.transaction() as conn:
        before = found(store.lock_assessment(conn, "C1"))
        desks = frozenset({Desk.ASSESSOR})
        begun = before.start(facts, desks=desks)
        checked = Checked(by="AS000001", at=NOON)
        after = begun.verify(checks, version=begun.version, facts=facts, checked=checked, desks=desks)
        store.save_assessment(conn, before, after)

    def now() -> Assessment:
        with database.transaction() as conn:
            return found(store.read_assessment(conn, "C1"))

    assert now() == after
    return now


def found(assessment: Assessment | None) -> Assessment:
    assert assessment is not None
    return assessment


@given(order=st.permutations([amended("surname", version=8), amended("surname", version=9), amended(version=2)]))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_amendment_events_in_any_order_uncheck_the_changed_facts(
    database: Database, checked_claim: Callable[[], Assessment], order: list[Event]
) -> None:
    handle_all(database, "C1", [*order, order[0]])

    items = checked_claim().items
    assert (items["surname"].status, items["surname"].answered_version) == (ItemStatus.UNCHECKED, 3)
    assert items["tenure"].status is ItemStatus.CONFIRMED


def test_an_event_of_an_amendment_already_read_unchecks_nothing(
    database: Database, checked_claim: Callable[[], Assessment]
) -> None:
    before = checked_claim()

    handle_all(database, "C1", [amended("surname", "tenure", version=3)])

    assert checked_claim() == before


def test_saving_deletes_items_whose_facts_are_gone(database: Database, checked_claim: Callable[[], Assessment]) -> None:
    before = checked_claim()
    facts = Facts(version=8, answered={"tenure": 3, "rent": 8}, schemes={"rent": ("INCOME_SUPPORT", "CRISIS_LOAN")})

    with database.transaction() as conn:
        store.save_assessment(conn, before, before.start(facts, desks=frozenset({Desk.ASSESSOR})))

    assert {fact: item.status for fact, item in checked_claim().items.items()} == {
        "tenure": ItemStatus.CONFIRMED,
        "rent": ItemStatus.UNCHECKED,
    }
    assert checked_claim().items["rent"].schemes == ("INCOME_SUPPORT", "CRISIS_LOAN")


def test_an_event_of_an_unknown_system_is_refused(database: Database) -> None:
    with pytest.raises(InvalidArgument):
        handle_all(database, "C1", [event(gateway_events.TransferAccepted(system=77))])  # type: ignore[arg-type]


def test_an_event_from_the_bus_is_handled_and_receipted(
    database: Database, bus: Bus, signatures_of: SignaturesOf
) -> None:
    with database.transaction() as conn:
        outbox.append(conn, claim_ref="C1", version=7, event=submitted().message)
    intakes_relay = Relay("intake-svc", database, bus, signatures_of("intake-svc"), consumer="test")
    signatures = signatures_of("assessment-svc")
    inbox = Inbox("assessment-svc", database, bus, signatures, HANDLERS, consumer="test", keep=timedelta(7))

    intakes_relay.publish()

    def handled() -> Any:
        inbox.consume()
        return listed(database, "C1")

    eventually(handled, what="the event")

    def receipted() -> bool:
        intakes_relay.receive()
        with database.transaction() as conn:
            rows = conn.execute("SELECT receipted FROM outbox").fetchall()
        return rows == [{"receipted": ["assessment-svc"]}]

    eventually(receipted, what="the receipt")
    assert listed(database, "C1")["schemes"] == ("JOBSEEKERS_ALLOWANCE",)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(SECOND_ATTEMPT))
def test_a_second_attempt_ends_a_missed_interview_in_any_order(database: Database, order: list[Event]) -> None:
    claim_ref = uuid4().hex[:12]

    handle_all(database, claim_ref, order)

    found = listed(database, claim_ref)
    assert (found["missed"], found["missed_time"], found["attended_time"]) == (
        1,
        None,
        NOON + timedelta(days=1, minutes=30),
    )


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_a_missed_interview_shows_as_missed_until_another_is_booked(database: Database, order: list[int]) -> None:
    claim_ref = uuid4().hex[:12]

    handle_all(database, claim_ref, [SECOND_ATTEMPT[number] for number in order])

    found = listed(database, claim_ref)
    assert (found["missed"], found["missed_time"]) == (1, NOON + timedelta(days=1, minutes=10))


@pytest.mark.parametrize("first", ["booking", "attendance"])
def test_two_replicas_that_hear_of_a_new_claims_interview_at_once_lose_nothing(database: Database, first: str) -> None:
    claim_ref = uuid4().hex[:12]
    one, other = booked("A1", minutes=5), came("A1", minutes=10, missed=True)
    if first == "attendance":
        one, other = other, one

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as conn:
            HANDLERS[one.name](conn, replace(one, claim_ref=claim_ref))
            at_once = pool.submit(handle_all, database, claim_ref, [other])
            wait([at_once], timeout=0.3)  # it waits for this transaction, or else it is over
        at_once.result(timeout=10)
    handle_all(database, claim_ref, [submitted()])

    found = listed(database, claim_ref)
    assert (found["missed"], found["missed_time"]) == (1, NOON + timedelta(days=1, minutes=10))


def test_the_first_decision_stops_the_clocks_of_its_scheme(database: Database) -> None:
    claim_ref = uuid4().hex[:12]
    labels = {"scheme": "JOBSEEKERS_ALLOWANCE"}
    name = "assessment_first_contact_to_decision_seconds_sum"
    before = REGISTRY.get_sample_value(name, labels) or 0.0

    handle_all(database, claim_ref, [submitted(), decided(version=1, minutes=60), decided(version=2, minutes=90)])

    assert listed(database, claim_ref)["decided"] == {"JOBSEEKERS_ALLOWANCE": NOON + timedelta(minutes=60)}
    assert (REGISTRY.get_sample_value(name, labels) or 0.0) - before == 3600.0


def test_a_correction_that_is_heard_of_first_does_not_hide_the_decision(database: Database) -> None:
    claim_ref = uuid4().hex[:12]

    handle_all(database, claim_ref, [submitted(), decided(version=2, minutes=90), decided(version=1, minutes=60)])

    assert listed(database, claim_ref)["decided"] == {"JOBSEEKERS_ALLOWANCE": NOON + timedelta(minutes=60)}
