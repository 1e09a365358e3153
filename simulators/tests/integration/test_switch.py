"""The telephone switch reports each quarter of an hour that is over, and again where its counts have changed."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue

from simulators.settings import SwitchSettings, read_settings
from simulators.switch.failures import SwitchFailure
from simulators.switch.server import Switch
from simulators.switch.traffic import counted, quarters
from simulators.testing import call
from simulators.web import WebServer

MONDAY = datetime(2005, 7, 11, 9, 5, tzinfo=UTC)


class Intake:
    """Takes reports, and refuses the first ones where it is told to."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.refusals = 0
        self.news = threading.Condition()
        application = Flask("intake")
        application.add_url_rule("/cms.intake.v1.IntakeService/ReportLines", "report", self._report, methods=["POST"])
        self.door = WebServer(application, host="127.0.0.1", port=0, threads=2)

    def _report(self) -> ResponseReturnValue:
        with self.news:
            self.requests.append(request.get_json())
            self.tokens.add(request.headers["Authorization"])
            self.news.notify_all()
            if self.refusals:
                self.refusals -= 1
                return {"code": "unavailable"}, 503
            return {"changed": 1}

    def wait(self, number: int) -> list[dict[str, Any]]:
        """The requests, as soon as there are so many."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.requests) >= number, timeout=10)
            return list(self.requests)


@pytest.fixture
def intake() -> Iterator[Intake]:
    made = Intake()
    made.door.start()
    yield made
    made.door.stop()


@pytest.fixture
def settings(tmp_path: Path, intake: Intake) -> SwitchSettings:
    token, offset = tmp_path / "switch.token", tmp_path / "offset"
    token.write_text("abc\n")
    offset.write_text(str((MONDAY - datetime.now(UTC)).total_seconds()))
    return read_settings(
        SwitchSettings,
        port=0,
        control_port=0,
        data=tmp_path / "switch",
        intake_url=f"http://127.0.0.1:{intake.door.port}",
        token_file=token,
        clock_offset_file=offset,
        report_seconds=0.02,
    )


@pytest.fixture
def switch(settings: SwitchSettings) -> Iterator[Switch]:
    made = Switch(settings)
    made.start()
    yield made
    made.stop()


def starts(requests: list[dict[str, Any]]) -> list[str]:
    return [part["start"] for report in requests for part in report["quarterHours"]]


def test_a_week_is_reported_once_in_batches(intake: Intake, switch: Switch) -> None:
    found = starts(intake.wait(7))

    assert len(found) == len(set(found)) == 7 * 96
    assert found == sorted(found)
    assert intake.tokens == {"Bearer abc"}


def test_a_report_that_was_not_taken_is_repeated_as_the_same_request(intake: Intake, switch: Switch) -> None:
    with intake.news:
        intake.refusals = 1

    first, second = intake.wait(2)[:2]

    assert first == second


def test_a_correction_is_reported_and_kept(intake: Intake, settings: SwitchSettings) -> None:
    given = {"start": "2005-07-11T08:00:00Z", "offered": 9, "answered": 7, "abandoned": 1, "answered_within_target": 5}
    first = Switch(settings)
    first.start()
    already = len(intake.wait(7))

    answer = call(first.control_port, "PUT", "/quarter-hours", body=[given])
    report = intake.wait(already + 1)[-1]
    first.stop()
    again = Switch(settings)
    again.start()
    kept = call(again.control_port, "GET", "/ledger").body["given"]
    again.stop()

    assert answer.status == 200
    assert [(part["start"], part["offered"]) for part in report["quarterHours"]] == [(given["start"], 9)]
    assert report["requestId"] not in {earlier["requestId"] for earlier in intake.requests[:already]}
    assert [found["offered"] for found in kept] == [9]


@pytest.mark.parametrize(
    "more",
    [{"start": "2005-07-11T08:01:00Z"}, {"offered": -1}, {"offered": 7}, {"answered_within_target": 8}, {"x": 1}],
)
def test_counts_that_cannot_be_are_refused(switch: Switch, more: dict[str, Any]) -> None:
    given = {"start": "2005-07-11T08:00:00Z", "offered": 9, "answered": 7, "abandoned": 1, "answered_within_target": 5}

    answer = call(switch.control_port, "PUT", "/quarter-hours", body=[given | more])

    assert answer.status == 400


def test_a_miscount_is_corrected_by_the_next_report(intake: Intake, settings: SwitchSettings) -> None:
    made = Switch(settings)
    made.plan.add([SwitchFailure.model_validate({"failure": "miscount", "count": 1})])
    made.start()
    requests = intake.wait(8)
    made.stop()

    wrong = {part["start"]: part["offered"] for part in requests[0]["quarterHours"]}
    right = {part["start"]: part["offered"] for part in requests[1]["quarterHours"] if part["start"] in wrong}
    assert right
    assert all(right[start] == wrong[start] + 1 for start in right)


def test_the_same_quarter_has_the_same_counts_whenever_it_is_asked() -> None:
    day = [counted(start, calls_per_day=11_000, seed=0) for start in quarters(MONDAY, MONDAY + timedelta(days=1))]

    again = [counted(start, calls_per_day=11_000, seed=0) for start in quarters(MONDAY, MONDAY + timedelta(days=1))]

    assert day == again
    assert all(found.answered + found.abandoned == found.offered for found in day)
    assert sum(found.offered for found in day) > 5_000
    assert not any(found.offered for found in day if found.start.hour < 6)


def test_the_public_door_gives_the_switchs_own_counts(switch: Switch) -> None:
    answer = call(switch.port, "GET", "/quarter-hours?from=2005-07-11T08:00:00Z")

    assert answer.status == 200
    assert len(answer.body["quarter_hours"]) == 4
    assert call(switch.port, "GET", "/quarter-hours?from=yesterday").status == 400
