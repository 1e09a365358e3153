"""The newest schema on a database of the last release: its rows are corrected, and its code still runs."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chassis import embedded
from chassis.migrations import migrate
from chassis.testing import Servers
from la_notifier.__main__ import MIGRATIONS

NOTICE = """
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on, wanted)
    VALUES (gen_random_uuid(), %s, 'E1', '', 'SFTP', '2026-11-22', %s)
"""
# As the last release adds a version: it knows no channel.
VERSION = """
    INSERT INTO notice_versions (notice_id, version, kind, state, body, first_contact_time, first_contact_on, proof_due_on,
        may_be_held, followed, superseded)
    SELECT notice_id, %(version)s, 'CLAIM', %(state)s, '', now(), '2026-11-22', '2026-12-22', true, %(followed)s,
        CASE WHEN %(state)s = 'SUPERSEDED' THEN timestamptz '2026-11-22' END
    FROM notices WHERE claim_ref = %(claim_ref)s
"""


class LastRelease:
    """A database with the schema of the last release."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        name = f"notifier_{uuid.uuid4().hex[:12]}"
        embedded.create_database(servers.postgres_url, name)
        host = servers.postgres_url.rpartition("@")[2]
        self._url = f"postgresql://{name}_owner@{host}/{name}"
        self._migrate(folder)

    def upgrade(self) -> None:
        self._migrate(MIGRATIONS)

    def execute(self, query: Any, values: Any = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as conn:
            found = conn.execute(query, values)
            return found.fetchall() if found.description else []

    def _migrate(self, folder: Path) -> None:
        migrate(owner_url=self._url, folder=folder)


@pytest.fixture
def last_release(servers: Servers, tmp_path: Path) -> LastRelease:
    for path in MIGRATIONS.glob("000[1-4]*.sql"):
        shutil.copy(path, tmp_path)
    return LastRelease(servers, tmp_path)


@pytest.fixture
def add(last_release: LastRelease) -> Callable[..., None]:
    def version(claim_ref: str, state: str, *, number: int = 1, followed: bool = False, wanted: bool = True) -> None:
        if number == 1:
            last_release.execute(NOTICE, [claim_ref, wanted])
        values = {"claim_ref": claim_ref, "version": number, "state": state, "followed": followed}
        last_release.execute(VERSION, values)

    return version


def test_only_versions_that_a_conflict_ended_are_asked_about_again_once_the_last_release_is_gone(
    last_release: LastRelease, add: Callable[..., None]
) -> None:
    add("CONFLICT", "SUPERSEDED")
    add("FOLLOWED", "SUPERSEDED", followed=True)
    add("FOLLOWED", "LOADED", number=2)
    add("MOVED", "SUPERSEDED", wanted=False)

    last_release.upgrade()

    rows = last_release.execute(
        "SELECT claim_ref, state, disputed IS NOT NULL, superseded IS NULL,"
        " next_attempt_time - now() BETWEEN interval '5 minutes' AND interval '10 minutes'"
        " FROM notice_versions JOIN notices USING (notice_id) WHERE version = 1 ORDER BY claim_ref"
    )
    assert [row[:4] for row in rows] == [
        ("CONFLICT", "SENT", True, True),
        ("FOLLOWED", "SUPERSEDED", False, False),
        ("MOVED", "SUPERSEDED", False, False),
    ]
    assert rows[0][4]


def test_versions_have_their_channel_also_where_the_last_release_adds_them(
    last_release: LastRelease, add: Callable[..., None]
) -> None:
    add("BEFORE", "WAITING")

    last_release.upgrade()
    add("AFTER", "WAITING")

    assert last_release.execute("SELECT channel FROM notice_versions") == [("SFTP",), ("SFTP",)]


def test_what_stands_open_gets_its_clocks_and_work_items_and_its_authority(
    last_release: LastRelease, add: Callable[..., None]
) -> None:
    add("WAITS", "WAITING")
    add("REFUSED", "REFUSED")
    add("GIVEN_UP", "WAITING", wanted=False)

    last_release.upgrade()
    add("AFTER", "WAITING")

    clocks = last_release.execute(
        "SELECT claim_ref, clock, due_on::text FROM notice_clocks JOIN notices USING (notice_id) ORDER BY 1, 2"
    )
    assert clocks == [
        (claim_ref, clock, "2026-12-22") for claim_ref in ("REFUSED", "WAITS") for clock in ("CLAIM", "INTENTION")
    ]
    assert last_release.execute("SELECT claim_ref, kind, state FROM work_items") == [("REFUSED", "REFUSAL", "OPEN")]
    assert set(last_release.execute("SELECT authority FROM notice_versions")) == {("E1",)}


def test_a_refusal_of_what_the_authority_needs_no_more_is_nobodys_work(
    last_release: LastRelease, add: Callable[..., None]
) -> None:
    add("STANDS", "REFUSED")
    add("GIVEN_UP", "REFUSED", wanted=False)

    last_release.upgrade()

    followed = "SELECT claim_ref, followed FROM notice_versions JOIN notices USING (notice_id) ORDER BY 1"
    assert last_release.execute(followed) == [("GIVEN_UP", True), ("STANDS", False)]
    assert last_release.execute("SELECT claim_ref FROM work_items WHERE state = 'OPEN'") == [("STANDS",)]
