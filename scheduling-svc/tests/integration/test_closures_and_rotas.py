"""A closure sees every shift of its office, also one that is being published, on a real PostgreSQL."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling.domain.absences import Away
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel
from scheduling.domain.rotas import Rota
from scheduling.domain.shifts import Shift
from scheduling.domain.working_time import working_days
from scheduling.service import absences, rotas

LEEDS, ASSESSOR = "600021", "ALE02001"


def test_a_closure_waits_for_a_rota_that_is_being_published(database: Database, directory: Directory) -> None:
    day = working_days(clock.today() + timedelta(days=21), Nation.ENGLAND, number=1)[0]
    begins = datetime.combine(day, time(9), tzinfo=UTC)
    shift = Shift(
        assessor_id=ASSESSOR,
        office_code=LEEDS,
        start_time=begins,
        end_time=begins + timedelta(hours=3),
        channel=Channel.OFFICE,
    )
    now = clock.now()
    rota = Rota.of(directory.assessor(ASSESSOR), directory.office(LEEDS), shifts=[shift], now=now)
    closure = Away(
        identity=uuid4(),
        of=LEEDS,
        start_time=begins,
        end_time=begins + timedelta(hours=9),
        recorded_by="SM000001",
        recorded_time=now,
    )
    no_vault: Any = None  # it is not reached

    def close_at_once() -> None:
        with database.transaction() as closing:
            closing.execute("SET LOCAL lock_timeout = '50ms'")
            absences.close_office(closing, closure, reason="flood", directory=directory, vault=no_vault)

    with database.transaction() as publishing:
        rotas.publish(publishing, rota, directory)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            close_at_once()
