"""GOV.UK Notify, by its own client: texts and e-mails, and what became of them.

A message goes through a template at Notify that has nothing but placeholders, so that what is said is in our data
(wording.toml) and what was said is sealed with the message. The client is not safe for several threads: each has its own.
"""

import io
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient
from notifications_python_client.utils import prepare_upload
from requests.adapters import BaseAdapter

from chassis.http_line import HttpLine, HttpNoAnswer, HttpNotSent
from la_notifier.messages.domain.message import Fate, FateAnswer, Medium, SendAnswer, SendResult

_SECONDS = 10.0
"""The longest call, connecting and the whole reply included."""
_CONNECTIONS = 4
_LARGEST_REPLY_BYTES = 256 * 1024
_TOO_MANY, _BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 429, 400, 403, 404
_LONGEST_RETRY_AFTER_SECONDS = 3600.0
_RECIPIENT_FIELDS = ("phone_number", "email_address")
# Its client logs what Notify says of a fault, which may quote whom the message is for.
logging.getLogger("notifications_python_client").setLevel(logging.CRITICAL)
# https://docs.notifications.service.gov.uk/python.html, "Status": of e-mails and texts.
_FATES: Mapping[str, Fate] = {
    "created": Fate.UNDER_WAY,
    "sending": Fate.UNDER_WAY,
    "pending": Fate.UNDER_WAY,
    "pending-virus-check": Fate.UNDER_WAY,
    "sent": Fate.DELIVERED,  # to another country: no more is ever known
    "delivered": Fate.DELIVERED,
    "permanent-failure": Fate.FAILED,
    "temporary-failure": Fate.FAILED,
    "technical-failure": Fate.FAILED,
    "virus-scan-failed": Fate.FAILED,
    "validation-failed": Fate.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Ids of the templates at Notify: `((body))`; `((subject))` and `((body))`; and these with `((link))`."""

    text: UUID
    email: UUID
    email_with_file: UUID


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message to send. `reference` is the same on every attempt; `file` is a PDF that goes with an e-mail."""

    reference: str
    medium: Medium
    to: str
    subject: str
    body: str
    file: bytes | None = None


class Notify:
    """GOV.UK Notify. Every failure of the other side is an answer; none is raised."""

    def __init__(self, url: str, api_key: str, templates: Templates, *, seconds: float = _SECONDS) -> None:
        """`seconds` bounds each call."""
        self._url = url
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        self._line = HttpLine(root, size=_CONNECTIONS, seconds=seconds, most_bytes=_LARGEST_REPLY_BYTES)
        self._api_key = api_key
        self._templates = templates
        self._own = threading.local()

    def close(self) -> None:
        """Closes the connections."""
        self._line.close()

    def send(self, message: Outgoing) -> SendAnswer:
        """Hands a message to Notify."""
        try:
            reply = self._post(message)
        except APIError as error:
            return refusal(error)
        return SendAnswer(result=SendResult.TAKEN, notify_id=_id_of(reply))

    def ask(self, notify_id: UUID) -> FateAnswer:
        """Asks Notify for the fate of a message that it took."""
        try:
            reply = self._client().get_notification_by_id(str(notify_id))
        except APIError as error:
            absent = error.status_code == _NOT_FOUND
            return FateAnswer(fate=Fate.ABSENT if absent else Fate.UNKNOWN, notify_id=notify_id)
        return fate_of(reply)

    def find(self, reference: str) -> FateAnswer:
        """Asks Notify for the fate of the message with our reference, if it took one."""
        try:
            reply = self._client().get_all_notifications(reference=reference)
        except APIError:
            return FateAnswer(fate=Fate.UNKNOWN)
        found = reply.get("notifications") if isinstance(reply, dict) else None
        if not isinstance(found, list):
            return FateAnswer(fate=Fate.UNKNOWN)
        return fate_of(found[0]) if found else FateAnswer(fate=Fate.ABSENT)

    def _post(self, message: Outgoing) -> Any:
        client, templates = self._client(), self._templates
        if message.medium is Medium.TEXT:
            return client.send_sms_notification(
                phone_number=message.to,
                template_id=str(templates.text),
                personalisation={"body": message.body},
                reference=message.reference,
            )
        personalisation: dict[str, Any] = {"subject": message.subject, "body": message.body}
        template = templates.email
        if message.file is not None:
            template = templates.email_with_file
            personalisation["link"] = prepare_upload(io.BytesIO(message.file), filename="list.pdf")
        return client.send_email_notification(
            email_address=message.to,
            template_id=str(template),
            personalisation=personalisation,
            reference=message.reference,
        )

    def _client(self) -> Any:
        client = getattr(self._own, "client", None)
        if client is None:
            client = NotificationsAPIClient(self._api_key, base_url=self._url)
            for scheme in ("http://", "https://"):
                client.request_session.mount(scheme, _BoundedCalls(self._line))
            self._own.client = client
        return client


class _BoundedCalls(BaseAdapter):
    """Makes the client's calls over our own line: with one deadline for each, and a bound on what is read."""

    def __init__(self, line: HttpLine) -> None:
        super().__init__()
        self._line = line

    def send(self, request: requests.PreparedRequest, *_given: Any, **_options: Any) -> requests.Response:
        body = request.body
        # The client sends JSON as text, or nothing.
        content = body.encode() if isinstance(body, str) else None
        headers = {name: value for name, value in request.headers.items() if isinstance(value, str)}
        try:
            answer = self._line.call(str(request.method), request.path_url, headers=headers, content=content)
        except (HttpNotSent, HttpNoAnswer) as error:
            raise requests.ConnectionError(error.fault) from None
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, str(request.url), request
        response.raw = io.BytesIO(answer.body)
        if answer.retry_after_seconds:
            response.headers["Retry-After"] = str(int(answer.retry_after_seconds))
        return response

    def close(self) -> None:
        """The line is closed by whom it belongs to."""


def refusal(error: APIError) -> SendAnswer:
    """The answer to a message that Notify did not take, or may not have taken.

    Its client makes 503 of a call without an answer too, so 500 and more say nothing of what Notify holds.
    """
    status = error.status_code if error.response is not None else 0
    if status == _BAD_REQUEST and _is_about_the_recipient(error.message):
        return SendAnswer(result=SendResult.ADDRESS_REFUSED, status=status)
    if status in (_BAD_REQUEST, _FORBIDDEN, _TOO_MANY):
        return SendAnswer(result=SendResult.NOT_TAKEN, status=status, retry_after_seconds=_retry_after(error))
    return SendAnswer(result=SendResult.UNKNOWN, status=status)


def _is_about_the_recipient(message: Any) -> bool:
    """Whether the fault is the number or address. One of a template or a key is ours, and no reason to write a letter."""
    faults = (
        [fault.get("message", "") for fault in message if isinstance(fault, dict)] if isinstance(message, list) else []
    )
    return any(str(fault).startswith(_RECIPIENT_FIELDS) for fault in faults)


def _retry_after(error: APIError) -> float | None:
    given = error.response.headers.get("Retry-After", "") if error.response is not None else ""
    return min(float(given), _LONGEST_RETRY_AFTER_SECONDS) if given.isascii() and given.isdigit() else None


def fate_of(reply: Any) -> FateAnswer:
    """The fate in Notify's description of a message; UNKNOWN where it has not the shape of one, or an unknown status."""
    if not isinstance(reply, dict):
        return FateAnswer(fate=Fate.UNKNOWN)
    return FateAnswer(fate=_FATES.get(str(reply.get("status")), Fate.UNKNOWN), notify_id=_id_of(reply))


def _id_of(reply: Any) -> UUID | None:
    try:
        return UUID(str(reply["id"]))
    except (KeyError, TypeError, ValueError):
        return None
