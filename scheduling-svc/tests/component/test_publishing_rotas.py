"""Rotas are published through the doors, and interviews are booked into them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.testing import Tokens
from scheduling.domain.rotas import WEEK, monday_of
from scheduling.domain.working_time import LONDON, is_working_day

CLAIM = "C0000000000A"
LEEDS, MANCHESTER, ASSESSOR = "600021", "600031", "ALE02001"


def far_monday() -> date:
    """The Monday of a week without a holiday that nobody published a rota for."""
    mondays = (monday_of(clock.today()) + number * WEEK for number in range(7, 12))
    return next(
        monday
        for monday in mondays
        if all(is_working_day(monday + timedelta(days=day), Nation.ENGLAND) for day in range(5))
    )


def moment(day: int, hour: int) -> str:
    """An hour in London on a day of that week, counted from its Monday."""
    local = datetime.combine(far_monday() + timedelta(days=day), time(hour), tzinfo=LONDON)
    return local.astimezone(UTC).isoformat()


def shift(day: int, start: int, end: int, *, channel: str = "OFFICE", **more: Any) -> dict[str, Any]:
    return {"start": moment(day, start), "end": moment(day, end), "channel": f"CHANNEL_{channel}", **more}


def rota(*shifts: dict[str, Any], office: str = LEEDS, **more: Any) -> dict[str, Any]:
    ids = {"assessorId": ASSESSOR, "officeCode": office, "requestId": str(uuid4())}
    return ids | {"shifts": list(shifts)} | more


def slots(door: Any, tokens: Tokens, office: str = LEEDS, **more: Any) -> list[dict[str, Any]]:
    week = {"from": moment(0, 0), "until": moment(6, 23)}
    body = {"officeCode": office, "pageSize": 100, **week, **more}
    found: list[dict[str, Any]] = door("FindSlots", body, tokens.issue("OPERATOR")).body["slots"]
    return found


def week_message() -> dict[str, int]:
    monday = far_monday()
    return {"year": monday.year, "month": monday.month, "day": monday.day}


def test_a_published_rota_gives_slots_which_keep_their_ids_when_it_is_published_anew(door: Any, tokens: Tokens) -> None:
    manager = tokens.issue("SERVICE_MANAGER")

    first = door("PublishRota", rota(shift(0, 9, 12), shift(1, 9, 10)), manager).body
    before = slots(door, tokens)
    again = door("PublishRota", rota(shift(0, 9, 11), shift(1, 9, 10)), manager).body
    after = slots(door, tokens)

    assert {name: first.get(name, 0) for name in ("added", "kept", "removed")} == {"added": 2, "kept": 0, "removed": 0}
    assert {name: again.get(name, 0) for name in ("added", "kept", "removed")} == {"added": 1, "kept": 1, "removed": 1}
    assert len(before) == 5
    assert [slot["slotId"] for slot in after] == [before[number]["slotId"] for number in (0, 1, 4)]


def test_an_interview_that_fits_no_shift_any_more_is_moved_or_listed(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    manager, operator = tokens.issue("SERVICE_MANAGER"), tokens.issue("OPERATOR")
    http("PublishRota", rota(shift(0, 9, 12)), manager)
    slot = slots(http, tokens)[-1]
    booking = {"claimRef": CLAIM, "slotId": slot["slotId"], "requestId": str(uuid4())}
    booked = http("BookAppointment", booking, operator).body["appointment"]

    shorter = http("PublishRota", rota(shift(0, 9, 11)), manager).body
    listed = http("ListNotMoved", {}, manager).body["notMoved"]
    whole = http("PublishRota", rota(shift(0, 9, 12)), manager).body
    held = http("ListNotMoved", {}, manager).body["notMoved"]
    by_telephone = http("PublishRota", rota(shift(0, 9, 13, channel="TELEPHONE")), manager).body

    assert shorter["moved"] == []
    assert [left["appointment"] for left in shorter["notMoved"]] == [left["appointment"] for left in listed] == [booked]
    assert [way["kind"] for way in shorter["notMoved"][0]["solutions"]] == ["SOLUTION_KIND_EARLIER"]
    assert whole["moved"] == whole["notMoved"] == held == []
    [moved] = by_telephone["moved"]
    assert (moved["disturbance"], moved["previousChannel"]) == ("DISTURBANCE_BY_TELEPHONE", "CHANNEL_OFFICE")
    assert moved["appointment"]["startTime"] == booked["endTime"]
    assert http("GetAppointment", {"claimRef": CLAIM}, operator).body["appointment"] == moved["appointment"]


def test_a_week_without_work_takes_the_weeks_shifts_back(http: Any, tokens: Tokens) -> None:
    manager = tokens.issue("SERVICE_MANAGER")
    http("PublishRota", rota(shift(0, 9, 12), shift(4, 9, 12)), manager)

    answer = http("PublishRota", rota(weeks=[week_message()]), manager).body

    assert answer["removed"] == 2
    assert slots(http, tokens) == []


def test_an_assessor_is_lent_to_another_office_at_times_that_do_not_overlap(http: Any, tokens: Tokens) -> None:
    manager = tokens.issue("SERVICE_MANAGER")
    http("PublishRota", rota(shift(0, 9, 12)), manager)

    lent = http("PublishRota", rota(shift(1, 9, 12), office=MANCHESTER), manager)
    refused = http("PublishRota", rota(shift(0, 11, 13), office=MANCHESTER), manager)

    assert lent.code == "ok"
    assert (refused.code, refused.reason, refused.fields) == ("already_exists", "SHIFT_ELSEWHERE", {"shifts"})
    assert len(slots(http, tokens)) == len(slots(http, tokens, MANCHESTER)) == 4


def test_an_assessor_uses_all_skills_in_a_shift_that_names_none(http: Any, tokens: Tokens) -> None:
    manager, newcastle = tokens.issue("SERVICE_MANAGER"), "600011"
    for assessor in ("ANE01001", "ANE01003"):
        http("PublishRota", rota(shift(0, 9, 10), office=newcastle) | {"assessorId": assessor}, manager)

    found = slots(http, tokens, newcastle, needs=["APPOINTMENT_NEED_INTERPRETER"])

    assert [slot["assessorId"] for slot in found] == ["ANE01003"]


def test_a_repeated_publication_gets_the_first_answer(http: Any, tokens: Tokens) -> None:
    manager = tokens.issue("SERVICE_MANAGER")
    request = rota(shift(0, 9, 12))
    first = http("PublishRota", request, manager)
    clock.advance(timedelta(days=100))

    assert http("PublishRota", request, manager).body == first.body


WRONG: list[tuple[dict[str, Any], str, set[str]]] = [
    ({"assessorId": "NOBODY"}, "ASSESSOR_UNKNOWN", {"assessor_id"}),
    ({"officeCode": "699999"}, "OFFICE_UNKNOWN", {"office_code"}),
    ({"shifts": []}, "INVALID_FIELDS", {"shifts"}),
    ({"shifts": [{}]}, "INVALID_FIELDS", {f"shifts[0].{part}" for part in ("start", "end", "channel")}),
    ({"weeks": [{"year": 2026, "month": 2, "day": 30}]}, "INVALID_FIELDS", {"weeks[0]"}),
]


def test_a_bad_rota_is_refused_with_its_fields(http: Any, tokens: Tokens) -> None:
    manager = tokens.issue("SERVICE_MANAGER")

    for change, reason, fields in WRONG:
        answer = http("PublishRota", rota(shift(0, 9, 12)) | change, manager)
        assert (answer.reason, answer.fields) == (reason, fields), change


def test_all_faults_of_a_rota_are_named_and_nothing_of_it_is_published(http: Any, tokens: Tokens) -> None:
    wrong = rota(
        shift(0, 9, 12),
        shift(0, 11, 13),
        shift(1, 12, 9),
        shift(6, 9, 12),
        shift(2, 9, 12, skills=["JUGGLING"]),
        {"start": "2020-01-06T09:00:00Z", "end": "2020-01-06T12:00:00Z", "channel": "CHANNEL_OFFICE"},
    )

    answer = http("PublishRota", wrong, tokens.issue("SERVICE_MANAGER"))

    assert answer.fields == {
        "shifts[1].start",
        "shifts[2].end",
        "shifts[3].start",
        "shifts[4].skills",
        "shifts[5].end",
    }
    assert slots(http, tokens) == []
