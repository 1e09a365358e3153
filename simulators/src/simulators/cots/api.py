"""The answers of CMS-COTS to each call when nothing fails."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulators.clock import Clock
from simulators.cots.application import Problem, problems
from simulators.cots.failures import Call
from simulators.cots.holdings import REGISTERED, Holdings, OtherBodyError, Registered, UnknownApplicationError

APPLICATIONS = "/v1/applications"
BY_TRANSFER = f"{APPLICATIONS}/by-transfer/"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call as it came in; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's values by name, the last of each."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status with a body of JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return json.dumps(self.body).encode()


class Api:
    """Answers calls from what is held. Raises LedgerError where the disk fails."""

    def __init__(self, *, token: str, holdings: Holdings, clock: Clock) -> None:
        self._token = token
        self._holdings = holdings
        self._clock = clock

    def call_of(self, request: Request) -> Call | None:
        """Which of the three calls this is; None when it is none, or not one that is let in."""
        if not self._let_in(request):
            return None
        if request.method == "GET" and request.path.startswith(BY_TRANSFER):
            return "BY_TRANSFER"
        if request.path != APPLICATIONS:
            return None
        calls: Mapping[str, Call] = {"POST": "POST", "GET": "LIST"}
        return calls.get(request.method)

    def claim_ref(self, request: Request, call: Call) -> str | None:
        """The claim that a call is about, for whom a failure is meant; None when that is not known."""
        if call == "POST":
            body = _parsed(request.body)
            return body.get("claim_ref") if isinstance(body, dict) else None
        held = self._holdings.of_transfer(request.path.removeprefix(BY_TRANSFER)) if call == "BY_TRANSFER" else None
        return held.claim_ref if held else None

    def answer(self, request: Request) -> Answer:
        """The answer."""
        if not self._let_in(request):
            return Answer(status=401, body={"error": "the bearer token is missing or wrong"})
        answers: Mapping[Call | None, Callable[[Request], Answer]] = {
            "POST": self._register,
            "BY_TRANSFER": self._by_transfer,
            "LIST": self._list,
        }
        found = answers.get(self.call_of(request))
        return found(request) if found else Answer(status=404, body={"error": "no such resource"})

    def _let_in(self, request: Request) -> bool:
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {self._token}".encode())

    def _register(self, request: Request) -> Answer:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return Answer(status=415, body={"error": "the body is application/json"})
        body = _parsed(request.body)
        found = problems(body, key=request.headers.get("idempotency-key", ""), received_on=self._clock.today())
        if found:
            return refused(found)
        try:
            held, new = self._holdings.register(body, received=self._clock.now())
        except OtherBodyError:
            return Answer(status=409, body={"error": "the key is held with another body"})
        return _registered(held, status=201 if new else 200)

    def _by_transfer(self, request: Request) -> Answer:
        held = self._holdings.of_transfer(request.path.removeprefix(BY_TRANSFER))
        return _registered(held, status=200) if held else Answer(status=404, body={"error": "no such application"})

    def _list(self, request: Request) -> Answer:
        try:
            day = date.fromisoformat(request.query.get("received_on", ""))
            held, more = self._holdings.page(day, after=request.query.get("after"))
        except ValueError:
            return refused([Problem("CC0098", "received_on", "is not a date")])
        except UnknownApplicationError:
            return refused([Problem("CC0098", "after", "is not an application of that day")])
        rows = [
            {"application_id": one.application_id, "transfer_id": one.transfer_id, "status": REGISTERED} for one in held
        ]
        return Answer(status=200, body={"applications": rows} | ({"next": held[-1].application_id} if more else {}))


def refused(found: list[Problem]) -> Answer:
    """The answer to what breaks a rule."""
    return Answer(status=422, body={"errors": [one._asdict() for one in found]})


def _registered(held: Registered, *, status: int) -> Answer:
    return Answer(status=status, body={"application_id": held.application_id, "status": REGISTERED})


def _parsed(body: bytes) -> Any:
    """The body's JSON; None, which is no application, when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
