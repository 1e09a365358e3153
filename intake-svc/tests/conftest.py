import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis import clock
from chassis.inbox import Event
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, database_fixture, settings_for
from cms.scheduling.v1 import events_pb2 as scheduling_events
from intake.__main__ import MIGRATIONS, service
from intake.config import Settings
from intake.consumers import HANDLERS
from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Interview, evaluate
from intake.domain.script import Script
from intake.domain.script_file import SCRIPTS, load_script

Answered = Callable[..., dict[str, Answer]]
Evaluated = Callable[[Mapping[str, Answer]], Interview]
Desk = Callable[..., "Caller"]
Book = Callable[..., None]
SERVICE = "cms.intake.v1.IntakeService"
NINO = "AB123456C"
OFFICE = "100101"

database_urls = database_fixture("intake", MIGRATIONS)


@pytest.fixture
def process(database_urls: DatabaseUrls, servers: Servers, bus_prefix: str, tokens: Tokens) -> Iterator[Process]:
    """The whole service behind both its doors."""
    settings: Any = settings_for(
        Settings, "intake-svc", urls=database_urls, servers=servers, bus_prefix=bus_prefix, tokens=tokens
    )
    started = Process(service(settings))
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def script() -> Script:
    return load_script(SCRIPTS / "jobseekers_allowance.toml")


@pytest.fixture(scope="session")
def today() -> date:
    return date(2026, 3, 2)


@pytest.fixture(scope="session")
def answered(script: Script, today: date) -> Answered:
    """Makes answers of JSON values, each validated as it would be when it was given."""

    def make(**values: Any) -> dict[str, Answer]:
        return {
            name: Answer(value=validate_answer(script, name, value, today=today), version=1)
            for name, value in values.items()
        }

    return make


@pytest.fixture(scope="session")
def evaluated(script: Script) -> Evaluated:
    return lambda answers: evaluate(script, answers, language="EN")


@pytest.fixture(scope="session")
def single_tenant() -> dict[str, Any]:
    """A single tenant of the council, out of work, with an account."""
    return {
        "language": "EN",
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
        "last_employer": "Harrison & Sons",
        "last_job_ended": "2026-02-13",
        "last_job_reason": "REDUNDANT",
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
def couple_with_children(single_tenant: dict[str, Any]) -> dict[str, Any]:
    """A couple with two children who rent from a landlord and work a few hours."""
    return single_tenant | {
        "has_partner": True,
        "partner_surname": "O'Brien",
        "partner_forenames": "Sean",
        "partner_date_of_birth": "1979-05-04",
        "partner_nino": "CE123456A",
        "partner_hours": 12.5,
        "children": [
            {"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"},
            {"name": "李", "date_of_birth": "2018-07-01", "relationship": "STEPCHILD"},
        ],
        "child_benefit": True,
        "part_time_hours": 6,
        "part_time_earnings": "61.20",
        "hours_available": 30,
        "restrictions": "School runs",
        "tenure": "PRIVATE_TENANT",
        "landlord": "Mr J Price",
    }


class Refused(Exception):
    """An error from the JSON door, in the words of the contract."""

    def __init__(self, answer: httpx.Response) -> None:
        body = answer.json()
        super().__init__(body)
        self.code = body["code"]
        self.message = body["message"]
        self.reason = body["details"][0]["debug"]["reason"]
        faults = body["details"][1]["debug"]["fieldViolations"] if len(body["details"]) > 1 else []
        self.fields = {fault["field"] for fault in faults}
        self.text = answer.text + "".join(
            base64.b64decode(detail["value"] + "==").decode("utf-8", "replace") for detail in body["details"]
        )


class Caller:
    """Somebody at a desk, who calls the JSON door with a token of their own."""

    def __init__(self, client: httpx.Client, process: Process, *, token: str, purpose: str) -> None:
        self._client = client
        self._base = f"http://127.0.0.1:{process.http.port}/{SERVICE}"
        self._headers = {"Authorization": f"Bearer {token}"} | ({"cms-purpose": purpose} if purpose else {})

    def call(self, method: str, **body: Any) -> Any:
        """The response of a method. Raises Refused."""
        answer = self._client.post(f"{self._base}/{method}", json=body, headers=self._headers)
        if answer.status_code != 200:
            raise Refused(answer)
        return answer.json()

    def once(self, method: str, **body: Any) -> Any:
        """The response of a method that changes something, as a request of its own. Raises Refused."""
        return self.call(method, requestId=str(uuid4()), **body)

    def start(self, nino: str | None = NINO, language: str = "EN", **more: Any) -> Any:
        """A call to make a claim."""
        return self.once(
            "StartCall",
            **{
                "purpose": "CALL_PURPOSE_NEW",
                "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
                "language": f"LANGUAGE_{language}",
                "caller": {"relation": "CALLER_RELATION_SELF"},
                **({"nino": nino} if nino else {}),
                **more,
            },
        )

    def record(self, claim_ref: str, version: int, **values: Any) -> Any:
        """The interview after these answers."""
        answers = [{"questionId": name, "value": value} for name, value in values.items()]
        return self.once("RecordAnswers", claimRef=claim_ref, version=version, answers=answers)["interview"]

    def amend(self, claim_ref: str, version: int, **values: Any) -> Any:
        """The interview after these changes, and the changes."""
        answers = [{"questionId": name, "value": value} for name, value in values.items()]
        return self.once("AmendAnswers", claimRef=claim_ref, version=version, answers=answers, reason="corrected")

    def submit(self, claim_ref: str, version: int) -> Any:
        """The claim, submitted."""
        return self.once("SubmitClaim", claimRef=claim_ref, version=version)["claim"]

    def submitted(self, answers: dict[str, Any], nino: str = NINO) -> Any:
        """A claim that was taken from the first question to its submission, in a call that is still open."""
        claim = self.start(nino)["claim"]
        rest = {name: value for name, value in answers.items() if name not in ("nino", "language")}
        interview = self.record(claim["claimRef"], claim["version"], **rest)
        return self.submit(claim["claimRef"], interview["version"])


@pytest.fixture
def desk(process: Process, tokens: Tokens) -> Iterator[Desk]:
    """Seats somebody of a role at a desk."""
    with httpx.Client(timeout=20) as client:

        def seat(role: str = "OPERATOR", subject: str = "OP000001", purpose: str = "", **claims: Any) -> Caller:
            return Caller(client, process, token=tokens.issue(role, subject=subject, **claims), purpose=purpose)

        yield seat


@pytest.fixture
def book(process: Process) -> Book:
    """Has intake hear that an appointment was booked for a claim."""

    def heard(claim_ref: str, office: str = OFFICE, *, appointment_id: str = "A1", at: datetime | None = None) -> None:
        message = scheduling_events.AppointmentBooked(appointment_id=appointment_id, office_code=office)
        event = Event(
            event_id=uuid4(),
            name="AppointmentBooked",
            source="scheduling-svc",
            claim_ref=claim_ref,
            version=1,
            occurred_time=at or clock.now(),
            message=message,
        )
        with process.database.transaction() as conn:
            HANDLERS[event.name](conn, event)

    return heard


@pytest.fixture(scope="session")
def refused() -> type[Refused]:
    """What a caller's methods raise."""
    return Refused
