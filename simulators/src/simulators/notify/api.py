"""Notify's API as its clients speak it: messages are sent, and asked about by id and by reference."""

import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from simulators.failures import FailurePlan
from simulators.notify.failures import FATES, NotifyFailure
from simulators.notify.holdings import DELIVERED, SENDING, Holdings, Message, Words
from simulators.notify.templates import Template, UnfitError
from simulators.notify.tokens import NotAllowedError, ServiceKey

log = structlog.get_logger()

LONGEST_BODY = 4 * 1_048_576
PAGE = 250
_MEGABYTE = 1_048_576
_RECIPIENTS = {"sms": "phone_number", "email": "email_address"}
_PHONE = re.compile(r"(\+44|0044|44|0)7[0-9]{9}")
_EMAIL = re.compile(r"[^@\s,;]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


class RateLimit:
    """A limit of messages in any 60 seconds."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._taken: deque[float] = deque()

    def allows(self) -> bool:
        """Whether one more is within it; it is counted then."""
        now = time.monotonic()
        with self._lock:
            while self._taken and self._taken[0] <= now - 60:
                self._taken.popleft()
            if len(self._taken) >= self._per_minute:
                return False
            self._taken.append(now)
            return True


class NotifyApi:
    """Takes texts and e-mails. Failures come behind the token and the checks."""

    def __init__(
        self,
        *,
        key: ServiceKey,
        templates: Mapping[str, Template],
        holdings: Holdings,
        plan: FailurePlan[NotifyFailure],
        per_minute: int,
        deliver_seconds: float,
        stopping: threading.Event,
    ) -> None:
        self._key, self._templates, self._holdings, self._plan = key, templates, holdings, plan
        self._limit = RateLimit(per_minute)
        self._per_minute, self._deliver_seconds, self._stopping = per_minute, deliver_seconds, stopping

    def application(self) -> Flask:
        """The Flask application. A lost reply leaves it as ConnectionAbortedError, for the server to close."""
        application = Flask("simulators.notify")
        application.config["PROPAGATE_EXCEPTIONS"] = True
        application.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
        application.before_request(self._admit)
        application.add_url_rule("/v2/notifications/<kind>", "send", self.send, methods=["POST"])
        application.add_url_rule("/v2/notifications/<number>", "one", self.one, methods=["GET"])
        application.add_url_rule("/v2/notifications", "several", self.several, methods=["GET"])
        return application

    def send(self, kind: str) -> ResponseReturnValue:
        """Take a message."""
        given = request.get_json(silent=True)
        if kind not in _RECIPIENTS:
            return _error(400, "BadRequestError", f"Service is not allowed to send {kind}s")
        if not isinstance(given, dict):
            return _error(400, "BadRequestError", "Invalid JSON supplied in POST data")
        template = self._templates.get(str(given.get("template_id")))
        if template is None or template.type != kind:
            return _error(
                400, "BadRequestError", "Template not found" if template is None else "Wrong type of template"
            )
        recipient = str(given.get(_RECIPIENTS[kind], ""))
        if fault := _fault_of(kind, recipient):
            return _error(400, "ValidationError", fault)
        try:
            subject, body = template.fill(given.get("personalisation") or {})
        except UnfitError as unfit:
            return _error(400, "BadRequestError", str(unfit))
        if not self._limit.allows():
            return self._limited()
        words = Words(recipient=recipient, subject=subject, body=body)
        return self._taken(kind, str(given.get("reference") or ""), str(given["template_id"]), words)

    def one(self, number: str) -> ResponseReturnValue:
        """Tell of a message."""
        try:
            wanted = str(uuid.UUID(number))
        except ValueError:
            return _error(400, "ValidationError", "id is not a valid UUID")

        def answer() -> ResponseReturnValue:
            found = self._holdings.find(wanted)
            return jsonify(self._told(*found)) if found else _error(404, "NoResultFound", "No result found")

        return self._asked(answer)

    def several(self) -> ResponseReturnValue:
        """Tell of the latest messages, or of those of one reference."""

        def answer() -> ResponseReturnValue:
            found = self._holdings.listed(reference=request.args.get("reference"))
            told = [self._told(*one) for one in found]
            for name, key in (("status", "status"), ("template_type", "type")):
                if wanted := request.args.getlist(name):
                    told = [one for one in told if one[key] in wanted]
            numbers = [one["id"] for one in told]
            if (older := request.args.get("older_than")) in numbers:
                told = told[numbers.index(older) + 1 :]
            links = {"current": request.url} | ({"next": _after(told[PAGE - 1]["id"])} if len(told) > PAGE else {})
            return jsonify(notifications=told[:PAGE], links=links)

        return self._asked(answer)

    def _admit(self) -> ResponseReturnValue | None:
        try:
            self._key.admit(request.headers.get("Authorization", ""))
        except NotAllowedError as error:
            return _error(403, "AuthError", str(error))
        return None

    def _taken(self, kind: str, reference: str, template_id: str, words: Words) -> ResponseReturnValue:
        text = f"{words.subject}\n{words.body}"
        failure = self._plan.pick(lambda rule: rule.is_of_sending(kind, reference, words.recipient, text))
        if refusal := self._refusal(failure, kind):
            self._log(kind, reference, failure)
            return refusal
        message = self._holdings.take(
            words, type=kind, reference=reference, template=template_id, **self._course(failure)
        )
        self._log(kind, reference, failure)
        told = {
            "id": message.id,
            "reference": message.reference or None,
            "content": _content(kind, words),
            "uri": f"{request.host_url}v2/notifications/{message.id}",
            "template": _template(message),
            "scheduled_for": None,
        }
        return self._answered(failure, lambda: (jsonify(told), 201))

    def _asked(self, answer: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        failure = self._plan.pick(NotifyFailure.is_of_asking)
        return self._refusal(failure, "") or self._answered(failure, answer)

    def _course(self, failure: NotifyFailure | None) -> dict[str, Any]:
        """The course that a message will take."""
        usual = {"fate": DELIVERED, "seconds": self._deliver_seconds}
        if failure is None:
            return usual
        others: Mapping[str, dict[str, Any]] = {
            "delay": {"seconds": failure.seconds},
            "never": {"fate": SENDING},
            "list_late": {"hidden": failure.seconds},
        }
        fate = {"fate": FATES[failure.failure]} if failure.failure in FATES else {}
        return usual | fate | others.get(failure.failure, {})

    def _refusal(self, failure: NotifyFailure | None, kind: str) -> ResponseReturnValue | None:
        """The answer by which a failure keeps a message from being taken, or a question from being answered."""
        name = failure.failure if failure else ""
        if name == "rate_limited":
            return self._limited()
        if name == "refuse_recipient":
            return _error(400, "ValidationError", f"{_RECIPIENTS[kind]} Not a valid address or number")
        return _error(*_REFUSALS[name]) if name in _REFUSALS else None

    def _limited(self) -> ResponseReturnValue:
        limit = f"Exceeded rate limit for key type LIVE of {self._per_minute} requests per 60 seconds"
        return _error(429, "RateLimitError", limit)

    def _answered(
        self, failure: NotifyFailure | None, answer: Callable[[], ResponseReturnValue]
    ) -> ResponseReturnValue:
        name = failure.failure if failure else ""
        if failure and name == "slow":
            self._stopping.wait(failure.seconds)
        if name == "lose_reply":
            raise ConnectionAbortedError("the reply is lost, as ordered")
        if failure and name == "huge_reply":
            pieces = (b" " * _MEGABYTE for _ in range(failure.megabytes))
            return Response(pieces, mimetype="application/json")
        return answer()

    def _told(self, message: Message, words: Words | None) -> dict[str, Any]:
        now = self._holdings.now()
        recipient = words.recipient if words else None
        return {
            "id": message.id,
            "reference": message.reference or None,
            "type": message.type,
            "status": message.status(now),
            "email_address": recipient if message.type == "email" else None,
            "phone_number": recipient if message.type == "sms" else None,
            **{f"line_{number}": None for number in range(1, 8)},
            "postcode": None,
            "postage": None,
            "subject": words.subject if words and message.type == "email" else None,
            "body": words.body if words else "",
            "template": _template(message),
            "created_at": message.created,
            "created_by_name": None,
            "sent_at": message.created,
            "completed_at": message.completed(now),
            "scheduled_for": None,
        }

    def _log(self, kind: str, reference: str, failure: NotifyFailure | None) -> None:
        log.info("message", type=kind, reference=reference, failure=failure and failure.failure)


def _fault_of(kind: str, recipient: str) -> str:
    """The fault of a number or address, in words that never have the number or address itself."""
    if kind == "sms":
        digits = re.sub(r"[\s()-]", "", recipient)
        return "" if _PHONE.fullmatch(digits) else "phone_number Not a UK mobile number"
    return "" if _EMAIL.fullmatch(recipient) else "email_address Not a valid email address"


def _content(kind: str, words: Words) -> dict[str, Any]:
    if kind == "sms":
        return {"body": words.body, "from_number": "GOVUK"}
    return {"body": words.body, "subject": words.subject, "from_email": "cms3@notifications.service.gov.uk"}


def _template(message: Message) -> dict[str, Any]:
    return {"id": message.template, "version": 1, "uri": f"{request.host_url}v2/template/{message.template}"}


def _after(number: str) -> str:
    return f"{request.base_url}?older_than={number}"


def _error(status: int, error: str, message: str) -> ResponseReturnValue:
    return jsonify(errors=[{"error": error, "message": message}], status_code=status), status


_REFUSALS = {
    "over_daily_limit": (429, "TooManyRequestsError", "Exceeded send limits (LIVE: 250000) for today"),
    "system_error": (500, "Exception", "Internal server error"),
    "unavailable": (503, "Exception", "Service unavailable"),
    "forbidden": (403, "AuthError", "Invalid token: API key revoked"),
}
