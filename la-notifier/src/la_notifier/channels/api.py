"""The channel API: notices over HTTP (docs/interfaces/local-authority.md, the way `api`)."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from chassis.http_line import Answer, HttpLine, HttpNoAnswer, HttpNotSent
from la_notifier.domain.fields import is_field
from la_notifier.domain.notices import HeldNotice, HeldState, SendAnswer, SendResult

_SECONDS = 10.0
"""The whole of a call, however slowly the authority answers."""
_MOST_BYTES = 65_536
"""A receipt or a state is some hundred bytes, a refusal of every field some thousand."""
_CONNECTIONS = 10
_UNKNOWN = SendAnswer(result=SendResult.UNKNOWN)
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
        self._secrets = secrets
        self._line = HttpLine(url.rstrip("/"), size=_CONNECTIONS, seconds=_SECONDS, most_bytes=_MOST_BYTES)

    def close(self) -> None:
        """Closes the connections."""
        self._line.close()

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
        path = f"/{notice.authority_code}/hb-notices"
        try:
            return send_answer(self._line.call("POST", path, content=notice.body, headers=headers))
        except HttpNotSent:
            return SendAnswer(result=SendResult.NOT_TAKEN)
        except HttpNoAnswer as error:
            # An answer that is too long to be read says by its status what became of the notice.
            return send_answer(Answer(status=error.status, body=b"")) if error.status else _UNKNOWN

    def ask(self, authority_code: str, notice_id: str) -> HeldNotice:
        """Asks the authority what it holds of a notice. Every failure of the other side is an answer; none is raised."""
        try:
            return held_notice(self._line.call("GET", f"/{authority_code}/hb-notices/{notice_id}"))
        except (HttpNotSent, HttpNoAnswer):
            return HeldNotice(state=HeldState.UNKNOWN)


def signature(secret: bytes, body: bytes) -> str:
    """The X-Signature of a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def send_answer(response: Answer) -> SendAnswer:
    """The meaning of an authority's response to a notice."""
    status = response.status
    match status:
        case HTTPStatus.OK | HTTPStatus.ACCEPTED:
            return SendAnswer(result=SendResult.SENT, status=status, receipt=_receipt(_json(response)))
        case HTTPStatus.CONFLICT:
            return SendAnswer(result=SendResult.LATER_VERSION_HELD, status=status)
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return SendAnswer(result=SendResult.REFUSED, status=status, refused_fields=_fields(_json(response)))
    unknown = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE
    return SendAnswer(
        result=SendResult.UNKNOWN if unknown else SendResult.NOT_TAKEN,
        status=status,
        retry_after_seconds=response.retry_after_seconds or None,
    )


def held_notice(response: Answer) -> HeldNotice:
    """The meaning of an authority's response to the question what it holds."""
    if response.status == HTTPStatus.NOT_FOUND:
        return HeldNotice(state=HeldState.ABSENT)
    held = _held(_json(response)) if response.status == HTTPStatus.OK else None
    return held or HeldNotice(state=HeldState.UNKNOWN, retry_after_seconds=response.retry_after_seconds or None)


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
    # Only names of the interface's fields are kept, for they go into an event and the log: the rest may quote the claimant.
    errors = body.get("errors")
    names = [error.get("field") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    fields = (name for name in names if isinstance(name, str) and _FIELD_NAME.fullmatch(name) and is_field(name))
    return tuple(dict.fromkeys(fields))[:_MOST_FIELDS_KEPT]


def _json(response: Answer) -> Mapping[str, Any]:
    """The object in the body; an empty one where there is none."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
