"""Pages that a program fetches by a link alone: no token is asked for, and the key in the link is never told to anybody."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from flask.testing import FlaskClient

from chassis import metrics
from chassis.chain import Chain
from chassis.errors import NotFound, ResourceExhausted
from chassis.http_door import application
from chassis.origins import Origins
from chassis.plain_pages import AT_ONCE, Document, Page

PATH = "/diary/<key>.ics"
KEY = "KEYofSOMEBODY"


class Diary:
    """Answers for one key, once `is_open` is set."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.is_open.set()
        self.waiting = threading.Semaphore(0)

    def answer(self, key: str) -> Document:
        self.waiting.release()
        self.is_open.wait(10)
        match key:
            case "often":
                raise ResourceExhausted("ASKED_TOO_OFTEN", "too often")
            case "away":
                raise psycopg.OperationalError(key)
            case "broken":
                raise ZeroDivisionError(key)
            case str() if key != KEY:
                raise NotFound("LINK_UNKNOWN", "there is no such page")
        return Document(content_type="text/calendar; charset=utf-8", body=b"BEGIN:VCALENDAR")


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def pages(chain: Chain, diary: Diary) -> FlaskClient:
    page = Page(path=PATH, answer=diary.answer, retry_after_seconds=90)
    return application(chain, Origins(), [page]).test_client()


def counted(code: str) -> float:
    return (
        metrics.REGISTRY.get_sample_value("grpc_server_handling_seconds_count", {"method": PATH, "code": code}) or 0.0
    )


def test_a_page_is_given_to_whoever_has_the_link(pages: FlaskClient) -> None:
    answer = pages.get(f"/diary/{KEY}.ics")

    assert (answer.status_code, answer.data) == (200, b"BEGIN:VCALENDAR")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_program_may_ask_for_the_headers_alone(pages: FlaskClient) -> None:
    answer = pages.head(f"/diary/{KEY}.ics")

    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize(("key", "status"), [("unknown", 404), ("often", 429), ("away", 503), ("broken", 500)])
def test_a_failure_has_its_status_and_tells_nobody_the_key(
    pages: FlaskClient, key: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = pages.get(f"/diary/{key}.ics")

    assert answer.status_code == status
    assert f"/{key}" not in answer.text + capsys.readouterr().out
    assert answer.headers.get("Retry-After") == ("90" if status == 429 else None)


def test_a_page_takes_no_other_verb(pages: FlaskClient) -> None:
    assert {pages.post(f"/diary/{KEY}.ics").status_code, pages.put(f"/diary/{KEY}.ics").status_code} <= {404, 405, 501}


def test_pages_are_counted_under_their_own_path(pages: FlaskClient) -> None:
    before = counted("OK"), counted("NOT_FOUND")

    pages.get(f"/diary/{KEY}.ics")
    pages.get("/diary/unknown.ics")

    assert (counted("OK"), counted("NOT_FOUND")) == (before[0] + 1, before[1] + 1)


def test_few_pages_are_answered_at_the_same_time(pages: FlaskClient, diary: Diary) -> None:
    diary.is_open.clear()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way = [pool.submit(pages.application.test_client().get, f"/diary/{KEY}.ics") for _ in range(AT_ONCE)]
        for _ in under_way:
            assert diary.waiting.acquire(timeout=10)

        refused = pages.get(f"/diary/{KEY}.ics")
        diary.is_open.set()

        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "90")
        assert {answer.result().status_code for answer in under_way} == {200}
    assert pages.get(f"/diary/{KEY}.ics").status_code == 200
