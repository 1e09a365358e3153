"""For tests: records and notices that are right, and clients that speak to the stand-ins over real sockets."""

import hashlib
import hmac
import http.client
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from simulators.record_link.copybook import Field, Kind, Layout
from simulators.record_link.link import Link, Message, read_frame
from simulators.record_link.record import CODE_PAGE, Scalar, Value, decode

CLAIM_REF = "C0123456789A"
NINO = "AB123456C"


def transfer_id(number: int) -> str:
    """A transfer id of 26 characters."""
    return f"T{number:025d}"


def wait_until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Return as soon as the condition holds. Raises TimeoutError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition was not met in time")
        time.sleep(0.005)


def digits_of(day: date) -> int:
    """A day as CCYYMMDD."""
    return int(day.strftime("%Y%m%d"))


def encode_record(layout: Layout, values: Mapping[str, Value]) -> bytes:
    """A record with every kind of field. What is not named is blank or zero."""
    data = bytearray(b"\x40" * layout.length)
    for field in layout.fields.values():
        value = values.get(field.name, [])
        entries = value if isinstance(value, list) else [value]
        for number, place in enumerate(field.places):
            data[place] = _encode(field, entries[number] if number < len(entries) else None)
    return bytes(data)


def _encode(field: Field, value: Scalar | None) -> bytes:
    if field.kind is Kind.TEXT:
        return str(value or "").ljust(field.length).encode(CODE_PAGE)
    number = int(Decimal(str(value or 0)).scaleb(field.decimals))
    if field.kind is Kind.ZONED:
        return bytes(0xF0 + int(digit) for digit in str(number).zfill(field.length))
    return bytes.fromhex(f"{abs(number):0{2 * field.length - 1}d}{'d' if number < 0 else 'c'}")


def common_values(today: date) -> dict[str, Value]:
    """The claimant's and claim's particulars of a good record."""
    return {
        "CM-NINO": NINO,
        "CM-CLAIM-REF": CLAIM_REF,
        "CM-BENEFIT": "JSA",
        "CM-ACTION": "N",
        "CM-TITLE": "MS",
        "CM-SURNAME": "O'BRIEN-LUKASZ",
        "CM-FORENAMES": "MARY ANNE",
        "CM-DATE-OF-BIRTH": 19800229,
        "CM-SEX": "F",
        "CM-ADDRESS-LINE": ["1 HIGH ST.", "LEEDS"],
        "CM-POSTCODE": "LS1 4AP",
        "CM-LA-CODE": "E08000035",
        "CM-LANGUAGE": "E",
        "CM-DATE-OF-CONTACT": digits_of(today),
        "CM-DATE-OF-CLAIM": digits_of(today),
        "CM-OFFICE-CODE": "123456",
        "CM-ASSESSOR-ID": "ASSESS01",
        "CM-SORT-CODE": 123456,
        "CM-ACCOUNT-NUMBER": 87654321,
        "CM-ACCOUNT-NAME": "M A O'BRIEN",
        "CM-PARTNER-FLAG": "N",
    }


def first_phase_values(today: date) -> dict[str, Value]:
    """A good ES504 record."""
    return common_values(today) | {
        "JE-OPERATOR": "OPER0001",
        "JE-OPERATOR-GRADE": "AO",
        "JE-HOURS-AVAILABLE": Decimal("40.0"),
        "JE-JOB-GOAL": ["CLERK"],
        "JE-LAST-JOB-ENDED": digits_of(today),
        "JE-LAST-JOB-REASON": "RD",
    }


def second_phase_values(today: date, es_legacy_ref: str) -> dict[str, Value]:
    """A good BA504 record for the first phase of this reference."""
    return common_values(today) | {
        "JB-ES-LEGACY-REF": es_legacy_ref,
        "JB-BASIS": "I",
        "JB-JOINT-CLAIM": "N",
        "JB-WAITING-DAYS": 3,
        "JB-RAPID-RECLAIM": "N",
        "JB-CAPITAL": Decimal("16000.00"),
        "JB-SIGNING-DAY": 3,
    }


def income_support_values(today: date) -> dict[str, Value]:
    """A good IS001 record of a lone parent with two children and one income."""
    return common_values(today) | {
        "CM-BENEFIT": "IS",
        "IS-GROUP": "LP",
        "IS-HOURS-WORKED": Decimal("15.9"),
        "IS-CAPITAL": Decimal("250.00"),
        "IS-INCOME-COUNT": 1,
        "IS-INC-KIND": ["EMP"],
        "IS-INC-AMOUNT": [Decimal("40.25")],
        "IS-INC-PERIOD": ["W"],
        "IS-CHILD-COUNT": 2,
        "IS-CHILD-NAME": ["ANNE", "JOHN"],
        "IS-CHILD-DOB": [20020228, 20040229],
        "IS-CHILD-DISABLED": ["N", "N"],
        "IS-RENT-LIABLE": "Y",
        "IS-MORTGAGE": "N",
    }


def crisis_loan_values(today: date) -> dict[str, Value]:
    """A good SF001 record."""
    return common_values(today) | {
        "CM-BENEFIT": "SF",
        "SF-REASON": "AF",
        "SF-AMOUNT": Decimal("60.00"),
        "SF-EXISTING-DEBT": Decimal("940.00"),
        "SF-NEEDED-BY": digits_of(today),
        "SF-INTERIM-CONSIDERED": "Y",
    }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A LINK-REPLY as it came, and the record behind it."""

    transfer_id: str
    completion: str
    legacy_ref: str
    retry_after: int
    messages: tuple[Message, ...]
    page: bytes

    @property
    def codes(self) -> list[str]:
        """The messages' codes."""
        return [message.code for message in self.messages]


class LinkClient:
    """One connection of the record link, with ten seconds' patience."""

    def __init__(self, link: Link, port: int) -> None:
        self._link = link
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close the connection by a reset, as a sender does that gives up."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def frame(self, dialogue: str, transfer: str, payload: bytes, **header: Value) -> bytes:
        """A whole frame; `header` overrides fields, with underscores for hyphens."""
        values: dict[str, Value] = {
            "LH-EYECATCHER": "CMS3",
            "LH-VERSION": 1,
            "LH-DIALOGUE": dialogue,
            "LH-SOURCE": "CMS3GWAY",
            "LH-TRANSFER-ID": transfer,
            "LH-PAYLOAD-LENGTH": len(payload),
            "LH-PAYLOAD-CRC": zlib.crc32(payload),
        }
        values |= {name.replace("_", "-"): value for name, value in header.items()}
        body = encode_record(self._link.layout("LINK-HEADER"), values) + payload
        return len(body).to_bytes(4, "big") + body

    def payload(self, dialogue: str, values: Mapping[str, Value]) -> bytes:
        """The payload of a dialogue."""
        return encode_record(self._link.record_of(dialogue), values)

    def send(self, dialogue: str, transfer: str, values: Mapping[str, Value], **header: Value) -> None:
        """Send a record."""
        self.socket.sendall(self.frame(dialogue, transfer, self.payload(dialogue, values), **header))

    def receive(self) -> Answer | None:
        """The next answer; None when the connection was closed in good order."""
        frame = read_frame(self.socket)
        if frame is None:
            return None
        layout = self._link.layout("LINK-REPLY")
        values = decode(layout, frame[: layout.length]).values
        parts = [values[name] for name in ("LR-MSG-CODE", "LR-MSG-FIELD", "LR-MSG-TEXT")]
        rows = zip(*(part for part in parts if isinstance(part, list)), strict=True)
        count = int(str(values["LR-MESSAGE-COUNT"]))
        messages = [Message(code=str(code), field=str(field), text=str(text)) for code, field, text in rows]
        return Answer(
            transfer_id=str(values["LR-TRANSFER-ID"]),
            completion=str(values["LR-COMPLETION"]),
            legacy_ref=str(values["LR-LEGACY-REF"]),
            retry_after=int(str(values["LR-RETRY-AFTER-SECS"])),
            messages=tuple(messages[:count]),
            page=frame[layout.length :],
        )

    def ask(self, dialogue: str, transfer: str, values: Mapping[str, Value], **header: Value) -> Answer:
        """Send a record and wait for its answer. Raises ConnectionError when there is none."""
        self.send(dialogue, transfer, values, **header)
        answer = self.receive()
        if answer is None:
            raise ConnectionError("closed without an answer")
        return answer

    def enquire(self, transfer: str, dialogue: str = "ENQ01") -> Answer:
        """Ask for a transfer, or with CN504 withdraw it."""
        return self.ask(dialogue, transfer, {"EN-TRANSFER-ID": transfer})


def good_notice(today: date, **changes: Any) -> dict[str, Any]:
    """A notice of intention that is right, with these fields changed; one that is changed to None is absent."""
    day = today.isoformat()
    notice = {
        "notice_id": "N-1",
        "version": 1,
        "kind": "INTENTION",
        "authority_code": "E08000035",
        "claim_ref": CLAIM_REF,
        "benefit": "JSA_UNDECIDED",
        "seeks": "BOTH",
        "first_contact_on": day,
        "intention_on": day,
        "claim_due_on": day,
        "claimant": {"nino": NINO, "surname": "O'Brien", "forenames": "Mary", "date_of_birth": "1980-02-29"},
        "address": {"lines": ["1 High St", "Leeds"], "postcode": "LS1 4AP"},
        "tenancy": {"kind": "PRIVATE", "rent_amount": "85.50", "rent_period": "W"},
        "language": "EN",
    } | changes
    return {name: value for name, value in notice.items() if value is not None}


def signature(secret: bytes, body: bytes) -> str:
    """The X-Signature of a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """The answer of a door."""

    status: int
    headers: Mapping[str, str]
    body: Any


def call(port: int, method: str, path: str, *, body: object = None, headers: Mapping[str, str] = {}) -> HttpAnswer:
    """One HTTP call with a JSON body, or with bytes as they are. Raises HTTPException or OSError without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, path, body=content, headers={"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return HttpAnswer(status=response.status, headers=dict(response.headers), body=json.loads(response.read()))
    finally:
        connection.close()
