"""CMS-COTS, which takes child maintenance: an application for each claim, over HTTP with an idempotency key.

See docs/interfaces/legacy.md, "CMS-COTS: HTTP", and docs/adr/0052.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from chassis.errors import Unavailable
from chassis.http_line import Answer, Fault, HttpLine, HttpNoAnswer, HttpNotSent
from legacy_gateway import mapping
from legacy_gateway.config import Settings
from legacy_gateway.domain import HeldRecord, ListingChanged, Result, Rules, System, SystemAnswer
from legacy_gateway.systems.deployed import Deployed

RULES = Rules(system=System.CMS_COTS, schemes=("CHILD_MAINTENANCE",), recognises_repeat=True)

APPLICATIONS = "/v1/applications"
_PAGE_LENGTH = 100
_MOST_PAGES = 100_000
_MOST_BYTES = 262_144
"""A page of a list is some 15 kB."""
_ONE_FOR_THE_BALANCE = 1
_OK, _CREATED = 200, 201
_NO_TOKEN, _NOT_ALLOWED, _NOT_FOUND, _CONFLICT, _INVALID, _TOO_MANY, _UNAVAILABLE = 401, 403, 404, 409, 422, 429, 503
_PLACE_IN_LIST = re.compile(r"\.\d+(?=\.|$)")

Reference = Annotated[str, Meta(pattern=r"^[!-~]{1,40}\Z")]
TransferId = Annotated[str, Meta(pattern=r"^[0-9A-Z]{26}\Z")]


class Registered(Struct, frozen=True):
    """An application that is held."""

    application_id: Reference
    status: Annotated[str, Meta(pattern=r"^REGISTERED\Z")]


class Problem(Struct, frozen=True):
    """A rule that is broken. The system's own words are not read: they may quote the application."""

    code: str = ""
    field: str = ""


class Refusal(Struct, frozen=True):
    """The reason for not taking an application."""

    errors: Annotated[tuple[Problem, ...], Meta(max_length=200)] = ()


class Listed(Struct, frozen=True):
    """An application in the list of a day."""

    application_id: Reference
    transfer_id: TransferId


class Page(Struct, frozen=True):
    """A page of a list; `next` is absent on the last."""

    applications: Annotated[tuple[Listed, ...], Meta(max_length=_PAGE_LENGTH)]
    next: Reference | None = None


_REGISTERED = msgspec.json.Decoder(Registered)
_REFUSAL = msgspec.json.Decoder(Refusal)
_PAGE = msgspec.json.Decoder(Page)
_Body = TypeVar("_Body")


class ApplicationsAway(Unavailable):
    """CMS-COTS does not give the whole list of a day now."""

    def __init__(self, reason: str) -> None:
        super().__init__("LIST_AWAY", f"the list of the day cannot be had: {reason}")


class CmsCots:
    """The package behind its HTTP door."""

    def __init__(self, line: HttpLine) -> None:
        self._line = line

    def send(self, phase: int, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:  # noqa: ARG002
        """Posts an application once, under its transfer id, and no byte after `send_by` (monotonic)."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": transfer_id}
        try:
            return _posted(self._line.call("POST", APPLICATIONS, headers=headers, content=payload, send_by=send_by))
        except (HttpNotSent, HttpNoAnswer) as failure:
            return _no_answer(failure)

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Asks for the application of a transfer."""
        try:
            answer = self._line.call("GET", f"{APPLICATIONS}/by-transfer/{transfer_id}")
        except (HttpNotSent, HttpNoAnswer) as failure:
            return _no_answer(failure)
        return SystemAnswer(result=Result.NOT_KNOWN) if answer.status == _NOT_FOUND else _found(answer)

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        """NotImplementedError: what is registered is closed in the package, by a caseworker."""
        raise NotImplementedError(f"{RULES.system} withdraws no application: {transfer_id}")

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        """The applications received on a day, page by page. Raises Unavailable and ListingChanged."""
        after: str | None = None
        for _ in range(_MOST_PAGES):
            page = self._page(day, after)
            yield [HeldRecord(transfer_id=one.transfer_id, legacy_ref=one.application_id) for one in page.applications]
            if page.next is None:
                return
            if not page.applications or page.next != page.applications[-1].application_id or page.next == after:
                raise ApplicationsAway(Fault.UNREADABLE)
            after = page.next
        raise ApplicationsAway(Fault.TOO_LONG)

    def reset(self) -> None:
        """Ends the calls under way and closes their connections."""
        self._line.reset()

    def close(self) -> None:
        """Waits for the calls under way and closes every connection, for good."""
        self._line.close()

    def _page(self, day: date, after: str | None) -> Page:
        query = {"received_on": day.isoformat()} | ({"after": after} if after else {})
        answer = self._line.call("GET", APPLICATIONS, query=query)
        if answer.status == _INVALID and after:
            raise ListingChanged("LISTING_CHANGED", "the application after which the page begins is gone")
        page = _read(_PAGE, answer) if answer.status == _OK else None
        if page is None:
            raise ApplicationsAway(f"status {answer.status}")
        return page


def _connect(settings: Settings) -> CmsCots:
    return CmsCots(
        HttpLine(
            settings.cms_cots_url,
            token_file=settings.cms_cots_token_file,
            size=settings.cms_cots_senders + _ONE_FOR_THE_BALANCE,
            seconds=settings.reply_seconds,
            most_bytes=_MOST_BYTES,
        )
    )


SYSTEM = Deployed(rules=RULES, senders=lambda settings: settings.cms_cots_senders, connect=_connect)


def _posted(answer: Answer) -> SystemAnswer:
    if answer.status in {_OK, _CREATED}:
        return _held(answer)
    if answer.status == _CONFLICT:
        return SystemAnswer(result=Result.CONFLICT, reason="OTHER_PAYLOAD")
    return _refused(answer) if answer.status == _INVALID else _failed(answer)


def _found(answer: Answer) -> SystemAnswer:
    return _held(answer) if answer.status == _OK else _failed(answer)


def _held(answer: Answer) -> SystemAnswer:
    """Held under its reference. What cannot be read is no answer, whatever its status: it is asked about."""
    registered = _read(_REGISTERED, answer)
    if registered is None:
        return SystemAnswer(result=Result.NO_REPLY, reason=Fault.UNREADABLE)
    return SystemAnswer(result=Result.HELD, legacy_ref=registered.application_id)


def _refused(answer: Answer) -> SystemAnswer:
    refusal = _read(_REFUSAL, answer) or Refusal()
    record = mapping.phase_of(RULES.system, 1).record
    messages = [
        mapping.refusal_message(RULES.system, code=one.code, field=f"{record}.{_PLACE_IN_LIST.sub('', one.field)}")
        for one in refusal.errors or (Problem(),)
    ]
    return SystemAnswer(result=Result.REFUSED, reason="EDIT_RULE", messages=tuple(dict.fromkeys(messages)))


def _failed(answer: Answer) -> SystemAnswer:
    """Busy, or an error. After one that the interface does not name, the application may be held."""
    if answer.status in {_TOO_MANY, _UNAVAILABLE}:
        wait = answer.retry_after_seconds
        return SystemAnswer(result=Result.BUSY, reason="BUSY", retry_after_seconds=wait)
    if answer.status in {_NO_TOKEN, _NOT_ALLOWED}:
        return SystemAnswer(result=Result.SYSTEM_ERROR, reason="NOT_ADMITTED")
    if 400 <= answer.status < 500:
        return SystemAnswer(result=Result.SYSTEM_ERROR, reason="SYSTEM_ERROR")
    return SystemAnswer(result=Result.NO_REPLY, reason="SYSTEM_ERROR")


def _no_answer(failure: HttpNotSent | HttpNoAnswer) -> SystemAnswer:
    result = Result.NOT_SENT if isinstance(failure, HttpNotSent) else Result.NO_REPLY
    return SystemAnswer(result=result, reason=failure.fault)


def _read(decoder: "msgspec.json.Decoder[_Body]", answer: Answer) -> _Body | None:
    try:
        return decoder.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
