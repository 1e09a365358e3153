"""No answer of a claimant leaks: canaries go the whole way, and the test searches everything for them."""

import base64
import json
import random
import shutil
import string
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from chassis.outbox import events_stream
from chassis.testing import eventually
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2
from cms_local import demo, keys
from cms_local.doors import SERVICE_NAMES
from cms_local.journey import Journey
from cms_local.layout import ROOT, SERVICES
from tests.support.bus import bus_of, signing_key_of
from tests.support.leaks import Leak, Spellings, everything
from tests.support.platforms import PlatformUnderTest
from tests.support.tls import platform_channel

pytestmark = pytest.mark.xdist_group("faults")

INTAKE = "intake-svc"


def canaries() -> dict[str, str]:
    """Makes values that occur nowhere else. JSAPS cannot hold the surname as it is spelt."""
    source = random.SystemRandom()
    mark = "".join(source.choice(string.ascii_lowercase) for _ in range(5))
    return {
        "surname": f"Quíxwor{mark}",
        "forenames": f"Zephy{mark}",
        "address": f"77 Xanadu {mark.title()}",
        "telephone": f"1632 96{source.randrange(10_000):04d}",
        "account number": f"{source.randrange(20_000_000, 99_999_999)}",
        "account name": f"Holder {mark.title()}",
    }


def answers_with(told: dict[str, str]) -> dict[str, Any]:
    return {
        "surname": told["surname"],
        "forenames": told["forenames"],
        "address": {"lines": [told["address"], "Leeds"], "postcode": "LS1 4AP"},
        "telephone": "0" + told["telephone"],
        "account_number": told["account number"],
        "account_name": told["account name"],
    }


def journey(platform: PlatformUnderTest, told: dict[str, str], **changes: Any) -> Journey:
    plain = platform.journey("single, council tenant")
    return platform.journey("single, council tenant", answers={**plain.case.answers, **answers_with(told)}, **changes)


def carry_through_troubles(platform: PlatformUnderTest, told: dict[str, str]) -> list[Journey]:
    """Carries a claim that JSAPS and the council refuse, quoting the name, and an amended one whose reply is lost."""
    refused = journey(
        platform,
        told,
        failures={
            "jsaps": {
                "failure": "refuse_record",
                "dialogue": "ES504",
                "field": "CM-SURNAME",
                "text": f"{told['forenames'].upper()} NOT HELD",
                "count": 1,
            },
            "councils": {"failure": "invalid", "method": "POST", "field": "claimant.surname"},
        },
    )
    amended = journey(
        platform,
        told,
        failures={"jsaps": {"failure": "lose_reply", "dialogue": "BA504", "count": 1}},
        amend_after={"capital": "1250.00"},
        amend_confirmed={"pension_weekly": "12.00"},
    )
    for claim in (refused, amended):
        claim.take_call(once_known=lambda claim=claim: demo.arm_failures(platform.layout, claim))  # type: ignore[misc]
        claim.assess()
    amended.wait_for_outcome()
    amended.amend_confirmed()
    refusals = "SELECT count(*) FROM transfers WHERE claim_ref = %s AND state = 'REJECTED'"
    eventually(lambda: platform.count("legacy-gateway", refusals, refused.claim_ref), seconds=30, what="the refusal")
    notices = (
        "SELECT count(*) FROM notice_versions JOIN notices USING (notice_id) WHERE claim_ref = %s AND state = 'REFUSED'"
    )
    eventually(lambda: platform.count("la-notifier", notices, refused.claim_ref), seconds=30, what="the 422")
    return [refused, amended]


def poison(platform: PlatformUnderTest, claim_ref: str) -> None:
    """Publishes an event of the claim that its hearers cannot handle."""
    event_id = uuid.uuid4()
    envelope = common_pb2.EventEnvelope(event_id=str(event_id), type="cms.intake.v1.Unheard", claim_ref=claim_ref)
    fields: dict[str, bytes | str] = {
        "event_id": event_id.bytes,
        "heard_by": "la-notifier",
        "envelope": envelope.SerializeToString(),
    }
    stream = events_stream(INTAKE)
    with bus_of(platform) as bus:
        bus.xadd(stream, cast(Any, signing_key_of(platform.layout, INTAKE).signed(stream, fields)))


def attempts(told: dict[str, str], claim: Journey, own_draft: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lists calls of intake that are refused, each with canaries in the wrong places; the caller may write to `own_draft`."""
    yield "StartCall", {"purpose": "CALL_PURPOSE_NEW", "nino": told["surname"], "requestId": str(uuid.uuid4())}
    yield "StartCall", {"purpose": told["surname"], "language": told["forenames"], "requestId": told["address"]}
    yield "GetClaim", {"claimRef": told["surname"]}
    yield "GetInterview", {"claimRef": claim.claim_ref}
    yield "ListClaims", {"nino": told["nino"] + told["surname"]}
    yield "ListClaims", {"surname": told["surname"], "pageToken": told["account number"]}
    given = {
        "surname": 7,
        "telephone": told["surname"],
        "account_number": told["account number"] + "x" + told["telephone"],
        "date_of_birth": told["telephone"],
        "address": {"lines": [told["address"]] * 9, "postcode": told["surname"]},
        told["surname"]: True,
    }
    answers = [{"questionId": name, "value": value} for name, value in given.items()]
    for answer in answers:
        yield (
            "RecordAnswers",
            {"claimRef": own_draft, "answers": [answer], "version": 1, "requestId": str(uuid.uuid4())},
        )
    yield "SubmitClaim", {"claimRef": told["address"], "version": told["telephone"], "requestId": str(uuid.uuid4())}
    yield told["surname"], {}


def provoke(platform: PlatformUnderTest, told: dict[str, str], claim: Journey) -> list[tuple[str, bytes]]:
    """Makes the refused calls by both doors, and returns all that the doors said."""
    layout = platform.layout
    token = keys.issue(layout.keys(""), "OPERATOR", subject="CANARY01")
    said: list[tuple[str, bytes]] = []
    new_call = {"purpose": "CALL_PURPOSE_NEW", "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"], "language": "LANGUAGE_EN"}
    caller = {"relation": "CALLER_RELATION_SELF"}
    started = platform.doors.call(
        INTAKE, "StartCall", {**new_call, "caller": caller, "requestId": str(uuid.uuid4())}, token=token
    )
    with platform_channel(layout, INTAKE) as channel:
        for method, body in attempts(told, claim, started["claim"]["claimRef"]):
            path = f"/{SERVICE_NAMES[INTAKE]}/{method}"
            answer = httpx.post(
                f"http://127.0.0.1:{layout.http_port(INTAKE)}{quote(path)}",
                json=body,
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code >= 400, method
            said.append((f"JSON {method}", answer.content))
            said.append((f"gRPC {method}", refusal(channel, path, as_bytes(method, body), token)))
    return said


def as_bytes(method: str, body: dict[str, Any]) -> bytes:
    """Serialises the request; where the contract has no message that holds it, as JSON, which is not a message."""
    known = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"].methods_by_name.get(method)
    if known is not None:
        with suppress(json_format.ParseError):
            return json_format.ParseDict(body, GetMessageClass(known.input_type)()).SerializeToString()
    return json.dumps(body, ensure_ascii=False).encode() + b"\xff"


def refusal(channel: grpc.Channel, path: str, body: bytes, token: str) -> bytes:
    """Makes a refused call by gRPC, and returns its error with all details."""
    call = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
    try:
        call(body, metadata=(("authorization", f"Bearer {token}"),), timeout=10)
    except grpc.RpcError as refused:
        return f"{refused.details()} {list(refused.trailing_metadata() or ())!r}".encode()
    raise AssertionError(f"{path} was answered")


@pytest.mark.parametrize("deep", [False, pytest.param(True, marks=pytest.mark.long)])
def test_no_canary_is_found_anywhere_after_everything_has_gone_wrong(
    platform_under_test: PlatformUnderTest, *, deep: bool
) -> None:
    platform = platform_under_test
    told = canaries()
    claims = carry_through_troubles(platform, told)
    told["nino"] = claims[0]._nino()
    poison(platform, claims[0].claim_ref)
    said = provoke(platform, told, claims[0])
    letters = "SELECT count(*) FROM dead_letters WHERE claim_ref = %s"
    eventually(lambda: platform.count("la-notifier", letters, claims[0].claim_ref), seconds=40, what="the dead letter")

    spellings = Spellings(told)

    at_fault = Spellings({"a field at fault": "date_of_birth"})
    assert {"JSON RecordAnswers", "gRPC RecordAnswers"} <= {leak.place for leak in at_fault.search(said)}
    assert spellings.search(said) == []
    assert spellings.search(everything(platform.running, deep=deep)) == []


def test_the_search_covers_every_place_where_values_are_kept(platform_under_test: PlatformUnderTest) -> None:
    claim = platform_under_test.journey("lodger")
    claim.start_call()

    places = {
        leak.place for leak in Spellings({"claim": claim.claim_ref}).search(everything(platform_under_test.running))
    }

    assert {"table intake.claims", "table intake.answers", "table intake.calls"} <= places
    words = {**{service: service for service in SERVICES}, "metric": "chassis_outbox_unfinished", "argument": "python"}
    found = {(leak.canary, leak.place) for leak in Spellings(words).search(everything(platform_under_test.running))}
    for service in SERVICES:
        assert {(service, f"file logs/{service}.log"), (service, f"environ of {service}")} <= found
        assert {("metric", f"metrics of {service}"), ("argument", f"cmdline of {service}")} <= found


LEAKS = """
    from chassis import logs, outbox
    from cms.intake.v1 import events_pb2
    logs.get().info("answered", fields=str(given))
    told = events_pb2.ClaimAmended(changed_fields=[str(given)])
    outbox.append(conn, claim_ref=claim_ref, version=1, event=told)
"""
LEAKED_TO = ("file logs/intake-svc.log", "table intake.outbox", "stream events:intake-svc")


def leaking_copy(folder: Path) -> Path:
    """Makes a copy of intake that leaks the answers it records, and returns the folder of its packages."""
    copy = folder / "intake-svc"
    shutil.copytree(ROOT / "intake-svc", copy, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    module = copy / "src" / "intake" / "service" / "interviews.py"
    text = module.read_text()
    place = "    change = claims.record_answers("
    assert text.count(place) == 1
    module.write_text(text.replace(place, f"{LEAKS}{place}"))
    return copy / "src"


def test_a_planted_leak_is_found(platform_under_test: PlatformUnderTest, tmp_path: Path) -> None:
    platform = platform_under_test
    told = canaries()
    platform.running.stop(INTAKE)
    platform.running.start(INTAKE, extra={"PYTHONPATH": str(leaking_copy(tmp_path))})
    try:
        platform.running.wait_until_ready(names=(INTAKE,))
        claim = journey(platform, told)
        claim.start_call()
        claim.answer(claim.case.answers)

        leaks = Spellings(told).search(everything(platform.running))

        assert {Leak(canary=name, place=place) for name in told for place in LEAKED_TO} <= set(leaks)
    finally:
        platform.running.stop(INTAKE)
        platform.running.start(INTAKE)
        platform.running.wait_until_ready(names=(INTAKE,))


@pytest.mark.parametrize(
    "written",
    [
        "Siân O’Brien".encode(),
        b"SIAN O'BRIEN",
        b"SianO'Brien",
        "Siân O’Brien".encode("utf-16-le"),
        rb'{"name":"Si\u00e2n O\u2019Brien"}',
        b"name=Si%C3%A2n+O%E2%80%99Brien",
        "SIAN O'BRIEN".encode("cp285"),
        b"\\x" + "SIAN O'BRIEN".encode("cp285").hex().encode(),
        base64.b64encode("x Siân O’Brien y".encode()),
        base64.b64encode(b"xy" + "SIAN O'BRIEN".encode("cp285") + b"z"),
    ],
)
def test_a_canary_is_found_in_every_usual_spelling(written: bytes) -> None:
    spellings = Spellings({"name": "Siân O’Brien"})

    assert spellings.leaks("here", b"before " + written + b" after") == [Leak(canary="name", place="here")]
    assert spellings.leaks("here", b"before Sian Obrian after") == []
