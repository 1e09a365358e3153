"""Each kind of bad input gets its code and the field at fault by either door, and its value is not repeated."""

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any, get_args
from uuid import uuid4

import httpx
import pytest

from cms_local.doors import SERVICE_NAMES
from cms_local.journey import Journey
from cms_local.layout import SERVICES
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Answer, Door, RawDoors, methods

pytestmark = pytest.mark.xdist_group("platform")

DOORS = get_args(Door)
LARGEST_REQUEST = 64 * 1024
FIVE_MEGABYTES = 5 * 1024 * 1024
BEARER_OF_DEPTH = "Bearer " + base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5_000).decode().rstrip("=") + ".e30.AA"

REFUSED_ANSWERS: list[tuple[str, Any]] = [
    ("nino", "QQ123456C"),
    ("nino", "AB12345C"),
    ("nino", "ＡＢ123456Ｃ"),
    ("date_of_birth", "1980-02-31"),
    ("date_of_birth", "2099-01-01"),
    ("date_of_birth", "31/01/1980"),
    ("capital", "-5.00"),
    ("capital", "NaN"),
    ("capital", 5),
    ("capital", "1,2,3"),
    ("capital", "٣"),
    ("part_time_hours", -1),
    ("part_time_hours", 1e308),
    ("surname", "Bri\x01en"),
    ("surname", "Bri\r\nBcc: all"),
    ("surname", "x" * 101),
    ("surname", "🙂"),
    ("surname", "\u200b"),
    ("surname", "Hughes\ue000"),
    ("surname", "Ludwig 2"),
    ("landlord", "\u2066\u200b"),
    ("sort_code", "00-00-00"),
    ("account_number", "1234567"),
    ("telephone", "not a number"),
    ("telephone", "07700 90O123"),
    ("telephone", "0113 FLOWERS"),
    ("telephone", "1111"),
    ("email", "a@b@example.org"),
    ("email", "a" * 65 + "@example.org"),
    ("address", {"lines": ["1 High Street"], "postcode": "LS1 4AP"}),
    ("address", {"lines": ["1 High Street", "Leeds"], "postcode": "nowhere"}),
    ("sex", "DROP TABLE"),
    ("has_partner", "yes"),
    ("children", [{"name": "Mia", "surprise": 1}]),
    ("children", [{"name": "Mia"}] * 21),
    ("declaration", {"gap": "LATER"}),
]
STORED_LITERALLY = [
    "O'Brien",
    "O’Brien",
    "Łukasz",
    "Siân",
    "Sia\u0302n",
    "李",
    "Nguyễn",
    "Zoë-Anne",
    "بن",
    "<script>alert(document)</script>",
    "Robert'); DROP TABLE claims;--",
    "{{x*x}} ${x*x} %s",
    "Ann 🙂",
]
HELD_BY_THE_RECORD = {"O'Brien"}


def answer_one(raw: RawDoors, door: Door, call: Journey, question: str, value: Any, **more: Any) -> Answer:
    """Builds RecordAnswers with one answer at the claim's present version."""
    request = {
        "claimRef": call.claim_ref,
        "answers": [{"questionId": question, "value": value} | more],
        "version": call.interview["version"],
        "requestId": str(uuid4()),
    }
    given = raw.ask(door, "RecordAnswers", request, authorization=f"Bearer {call.operator}")
    if given.body:
        call.interview = given.body["interview"]
    return given


def shown(call: Journey, question: str) -> Mapping[str, Any]:
    """Finds a question of the interview in its last response."""
    return next(part for part in call.interview["questions"] if part["id"] == question)


@pytest.fixture(scope="module")
def open_call(platform_under_test: PlatformUnderTest) -> Journey:
    """A claim in its operator's open call, for requests that change nothing."""
    journey = platform_under_test.journey("single, council tenant")
    journey.start_call()
    return journey


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("question", "value"), REFUSED_ANSWERS)
def test_an_unsound_answer_is_refused_by_the_name_of_its_question(
    raw: RawDoors, open_call: Journey, door: Door, question: str, value: Any
) -> None:
    given = answer_one(raw, door, open_call, question, value)

    assert given.refusal[:2] == ("invalid_argument", "INVALID_FIELDS")
    assert {field.partition("[")[0].partition(".")[0] for field in given.fields} == {question}
    told = given.text.replace(question, "")
    assert not any(word in told for word in words_of(value))


def words_of(value: Any) -> list[str]:
    """Lists the texts of a value that can only come from the caller."""
    match value:
        case str():
            return [value] if len(value) > 2 else []
        case list():
            return [word for part in value for word in words_of(part)]
        case dict():
            return [word for part in value.values() for word in words_of(part)]
    return []


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", STORED_LITERALLY)
def test_a_name_is_transliterated_only_with_consent(raw: RawDoors, call: Journey, door: Door, name: str) -> None:
    canonical = "Siân" if name == "Sia\u0302n" else name

    given = answer_one(raw, door, call, "surname", name)

    assert given.code == "ok", given
    assert shown(call, "surname")["answer"] == canonical
    assert ("proposal" in shown(call, "surname")) == (name not in HELD_BY_THE_RECORD)

    agreed = answer_one(raw, door, call, "surname", name, acceptTransliteration=True)

    if agreed.code == "ok":
        assert shown(call, "surname")["answer"] == canonical
        assert "proposal" not in shown(call, "surname")
    else:
        assert agreed.fields == {"surname"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("method", "request_body", "fields"),
    [
        ("StartCall", {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"] * 2}, {"schemes[1]"}),
        ("StartCall", {"schemes": [77]}, {"schemes[0]"}),
        ("StartCall", {"nino": "QQ123456C"}, {"nino"}),
        ("StartCall", {"purpose": 99}, {"purpose"}),
        ("StartCall", {"requestId": "7"}, {"request_id"}),
        ("GetInterview", {"claimRef": "Zq7"}, {"claim_ref"}),
        ("GetInterview", {"claimRef": ""}, {"claim_ref"}),
        ("GetTransfers", {"claimRef": "Zq7"}, {"claim_ref"}),
        ("GetNotices", {"claimRef": "Zq7"}, {"claim_ref"}),
        ("GetMessages", {"claimRef": "Zq7"}, {"claim_ref"}),
        ("GetAppointment", {"claimRef": "Zq7"}, {"claim_ref"}),
        ("BookAppointment", {"claimRef": "Zq7", "earliest": True, "postcode": "LS1 4AP"}, {"claim_ref"}),
        ("BookAppointment", {"earliest": True, "postcode": "nowhere"}, {"postcode"}),
        ("FindSlots", {"postcode": "nowhere"}, {"postcode"}),
        ("FindSlots", {"postcode": "LS1 4AP", "pageSize": -1}, {"page_size"}),
        ("FindAuthority", {"postcode": "nowhere"}, {"postcode"}),
        ("StartAssessment", {"claimRef": "Zq7"}, {"claim_ref"}),
        ("ListWork", {"pageSize": -1}, {"page_size"}),
        ("ListWork", {"day": {"year": 2026, "month": 2, "day": 31}}, {"day"}),
        ("ListWork", {"day": {"year": 9999, "month": 12, "day": 31}}, {"day"}),
        ("ListWork", {"pageToken": base64.urlsafe_b64encode(b"[" * 370).decode()}, {"page_token"}),
        ("ListWork", {"pageToken": base64.urlsafe_b64encode(b"[" * 40_000).decode()}, {"page_token"}),
        ("ListWork", {"pageToken": "Zq7"}, {"page_token"}),
        ("ListClaims", {"nino": "QQ123456C"}, {"nino"}),
        ("ListClaims", {"state": "CLAIM_STATE_DRAFT", "pageToken": "Zq7"}, {"page_token"}),
        ("ListClaims", {"surname": "x", "dateOfBirth": {"year": 1980, "month": 2, "day": 31}}, {"date_of_birth"}),
    ],
)
def test_a_bad_field_of_a_request_is_named(
    raw: RawDoors, open_call: Journey, *, door: Door, method: str, request_body: dict[str, Any], fields: set[str]
) -> None:
    assessor = open_call.issue("ASSESSOR", subject="AS000001", office="100101")
    token = assessor if "ListWork" in method or "Assessment" in method else open_call.operator

    given = raw.ask(door, method, whole(open_call, method) | request_body, authorization=f"Bearer {token}")

    assert given.code == "invalid_argument", given
    assert set(given.fields) == fields
    assert not any(word in given.text for word in ("Zq7", "nowhere", "QQ123456C"))


def whole(call: Journey, method: str) -> dict[str, Any]:
    """A sound request, with the changes of a test."""
    common = {"claimRef": call.claim_ref, "requestId": str(uuid4())}
    start = {
        "purpose": "CALL_PURPOSE_NEW",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
        "requestId": str(uuid4()),
    }
    names = {part.json_name for part in methods()[method].input_type.fields}
    return start if method == "StartCall" else {name: value for name, value in common.items() if name in names}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", set()),
        (b"null", set()),
        (b"[]", set()),
        (b"{", set()),
        (b'{"claimRef": NaN}', set()),
        (b'{"claimRef": "a", "claimRef": "Zq7"}', set()),
        (b'{"claimRef": "\xff"}', set()),
        (b'{"claimRef": "\\ud800"}', {"claim_ref"}),
        (b'{"version": 1.5}', {"version"}),
        (b'{"version": "Zq7"}', {"version"}),
        (b'{"version": ' + b"9" * 5000 + b"}", set()),
        (b'{"answers": {"Zq7": 1}}', {"answers"}),
        (b'{"answers": [null]}', {"answers[0]"}),
        (b'{"claimRef": ' + b"[" * 60_000, set()),
        (b'{"answers": [{"questionId": "surname", "value": ' + b"[" * 200 + b"]" * 200 + b"}]}", {"answers[0].value"}),
        (b'{"version": "Failed to parse Zq7 field"}', {"version"}),
        (b'{"version": "has no field named \\"Zq7\\""}', {"version"}),
        (b'{"answers": [{"value": {"Failed to parse Zq7 field": 1, "Failed to parse Zq7 field": 2}}]}', set()),
    ],
    ids=lambda given: given[:40].decode(errors="replace") if isinstance(given, bytes) else "",
)
def test_a_malformed_json_body_is_refused_without_being_repeated(
    raw: RawDoors, open_call: Journey, body: bytes, fields: set[str]
) -> None:
    given = raw.by_json("RecordAnswers", body, authorization=f"Bearer {open_call.operator}")

    assert given.code == "invalid_argument", given
    assert "Zq7" not in given.text
    assert given.fields <= fields


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("levels", [20, 45, 60, 95, 3000])
def test_a_deeply_nested_value_is_refused(raw: RawDoors, open_call: Journey, door: Door, levels: int) -> None:
    passport = {"authorization": f"Bearer {open_call.operator}"}
    if door == "json":
        value = "[" * levels + "]" * levels
        request = {"claimRef": open_call.claim_ref, "version": 1, "requestId": str(uuid4())}
        head = json.dumps(request)[:-1]
        body = f'{head}, "answers": [{{"questionId": "surname", "value": {value}}}]}}'.encode()
        given = raw.by_json("RecordAnswers", body, **passport)
    else:
        given = raw.by_grpc("RecordAnswers", nested_answer(open_call.claim_ref, levels), **passport)

    assert given.code == "invalid_argument", given


def nested_answer(claim_ref: str, levels: int) -> bytes:
    """Encodes a RecordAnswersRequest of lists in lists, which no library would build."""
    value = b"\x32\x00"
    for _ in range(levels):
        value = tagged(0x32, tagged(0x0A, value))
    answer = tagged(0x0A, b"surname") + tagged(0x12, value)
    return tagged(0x0A, claim_ref.encode()) + tagged(0x12, answer) + b"\x18\x01" + tagged(0x22, str(uuid4()).encode())


def tagged(tag: int, content: bytes) -> bytes:
    """Encodes a field of bytes in protobuf's wire format."""
    length, size = len(content), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([tag]) + size + bytes([length]) + content


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("size", [LARGEST_REQUEST, FIVE_MEGABYTES])
@pytest.mark.parametrize("method", ["StartCall", "FindSlots", "VerifyItems", "GetTransfers", "FindAuthority"])
def test_a_body_that_is_too_large_is_refused_by_its_size(
    raw: RawDoors, open_call: Journey, door: Door, size: int, method: str
) -> None:
    role = "ASSESSOR" if method == "VerifyItems" else "OPERATOR"
    passport = {"authorization": f"Bearer {open_call.issue(role, subject='ST000001', office='100101')}"}

    if door == "json":
        given = raw.by_json(method, b'{"claimRef": "' + b"x" * size + b'"}', **passport)
    else:
        given = raw.by_grpc(method, tagged(0x0A, b"x" * size), **passport)

    assert given.code == "resource_exhausted", given


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "metadata",
    [
        {"traceparent": "00-zz-zz-01"},
        {"traceparent": "x" * 4000},
        {"cms_purpose": "'; DROP TABLE access_log; --"},
        {"cms_purpose": "x" * 4000},
        {"authorization": "Bearer " + "x" * 4000},
        {"authorization": BEARER_OF_DEPTH},
        {"authorization": "Bearer eyJhbGciOlsxXX0.e30.AA"},
    ],
    ids=lambda metadata: next(f"{name} {value[:12]}" for name, value in metadata.items()),
)
def test_odd_metadata_breaks_nothing(raw: RawDoors, open_call: Journey, door: Door, metadata: dict[str, str]) -> None:
    passport = {"authorization": f"Bearer {open_call.operator}"} | metadata

    given = raw.ask(door, "GetInterview", {"claimRef": open_call.claim_ref}, **passport)

    expected = {"authorization": "unauthenticated", "cms_purpose": "invalid_argument", "traceparent": "ok"}
    assert given.code == expected[next(iter(metadata))], given


@pytest.mark.parametrize("purpose", [b"caf\xc3\xa9 \xff", "\u202etest".encode(), b"\x01\x02", b"a\x00b", b"\t"])
def test_a_purpose_that_is_not_text_breaks_nothing(
    platform_under_test: PlatformUnderTest, open_call: Journey, purpose: bytes
) -> None:
    assessor = open_call.issue("ASSESSOR", subject="AS000001", office="100101")
    # A client that lets every byte through.
    door = http.client.HTTPConnection("127.0.0.1", platform_under_test.layout.http_port("intake-svc"), timeout=20)

    door.putrequest("POST", "/cms.intake.v1.IntakeService/GetInterview")
    body = json.dumps({"claimRef": open_call.claim_ref}).encode()
    for name, value in {
        "Authorization": f"Bearer {assessor}".encode(),
        "Content-Type": b"application/json",
        "Content-Length": str(len(body)).encode(),
        "Cms-Purpose": purpose,
    }.items():
        door.putheader(name, value)
    door.endheaders(body)
    given = door.getresponse()
    door.close()

    assert given.status in {200, 400, 403}, given.read()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/grpc"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Connect-Timeout-Ms": "soon"}, 400),
        ({"Connect-Timeout-Ms": "99999999999"}, 400),
        ({"Connect-Timeout-Ms": "0"}, 504),
        ({"Content-Encoding": "br"}, 501),
    ],
    ids=str,
)
@pytest.mark.parametrize("service", SERVICES)
def test_requests_outside_the_protocol_get_its_own_errors(
    platform_under_test: PlatformUnderTest, open_call: Journey, service: str, headers: dict[str, str], status: int
) -> None:
    method = next(name for name, of in methods().items() if of.containing_service.full_name == SERVICE_NAMES[service])
    url = f"http://127.0.0.1:{platform_under_test.layout.http_port(service)}/{SERVICE_NAMES[service]}/{method}"

    given = httpx.post(
        url,
        content=b"{}",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {open_call.operator}"} | headers,
    )

    assert given.status_code == status, given.text
