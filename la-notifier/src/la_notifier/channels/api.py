"""The channel API: notices over HTTP (docs/interfaces/local-authority.md, the way `api`)."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from la_notifier.domain.notices import HeldNotice, HeldState, SendAnswer, SendResult

_TIMEOUTS = httpx.Timeout(10.0, connect=3.0)
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}")
_RECEIPT = re.compile(r"[!-~]{1,100}")
_MOST_FIELDS_KEPT = 50


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A version of a notice to send. `body` is the same on every attempt."""

    notice_id: str
    version: int
    authority_code: str
    body: bytes


class Councils:
    """The authorities' API, over connections that are kept open."""

    def __init__(self, url: str, secrets: Mapping[str, bytes]) -> None:
        self._url = url.rstrip("/")
        self._secrets = secrets
        self._http = httpx.Client(timeout=_TIMEOUTS)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def send(self, notice: Outgoing) -> SendAnswer:
        """Posts a version of a notice, signed. Every failure of the other side is an answer; none is raised."""
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
        """Asks the authority what it holds of a notice. Every failure of the other side is an answer; none is raised."""
        try:
            response = self._http.get(f"{self._url}/{authority_code}/hb-notices/{notice_id}")
        except httpx.RequestError:
            return HeldNotice(state=HeldState.UNKNOWN)
        return held_notice(response)


def signature(secret: bytes, body: bytes) -> str:
    """The X-Signature of a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def send_answer(response: httpx.Response) -> SendAnswer:
    """The meaning of an authority's response to a notice."""
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
    """The meaning of an authority's response to the question what it holds."""
    if response.status_code == httpx.codes.NOT_FOUND:
        return HeldNotice(state=HeldState.ABSENT)
    held = _held(_json(response)) if response.status_code == httpx.codes.OK else None
    return held or HeldNotice(state=HeldState.UNKNOWN, retry_after_seconds=_retry_after(response))


def _held(body: Mapping[str, Any]) -> HeldNotice | None:
    state, version = body.get("state"), body.get("version")
    if state not in [HeldState.RECEIVED, HeldState.LOADED, HeldState.REFUSED] or not isinstance(version, int):
        return None
    return HeldNotice(state=HeldState(state), version=version)


def _receipt(body: Mapping[str, Any]) -> str:
    # The authority took the notice, however its receipt looks; we keep it only where it can be a reference.
    receipt = body.get("receipt")
    return receipt if isinstance(receipt, str) and _RECEIPT.fullmatch(receipt) else ""


def _fields(body: Mapping[str, Any]) -> tuple[str, ...]:
    # A field's name is kept only where it looks like one: the rest of the answer may quote the claimant.
    errors = body.get("errors")
    names = [error.get("field") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return tuple(name for name in names if isinstance(name, str) and _FIELD_NAME.fullmatch(name))[:_MOST_FIELDS_KEPT]


def _retry_after(response: httpx.Response) -> float | None:
    # The interface gives seconds. Where an authority gives a date, our own back-off counts.
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() else None


def _json(response: httpx.Response) -> Mapping[str, Any]:
    """The object in the body; an empty one where there is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
