"""OperationsService through both doors of a service, beside the service's own contract."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from chassis.deadlines import Deadline, within
from chassis.runtime import Process, Service
from chassis.settings import ServiceSettings
from chassis.testing import (
    Client,
    DatabaseUrls,
    Door,
    NotCalled,
    SettingsOf,
    Tokens,
    costs,
    eventually,
    open_channel,
    running,
)
from cms.scheduling.v1 import scheduling_pb2

OPERATIONS = "cms.operations.v1.OperationsService"
OWN = "cms.scheduling.v1.SchedulingService"
STATES = {"EVENT_UNFINISHED", "DEAD_LETTER", "KEPT"}
METHODS = ("ListOverdue", "ListDeadLetters", "ReplayDeadLetter")
BURY = """
    INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, reason, tries, died_time)
    VALUES (%s, 'intake-svc', 'cms.intake.v1.ClaimSubmitted', %s, '', 'NOT_SO', 3, now() - make_interval(hours => %s))
"""
KEPT = Deadline(
    state="KEPT",
    owner="OPERATOR",
    cut_off=within(timedelta(hours=1)),
    query="SELECT subject AS reference, created AS since FROM requests",
)

ClientOf = Callable[..., Client]


@pytest.fixture
def process(settings_of: SettingsOf) -> Iterator[Process]:
    service = Service(
        name="scheduling-svc",
        settings=settings_of(ServiceSettings, "scheduling-svc", reflection=True),
        contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
        migrations=Path("no-migrations"),
        api=lambda _runtime: NotCalled(),
        deadlines=[KEPT],
    )
    with running(service) as started:
        yield started


@pytest.fixture
def client_of(process: Process, tokens: Tokens) -> ClientOf:
    def make(role: str = "SUPPORT", door: Door = "http") -> Client:
        return Client(process=process, service=OPERATIONS, token=tokens.issue(role), door=door)

    return make


@pytest.fixture
def bury(database_urls: DatabaseUrls) -> Callable[..., str]:
    """Makes a dead letter of an event that failed some hours ago."""

    def make(*, hours: int, event_id: str = "", claim_ref: str = "C00000000018") -> str:
        made = event_id or str(uuid4())
        with psycopg.connect(database_urls.owner) as conn:
            conn.execute(BURY, [made, claim_ref, hours])
        return made

    return make


def denials(database_urls: DatabaseUrls) -> list[tuple[str, str]]:
    with psycopg.connect(database_urls.owner) as conn:
        return conn.execute("SELECT method, reason FROM access_log WHERE outcome = 'DENIED' ORDER BY method").fetchall()


def walk(client: Client, method: str, field: str, *, size: int) -> list[dict[str, Any]]:
    """The items of every page."""
    found, token = [], ""
    while True:
        page = client.get(method, pageSize=size, pageToken=token)
        assert len(page[field]) <= size
        found += page[field]
        token = page["nextPageToken"]
        if not token:
            return found


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_overdue_work_is_listed_with_its_deadline_and_owner_and_counted(
    client_of: ClientOf, bury: Callable[..., str], door: Door
) -> None:
    bury(hours=23)
    bury(hours=25, claim_ref="C0000000001Y")

    found = client_of("SERVICE_MANAGER", door).get("ListOverdue")

    [late] = found["overdue"]
    counts = {count["state"]: count for count in found["counts"]}
    assert (late["state"], late["claimRef"], late["owner"]) == ("DEAD_LETTER", "C0000000001Y", "ROLE_SUPPORT")
    assert late["sinceTime"] < late["deadlineTime"]
    assert {state: int(count["count"]) for state, count in counts.items()} == dict.fromkeys(STATES, 0) | {
        "DEAD_LETTER": 1
    }
    assert counts["DEAD_LETTER"]["oldestTime"] == late["sinceTime"]
    assert "oldestTime" not in counts["KEPT"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_every_page_goes_on_where_the_one_before_ended(
    client_of: ClientOf, bury: Callable[..., str], database_urls: DatabaseUrls, size: int
) -> None:
    for hours in (26, 27, 28):
        bury(hours=hours, claim_ref=f"C000000000{hours}")
    with psycopg.connect(database_urls.owner) as conn:  # of one claim, at one moment
        conn.execute(
            "INSERT INTO requests (subject, method, request_id, body_hmac, created)"
            " SELECT 'OP1', 'm', gen_random_uuid(), '', '2026-01-01Z' FROM generate_series(1, 4)"
        )

    found = walk(client_of(), "ListOverdue", "overdue", size=size)

    assert [late["claimRef"] for late in found] == ["C00000000028", "C00000000027", "C00000000026", *["OP1"] * 4]


def test_one_state_is_listed_and_counted_alone(client_of: ClientOf, bury: Callable[..., str]) -> None:
    bury(hours=25)

    found = client_of().get("ListOverdue", state="KEPT")

    assert found["overdue"] == []
    assert [count["state"] for count in found["counts"]] == ["KEPT"]


@pytest.mark.parametrize("door", ["grpc", "http"])
@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("ListOverdue", {"state": "NO_SUCH"}, "state"),
        ("ListOverdue", {"pageSize": -1}, "page_size"),
        ("ListOverdue", {"pageToken": "x"}, "page_token"),
        ("ListOverdue", {"pageToken": "Wy0xLCAiMjAyNi0wMS0wMVQwMDowMDowMCswMDowMCIsICIiLCAwXQ=="}, "page_token"),
        ("ListDeadLetters", {"pageSize": -1}, "page_size"),
        ("ListDeadLetters", {"pageToken": "WyIyMDI2LTAxLTAxIl0="}, "page_token"),
        ("ReplayDeadLetter", {"eventId": "x", "requestId": str(UUID(int=1))}, "event_id"),
        ("ReplayDeadLetter", {"eventId": str(UUID(int=1)), "requestId": "x"}, "request_id"),
        ("ReplayDeadLetter", {"requestId": str(UUID(int=1))}, "event_id"),
    ],
)
def test_bad_input_is_refused_by_its_field(
    client_of: ClientOf, door: Door, method: str, body: dict[str, Any], field: str
) -> None:
    reply = client_of(door=door).call(method, **body)

    assert (reply.code, set(reply.fields)) == ("invalid_argument", {field})


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_roles_that_the_contract_does_not_name_are_refused_and_logged(
    client_of: ClientOf, database_urls: DatabaseUrls, door: Door
) -> None:
    replies = [client_of("OPERATOR", door).call(method) for method in METHODS]
    manager = client_of("SERVICE_MANAGER", door)

    assert {(reply.code, reply.reason) for reply in replies} == {("permission_denied", "ROLE")}
    assert manager.call("ListDeadLetters").reason == manager.call("ReplayDeadLetter").reason == "ROLE"
    assert [row[0] for row in denials(database_urls)] == sorted(
        f"/{OPERATIONS}/{method}" for method in (*METHODS, "ListDeadLetters", "ReplayDeadLetter")
    )


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_dead_letters_are_listed_by_age_and_paged(client_of: ClientOf, bury: Callable[..., str], door: Door) -> None:
    ids = [bury(hours=hours) for hours in (1, 2, 3)]

    found = walk(client_of(door=door), "ListDeadLetters", "deadLetters", size=2)

    assert [letter["eventId"] for letter in found] == ids[::-1]
    assert found[0] | {"eventId": "", "failedTime": ""} == {
        "eventId": "",
        "type": "cms.intake.v1.ClaimSubmitted",
        "source": "intake-svc",
        "claimRef": "C00000000018",
        "failedTime": "",
        "reason": "NOT_SO",
        "replayWanted": False,
    }


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_a_replay_is_asked_for_once_for_each_request(client_of: ClientOf, bury: Callable[..., str], door: Door) -> None:
    event_id, request_id = bury(hours=1), str(uuid4())
    client = client_of(door=door)

    first = client.get("ReplayDeadLetter", eventId=event_id, requestId=request_id)
    again = client.get("ReplayDeadLetter", eventId=event_id, requestId=request_id)
    other = client.call("ReplayDeadLetter", eventId=str(uuid4()), requestId=request_id)

    assert first == again
    assert (first["deadLetter"]["eventId"], first["deadLetter"]["replayWanted"]) == (event_id, True)
    assert (other.code, other.reason) == ("already_exists", "REQUEST_ID_REUSED")
    [listed] = client.get("ListDeadLetters")["deadLetters"]
    assert listed["replayWanted"]


def test_only_a_dead_letter_that_waits_can_be_replayed(
    client_of: ClientOf, bury: Callable[..., str], database_urls: DatabaseUrls
) -> None:
    replayed = bury(hours=1)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE dead_letters SET replayed_time = now()")

    unknown = client_of().call("ReplayDeadLetter", eventId=str(uuid4()), requestId=str(uuid4()))
    over = client_of().call("ReplayDeadLetter", eventId=replayed, requestId=str(uuid4()))

    assert (unknown.code, unknown.reason) == ("not_found", "DEAD_LETTER_UNKNOWN")
    assert (over.code, over.reason) == ("failed_precondition", "REPLAYED")
    assert client_of().get("ListDeadLetters")["deadLetters"] == []


def test_health_and_reflection_know_both_services(process: Process) -> None:
    with open_channel(process) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        states = [stub.Check(health_pb2.HealthCheckRequest(service=name)).status for name in ("", OWN, OPERATIONS)]
        listed = ProtoReflectionDescriptorDatabase(channel).get_services()

    assert states == [health_pb2.HealthCheckResponse.SERVING] * 3
    assert {OWN, OPERATIONS} <= set(listed)


def test_the_gauge_of_overdue_work_is_named_after_the_services_package(
    process: Process, bury: Callable[..., str]
) -> None:
    bury(hours=25)

    def shown() -> bool:
        text = httpx.get(f"http://127.0.0.1:{process.operations.port}/metrics").text
        return 'scheduling_overdue{state="DEAD_LETTER"} 1.0' in text

    eventually(shown, what="the count")


@pytest.mark.parametrize(
    "method", costs.methods_of("cms.operations.v1.OperationsService"), ids=lambda method: method.name
)
def test_the_dearest_requests_are_cheap(process: Process, tokens: Tokens, method: MethodDescriptor) -> None:
    sound = {} if method.name == "ReplayDeadLetter" else {"pageToken": ""}

    given = costs.dearest_requests(method, lambda: sound)
    costs.expect_cheap(process, method, given, tokens.issue("SUPPORT"))
