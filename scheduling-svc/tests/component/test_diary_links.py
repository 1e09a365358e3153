"""A calendar program subscribes to an assessor's diary by a link, which the assessor makes and revokes."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event

from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Tokens
from scheduling.domain.diary_links import MOST_LINKS, MOST_READS
from scheduling.service.pruning import Kept, prune

CLAIM = "C0000000000A"
LEEDS = "LS1 3AB"
YEARS = timedelta(days=3650)
_PROGRAM = httpx.Client(headers={"User-Agent": "calendar"}, timeout=20)
NOBODYS = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")


@pytest.fixture
def booked(http: Any, tokens: Tokens, intake: Any) -> dict[str, Any]:
    """An interview in Leeds."""
    intake.open(CLAIM, needs=frozenset())
    body = {"claimRef": CLAIM, "earliest": True, "postcode": LEEDS, "requestId": str(uuid4())}
    made: dict[str, Any] = http("BookAppointment", body, tokens.issue("OPERATOR")).body["appointment"]
    return made


@pytest.fixture
def assessor(tokens: Tokens, booked: dict[str, Any]) -> str:
    """The token of the assessor who holds the interview."""
    return tokens.issue("ASSESSOR", subject=booked["assessorId"], office=booked["office"]["code"])


def create(http: Any, token: str, **body: Any) -> Any:
    return http("CreateDiaryLink", {"requestId": str(uuid4())} | body, token)


def revoke(http: Any, token: str, link_id: str) -> Any:
    return http("RevokeDiaryLink", {"requestId": str(uuid4()), "linkId": link_id}, token)


def subscribe(process: Process, url: str) -> httpx.Response:
    """Asks as a calendar program does, without a token of the platform's."""
    path = urlsplit(url).path
    return _PROGRAM.get(f"http://127.0.0.1:{process.http.port}{path}")


def events(response: httpx.Response) -> list[Event]:
    [calendar] = IcsCalendarStream.from_ics(response.text).calendars
    return calendar.events


def starts(response: httpx.Response) -> list[str]:
    return [f"{event.start:%Y-%m-%dT%H:%M:%SZ}" for event in events(response)]  # in UTC, as the calendar has it


def test_the_calendar_of_a_link_has_the_assessors_interviews(
    http: Any, process: Process, booked: dict[str, Any], assessor: str
) -> None:
    url = create(http, assessor).body["url"]

    response = subscribe(process, url)

    [event] = events(response)
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert (event.uid, event.description) == (booked["appointmentId"], f"Claim {CLAIM}")
    assert starts(response) == [booked["startTime"]]


def test_the_calendar_follows_what_is_moved_and_cancelled(
    *, http: Any, process: Process, tokens: Tokens, booked: dict[str, Any], assessor: str
) -> None:
    url, operator = create(http, assessor).body["url"], tokens.issue("OPERATOR")
    found = http("FindSlots", {"officeCode": booked["office"]["code"], "pageSize": 100}, operator).body["slots"]
    other = next(slot for slot in found if slot["assessorId"] == booked["assessorId"])
    this = {"appointmentId": booked["appointmentId"], "version": booked["version"]}

    move = this | {"slotId": other["slotId"], "requestId": str(uuid4())}
    moved = http("MoveAppointment", move, operator).body["appointment"]
    after_move = starts(subscribe(process, url))
    cancel = this | {"version": moved["version"], "reason": "a bank's strike", "requestId": str(uuid4())}
    http("CancelAppointment", cancel, operator)

    assert after_move == [other["startTime"]]
    assert starts(subscribe(process, url)) == []


def test_an_unknown_a_revoked_and_an_expired_link_are_answered_alike(
    *, http: Any, process: Process, assessor: str, database_urls: DatabaseUrls
) -> None:
    revoked, expired = create(http, assessor).body, create(http, assessor).body
    revoke(http, assessor, revoked["link"]["linkId"])
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary_links SET expire_time = now() WHERE link_id = %s", [expired["link"]["linkId"]])

    urls = [revoked["url"], expired["url"], f"/diary/{NOBODYS}.ics", "/diary/x.ics"]
    answers = [subscribe(process, url) for url in urls]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


def test_the_token_of_a_link_is_in_no_table_and_in_no_log(
    *, http: Any, process: Process, assessor: str, database_urls: DatabaseUrls, capfd: pytest.CaptureFixture[str]
) -> None:
    url = create(http, assessor).body["url"]
    token = urlsplit(url).path.removeprefix("/diary/").removesuffix(".ics")

    for path in (url, f"{url}x", f"/diary/{token}", f"/diary/{token}.ics/"):
        subscribe(process, path)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary_links SET reads = %s", [MOST_READS])
    refused = subscribe(process, url)

    with psycopg.connect(database_urls.owner) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        kept = "".join(str(conn.execute(f'SELECT * FROM "{table}"').fetchall()) for (table,) in tables)  # noqa: S608
    logged = capfd.readouterr()
    assert refused.status_code == 429
    assert "diary_links" in {table for (table,) in tables}
    assert token not in kept + logged.out + logged.err


def test_a_link_that_is_read_too_often_is_refused_for_an_hour(
    *, http: Any, process: Process, assessor: str, database_urls: DatabaseUrls
) -> None:
    busy, calm = create(http, assessor).body, create(http, assessor).body
    with psycopg.connect(database_urls.owner) as conn:
        count = "UPDATE diary_links SET reads = %s WHERE link_id = %s"
        conn.execute(count, [MOST_READS - 1, busy["link"]["linkId"]])

    last, refused, other = (subscribe(process, link["url"]) for link in (busy, busy, calm))
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary_links SET reads_since = reads_since - interval '1 hour'")

    assert [answer.status_code for answer in (last, refused, other)] == [200, 429, 200]
    assert int(refused.headers["Retry-After"]) == 3600
    assert subscribe(process, busy["url"]).status_code == 200


def test_a_retry_gets_the_same_link(http: Any, process: Process, assessor: str) -> None:
    request_id = str(uuid4())

    first, again = (create(http, assessor, requestId=request_id).body for _ in range(2))

    assert first == again
    assert subscribe(process, again["url"]).status_code == 200


def test_a_diary_has_few_links_however_many_are_asked_for_at_once(http: Any, assessor: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: create(http, assessor), range(MOST_LINKS + 3)))

    refused = [answer.reason for answer in answers if answer.code != "ok"]
    assert refused == ["TOO_MANY_LINKS"] * 3
    links = http("GetDiaryLinks", {}, assessor).body["links"]
    assert {link["linkId"] for link in links} == {
        answer.body["link"]["linkId"] for answer in answers if answer.code == "ok"
    }


def test_a_link_that_has_expired_makes_room_for_another(http: Any, assessor: str, database_urls: DatabaseUrls) -> None:
    for _ in range(MOST_LINKS):
        create(http, assessor)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary_links SET expire_time = now() WHERE place = 2")

    assert create(http, assessor).code == "ok"
    assert len(http("GetDiaryLinks", {}, assessor).body["links"]) == MOST_LINKS


def test_the_list_of_links_shows_when_each_was_read_and_opens_none(http: Any, process: Process, assessor: str) -> None:
    made = create(http, assessor).body
    before = http("GetDiaryLinks", {}, assessor)
    subscribe(process, made["url"])
    after = http("GetDiaryLinks", {}, assessor)

    [unread], [read] = before.body["links"], after.body["links"]
    lasts = datetime.fromisoformat(read["expireTime"]) - datetime.fromisoformat(read["createTime"])
    assert "readTime" not in unread
    assert read["readTime"] >= read["createTime"]
    assert lasts == timedelta(days=365)
    assert urlsplit(made["url"]).path not in after.text


def test_assessors_see_and_revoke_only_their_own_links(
    *, http: Any, process: Process, tokens: Tokens, booked: dict[str, Any], assessor: str
) -> None:
    made = create(http, assessor).body
    link_id = made["link"]["linkId"]
    colleague = tokens.issue("ASSESSOR", subject="ALE02009", office=booked["office"]["code"])

    seen = http("GetDiaryLinks", {"assessor": booked["assessorId"]}, colleague)
    revoked = revoke(http, colleague, link_id)

    assert (seen.code, seen.reason) == ("permission_denied", "OTHER_ASSESSOR")
    assert (revoked.code, revoked.reason) == ("not_found", "LINK_UNKNOWN")
    assert subscribe(process, made["url"]).status_code == 200


def test_a_service_manager_revokes_the_link_of_an_assessor(
    *, http: Any, process: Process, tokens: Tokens, booked: dict[str, Any], assessor: str
) -> None:
    made = create(http, assessor).body
    manager = tokens.issue("SERVICE_MANAGER", subject="SM000001")

    [link] = http("GetDiaryLinks", {"assessor": booked["assessorId"]}, manager).body["links"]
    assert http("GetDiaryLinks", {}, manager).reason == "NO_DIARY"
    revoked = revoke(http, manager, link["linkId"])
    again = revoke(http, manager, link["linkId"])

    assert revoked.body["link"]["linkId"] == made["link"]["linkId"]
    assert (again.code, again.reason) == ("not_found", "LINK_UNKNOWN")
    assert subscribe(process, made["url"]).status_code == 404


def test_somebody_who_is_no_assessor_of_the_list_gets_no_link(http: Any, tokens: Tokens) -> None:
    answer = create(http, tokens.issue("ASSESSOR", subject="NOBODY01", office="600021"))

    assert (answer.code, answer.reason) == ("not_found", "NO_DIARY")


def test_links_that_have_expired_are_pruned(
    http: Any, process: Process, assessor: str, database_urls: DatabaseUrls
) -> None:
    for _ in range(2):
        create(http, assessor)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary_links SET expire_time = now() WHERE place = 1")

    with process.database.transaction() as conn:
        prune(conn, Kept(shifts=YEARS, appointments=YEARS))

    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT place FROM diary_links").fetchall() == [(2,)]
