"""The newest schema on a database of the release that stored slots: nothing of it is lost, and nothing is booked twice."""

import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from chassis import embedded
from chassis.migrations import migrate
from chassis.testing import Servers
from scheduling.__main__ import MIGRATIONS
from scheduling.domain.slots import SLOT_LENGTH

NEXT_WEEK = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=7)
LAST_YEAR = NEXT_WEEK - timedelta(days=365)
SLOT: LiteralString = "INSERT INTO slots VALUES (%s, 'A1', '600021', %s, %s, 'OFFICE')"
APPOINTMENT: LiteralString = """
    INSERT INTO appointments (appointment_id, claim_ref, slot_id, state, first_contact_time, target_time, working_lead_time,
        version, booked_time)
    VALUES (gen_random_uuid(), %s, %s, %s, now(), now(), '1 hour', 1, now())
"""


class Past:
    """A database with the schema of that release."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        for path in MIGRATIONS.glob("000[1-6]*.sql"):
            shutil.copy(path, folder)
        name = f"scheduling_{uuid.uuid4().hex[:12]}"
        embedded.create_database(servers.postgres_url, name)
        host = servers.postgres_url.rpartition("@")[2]
        self._url = f"postgresql://{name}_owner@{host}/{name}"
        self._migrate(folder)

    def upgrade(self) -> None:
        self._migrate(MIGRATIONS)

    def execute(self, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as conn:
            found = conn.execute(query, values)
            return found.fetchall() if found.description else []

    def book(self, claim_ref: str, start: datetime, *, state: str = "BOOKED") -> None:
        slot_id = uuid.uuid4()
        self.execute(SLOT, slot_id, start, start + SLOT_LENGTH)
        self.execute(APPOINTMENT, claim_ref, slot_id, state)

    def _migrate(self, folder: Path) -> None:
        migrate(owner_url=self._url, folder=folder)


@pytest.fixture
def past(servers: Servers, tmp_path: Path) -> Past:
    return Past(servers, tmp_path)


def test_appointments_keep_their_place_and_time_and_live_ones_their_time_in_the_diary(past: Past) -> None:
    past.book("C1", NEXT_WEEK)
    past.book("C2", NEXT_WEEK + SLOT_LENGTH, state="CANCELLED")
    past.book("C3", LAST_YEAR, state="ATTENDED")

    past.upgrade()

    kept = past.execute("SELECT claim_ref, office_code, assessor_id, start_time, channel FROM appointments ORDER BY 1")
    assert kept == [
        (claim_ref, "600021", "A1", start, "OFFICE")
        for claim_ref, start in (("C1", NEXT_WEEK), ("C2", NEXT_WEEK + SLOT_LENGTH), ("C3", LAST_YEAR))
    ]
    assert past.execute("SELECT claim_ref, start_time FROM diary") == [("C1", NEXT_WEEK)]


def test_slots_to_come_are_shifts_until_a_rota_is_published(past: Past) -> None:
    past.book("C1", NEXT_WEEK)
    past.book("C2", LAST_YEAR, state="ATTENDED")

    past.upgrade()

    assert past.execute("SELECT assessor_id, start_time, end_time FROM shifts") == [
        ("A1", NEXT_WEEK, NEXT_WEEK + SLOT_LENGTH)
    ]


def test_a_replica_of_that_release_fails_instead_of_booking_past_the_diary(past: Past) -> None:
    past.book("C1", NEXT_WEEK)

    past.upgrade()

    with pytest.raises(psycopg.errors.UndefinedTable):
        past.execute(SLOT, uuid.uuid4(), NEXT_WEEK, NEXT_WEEK + SLOT_LENGTH)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        past.execute(APPOINTMENT, "C2", uuid.uuid4(), "BOOKED")
