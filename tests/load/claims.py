"""Claims a second over the whole way: from the call until the paying system and the council hold them."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
import psycopg

from cms.assessment.v1 import assessment_pb2, record_pb2
from cms.intake.v1 import intake_pb2
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2
from cms_local import acknowledged, keys
from cms_local.audit import audit
from cms_local.layout import DATABASES, Layout
from tests.load.driving import CALLERS, UNCOMPRESSED, Service, opened
from tests.load.interview import INTAKE, Begun, Operators, plain_case, save, saves_of
from tests.support.tls import platform_channel

_SCHEDULING = "cms.scheduling.v1.SchedulingService"
_ASSESSMENT = "cms.assessment.v1.AssessmentService"
_ON_THE_WAY = 96
"""Callers wait while so many confirmed claims have not come through, so that no queue grows without end."""
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
_COMMITS = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class ClaimsMeasured:
    """The claims that came through in `seconds`, and the transactions that all services committed in that time.

    `acknowledged` counts every claim whose confirmation was answered, before and after that time as well.
    """

    seconds: float
    through: int
    transactions: int
    acknowledged: int
    lost: int
    duplicates: int

    @property
    def per_second(self) -> float:
        """Claims accepted and loaded in a second."""
        return self.through / self.seconds

    @property
    def transactions_per_claim(self) -> float:
        """Commits for each claim that came through: those of idle workers are in it too."""
        return self.transactions / max(1, self.through)


@dataclass(kw_only=True)
class _Desk:
    """The state that all callers share."""

    layout: Layout
    operators: Operators
    scheduling: Service
    assessment: Service
    schemes: tuple[str, ...]
    saves: list[list[intake_pb2.Answer]]
    confirmed: set[str] = field(default_factory=set)
    through: set[str] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)


def measure_claims(layout: Layout, *, seconds: float) -> ClaimsMeasured:
    """Has callers carry claim after claim for so long after a warm-up, and waits until all that was confirmed is through.

    Raises TimeoutError where it does not come through, grpc.RpcError where any call is refused.
    """
    with ExitStack() as doors:

        def door(service: str, name: str) -> Service:
            return doors.enter_context(opened(platform_channel(layout, service, options=UNCOMPRESSED), name))

        operators, case = Operators(layout, door("intake-svc", INTAKE)), plain_case()
        desk = _Desk(
            layout=layout,
            operators=operators,
            scheduling=door("scheduling-svc", _SCHEDULING),
            assessment=door("assessment-svc", _ASSESSMENT),
            schemes=case.schemes,
            saves=saves_of(operators, case),
        )
        window = _carried(desk, seconds)
    return _counted(desk, window)


@dataclass(frozen=True, kw_only=True)
class _Window:
    """The time that is measured, in seconds of the system's clock, and what was committed in it."""

    began: float
    ended: float
    transactions: int


def _carried(desk: _Desk, seconds: float) -> _Window:
    """Carries claims, and gives the time in which they were measured."""
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(_carry_on, desk, number) for number in range(CALLERS)]
        try:
            window = _measured(desk, callers, seconds)
        finally:
            desk.stopping.set()
        for caller in callers:
            caller.result()
    _drain(desk)
    return window


def _measured(desk: _Desk, callers: list[Future[None]], seconds: float) -> _Window:
    _watch(desk, callers, _WARM_UP_SECONDS)
    began, before = time.time(), _commits(desk.layout)
    _watch(desk, callers, seconds)
    ended, after = time.time(), _commits(desk.layout)
    return _Window(began=began, ended=ended, transactions=after - before)


def _watch(desk: _Desk, callers: list[Future[None]], seconds: float) -> None:
    """Follows the claims for so long, or until a caller has ended of an error."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not any(caller.done() for caller in callers):
        _find_through(desk)
        time.sleep(max(0.0, min(0.5, until - time.monotonic())))


def _commits(layout: Layout) -> int:
    """Transactions committed in all databases of the services since they were made."""
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{layout.postgres_port}/postgres") as conn:
        row = conn.execute(_COMMITS, [list(DATABASES.values())]).fetchone()
    return int(row[0]) if row else 0


def _drain(desk: _Desk) -> None:
    until = time.monotonic() + _DRAIN_SECONDS
    while not desk.confirmed <= desk.through:
        if time.monotonic() > until:
            raise TimeoutError(f"{len(desk.confirmed - desk.through)} confirmed claims did not come through")
        time.sleep(0.5)
        _find_through(desk)


def _counted(desk: _Desk, window: _Window) -> ClaimsMeasured:
    through = sum(window.began <= at < window.ended for at in _through(desk.layout, desk.confirmed).values())
    findings = audit(desk.layout, only=desk.confirmed).counts()
    return ClaimsMeasured(
        seconds=window.ended - window.began,
        through=through,
        transactions=window.transactions,
        acknowledged=len(desk.confirmed),
        lost=findings["lost"],
        duplicates=findings["duplicates"],
    )


def _find_through(desk: _Desk) -> None:
    desk.through.update(_through(desk.layout, desk.confirmed - desk.through))


def _through(layout: Layout, claim_refs: set[str]) -> dict[str, float]:
    """The time at which each of these claims was both accepted and loaded, in seconds of the platform's clock."""
    accepted = _times(layout, "legacy-gateway", _ACCEPTED, claim_refs)
    loaded = _times(layout, "la-notifier", _LOADED, claim_refs)
    return {ref: max(accepted[ref], loaded[ref]) for ref in accepted.keys() & loaded.keys()}


def _times(layout: Layout, service: str, query: str, claim_refs: set[str]) -> dict[str, float]:
    database = DATABASES[service]
    url = f"postgresql://{database}_owner@127.0.0.1:{layout.postgres_port}/{database}"
    with psycopg.connect(url) as conn:
        return {ref: float(at) for ref, at in conn.execute(query.encode(), [list(claim_refs)])}


def _carry_on(desk: _Desk, number: int) -> None:
    """Takes calls, and assesses each claim after the next call: by then its work item is there, so nobody polls for it."""
    source = random.Random(number)
    waiting: list[tuple[str, appointments_pb2.Appointment]] = []
    while not desk.stopping.is_set():
        if len(desk.confirmed - desk.through) >= _ON_THE_WAY:
            desk.stopping.wait(0.05)
            continue
        begun = desk.operators.start(number)
        appointment = _take_call(desk, begun, source.choice(_POSTCODES))
        acknowledged.note(
            desk.layout.acknowledged_file, begun.claim_ref, "SUBMITTED", schemes=desk.schemes, wants_notice=True
        )
        waiting.append((begun.claim_ref, appointment))
        if len(waiting) > 1:
            _assess(desk, *waiting.pop(0))
    for claim_ref, appointment in waiting:
        _assess(desk, claim_ref, appointment)


def _take_call(desk: _Desk, begun: Begun, postcode: str) -> appointments_pb2.Appointment:
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


def _assess(desk: _Desk, claim_ref: str, appointment: appointments_pb2.Appointment) -> None:
    token = keys.issue(
        desk.layout.keys(""), "ASSESSOR", subject=appointment.assessor_id, office=appointment.office.code
    )
    start = assessment_pb2.StartAssessmentRequest(claim_ref=claim_ref, request_id=str(uuid4()))
    started = _once_there(
        lambda: desk.assessment.ask("StartAssessment", start, assessment_pb2.StartAssessmentResponse, token=token)
    ).assessment
    checks = [
        assessment_pb2.ItemCheck(fact=item.fact, status=record_pb2.ITEM_STATUS_CONFIRMED) for item in started.items
    ]
    verify = assessment_pb2.VerifyItemsRequest(
        claim_ref=claim_ref, items=checks, version=started.version, request_id=str(uuid4())
    )
    verified = desk.assessment.ask("VerifyItems", verify, assessment_pb2.VerifyItemsResponse, token=token).assessment
    confirm = assessment_pb2.ConfirmAssessmentRequest(
        claim_ref=claim_ref, version=verified.version, request_id=str(uuid4())
    )
    desk.assessment.acknowledge("ConfirmAssessment", confirm.SerializeToString(), token=token)
    acknowledged.note(desk.layout.acknowledged_file, claim_ref, "CONFIRMED", schemes=desk.schemes)
    desk.confirmed.add(claim_ref)


def _once_there(
    ask: Callable[[], assessment_pb2.StartAssessmentResponse],
) -> assessment_pb2.StartAssessmentResponse:
    """Repeats the call until the work item, which comes with an event, has arrived."""
    until = time.monotonic() + 30.0
    while True:
        try:
            return ask()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND or time.monotonic() > until:
                raise
        time.sleep(0.1)
