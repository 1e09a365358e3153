"""Events in, notices at the councils' stand-in: real database, bus, workers and HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from simulators.councils.server import Councils
from simulators.testing import call

from chassis.runtime import Process
from chassis.testing import DatabaseUrls, eventually
from cms.intake.v1 import events_pb2

CLAIM = "C0123456789A"
FIRST_CONTACT = events_pb2.FirstContactRecorded()
SUBMITTED = events_pb2.ClaimSubmitted()
AMENDED = events_pb2.ClaimAmended()


@pytest.fixture
def states(database_urls: DatabaseUrls) -> Callable[[], list[tuple[Any, ...]]]:
    """The claim's versions: number, kind, state."""

    def read() -> list[tuple[Any, ...]]:
        with psycopg.connect(database_urls.app) as conn:
            return conn.execute(
                "SELECT version, kind, state FROM notice_versions JOIN notices USING (notice_id)"
                " ORDER BY authority_code, version"
            ).fetchall()

    return read


@pytest.fixture
def events_out(database_urls: DatabaseUrls) -> Callable[[], list[tuple[str, int]]]:
    """The notifier's own events: short name, version."""

    def read() -> list[tuple[str, int]]:
        with psycopg.connect(database_urls.app) as conn:
            rows = conn.execute("SELECT type, version FROM outbox ORDER BY created").fetchall()
        return [(name.rpartition(".")[2], version) for name, version in rows]

    return read


def ledger(councils: Councils) -> Any:
    return call(councils.control_port, "GET", f"/ledger?claim_ref={CLAIM}").body


def held(councils: Councils) -> list[Any]:
    found: list[Any] = ledger(councils)["claims"].get(CLAIM, [])
    return found


def order(councils: Councils, failure: str, **rule: object) -> None:
    assert call(councils.control_port, "POST", "/failures", body={"failure": failure, **rule}).status == 200


def fired(councils: Councils) -> Any:
    return call(councils.control_port, "GET", "/failures/counts").body["counts"]


def test_first_contact_is_told_and_then_the_claim(
    notifier: Process, claims: Any, tenant: Any, tell: Any, councils: Councils, states: Any, events_out: Any
) -> None:
    claims.keep(tenant())
    tell(FIRST_CONTACT, version=3)
    eventually(lambda: states() == [(1, "INTENTION", "LOADED")])

    claims.submit()
    tell(SUBMITTED, version=4)
    eventually(lambda: states()[1:] == [(2, "CLAIM", "LOADED")])

    [notice] = held(councils)
    assert notice["authority_code"] == "W06000015"
    assert [(row["version"], row["kind"], row["state"]) for row in notice["versions"]] == states()
    assert ledger(councils)["duplicates"] == 0
    assert events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1), ("NoticeSent", 2), ("NoticeLoaded", 2)]
