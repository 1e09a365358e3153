"""The load of offices through the doors: rotas, bookings, and the demand that their history lets expect."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.clock import LONDON
from chassis.runtime import Process
from chassis.testing import Tokens, as_owner, eventually
from cms.scheduling.v1 import events_pb2
from scheduling.domain.working_time import working_days
from scheduling.store import demand

LEEDS, NEWCASTLE = "600021", "600011"

HISTORY = """
    INSERT INTO appointments (
        appointment_id, claim_ref, office_code, assessor_id, start_time, end_time, channel, state, first_contact_time,
        target_time, working_lead_time, version, booked_time, within_target, home_office_code,
        wanted_channel
    )
    SELECT gen_random_uuid(), 'C' || lpad((day * 1000 + n)::text, 11, '0'), %(office)s, 'ALE02001',
        booked, booked + interval '1 h', %(channel)s, 'ATTENDED', booked, booked, interval '1 h', 1, booked, true, %(home)s,
        %(wanted)s
    FROM generate_series(1, %(days)s) AS day, generate_series(1, %(number)s) AS n,
        LATERAL (SELECT %(today)s::timestamptz - interval '1 day' * day + interval '12 h' AS booked) AS time
    WHERE extract(isodow FROM booked) < 6
"""


def _message(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _day(message: dict[str, int]) -> date:
    return date(message["year"], message["month"], message["day"])


def _week() -> list[date]:
    return working_days(clock.today(), Nation.ENGLAND, number=5)


def _ask(**more: Any) -> dict[str, Any]:
    week = _week()
    return {"from": _message(week[0]), "until": _message(week[-1])} | more


def _booked_every_day(
    process: Process,
    *,
    number: int,
    office: str = LEEDS,
    home: str | None = None,
    channel: str = "OFFICE",
    wanted: str | None = None,
) -> None:
    """So many interviews were booked on each working day of the last eight weeks; they are counted."""
    midnight = datetime.combine(clock.today(), datetime.min.time(), tzinfo=LONDON)
    values = {"office": office, "home": home, "number": number, "days": 56, "today": midnight}
    values |= {"channel": channel, "wanted": wanted}
    with as_owner(process.database) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [demand._LOCK])  # no day is being counted
        for table in ("counted_days", "demand_days", "demand_pattern", "office_measures"):
            conn.execute(f"DELETE FROM {table}")  # noqa: S608 - a literal
        conn.execute(HISTORY, values)


@pytest.fixture
def manager(tokens: Tokens) -> str:
    return tokens.issue("SERVICE_MANAGER")


def test_a_manager_sees_slots_bookings_and_no_demand_without_history(
    door: Any, tokens: Tokens, intake: Any, manager: str
) -> None:
    before = door("GetOfficeLoad", _ask(officeCode=LEEDS), manager).body
    slot = door("FindSlots", {"officeCode": LEEDS}, tokens.issue("OPERATOR")).body["slots"][0]
    intake.open("C0000000000A")
    booking = {"claimRef": "C0000000000A", "slotId": slot["slotId"], "requestId": str(uuid4())}
    assert door("BookAppointment", booking, tokens.issue("OPERATOR")).code == "ok"

    after = door("GetOfficeLoad", _ask(officeCode=LEEDS), manager).body

    assert [_day(day["day"]) for day in after["days"]] == _week()
    assert {day["office"]["code"] for day in after["days"]} == {LEEDS}
    assert all(day["capacity"] > 20 for day in after["days"][1:])  # what is left of today depends on the hour
    assert sum(day["booked"] for day in after["days"]) == sum(day["booked"] for day in before["days"]) + 1
    assert {(day["forecast"], day["breachExpected"]) for day in after["days"]} == {(0, False)}
    assert (after["weeksOfHistory"], after["remedies"]) == (0, [])


def test_demand_beyond_the_slots_shows_as_breaches_with_what_would_help(
    http: Any, process: Process, manager: str
) -> None:
    _booked_every_day(process, number=150)

    found = eventually(lambda: _with_history(http, manager), seconds=30)

    day = found["days"][0]
    assert found["weeksOfHistory"] == 8
    assert 100 < day["forecast"] < 200
    assert any(day["breachExpected"] and day["expectedBreaches"] > 1 for day in found["days"])
    remedy = found["remedies"][0]
    assert (remedy["kind"], remedy["fromOffice"]["code"]) == ("REMEDY_KIND_OPEN_SLOTS", LEEDS)
    assert remedy["breachesAfter"] < remedy["breachesBefore"]


def test_demand_is_that_of_the_office_nearest_to_the_claimant(http: Any, process: Process, manager: str) -> None:
    _booked_every_day(process, number=20, office=LEEDS, home=NEWCASTLE)

    leeds = eventually(lambda: _with_history(http, manager), seconds=30)
    newcastle = http("GetOfficeLoad", _ask(officeCode=NEWCASTLE), manager).body

    assert sum(day["forecast"] for day in leeds["days"]) == 0
    assert sum(day["forecast"] for day in newcastle["days"]) == pytest.approx(100, rel=0.1)


def test_an_interview_by_telephone_for_want_of_room_is_the_demand_of_the_office(
    http: Any, process: Process, manager: str
) -> None:
    _booked_every_day(process, number=20, channel="TELEPHONE", wanted="OFFICE")

    leeds = eventually(lambda: _with_history(http, manager), seconds=30)

    of_channels = [channel for day in leeds["days"] for channel in day["channels"]]
    forecast = {
        name: sum(one["forecast"] for one in of_channels if one["channel"] == name)
        for name in ("CHANNEL_OFFICE", "CHANNEL_TELEPHONE")
    }
    assert forecast == {"CHANNEL_OFFICE": pytest.approx(100, rel=0.1), "CHANNEL_TELEPHONE": 0}


def test_all_offices_come_in_pages(http: Any, manager: str) -> None:
    offices: list[str] = []
    token = ""
    while token or not offices:
        page = http("GetOfficeLoad", _ask(pageSize=25, pageToken=token), manager).body
        offices += [day["office"]["code"] for day in page["days"]]
        token = page["nextPageToken"]

    assert offices == sorted(offices)
    assert len(set(offices)) == 16


def test_an_office_alone_and_all_of_them_show_the_same_slots(http: Any, manager: str) -> None:
    alone = http("GetOfficeLoad", _ask(officeCode=LEEDS), manager).body["days"]
    together = http("GetOfficeLoad", _ask(pageSize=500), manager).body["days"]

    assert [day for day in together if day["office"]["code"] == LEEDS] == alone


@pytest.mark.parametrize(
    ("first", "last", "field", "description"),
    [
        (0, -1, "until", "is past"),
        (2, 1, "until", "is before from"),
        (0, 78, "until", "is more than eleven weeks ahead"),
    ],
)
def test_days_that_make_no_sense_are_refused(
    http: Any, manager: str, *, first: int, last: int, field: str, description: str
) -> None:
    today = clock.today()
    days = {"from": _message(today + timedelta(days=first)), "until": _message(today + timedelta(days=last))}

    refused = http("GetOfficeLoad", days, manager)

    assert refused.code == "invalid_argument"
    assert (refused.fields, description in refused.text) == ({field}, True)


def test_an_office_that_is_not_there_and_another_query_s_page_are_refused(http: Any, manager: str) -> None:
    token = http("GetOfficeLoad", _ask(pageSize=5), manager).body["nextPageToken"]

    unknown = http("GetOfficeLoad", _ask(officeCode="999999"), manager)
    other = http("GetOfficeLoad", _ask(pageToken=token) | {"until": _message(_week()[0])}, manager)

    assert (unknown.code, unknown.reason) == ("not_found", "OFFICE_UNKNOWN")
    assert (other.code, other.fields) == ("invalid_argument", {"page_token"})


def test_a_likely_breach_is_told_once_for_each_day_and_shows_in_the_measures(
    http: Any, process: Process, manager: str
) -> None:
    _booked_every_day(process, number=150)
    eventually(lambda: _with_history(http, manager), seconds=30)

    for _ in range(2):
        clock.advance(timedelta(minutes=16))
        eventually(lambda: _measured_since(process, clock.now() - timedelta(minutes=15)), seconds=30)

    days = http("GetOfficeLoad", _ask(officeCode=LEEDS), manager).body["days"]
    with process.database.transaction() as conn:
        told = conn.execute("SELECT payload, claim_ref FROM outbox WHERE type LIKE '%TargetBreachExpected'").fetchall()
    events = [events_pb2.TargetBreachExpected.FromString(row["payload"]) for row in told]
    assert {(event.office_code, row["claim_ref"]) for event, row in zip(events, told, strict=True)} == {(LEEDS, "")}
    assert sorted((event.day.month, event.day.day) for event in events) == sorted(
        (day["day"]["month"], day["day"]["day"]) for day in days if day["breachExpected"]
    )
    assert all(event.expected_breaches > 1 and event.breach_probability >= 0.5 for event in events)
    gauges = _gauges(process)
    assert gauges[f'scheduling_office_breach_probability{{office="{LEEDS}"}}'] > 0.9
    assert gauges[f'scheduling_office_within_target_ratio{{office="{LEEDS}"}}'] == 1.0
    assert gauges[f'scheduling_office_lead_time_seconds{{clock="WORKING",office="{LEEDS}"}}'] == 3600
    assert gauges[f'scheduling_office_utilisation_ratio{{office="{NEWCASTLE}"}}'] == 0.0


def test_an_office_whose_rotas_ran_out_is_measured_all_the_same(process: Process) -> None:
    def capacity() -> int:
        with process.database.transaction() as conn:
            row = conn.execute("SELECT capacity FROM office_measures WHERE office_code = %s", [LEEDS]).fetchone()
        return int(row["capacity"]) if row else -1

    eventually(lambda: capacity() > 0, seconds=30)
    with process.database.transaction() as conn:
        conn.execute("DELETE FROM shifts WHERE office_code = %s", [LEEDS])

    clock.advance(timedelta(minutes=16))

    eventually(lambda: capacity() == 0, seconds=30)


def _measured_since(process: Process, moment: datetime) -> bool:
    with process.database.transaction() as conn:
        row = conn.execute(
            "SELECT count(*) AS offices FROM office_measures WHERE measured_time > %s", [moment]
        ).fetchone()
    return row is not None and row["offices"] == 16


def _gauges(process: Process) -> dict[str, float]:
    lines = httpx.get(f"http://127.0.0.1:{process.operations.port}/metrics").text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("scheduling_office_"))
    return {name: float(value) for name, _, value in pairs}


def _with_history(http: Any, manager: str) -> dict[str, Any] | None:
    found: dict[str, Any] = http("GetOfficeLoad", _ask(officeCode=LEEDS), manager).body
    return found if found["weeksOfHistory"] else None
