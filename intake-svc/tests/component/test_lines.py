"""The counts that the switch reports, and the operators that are needed for them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def counts(quarter: int = 0, offered: int = 100, **more: int) -> dict[str, Any]:
    start = (NINE + timedelta(minutes=15 * quarter)).isoformat().replace("+00:00", "Z")
    made = {"start": start, "offered": offered, "answered": 90, "abandoned": 8, "answeredWithinTarget": 80}
    return made | more


@pytest.fixture
def switch(desk: Any) -> Any:
    return desk("SERVICE", "telephone-switch")


def lines(desk: Any, since: datetime = NINE, until: datetime = NINE + timedelta(hours=1)) -> Any:
    manager = desk("SERVICE_MANAGER", "SM000001")
    return manager.get("GetLines", **{"from": since.isoformat(), "until": until.isoformat()})


def test_a_report_may_be_repeated_and_corrected(desk: Any, switch: Any) -> None:
    first, second = [counts(), counts(1)], [counts(1, offered=120), counts(2)]

    changed = [switch.once("ReportLines", quarterHours=report)["changed"] for report in (first, first, second)]

    assert changed == [2, 0, 2]
    found = [part["counts"] for part in lines(desk)["quarterHours"]]
    assert found == [counts(), counts(1, offered=120), counts(2)]


def test_no_other_service_reports_lines(desk: Any) -> None:
    reply = desk("SERVICE", "scheduling-svc").try_once("ReportLines", quarterHours=[counts()])

    assert (reply.code, reply.reason) == ("permission_denied", "CALLING_SERVICE")


def test_operators_are_reckoned_by_the_times_of_the_calls(desk: Any, switch: Any, clock_file: Path) -> None:
    before = lines(desk)
    operator = desk()
    began = clock.now()
    for nino in ("AB123456C", "CE123456A"):
        call = operator.start(nino)["call"]["callId"]
        for minutes, method in ((8, "HoldCall"), (2, "ResumeCall")):
            clock.advance(timedelta(minutes=minutes))
            operator.once(method, callId=call)
        operator.once("EndCall", callId=call, outcome="CALL_OUTCOME_COMPLETED")
        clock.advance(timedelta(minutes=2))
        operator.once("EndWrapUp", callId=call)
    clock.advance(timedelta(minutes=30))
    quarter = began - timedelta(seconds=began.timestamp() % 900)
    report = counts() | {"start": quarter.isoformat()}
    switch.once("ReportLines", quarterHours=[report])

    found = lines(desk, quarter, quarter + timedelta(hours=2))

    handling, [part] = found["handlingTime"], found["quarterHours"]
    assert (before["handlingTime"]["calls"], handling["calls"]) == (0, 2)
    assert [round(handling[name] / 60, 1) for name in ("talkSeconds", "holdSeconds", "wrapUpSeconds")] == [8, 2, 2]
    assert found["serviceTarget"] == {"share": 0.8, "seconds": 20}
    # 100 calls in a quarter of an hour: 80 erlangs at twelve minutes, 400 at an hour.
    assert 80 < part["operatorsNeeded"] < 100
    assert 400 < part["operatorsNeededByFixedScript"] < 440


def test_without_a_measured_call_no_number_is_made_up(desk: Any, switch: Any) -> None:
    switch.once("ReportLines", quarterHours=[counts()])

    [part] = lines(desk)["quarterHours"]

    assert "operatorsNeeded" not in part
    assert part["operatorsNeededByFixedScript"] > 400
