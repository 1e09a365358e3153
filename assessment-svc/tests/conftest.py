"""A running assessment service for each test, an intake of the test's own, and an assessor's client of either door."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value

from assessment.__main__ import MIGRATIONS, service
from assessment.clients import Amendment, Answer, Change, Followed, Interview, OpenQuestion, Question, Refusal
from assessment.config import Settings
from assessment.consumers import HANDLERS
from assessment.data import targets
from assessment.domain.refusals import ClaimChanged
from assessment.grpc_api import AssessmentApi
from chassis import call, clock
from chassis.database import Database
from chassis.errors import AlreadyExists, InvalidArgument, NotFound, Unavailable, Violation
from chassis.runtime import Process
from chassis.testing import Client, Reply, SettingsOf, Tokens, database_fixture, event_of, handle, running
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2 as intake_events
from cms.scheduling.v1 import events_pb2 as scheduling_events

database_urls = database_fixture("assessment", MIGRATIONS)

CLAIM = "C0123456789A"
OFFICE = "123456"
SERVICE = "cms.assessment.v1.AssessmentService"


@dataclass
class ClaimOfTests:
    """A claim as intake keeps it: each answer with the version at which it was given."""

    version: int
    answers: dict[str, tuple[Any, int]]


@dataclass
class IntakeOfTests:
    """Keeps claims with versions and request_ids as intake does; a test may amend a claim behind the service's back."""

    claims: dict[str, ClaimOfTests] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, purpose and subject of each call."""
    amended: dict[uuid.UUID, tuple[Any, Interview]] = field(default_factory=dict)
    schemes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By fact, the schemes that need it; of others, every scheme of the claim does."""
    groups: dict[str, str] = field(default_factory=dict)
    """By fact, the section of the interview; of others, `about_you`."""
    proposals: dict[str, Any] = field(default_factory=dict)
    """By fact, the record forms to which nobody has agreed yet."""
    open_questions: tuple[OpenQuestion, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    history: list[tuple[str, Change]] = field(default_factory=list)
    refused_values: list[Any] = field(default_factory=list)
    is_away: bool = False
    after_amend: Callable[[], None] = lambda: None

    def submit(self, claim_ref: str = CLAIM, **answers: Any) -> None:
        """A claim at version 7, each answer given at version 3."""
        self.claims[claim_ref] = ClaimOfTests(7, {fact: (value, 3) for fact, value in answers.items()})

    def change(self, claim_ref: str = CLAIM, **answers: Any) -> int:
        """An amendment by somebody else; None clears an answer. Gives the claim's new version."""
        claim = self.claims[claim_ref]
        claim.version += 1
        for fact, value in answers.items():
            if value is None:
                claim.answers.pop(fact, None)
            else:
                claim.answers[fact] = (value, claim.version)
        return claim.version

    def change_with_reason(self, claim_ref: str = CLAIM, *, reason: str, **answers: Any) -> int:
        """The same, kept in the history with its reason."""
        before = {fact: self.claims[claim_ref].answers[fact][0] for fact in answers}
        version = self.change(claim_ref, **answers)
        for fact, value in answers.items():
            old, new = (json_format.ParseDict(given, Value()) for given in (before[fact], value))
            change = Change(
                fact=fact, old=old, new=new, by="OP000001", at=clock.now(), reason=reason, claim_version=version
            )
            self.history.append((claim_ref, change))
        return version

    def get_interview(self, claim_ref: str, *, purpose: str, check_records: bool = False) -> Interview:
        """As the service asks it."""
        self._ask("GetInterview", purpose)
        found = self._interview(claim_ref)
        return replace(found, open_questions=self.open_questions, refusals=self.refusals if check_records else ())

    def changes(self, claim_ref: str, *, purpose: str) -> list[Change]:
        """As the service asks it."""
        self._ask("GetHistory", purpose)
        return [change for known, change in self.history if known == claim_ref]

    def amend(self, amendment: Amendment, *, purpose: str) -> Interview:
        """As the service asks it."""
        self._ask("AmendAnswers", purpose)
        body = replace(amendment, request_id=uuid.UUID(int=0))
        if amendment.request_id not in self.amended:
            self._check(amendment)
            claim, changed = self.claims[amendment.claim_ref], dict[str, Any]()
            for answer in amendment.answers:
                value = json_format.MessageToDict(answer.value)
                agreed = answer.accept_transliteration and self.proposals.pop(answer.fact, None)
                if agreed or claim.answers.get(answer.fact, (None, 0))[0] != value:
                    changed[answer.fact] = value
            if changed:
                self.change(amendment.claim_ref, **changed)
            version = self.claims[amendment.claim_ref].version
            self.history += [
                (amendment.claim_ref, _changed(amendment, answer, version)) for answer in amendment.answers
            ]
            self.amended[amendment.request_id] = (body, self._interview(amendment.claim_ref))
        first_body, interview = self.amended[amendment.request_id]
        if first_body != body:
            raise AlreadyExists("REQUEST_ID_REUSED", "this request_id was used before with another body")
        self.after_amend()
        return interview

    def _check(self, amendment: Amendment) -> None:
        if self.claims[amendment.claim_ref].version != amendment.claim_version:
            raise ClaimChanged
        faults = [
            Violation(field=answer.fact, description="is not of the question's kind")
            for answer in amendment.answers
            if json_format.MessageToDict(answer.value) in self.refused_values
        ]
        if faults:
            raise InvalidArgument.of(*faults)

    def _ask(self, method: str, purpose: str) -> None:
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        self.asked.append((method, purpose, call.current().identity.subject))

    def _interview(self, claim_ref: str) -> Interview:
        if claim_ref not in self.claims:
            raise NotFound("CLAIM_NOT_FOUND", "no such claim")
        claim = self.claims[claim_ref]
        questions = {
            fact: _question(
                fact,
                *answer,
                proposal=self.proposals.get(fact),
                schemes=self.schemes.get(fact, ()),
                group=self.groups.get(fact, "about_you"),
            )
            for fact, answer in claim.answers.items()
        }
        return Interview(version=claim.version, questions=questions)


def _changed(amendment: Amendment, answer: Answer, version: int) -> Change:
    return Change(
        fact=answer.fact,
        old=None,
        new=answer.value,
        by="AS000001",
        at=clock.now(),
        reason=amendment.reason,
        claim_version=version,
    )


@dataclass
class OutcomesOfTests:
    """The answers of the gateway and the notifier; a test may take either away."""

    found: Followed = field(default_factory=Followed)

    def follow(self, _claim_ref: str) -> Followed:
        """As the service asks it."""
        return self.found


def _question(fact: str, value: Any, version: int, *, proposal: Any, schemes: tuple[str, ...], group: str) -> Question:
    return Question(
        text=f"What is your {fact}?",
        answer=json_format.ParseDict(value, Value()),
        answered_version=version,
        schemes=schemes,
        group=group,
        proposal=None if proposal is None else json_format.ParseDict(proposal, Value()),
    )


@pytest.fixture
def intake() -> IntakeOfTests:
    return IntakeOfTests()


@pytest.fixture
def outcomes() -> OutcomesOfTests:
    return OutcomesOfTests()


@pytest.fixture
def process(
    settings_of: SettingsOf, clock_file: Path, intake: IntakeOfTests, outcomes: OutcomesOfTests
) -> Iterator[Process]:
    settings = settings_of(Settings, "assessment-svc", clock_offset_file=clock_file)
    with running(
        replace(service(settings), api=lambda _runtime: AssessmentApi(intake, outcomes, targets.read()))
    ) as process:
        yield process


@dataclass(frozen=True)
class Others:
    """The other services, whose events reach this one."""

    database: Database

    def send(self, message: Message, *, claim_ref: str = CLAIM, version: int = 1, at: datetime | None = None) -> None:
        """One event, handled once."""
        handle(self.database, HANDLERS, event_of(message, claim_ref=claim_ref, version=version, at=at))

    def submit(self, claim_ref: str = CLAIM, *, ago: timedelta = timedelta(0), schemes: Any = ()) -> None:
        """Submits a claim, of Jobseeker's Allowance unless schemes are given, this long ago."""
        message = intake_events.ClaimSubmitted(schemes=schemes or [common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE])
        message.submit_time.FromDatetime(clock.now() - ago)
        self.send(message, claim_ref=claim_ref, version=7)

    def withdraw(self, claim_ref: str = CLAIM) -> None:
        """Withdraws a claim now."""
        message = intake_events.ClaimWithdrawn()
        message.withdraw_time.FromDatetime(clock.now())
        self.send(message, claim_ref=claim_ref, version=9)

    def book(
        self, claim_ref: str = CLAIM, *, office: str = OFFICE, assessor: str = "AS000001", start: datetime | None = None
    ) -> None:
        """Books an interview."""
        message = scheduling_events.AppointmentBooked(
            appointment_id="A1", office_code=office, assessor_id=assessor, channel=common_pb2.CHANNEL_OFFICE
        )
        message.start_time.FromDatetime(start or clock.now() + timedelta(days=1))
        self.send(message, claim_ref=claim_ref)


@pytest.fixture
def others(process: Process) -> Others:
    return Others(process.database)


@dataclass(frozen=True, kw_only=True)
class Desk(Client):
    """An assessor's client."""

    service: str = SERVICE

    def do(self, method: str, **fields: Any) -> dict[str, Any]:
        """Calls a changing method with a new request_id on the claim; gives the assessment. It must succeed."""
        found: dict[str, Any] = self.once(method, **{"claimRef": CLAIM, **fields})["assessment"]
        return found

    def once_refused(self, method: str, **fields: Any) -> Reply:
        """Calls a changing method with a new request_id on the claim; gives the refusal."""
        reply = self.call(method, **{"claimRef": CLAIM, "requestId": str(uuid.uuid4()), **fields})
        assert reply.code != "ok", method
        return reply


@pytest.fixture
def desk_of(process: Process, tokens: Tokens) -> Callable[..., Desk]:
    """Desks by role, office and door."""

    def make(*roles: str, door: Any = "http", **claims: Any) -> Desk:
        body = {"subject": "AS000001", "office": OFFICE, **claims}
        return Desk(process=process, token=tokens.issue(*(roles or ("ASSESSOR",)), **body), door=door)

    return make


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    """The assessor of the claim's office."""
    return desk_of()
