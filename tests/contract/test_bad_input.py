"""Bad input by either door gets a clear error or is stored as it is; nothing breaks or is repeated."""

import base64
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis import contract
from cms_local.journey import Journey
from cms_local.layout import SERVICES
from tests.support.callers import caller_of
from tests.support.field_paths import leads_to_a_field, leads_to_a_message, leads_to_an_answer
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Answer, RawDoors, methods

pytestmark = pytest.mark.xdist_group("platform")

CANARY = "Zq7 Canary Zq7"
"""Part of every value that is sent. No field's name looks like it, even with one byte of it changed.

An error names an unknown field to its sender, and a shorter canary became one when its only blank was mangled.
"""
NEVER = {"internal", "unknown", "http_500", "http_502", "cancelled", "data_loss"}
DEEPEST_MESSAGE, DEEPEST_BODY = 25, 120
"""Levels of JSON in a value: as many as a message can have here, and more than any door accepts."""
PLAIN_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,2000}")
"""The longest path of field names, as long as the message is deep."""

SPICES = [
    "",
    "\x00",
    "\r\nSet-Cookie: a=b",
    "\u202eoblique",
    "🙂👩‍👩‍👧",
    "Sia\u0302n",
    "李",
    "\ufeff",
    "\u2028",
    "<script>alert(1)</script>",
    "'; DROP TABLE claims; --",
    "{{7*7}}${7*7}<%= 7 %>%s%n",
    "../../etc/passwd",
    "Failed to parse",
    "9" * 400,
    "x" * 5_000,
]
NUMBERS = [0, 1, -1, 2**31 - 1, -(2**31)]
DOUBLES = [0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324, 0.1 + 0.2]
TIMES = ["2026-02-31T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00Z"]
JUNK_NUMBERS = [10**400, 1e400, -0.0, 2**63, 1.5]
PAGE_TOKENS = [
    base64.urlsafe_b64encode(text).decode()
    for text in (
        b"[" * 370,
        b"[" * 40_000,
        b"\xff" * 9,
        b'[true, "9999-12-31T23:59:59-23:59", "C00000000000"]',
        b'[false, "0001-01-01T00:00:00+23:59", "C00000000000"]',
        b"9999-12-31T23:59:59-23:59|C00000000000",
    )
]


@dataclass(kw_only=True)
class Scene:
    """A claim in its own call, and the values with which a request passes the first check."""

    journey: Journey
    version: int = 1
    tokens: dict[str, str] = field(default_factory=dict)

    def words(self, name: str) -> list[Any]:
        """Lists good values for a field of this name; none where any value will do."""
        known: Mapping[str, list[Any]] = {
            "claim_ref": [self.journey.claim_ref, "C00000000000"],
            "call_id": [self.journey.call_id, str(uuid4())],
            "request_id": [str(uuid4())],
            "version": [self.version],
            "question_id": [question["id"] for question in self.journey.interview["questions"]],
            "fact": ["surname"],
            "postcode": ["LS1 4AP", "ls14ap"],
            "office_code": ["100101"],
            "nino": ["AB123456C", "QQ123456C"],
            "event_id": [str(uuid4())],
            "state": ["", "DEAD_LETTER"],
            "section": [section["name"] for section in self.journey.interview["sections"]],
            "page_token": PAGE_TOKENS,
            "page_size": [0, 7],
        }
        return known.get(name, [])

    def learn(self, answer: Answer) -> None:
        """Notes the claim's newest version."""
        if answer.body and isinstance(answer.body.get("interview"), dict):
            self.version = answer.body["interview"]["version"]


def texts() -> st.SearchStrategy[str]:
    """Generates text that contains the canary."""
    return st.builds(lambda spice: f"{spice}{CANARY}{spice}", st.sampled_from(SPICES) | st.text(max_size=20))


def json_values(deepest: int) -> st.SearchStrategy[Any]:
    """Generates any JSON of at most so many levels."""
    plain = st.none() | st.booleans() | texts() | st.sampled_from([*NUMBERS, *DOUBLES, *JUNK_NUMBERS])
    nested = st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3), max_leaves=6
    )
    return nested | st.integers(1, deepest).map(_deep)


def answers_of_kinds() -> st.SearchStrategy[Any]:
    """Generates values that have the form of some question's kind, or nearly have it."""
    dates = st.sampled_from(["2026-02-31", "2099-12-31", "1900-01-01", "١٩٨٠-٠١-٠١"])
    amounts = st.sampled_from(["-5.00", "1e9", "99999999999.99", "12.3", "٣.٠٠"])
    address = st.fixed_dictionaries({"lines": st.lists(texts(), max_size=6), "postcode": texts()})
    entries = st.lists(st.dictionaries(st.sampled_from(["name", "date_of_birth", "kind"]), texts(), max_size=3))
    return dates | amounts | address | entries | texts() | st.booleans() | st.sampled_from(DOUBLES)


FILES = (b"", b"%PDF-1.7", b"%PDF-1.7\n" + bytes(500), f"%PDF-1.7 {CANARY}".encode())
"""Files that are no form, or no whole PDF."""


def _deep(levels: int) -> Any:
    value: Any = CANARY
    for level in range(levels):
        value = [value] if level % 2 else {CANARY: value}
    return value


def messages(descriptor: Descriptor, scene: Scene) -> st.SearchStrategy[Message]:
    """Generates messages of the type with some fields set, to good and to wild values."""

    @st.composite
    def build(draw: st.DrawFn) -> Message:
        message = GetMessageClass(descriptor)()
        if descriptor.full_name == "google.protobuf.Value":
            _put(message, draw(answers_of_kinds() | json_values(DEEPEST_MESSAGE)))
            return message
        if descriptor.GetOptions().map_entry or descriptor.full_name in {"google.protobuf.Struct"}:
            return message
        for part in descriptor.fields:
            if draw(st.integers(0, 7)):
                _set(message, part, draw(_of_field(part, scene)))
        return message

    return build()


def _of_field(part: FieldDescriptor, scene: Scene) -> st.SearchStrategy[Any]:
    one = _single(part, scene)
    return st.lists(one, min_size=1, max_size=3) if part.is_repeated else one


def _single(part: FieldDescriptor, scene: Scene) -> st.SearchStrategy[Any]:
    known = scene.words(part.name)
    if part.message_type is not None:
        wild: st.SearchStrategy[Any] = messages(part.message_type, scene)
    elif part.enum_type is not None:
        known = list(part.enum_type.values_by_number)
        wild = st.sampled_from([-1, 77, 2**31 - 1])
    elif part.cpp_type in {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}:
        wild = st.sampled_from(NUMBERS) | st.integers(-9999, 9999)
    elif part.type == FieldDescriptor.TYPE_BYTES:
        wild = st.binary(max_size=200) | st.sampled_from(FILES)
    else:
        by_type: Mapping[int, st.SearchStrategy[Any]] = {
            FieldDescriptor.CPPTYPE_STRING: texts(),
            FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
            FieldDescriptor.CPPTYPE_DOUBLE: st.sampled_from(DOUBLES),
        }
        wild = by_type[part.cpp_type]
    # Twice as often good as wild: one field at fault is told of, and the rest is never looked at.
    return st.one_of(st.sampled_from(known), st.sampled_from(known), wild) if known else wild


def _set(message: Message, part: FieldDescriptor, value: Any) -> None:
    if part.is_repeated:
        getattr(message, part.name).extend(value)
    elif part.message_type is not None:
        getattr(message, part.name).CopyFrom(value)
    else:
        setattr(message, part.name, value)


def _put(message: Any, value: Any) -> None:
    match value:
        case None:
            message.null_value = 0
        case bool():
            message.bool_value = value
        case str():
            message.string_value = value
        case list():
            message.list_value.SetInParent()
            for part in value:
                _put(message.list_value.values.add(), part)
        case dict():
            message.struct_value.SetInParent()
            for name, part in value.items():
                _put(message.struct_value.fields[name], part)
        case _:
            message.number_value = float(max(-(10**300), min(value, 10**300)))


def bodies(descriptor: Descriptor, scene: Scene) -> st.SearchStrategy[Any]:
    """Generates JSON in the shape of the message, with some wrong types."""
    special: Mapping[str, st.SearchStrategy[Any]] = {
        "google.protobuf.Value": answers_of_kinds() | json_values(DEEPEST_BODY),
        "google.protobuf.Timestamp": st.sampled_from(TIMES) | json_values(DEEPEST_BODY),
    }
    if descriptor.full_name in special:
        return special[descriptor.full_name]
    parts = {part.json_name: _json_field(part, scene) for part in descriptor.fields}
    return st.fixed_dictionaries({}, optional=parts)


def _json_field(part: FieldDescriptor, scene: Scene) -> st.SearchStrategy[Any]:
    good: st.SearchStrategy[Any]
    if part.message_type is not None:
        good = bodies(part.message_type, scene)
    elif part.enum_type is not None:
        good = st.sampled_from([*part.enum_type.values_by_name, CANARY, 77])
    elif part.type == FieldDescriptor.TYPE_BYTES:
        good = texts() | _single(part, scene).map(lambda file: base64.b64encode(file).decode())
    else:
        good = _single(part, scene)
    shaped = st.lists(good, max_size=3) if part.is_repeated else good
    return st.one_of(shaped, shaped, shaped, shaped, json_values(DEEPEST_BODY))


@st.composite
def mangled(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cuts the bytes, changes some of them, or appends others."""
    at = draw(st.integers(0, len(whole)))
    kind = draw(st.sampled_from(["cut", "change", "more"]))
    if kind == "cut":
        return whole[:at]
    return whole[:at] + draw(st.binary(min_size=1, max_size=12)) + whole[at + (kind == "change") :]


@pytest.fixture(scope="module")
def scenes(platform_under_test: PlatformUnderTest) -> Callable[[str], Scene]:
    """Makes a scene for each method, so that what one does to its call does not hinder another."""
    made: dict[str, Scene] = {}

    def scene(method: str) -> Scene:
        if method not in made:
            journey = platform_under_test.journey("single, council tenant")
            journey.start_call()
            made[method] = Scene(journey=journey)
        return made[method]

    return scene


def credentials(scene: Scene, method: str) -> dict[str, str]:
    """Issues a token of a role that may call the method, with whatever else its caller needs."""
    roles = contract.allowed_roles(methods()[method])
    if "OPERATOR" in roles:
        return {"authorization": f"Bearer {scene.journey.operator}"}
    if method not in scene.tokens:
        role = sorted(roles)[0]
        subject = caller_of(methods()[method]) if role == "SERVICE" else "AS000001"
        scene.tokens[method] = scene.journey.issue(role, subject=subject, office="100101")
    return {"authorization": f"Bearer {scene.tokens[method]}", "cms_purpose": f"work item {scene.journey.claim_ref}"}


def expect_sound(method: str, answer: Answer, sent: object) -> None:
    """Checks for a response, or for an error that names fields by their places in the request and repeats no value."""
    assert answer.code not in NEVER, (answer, sent)
    assert not answer.code.startswith("http_"), (answer, sent)
    if answer.code != "ok":
        assert "Canary" not in answer.text, (answer, sent)
        assert all(PLAIN_FIELD.fullmatch(name) for name in answer.fields), (answer, sent)
        assert all(leads_somewhere(method, answer, name) for name in answer.fields), (answer, sent)


def leads_somewhere(method: str, answer: Answer, path: str) -> bool:
    """Whether a field at fault is a path of the request, or a question's id with the place in its answer."""
    if path in answer.unknown_fields:
        return leads_to_a_message(methods()[method], path)
    return leads_to_a_field(methods()[method], path) or leads_to_an_answer(path)


def attack(raw: RawDoors, scene: Scene, method: str, data: st.DataObject) -> None:
    """Sends a message by gRPC and a body by JSON, each as it is and mangled."""
    passport, request = credentials(scene, method), methods()[method].input_type
    message = data.draw(messages(request, scene), label="message")
    body = json.dumps(data.draw(bodies(request, scene), label="body")).encode()
    binary = message.SerializeToString()
    for send, whole in ((raw.by_grpc, binary), (raw.by_json, body)):
        for sent in (whole, data.draw(mangled(whole), label="mangled")):
            answer = send(method, sent, **passport)
            expect_sound(method, answer, sent)
            scene.learn(answer)


def attack_often(raw: RawDoors, scene: Scene, method: str, limits: settings) -> None:
    """Attacks the method as often as `limits` says, each time with another request."""

    @limits
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        attack(raw, scene, method, data)

    hold()


UNLIMITED = settings(
    deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False
)


@pytest.mark.parametrize("method", sorted(methods()))
def test_bad_requests_break_nothing_and_are_not_repeated_in_errors(
    raw: RawDoors, scenes: Callable[[str], Scene], method: str
) -> None:
    attack_often(raw, scenes(method), method, settings(UNLIMITED, max_examples=12, derandomize=True))


@pytest.mark.long
@pytest.mark.parametrize("method", sorted(methods()))
def test_many_bad_requests_break_nothing(raw: RawDoors, scenes: Callable[[str], Scene], method: str) -> None:
    examples = int(os.environ.get("CMS_EXAMPLES", "1000"))

    attack_often(raw, scenes(method), method, settings(UNLIMITED, max_examples=examples))


def test_every_process_still_works_after_bad_input(platform_under_test: PlatformUnderTest, raw: RawDoors) -> None:
    running = dict(platform_under_test.running.running)

    journey = platform_under_test.journey("single, council tenant")
    journey.take_call()
    journey.assess()
    journey.wait_for_outcome()

    assert all(platform_under_test.running.is_alive(name) for name in running)
    for service in SERVICES:
        port = platform_under_test.layout.operations_port(service)
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json()["status"] == "ready"
        assert workers_late(httpx.get(f"http://127.0.0.1:{port}/metrics").text) == []


def test_bad_input_is_not_logged(platform_under_test: PlatformUnderTest) -> None:
    for service in SERVICES:
        log = platform_under_test.layout.log(service).read_text()
        assert log, service
        assert [line for line in log.splitlines() if "Canary" in line] == [], service


def workers_late(exposition: str) -> list[str]:
    """Lists workers whose last success is more than a minute ago."""
    found = re.findall(
        r'^chassis_worker_last_success_timestamp_seconds{worker="([^"]+)"} (\S+)', exposition, re.MULTILINE
    )
    assert found
    return [worker for worker, at in found if time.time() - float(at) > 60]
