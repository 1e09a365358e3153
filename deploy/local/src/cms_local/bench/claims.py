"""Claims a second over the whole way: counted when the paying system holds both phases and the council has loaded."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
import psycopg

from cms.assessment.v1 import assessment_pb2
from cms.intake.v1 import intake_pb2
from cms.scheduling.v1 import scheduling_pb2
from cms_local import keys, told
from cms_local.audit import audit
from cms_local.bench.driving import CALLERS, Service, opened
from cms_local.bench.interview import INTAKE, Begun, Operators, plain_case, save, saves_of
from cms_local.layout import DATABASES, Layout

_SCHEDULING = "cms.scheduling.v1.SchedulingService"
_ASSESSMENT = "cms.assessment.v1.AssessmentService"
_ON_THE_WAY = 96
"""Confirmed claims that have not come through: beyond this callers wait, so that no queue grows without end."""
_WARM_UP_SECONDS = 5.0
_DRAIN_SECONDS = 120.0
_POSTCODES = ("NE1 8AX", "LS1 3AB", "M2 5PD", "L3 8EW", "B1 2ND", "BS1 5TR", "E8 1GQ", "CF10 4UW", "G3 7DN", "CR0 1EA")

_ACCEPTED = """
    SELECT claim_ref, max(extract(epoch FROM updated)) FROM transfers
    WHERE claim_ref = ANY(%s) AND state = 'ACCEPTED' GROUP BY claim_ref HAVING count(*) = 2
"""
_LOADED = """
    SELECT claim_ref, max(extract(epoch FROM loaded))
    FROM notices JOIN notice_versions USING (notice_id)
    WHERE claim_ref = ANY(%s) AND state = 'LOADED' AND kind <> 'INTENTION' GROUP BY claim_ref
"""


@dataclass(frozen=True, kw_only=True)
class ClaimsMeasured:
    """What came through in `seconds`; `acknowledged` are all that somebody was told of as confirmed."""

    seconds: float
    per_second: float
    acknowledged: int
    lost: int
    duplicates: int


@dataclass(kw_only=True)
class _Desk:
    """What all callers share."""

    layout: Layout
    operators: Operators
    scheduling: Service
    assessment: Service
    saves: list[list[intake_pb2.Answer]]
    confirmed: set[str] = field(default_factory=set)
    through: set[str] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)


def measure_claims(layout: Layout, *, seconds: float) -> ClaimsMeasured:
    """Callers carry claim after claim for so long after a warm-up; then all that was confirmed has to come through.

    TimeoutError where it does not; grpc.RpcError where any call is refused.
    """
    with ExitStack() as doors:

        def door(service: str, name: str) -> Service:
            return doors.enter_context(opened(f"127.0.0.1:{layout.grpc_port(service)}", name))

        operators = Operators(layout, door("intake-svc", INTAKE))
        desk = _Desk(
            layout=layout,
            operators=operators,
            scheduling=door("scheduling-svc", _SCHEDULING),
            assessment=door("assessment-svc", _ASSESSMENT),
            saves=saves_of(operators, plain_case()),
        )
        began, ended = _carried(desk, seconds)
    return _counted(desk, began, ended)


def _carried(desk: _Desk, seconds: float) -> tuple[float, float]:
    """Carries claims; gives the times (of the clock) between which it was measured."""
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(_carry_on, desk, number) for number in range(CALLERS)]
        try:
            began = time.time() + _WARM_UP_SECONDS
            while time.time() < began + seconds and not any(caller.done() for caller in callers):
                _look(desk)
                time.sleep(0.5)
        finally:
            desk.stopping.set()
        for caller in callers:
            caller.result()
    until = time.monotonic() + _DRAIN_SECONDS
    while not desk.confirmed <= desk.through:
        if time.monotonic() > until:
            raise TimeoutError(f"{len(desk.confirmed - desk.through)} confirmed claims did not come through")
        time.sleep(0.5)
        _look(desk)
    return began, began + seconds


def _counted(desk: _Desk, began: float, ended: float) -> ClaimsMeasured:
    counted = sum(began <= at < ended for at in _through(desk.layout, desk.confirmed).values())
    findings = audit(desk.layout, only=desk.confirmed).counts()
    return ClaimsMeasured(
        seconds=ended - began,
        per_second=counted / (ended - began),
        acknowledged=len(desk.confirmed),
        lost=findings["lost"],
        duplicates=findings["duplicates"],
    )


def _look(desk: _Desk) -> None:
    desk.through.update(_through(desk.layout, desk.confirmed - desk.through))


def _through(layout: Layout, claim_refs: set[str]) -> dict[str, float]:
    """When each of these claims was both accepted and loaded, in seconds of the platform's clock."""
    accepted = _times(layout, "legacy-gateway", _ACCEPTED, claim_refs)
    loaded = _times(layout, "la-notifier", _LOADED, claim_refs)
    return {ref: max(accepted[ref], loaded[ref]) for ref in accepted.keys() & loaded.keys()}


def _times(layout: Layout, service: str, query: str, claim_refs: set[str]) -> dict[str, float]:
    database = DATABASES[service]
    url = f"postgresql://{database}_owner@127.0.0.1:{layout.postgres_port}/{database}"
    with psycopg.connect(url) as conn:
        return {ref: float(at) for ref, at in conn.execute(query.encode(), [list(claim_refs)])}


def _carry_on(desk: _Desk, number: int) -> None:
    source = random.Random(number)
    while not desk.stopping.is_set():
        if len(desk.confirmed - desk.through) >= _ON_THE_WAY:
            time.sleep(0.05)
            continue
        begun = desk.operators.start(number)
        appointment = _take_call(desk, begun, source.choice(_POSTCODES))
        told.note(desk.layout.told_file, begun.claim_ref, "SUBMITTED", wants_notice=True)
        _assess(desk, begun.claim_ref, appointment)
        told.note(desk.layout.told_file, begun.claim_ref, "CONFIRMED")
        desk.confirmed.add(begun.claim_ref)


def _take_call(desk: _Desk, begun: Begun, postcode: str) -> scheduling_pb2.Appointment:
    intake, token = desk.operators.intake, begun.token
    version = begun.version
    for answers in desk.saves:
        intake.acknowledge(
            "RecordAnswers", save(begun.claim_ref, answers, version=version).SerializeToString(), token=token
        )
        version += 1
    booking = scheduling_pb2.BookAppointmentRequest(
        claim_ref=begun.claim_ref, earliest=True, postcode=postcode, request_id=str(uuid4())
    )
    booked = desk.scheduling.ask("BookAppointment", booking, scheduling_pb2.BookAppointmentResponse, token=token)
    submission = intake_pb2.SubmitClaimRequest(claim_ref=begun.claim_ref, version=version, request_id=str(uuid4()))
    intake.acknowledge("SubmitClaim", submission.SerializeToString(), token=token)
    end = intake_pb2.EndCallRequest(
        call_id=begun.call_id, outcome=intake_pb2.CALL_OUTCOME_COMPLETED, request_id=str(uuid4())
    )
    intake.acknowledge("EndCall", end.SerializeToString(), token=token)
    return booked.appointment


def _assess(desk: _Desk, claim_ref: str, appointment: scheduling_pb2.Appointment) -> None:
    token = keys.issue(
        desk.layout.keys(""), "ASSESSOR", subject=appointment.assessor_id, office=appointment.office.code
    )
    start = assessment_pb2.StartAssessmentRequest(claim_ref=claim_ref, request_id=str(uuid4()))
    started = _once_there(
        lambda: desk.assessment.ask("StartAssessment", start, assessment_pb2.StartAssessmentResponse, token=token)
    ).assessment
    checks = [
        assessment_pb2.ItemCheck(fact=item.fact, status=assessment_pb2.ITEM_STATUS_CONFIRMED) for item in started.items
    ]
    verify = assessment_pb2.VerifyItemsRequest(
        claim_ref=claim_ref, items=checks, version=started.version, request_id=str(uuid4())
    )
    verified = desk.assessment.ask("VerifyItems", verify, assessment_pb2.VerifyItemsResponse, token=token).assessment
    confirm = assessment_pb2.ConfirmAssessmentRequest(
        claim_ref=claim_ref, version=verified.version, request_id=str(uuid4())
    )
    desk.assessment.acknowledge("ConfirmAssessment", confirm.SerializeToString(), token=token)


def _once_there(
    ask: Callable[[], assessment_pb2.StartAssessmentResponse],
) -> assessment_pb2.StartAssessmentResponse:
    """The work item comes with an event: what is not there yet is asked for again."""
    until = time.monotonic() + 30.0
    while True:
        try:
            return ask()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND or time.monotonic() > until:
                raise
        time.sleep(0.1)
