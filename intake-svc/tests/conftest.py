from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.runtime import Process
from chassis.testing import Client, Reply, SettingsOf, Tokens, database_fixture, event_of, handle, running
from cms.scheduling.v1.events_pb2 import AppointmentBooked
from intake.__main__ import MIGRATIONS, service
from intake.catalogue import load_catalogues
from intake.config import Settings
from intake.consumers import HANDLERS
from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Interview, evaluate
from intake.domain.script import Script

Answered = Callable[..., dict[str, Answer]]
Evaluated = Callable[[Mapping[str, Answer]], Interview]
Desk = Callable[..., "Person"]
Book = Callable[..., None]
Released = Callable[[Path], AbstractContextManager[Desk]]
SERVICE = "cms.intake.v1.IntakeService"
NINO = "AB123456C"
OFFICE = "100101"
APPOINTMENT = "0f8fad5b-d9cb-469f-a165-70867728950e"
OWN_WORK = "own work"
"""Stands for a purpose that names the claim of each call."""
CONTACT = date(2026, 3, 2)

database_urls = database_fixture("intake", MIGRATIONS)


@pytest.fixture(scope="session", autouse=True)
def catalogues_read_once() -> Iterator[None]:
    """A process reads its catalogues, and tries each rule, when it starts: here once for all processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intake.__main__.load_catalogues", cache(load_catalogues))
        yield


@pytest.fixture
def process(settings_of: SettingsOf, postcodes_file: Path) -> Iterator[Process]:
    """The whole service behind both its doors."""
    with running(service(settings_of(Settings, "intake-svc", postcodes_file=postcodes_file))) as started:
        yield started


@pytest.fixture(scope="session")
def script() -> Script:
    """The script of a claim for Jobseeker's Allowance, by the catalogue that new claims take."""
    return load_catalogues().newest.script_for(["JOBSEEKERS_ALLOWANCE"])


@pytest.fixture(scope="session")
def today() -> date:
    return CONTACT


@pytest.fixture(scope="session")
def answered(script: Script, today: date) -> Answered:
    """Makes answers of JSON values, each validated as it would be when it was given."""

    def make(**values: Any) -> dict[str, Answer]:
        return {
            name: Answer(value=validate_answer(script.questions, name, value, today=today), version=1)
            for name, value in values.items()
        }

    return make


@pytest.fixture(scope="session")
def evaluated(script: Script) -> Evaluated:
    return lambda answers: evaluate(script, answers, language="EN", contact_date=CONTACT)


@pytest.fixture(scope="session")
def single_tenant() -> dict[str, Any]:
    """A single tenant of the council, out of work, with an account."""
    return {
        "can_manage_today": True,
        "language": "EN",
        "caller_role": "SELF",
        "needs_interpreter": False,
        "contact_format": "NONE",
        "messages_by": "LETTER",
        "messages_discreet": False,
        "surname": "Hughes",
        "forenames": "Ann Mary",
        "date_of_birth": "1980-02-29",
        "sex": "F",
        "nino": "AB123456C",
        "arrived_recently": False,
        "address": {"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"},
        "telephone": "0113 496 0999",
        "has_partner": False,
        "children": [],
        "ever_worked": True,
        "claims_income_based": True,
        "last_employer": "Harrison & Sons",
        "last_job_ended": "2026-02-13",
        "last_job_reason": "REDUNDANT",
        "final_payments": "0.00",
        "part_time_hours": 0,
        "earlier_claim": "NONE",
        "wishes_backdating": False,
        "available_from": "2026-03-02",
        "actively_seeking": True,
        "hours_available": 40,
        "job_goal_1": "Bookkeeper",
        "education_hours": 0,
        "jury_service": False,
        "other_income": [],
        "capital": "350.00",
        "pension_weekly": "0.00",
        "given_away": False,
        "disability_benefit": [],
        "has_account": True,
        "sort_code": "20-00-00",
        "account_number": "12345678",
        "account_name": "A M Hughes",
        "tenure": "COUNCIL_TENANT",
        "liable_for_rent": True,
        "liable_for_council_tax": True,
        "wishes_housing_benefit": True,
        "wishes_council_tax_benefit": True,
        "rent_amount": "91.50",
        "rent_period": "WEEKLY",
        "moved_in_on": "2019-06-01",
        "non_dependants": [],
        "declaration": True,
    }


@pytest.fixture(scope="session")
def rest(single_tenant: dict[str, Any]) -> dict[str, Any]:
    """The answers of a single tenant beyond those that the call was started with."""
    return {name: value for name, value in single_tenant.items() if name not in ("nino", "language")}


@pytest.fixture(scope="session")
def couple_with_children(single_tenant: dict[str, Any]) -> dict[str, Any]:
    """A couple with two children who rent from a landlord and work a few hours."""
    return single_tenant | {
        "has_partner": True,
        "partner_surname": "O'Brien",
        "partner_forenames": "Sean",
        "partner_date_of_birth": "1979-05-04",
        "partner_nino": "CE123456A",
        "partner_hours": 12.5,
        "partner_claims": "NONE",
        "children": [
            {"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"},
            {"name": "李", "date_of_birth": "2018-07-01", "relationship": "STEPCHILD"},
        ],
        "child_benefit": True,
        "part_time_hours": 6,
        "part_time_earnings": "61.20",
        "laid_off_or_short_time": False,
        "hours_available": 30,
        "restrictions": "School runs",
        "restriction_cause": "CARING",
        "caring_hours": 15,
        "notice_needed": False,
        "tenure": "PRIVATE_TENANT",
        "landlord": "Mr J Price",
    }


@dataclass(frozen=True, kw_only=True)
class Person(Client):
    """Somebody at a desk, with a token of their own. A method that has no `try_` raises AssertionError where refused.

    With the purpose OWN_WORK each call names the claim that it is about as the caller's work item.
    """

    def call(self, method: str, **body: Any) -> Reply:
        """The reply to a call."""
        if self.metadata.get("cms-purpose") != OWN_WORK or "claimRef" not in body:
            return super().call(method, **body)
        named = replace(self, metadata={"cms-purpose": f"work item {body['claimRef']}"})
        return super(Person, named).call(method, **body)

    def try_once(self, method: str, **body: Any) -> Reply:
        """The reply to a method that changes something, as a request of its own."""
        return self.call(method, **{"requestId": str(uuid4()), **body})

    def start(self, nino: str | None = NINO, language: str = "EN", **more: Any) -> Any:
        """A call to make a claim."""
        body = START | {"language": f"LANGUAGE_{language}"} | ({"nino": nino} if nino else {})
        return self.once("StartCall", **body | more)

    def try_record(self, claim_ref: str, version: int, **values: Any) -> Reply:
        """The reply to answers in the interview."""
        return self.try_once("RecordAnswers", claimRef=claim_ref, version=version, answers=answers_of(**values))

    def record(self, claim_ref: str, version: int, **values: Any) -> Any:
        """The interview after these answers."""
        answers = answers_of(**values)
        return self.once("RecordAnswers", claimRef=claim_ref, version=version, answers=answers)["interview"]

    def amendment(self, claim: Any, **values: Any) -> dict[str, Any]:
        """The body of a request that changes answers of a claim, with a new requestId."""
        subject = {"claimRef": claim["claimRef"], "version": claim["version"], "requestId": str(uuid4())}
        return {**subject, "answers": answers_of(**values), "reason": "corrected"}

    def try_amend(self, claim: Any, **values: Any) -> Reply:
        """The reply to changes of a claim's answers."""
        return self.try_once("AmendAnswers", **self.amendment(claim, **values))

    def amend(self, claim: Any, **values: Any) -> Any:
        """The interview after these changes, and the changes."""
        return self.once("AmendAnswers", **self.amendment(claim, **values))

    def submit(self, claim_ref: str, version: int) -> Any:
        """The claim, submitted."""
        return self.once("SubmitClaim", claimRef=claim_ref, version=version)["claim"]

    def submitted(self, answers: dict[str, Any], nino: str = NINO) -> Any:
        """A claim that was taken from the first question to its submission, in a call that is still open."""
        claim_ref = self.start(nino)["claim"]["claimRef"]
        interview = self.record(claim_ref, 1, **{**answers, "nino": nino})
        return self.submit(claim_ref, interview["version"])


START = {
    "purpose": "CALL_PURPOSE_NEW",
    "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
    "language": "LANGUAGE_EN",
    "caller": {"relation": "CALLER_RELATION_SELF"},
}


def answers_of(**values: Any) -> list[dict[str, Any]]:
    return [{"questionId": name, "value": value} for name, value in values.items()]


@pytest.fixture
def desk(process: Process, tokens: Tokens) -> Desk:
    """Seats somebody of a role at a desk."""
    return _desk_of(process, tokens)


@pytest.fixture
def released(settings_of: SettingsOf, postcodes_file: Path, tokens: Tokens) -> Released:
    """Runs a release with the catalogues of a folder: one after the other, on the test's database."""

    @contextmanager
    def run(folder: Path) -> Iterator[Desk]:
        settings = settings_of(Settings, "intake-svc", postcodes_file=postcodes_file)
        with running(service(settings, catalogues_folder=folder)) as started:
            yield _desk_of(started, tokens)

    return run


def _desk_of(process: Process, tokens: Tokens) -> Desk:
    def seat(role: str = "OPERATOR", subject: str = "OP000001", purpose: str = "", **claims: Any) -> Person:
        token = tokens.issue(role, subject=subject, **claims)
        return Person(
            process=process, service=SERVICE, token=token, metadata={"cms-purpose": purpose} if purpose else {}
        )

    return seat


@pytest.fixture
def book(process: Process) -> Book:
    """Has intake hear that an appointment was booked for a claim."""

    def heard(
        claim_ref: str, office: str = OFFICE, *, appointment_id: str = APPOINTMENT, at: datetime | None = None
    ) -> None:
        message = AppointmentBooked(appointment_id=appointment_id, office_code=office, assessor_id="AS1")
        handle(process.database, HANDLERS, event_of(message, claim_ref=claim_ref, at=at))

    return heard
