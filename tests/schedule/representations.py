"""`python -m tests.schedule.representations`: three ways to keep a diary of national size, side by side (ADR 65).

- **slots**: a row for every slot, made ahead for every assessor, as it was;
- **slots by day**: the same rows, made from the shifts when a day of an office is first looked at;
- **shifts**: shifts and what takes time from them; free time is computed.

It starts a PostgreSQL of its own in a folder that it removes, and takes some minutes and 3 GB of disk.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from math import hypot
from pathlib import Path
from typing import Any, LiteralString, cast
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from chassis import embedded
from chassis.database import Connection
from chassis.migrations import migrate
from scheduling.__main__ import MIGRATIONS
from scheduling.data import load_assessors, load_offices
from scheduling.domain.diary import free_slots
from scheduling.domain.offices import Channel
from scheduling.domain.search import OfficeSearched, Search
from scheduling.store import free_time
from tests.growth.__main__ import servers_in
from tests.schedule.national import WEEKS, Country, work

_MONDAY = date(2027, 1, 11)
_NOW = datetime.fromisoformat("2027-01-11T10:20:00+00:00")
_CHARING_CROSS = (530_000, 180_400)
_REACH_KM = 30.0
_PAGE = 20
_BATCH = 4
"""Offices whose days are made together."""
_SEARCHED = timedelta(days=4)
"""Two working days and a weekend: the stretch in which the target lies."""
_YEAR = 253
"""Working days."""

_ASSESSORS: dict[str, list[str]] = defaultdict(list)
"""The references of each office's assessors."""
for _one in load_assessors():
    _ASSESSORS[_one.office_code].append(_one.assessor_id)

Conn = psycopg.Connection[dict[str, Any]]

# The tables of slots, beside those of the service. Nothing that the figures would show refers to anything.
_TABLES: LiteralString = """
    SET session_replication_role = replica;
    CREATE TABLE slots (
        slot_id uuid NOT NULL, assessor_id text NOT NULL, office_code text NOT NULL, start_time timestamptz NOT NULL,
        end_time timestamptz NOT NULL, channel text NOT NULL
    );
    CREATE TABLE slot_appointments (
        appointment_id uuid NOT NULL, claim_ref text NOT NULL, slot_id uuid NOT NULL, state text NOT NULL
    );
"""
_SLOTS_OF_SHIFTS: LiteralString = """
    INSERT INTO slots
    SELECT gen_random_uuid(), assessor_id, office_code, start, start + interval '45 minutes', channel
    FROM shifts, generate_series(start_time, end_time - interval '45 minutes', interval '45 minutes') AS start
"""
_APPOINTMENTS: LiteralString = """
    INSERT INTO slot_appointments
    SELECT appointment_id, claim_ref, slot_id, 'BOOKED' FROM diary JOIN slots USING (assessor_id, start_time)
"""
_INDEXES: LiteralString = """
    ALTER TABLE slots ADD PRIMARY KEY (slot_id),
        ADD CONSTRAINT slots_apart EXCLUDE USING gist (assessor_id WITH =, tstzrange(start_time, end_time) WITH &&);
    CREATE INDEX slots_of_an_office ON slots (office_code, channel, start_time, assessor_id);
    CREATE UNIQUE INDEX one_for_a_slot ON slot_appointments (slot_id) WHERE state IN ('BOOKED', 'MOVED');
"""
_FREE: LiteralString = """
    SELECT free.*
    FROM unnest(%(offices)s::text[]) WITH ORDINALITY AS near (code, rank)
    CROSS JOIN LATERAL (
        SELECT assessor_id, office_code, start_time, end_time, channel
        FROM slots
        WHERE office_code = near.code AND channel = 'OFFICE' AND start_time > %(since)s
            AND assessor_id = ANY(%(assessors)s)
            AND NOT EXISTS (
                SELECT 1 FROM slot_appointments
                WHERE slot_appointments.slot_id = slots.slot_id AND state IN ('BOOKED', 'MOVED') OFFSET 0
            )
        ORDER BY start_time, assessor_id LIMIT %(at_each)s
    ) AS free
    ORDER BY start_time, rank, assessor_id LIMIT %(in_all)s::bigint
"""
_MAKE_DAYS: LiteralString = """
    INSERT INTO slots_by_day
    SELECT gen_random_uuid(), assessor_id, office_code, start, start + interval '45 minutes', channel
    FROM shifts, generate_series(start_time, end_time - interval '45 minutes', interval '45 minutes') AS start
    WHERE office_code = ANY(%(offices)s) AND start_time BETWEEN %(from)s AND %(until)s
    ON CONFLICT DO NOTHING
"""
_OPEN_SLOTS: LiteralString = """
    INSERT INTO slots SELECT gen_random_uuid(), *
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[]) ON CONFLICT DO NOTHING
"""
_OPEN_SHIFTS: LiteralString = """
    INSERT INTO shifts (assessor_id, office_code, start_time, end_time, channel) SELECT *
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
"""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Milliseconds of a thing that was done many times."""

    median: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        """The median and the 99th percentile of these."""
        in_order = sorted(seconds)
        return cls(
            median=round(1000 * statistics.median(in_order), 2),
            p99=round(1000 * in_order[int(0.99 * len(in_order))], 2),
        )


def fill(conn: Conn, country: Country) -> None:
    """Writes the shifts and what is booked of them by COPY, and the same as slots and appointments."""
    conn.execute(_TABLES)
    with conn.cursor().copy("COPY shifts (assessor_id, office_code, start_time, end_time, channel) FROM STDIN") as rows:
        for one in work(country, _MONDAY):
            shift = one.shift
            rows.write_row(
                (shift.assessor_id, shift.office_code, shift.start_time, shift.end_time, shift.channel.value)
            )
    with conn.cursor().copy(
        "COPY diary (assessor_id, claim_ref, start_time, end_time, appointment_id) FROM STDIN"
    ) as rows:
        for one in work(country, _MONDAY):
            for slot in one.booked:
                rows.write_row((slot.assessor_id, "C00000000017", slot.start_time, slot.end_time, uuid4()))
    conn.execute(_SLOTS_OF_SHIFTS)
    conn.execute(_APPOINTMENTS)
    conn.execute(_INDEXES)
    conn.execute("VACUUM ANALYZE")


def near(country: Country, easting: float, northing: float) -> list[str]:
    """The codes of the offices within reach, nearest first."""
    found = sorted((hypot(one.easting - easting, one.northing - northing) / 1000, one.code) for one in country.offices)
    return [code for distance, code in found if distance <= _REACH_KM]


def by_slots(conn: Conn, codes: Sequence[str]) -> int:
    """A page of the soonest slots of all offices within reach, and the earliest of each, as FindSlots did."""
    assessors = [one for code in codes for one in _ASSESSORS[code]]
    ask = {"offices": list(codes), "assessors": assessors, "since": _NOW}
    page = conn.execute(_FREE, ask | {"at_each": _PAGE + 1, "in_all": _PAGE + 1}).fetchall()
    return len(page) + len(conn.execute(_FREE, ask | {"at_each": 1, "in_all": None}).fetchall())


def by_shifts(conn: Conn, codes: Sequence[str]) -> int:
    """A page of the free slots of the nearest offices, read until there are enough: as FindSlots does now."""
    search = Search(
        offices=[OfficeSearched(code=code, needs=frozenset()) for code in codes], channel=Channel.OFFICE, since=_NOW
    )
    working_times = free_time.working_times(cast(Connection, conn), search)
    return len(list(islice(free_slots(working_times, since=_NOW), _PAGE + 1)))


def pages(conn: Conn, codes: Sequence[str]) -> dict[str, int]:
    """Pages of 8 kB that a search at Charing Cross reads; for shifts those of the nearest office, where most searches end."""
    assessors = [one for code in codes for one in _ASSESSORS[code]]
    ask = {"offices": list(codes), "assessors": assessors, "since": _NOW}
    search = Search(offices=[OfficeSearched(code=codes[0], needs=frozenset())], channel=Channel.OFFICE, since=_NOW)
    return {
        "slots": _read(conn, _FREE, ask | {"at_each": _PAGE + 1, "in_all": _PAGE + 1})
        + _read(conn, _FREE, ask | {"at_each": 1, "in_all": None}),
        "shifts": _read(conn, free_time.WORKING_TIMES, free_time.search_parameters(search)),
    }


def _read(conn: Conn, query: str, parameters: Mapping[str, Any]) -> int:
    explained = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", parameters).fetchone()
    assert explained is not None
    plan = explained["QUERY PLAN"][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def search_times(conn: Conn, country: Country, search: Callable[[Conn, Sequence[str]], int]) -> Times:
    """The times of searches from 200 places in inner London."""
    chance = random.Random(1)
    places_ = [
        (_CHARING_CROSS[0] + chance.gauss(0, 6_000), _CHARING_CROSS[1] + chance.gauss(0, 6_000)) for _ in range(200)
    ]
    codes = [near(country, *place) for place in places_]
    for of_one in codes[:20]:
        search(conn, of_one)
    taken = []
    for of_one in codes:
        started = time.perf_counter()
        search(conn, of_one)
        taken.append(time.perf_counter() - started)
    return Times.of(taken)


def by_day_times(conn: Conn, country: Country) -> Times:
    """The times of making the days of four offices that nobody has looked at: what the first search of a day waits for."""
    conn.execute("CREATE TABLE slots_by_day (LIKE slots INCLUDING DEFAULTS)")
    conn.execute(
        """
        ALTER TABLE slots_by_day ADD PRIMARY KEY (slot_id),
            ADD CONSTRAINT by_day_apart EXCLUDE USING gist (assessor_id WITH =, tstzrange(start_time, end_time) WITH &&);
        CREATE INDEX by_day_of_an_office ON slots_by_day (office_code, channel, start_time, assessor_id);
        """
    )
    taken = []
    codes = [one.code for one in country.offices]
    for begin in range(0, len(codes) - _BATCH, _BATCH):
        ask = {"offices": codes[begin : begin + _BATCH], "from": _NOW - timedelta(days=1), "until": _NOW + _SEARCHED}
        started = time.perf_counter()
        conn.execute(_MAKE_DAYS, ask)
        taken.append(time.perf_counter() - started)
    return Times.of(taken)


def opening_seconds(conn: Conn, country: Country, *, as_slots: bool) -> float:
    """The seconds in which a further week is opened for all, 500 rows a statement."""
    week = work(country, _MONDAY + timedelta(weeks=WEEKS), weeks=1)
    pieces = (piece for one in week for piece in (one.shift.slots() if as_slots else (one.shift,)))
    rows: Iterator[tuple[Any, ...]] = (
        (one.assessor_id, one.office_code, one.start_time, one.end_time, one.channel.value) for one in pieces
    )
    every = list(rows)
    query = _OPEN_SLOTS if as_slots else _OPEN_SHIFTS
    started = time.perf_counter()
    with conn.transaction():
        for begin in range(0, len(every), 500):
            conn.execute(query, [list(column) for column in zip(*every[begin : begin + 500], strict=True)])
    return round(time.perf_counter() - started, 1)


def booking_times(conn: Conn, *, as_slots: bool) -> Times:
    """The times of writing 500 bookings, each a transaction: the row that the constraint holds."""
    free = conn.execute(
        "SELECT slot_id, assessor_id, start_time, end_time FROM slots WHERE start_time > %s"
        " AND NOT EXISTS (SELECT 1 FROM slot_appointments AS booked WHERE booked.slot_id = slots.slot_id)"
        " ORDER BY slot_id LIMIT 500",
        [_NOW],
    ).fetchall()
    taken = []
    for n, one in enumerate(free):
        started = time.perf_counter()
        if as_slots:
            conn.execute("SELECT 1 FROM slots WHERE slot_id = %s FOR UPDATE", [one["slot_id"]])
            conn.execute(
                "INSERT INTO slot_appointments VALUES (%s, %s, %s, 'BOOKED')", [uuid4(), f"B{n}", one["slot_id"]]
            )
        else:
            conn.execute(
                "INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, appointment_id) VALUES (%s, %s, %s, %s, %s)",
                [one["assessor_id"], f"B{n}", one["start_time"], one["end_time"], uuid4()],
            )
        taken.append(time.perf_counter() - started)
    return Times.of(taken)


def weight(conn: Conn, *tables: str) -> tuple[int, float]:
    """Rows of these tables, and their megabytes with indexes."""
    rows = megabytes = 0.0
    for table in tables:
        found = conn.execute(
            "SELECT reltuples, pg_total_relation_size(oid) / 1e6 AS size FROM pg_class WHERE relname = %s", [table]
        ).fetchone()
        assert found is not None
        rows += found["reltuples"]
        megabytes += float(found["size"])
    return round(rows), round(megabytes, 1)


def measured(conn: Conn, country: Country) -> dict[str, Any]:
    """All figures at this number of offices."""
    found: dict[str, Any] = {
        "offices": len(country.offices),
        "assessors": len(country.assessors),
        "in reach of London": len(near(country, *_CHARING_CROSS)),
    }
    fill(conn, country)
    for name, tables in {"slots": ("slots",), "shifts": ("shifts", "diary")}.items():
        rows, size = weight(conn, *tables)
        found[f"{name}: rows"], found[f"{name}: MB"] = rows, size
    found["slots: rows a year"] = round(found["slots: rows"] / (5 * WEEKS) * _YEAR)
    found["slots: MB a year"] = round(found["slots: MB"] / (5 * WEEKS) * _YEAR)
    found["pages read by FindSlots"] = pages(conn, near(country, *_CHARING_CROSS))
    for name, search in {"slots": by_slots, "shifts": by_shifts}.items():
        found[f"{name}: FindSlots ms"] = vars(search_times(conn, country, search))
    for name, as_slots in {"slots": True, "shifts": False}.items():
        found[f"{name}: booking ms"] = vars(booking_times(conn, as_slots=as_slots))
        found[f"{name}: a week opened in s"] = opening_seconds(conn, country, as_slots=as_slots)
    found["slots by day: making ms"] = vars(by_day_times(conn, country))
    return found


def _migrated(postgres_url: str, part: int) -> str:
    """The address of a new database with the service's tables."""
    name, host = f"schedule_{part}", postgres_url.rpartition("@")[2]
    embedded.create_database(postgres_url, name)
    migrate(owner_url=f"postgresql://{name}_owner@{host}/{name}", folder=MIGRATIONS)
    return f"{postgres_url}/{name}"


def main() -> int:
    """Prints the figures at each size, and last a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.schedule.representations")
    parser.add_argument("--parts", default="10,2,1", help="a tenth of the country, a half, all of it")
    given = parser.parse_args()
    every = []
    country = Country(offices=load_offices(), assessors=load_assessors())
    with tempfile.TemporaryDirectory(prefix="cms3-schedule-", dir="/var/tmp") as name:
        folder = Path(name)
        with servers_in(folder) as servers:
            for part in map(int, given.parts.split(",")):
                with psycopg.connect(
                    _migrated(servers.postgres_url, part), autocommit=True, row_factory=dict_row
                ) as conn:
                    found = measured(conn, country.part(part))
                print("\n".join(f"{key}: {value}" for key, value in found.items()), "\n", sep="\n")
                every.append(found)
    print(json.dumps(every))
    return 0


if __name__ == "__main__":
    sys.exit(main())
