"""Who the notifier calls: intake for the facts of a claim, and the authorities that have an API."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from enum import StrEnum
from typing import Any, Protocol

import httpx
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock, remote
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from la_notifier.domain import ClaimFacts

_INTAKE_SECONDS = 5.0
_COUNCIL_TIMEOUTS = httpx.Timeout(10.0, connect=3.0)
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}")
_RECEIPT = re.compile(r"[!-~]{1,100}")
_MOST_FIELDS_KEPT = 50


class Claims(Protocol):
    """Where the facts of a claim are."""

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """The claim as it was at this version; as it is now for 0. Raises CmsError."""


class IntakeClaims:
    """Intake, called as the service itself."""

    def __init__(self, address: str, token: Callable[[], str]) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(remote.channel(address))
        self._token = token

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """The claim as intake has it. Raises CmsError."""
        request = intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref, version=version)
        response = remote.invoke(
            self._stub.GetClaimFacts, request, token=self._token(), timeout_seconds=_INTAKE_SECONDS
        )
        return facts_of(response.facts)


def facts_of(facts: intake_pb2.ClaimFacts) -> ClaimFacts:
    """Intake's message as the domain knows it."""
    answers = MessageToDict(facts.answers)
    return ClaimFacts(
        claim_ref=facts.claim_ref,
        version=facts.version,
        withdrawn=facts.state == intake_pb2.CLAIM_STATE_WITHDRAWN,
        schemes=tuple(common_pb2.Scheme.Name(scheme).removeprefix("SCHEME_") for scheme in facts.schemes),
        language=answers.get("language") or common_pb2.Language.Name(facts.language).removeprefix("LANGUAGE_"),
        first_contact_time=facts.first_contact_time.ToDatetime(UTC),
        first_contact_on=_day(facts.first_contact_time),
        claim_on=_day(facts.submit_time) if facts.HasField("submit_time") else None,
        answers=answers,
    )


def _day(time: Timestamp) -> date:
    return time.ToDatetime(UTC).astimezone(clock.LONDON).date()


class SendResult(StrEnum):
    """What became of an attempt to send a notice, or to ask about one."""

    SENT = "SENT"
    LATER_VERSION_HELD = "LATER_VERSION_HELD"
    REFUSED = "REFUSED"
    NOT_TAKEN = "NOT_TAKEN"
    """The authority answered that it did not take it: try again."""
    UNKNOWN = "UNKNOWN"
    """No answer: it may hold it or not."""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A version of a notice to send: `body` is the same on every attempt."""

    notice_id: str
    version: int
    authority_code: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class SendAnswer:
    """An authority's answer to a notice. `retry_after_seconds` is what it asks for, if it does."""

    result: SendResult
    status: int = 0
    receipt: str = ""
    refused_fields: tuple[str, ...] = ()
    retry_after_seconds: float | None = None


class HeldState(StrEnum):
    """Where the authority says that a notice stands; ABSENT: it has none; UNKNOWN: it did not say."""

    RECEIVED = "RECEIVED"
    LOADED = "LOADED"
    REFUSED = "REFUSED"
    ABSENT = "ABSENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class HeldNotice:
    """What an authority holds of a notice: its latest version."""

    state: HeldState
    version: int = 0
    retry_after_seconds: float | None = None


class Councils:
    """The authorities' API (docs/interfaces/local-authority.md), over connections that are kept."""

    def __init__(self, url: str, secrets: Mapping[str, bytes]) -> None:
        self._url = url.rstrip("/")
        self._secrets = secrets
        self._http = httpx.Client(timeout=_COUNCIL_TIMEOUTS)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def send(self, notice: Outgoing) -> SendAnswer:
        """Posts a version of a notice, signed. Every outcome is an answer: nothing is raised for the other side."""
        secret = self._secrets.get(notice.authority_code)
        if secret is None:
            return SendAnswer(result=SendResult.NOT_TAKEN)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{notice.notice_id}:{notice.version}",
            "X-Signature": signature(secret, notice.body),
        }
        try:
            response = self._http.post(
                f"{self._url}/{notice.authority_code}/hb-notices", content=notice.body, headers=headers
            )
        except httpx.RequestError as error:
            refused = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            return SendAnswer(result=SendResult.NOT_TAKEN if refused else SendResult.UNKNOWN)
        return send_answer(response)

    def ask(self, authority_code: str, notice_id: str) -> HeldNotice:
        """What the authority holds of a notice. Nothing is raised for the other side."""
        try:
            response = self._http.get(f"{self._url}/{authority_code}/hb-notices/{notice_id}")
        except httpx.RequestError:
            return HeldNotice(state=HeldState.UNKNOWN)
        return held_notice(response)


def signature(secret: bytes, body: bytes) -> str:
    """The X-Signature of a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def send_answer(response: httpx.Response) -> SendAnswer:
    """What an authority's response to a notice means (docs/interfaces/local-authority.md, the way `api`)."""
    status = response.status_code
    match status:
        case httpx.codes.OK | httpx.codes.ACCEPTED:
            return SendAnswer(result=SendResult.SENT, status=status, receipt=_receipt(_json(response)))
        case httpx.codes.CONFLICT:
            return SendAnswer(result=SendResult.LATER_VERSION_HELD, status=status)
        case httpx.codes.UNPROCESSABLE_ENTITY:
            return SendAnswer(result=SendResult.REFUSED, status=status, refused_fields=_fields(_json(response)))
    unknown = status >= httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.SERVICE_UNAVAILABLE
    return SendAnswer(
        result=SendResult.UNKNOWN if unknown else SendResult.NOT_TAKEN,
        status=status,
        retry_after_seconds=_retry_after(response),
    )


def held_notice(response: httpx.Response) -> HeldNotice:
    """What an authority's response to a question about a notice means."""
    if response.status_code == httpx.codes.NOT_FOUND:
        return HeldNotice(state=HeldState.ABSENT)
    held = _held(_json(response)) if response.status_code == httpx.codes.OK else None
    return held or HeldNotice(state=HeldState.UNKNOWN, retry_after_seconds=_retry_after(response))


def _held(body: Mapping[str, Any]) -> HeldNotice | None:
    state, version = body.get("state"), body.get("version")
    if state not in {HeldState.RECEIVED, HeldState.LOADED, HeldState.REFUSED} or not isinstance(version, int):
        return None
    return HeldNotice(state=HeldState(state), version=version)


def _receipt(body: Mapping[str, Any]) -> str:
    # A notice is taken, whatever its receipt looks like; kept is only what a reference can be.
    receipt = body.get("receipt")
    return receipt if isinstance(receipt, str) and _RECEIPT.fullmatch(receipt) else ""


def _fields(body: Mapping[str, Any]) -> tuple[str, ...]:
    # A field's name is kept only where it looks like one: the rest of the answer may quote the claimant.
    errors = body.get("errors")
    names = [error.get("field") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return tuple(name for name in names if isinstance(name, str) and _FIELD_NAME.fullmatch(name))[:_MOST_FIELDS_KEPT]


def _retry_after(response: httpx.Response) -> float | None:
    # The interface's authorities give seconds; for a date our own back-off does.
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() else None


def _json(response: httpx.Response) -> Mapping[str, Any]:
    """The body's object; an empty one where it is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
