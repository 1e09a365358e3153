"""The councils' HTTP interface: `POST` and `GET` below the authority's code."""

import hashlib
import hmac
import json
import threading
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from simulators.councils.failures import CouncilFailure
from simulators.councils.holdings import Holdings, LaterVersionHeldError, OtherContentError, Version
from simulators.councils.notice_fields import NoticeFields, Problem
from simulators.failures import FailurePlan

log = structlog.get_logger()

LONGEST_BODY = 1_048_576


class CouncilsApi:
    """Takes notices for the authorities whose secrets it knows. Failures come behind signature and checks."""

    def __init__(
        self,
        *,
        secrets: Mapping[str, bytes],
        fields: NoticeFields,
        holdings: Holdings,
        plan: FailurePlan[CouncilFailure],
        stopping: threading.Event,
    ) -> None:
        self._secrets = secrets
        self._fields = fields
        self._holdings = holdings
        self._plan = plan
        self._stopping = stopping

    def application(self) -> Flask:
        """The Flask application. A lost reply leaves it as ConnectionAbortedError, for the server to close."""
        application = Flask("simulators.councils")
        application.config["PROPAGATE_EXCEPTIONS"] = True
        application.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
        application.add_url_rule("/<authority>/hb-notices", "post", self.post, methods=["POST"])
        application.add_url_rule("/<authority>/hb-notices/<notice_id>", "get", self.get, methods=["GET"])
        return application

    def post(self, authority: str) -> ResponseReturnValue:
        """Take a notice."""
        secret = self._secrets.get(authority)
        body = request.get_data()
        if secret is None:
            return _unknown_authority()
        if not _signed(secret, body, request.headers.get("X-Signature", "")):
            return jsonify(error="the signature is missing or wrong"), 401
        notice = _parsed(body)
        if problems := self._problems(authority, notice):
            return _unprocessable(problems)
        return self._failing("POST", authority, notice["claim_ref"], lambda failure: self._take(notice, body, failure))

    def get(self, authority: str, notice_id: str) -> ResponseReturnValue:
        """Tell how far a notice has come."""
        if authority not in self._secrets:
            return _unknown_authority()
        version = self._holdings.latest(authority, notice_id)
        claim_ref = version.claim_ref if version else None
        return self._failing("GET", authority, claim_ref, lambda failure: _held(version, failure))

    def _problems(self, authority: str, notice: Any) -> list[Problem]:
        problems = self._fields.problems(notice)
        if problems:
            return problems
        if notice["authority_code"] != authority:
            return [("authority_code", "is not the authority that was called")]
        if request.headers.get("Idempotency-Key") != f"{notice['notice_id']}:{notice['version']}":
            return [("Idempotency-Key", "is not the notice and version of the body")]
        return []

    def _failing(
        self,
        method: str,
        authority: str,
        claim_ref: str | None,
        answer: Callable[[CouncilFailure | None], ResponseReturnValue],
    ) -> ResponseReturnValue:
        """The answer, or what the failure in force makes of it."""
        failure = self._plan.pick(lambda rule: rule.applies_to(method, authority, claim_ref))
        log.info(
            "request", method=method, authority_code=authority, claim_ref=claim_ref, failure=failure and failure.failure
        )
        if failure is None or failure.failure in _ANSWERED_OTHERWISE:
            return answer(failure)
        if failure.failure in _ANSWERS:
            return _ANSWERS[failure.failure](failure)
        if failure.failure == "slow":
            self._stopping.wait(failure.seconds)
            return answer(None)
        answer(None)
        if failure.failure in _FLOODS:
            return _FLOODS[failure.failure](failure.megabytes)
        raise ConnectionAbortedError("the reply is lost, as ordered")

    def _take(self, notice: Mapping[str, Any], body: bytes, failure: CouncilFailure | None) -> ResponseReturnValue:
        try:
            receipt = self._holdings.receive(
                notice,
                body_sha256=hashlib.sha256(body).hexdigest(),
                refusal=failure.reason if failure and failure.failure == "refuse_load" else "",
            )
            if failure and failure.failure == "conflict":
                raise LaterVersionHeldError
        except LaterVersionHeldError:
            return jsonify(error="a later version is held"), 409
        except OtherContentError as error:
            return _unprocessable([(error.field, "is held with other content")])
        return jsonify(receipt=receipt.receipt), 200 if receipt.repeated else 202


def _signed(secret: bytes, body: bytes, signature: str) -> bool:
    right = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.encode())


def _parsed(body: bytes) -> Any:
    """The body's JSON; None, which is no notice, when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _unknown_authority() -> ResponseReturnValue:
    return jsonify(error="not an authority that we know"), 404


def _held(version: Version | None, failure: CouncilFailure | None) -> ResponseReturnValue:
    if version is None:
        return jsonify(error="no such notice"), 404
    number = version.version + (failure is not None)
    return jsonify(version=number, state=version.state, reason=version.reason)


def _unprocessable(problems: list[Problem]) -> ResponseReturnValue:
    return jsonify(errors=[{"field": field, "message": message} for field, message in problems]), 422


def _later(status: int, failure: CouncilFailure) -> ResponseReturnValue:
    return jsonify(error="come again later"), status, {"Retry-After": str(failure.retry_after)}


def _huge(megabytes: int) -> ResponseReturnValue:
    return Response((b" " * _MEGABYTE for _ in range(megabytes)), mimetype="application/json")


def _packed(megabytes: int) -> ResponseReturnValue:
    packing = zlib.compressobj(level=1, wbits=_GZIP)
    pieces = [packing.compress(b" " * _MEGABYTE) for _ in range(megabytes)]
    body = b"".join([*pieces, packing.flush()])
    return Response(body, mimetype="application/json", headers={"Content-Encoding": "gzip"})


_MEGABYTE = 1_048_576
_GZIP = 16 + zlib.MAX_WBITS
_FLOODS: Mapping[str, Callable[[int], ResponseReturnValue]] = {"huge_reply": _huge, "packed_reply": _packed}
_ANSWERED_OTHERWISE = {"refuse_load", "conflict"}
"""Failures of which the answer itself, or what is held, is made."""
_ANSWERS: Mapping[str, Callable[[CouncilFailure], ResponseReturnValue]] = {
    "unavailable": lambda failure: _later(503, failure),
    "too_many": lambda failure: _later(429, failure),
    "invalid": lambda failure: _unprocessable([(failure.field, "is refused by this authority")]),
}
