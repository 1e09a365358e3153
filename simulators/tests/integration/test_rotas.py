"""The rota system publishes each week of each rota until scheduling has taken it, and goes on as the clock does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue

from simulators.errors import ConfigurationError
from simulators.rotas.failures import RotasFailure
from simulators.rotas.server import RotaSystem
from simulators.settings import RotasSettings, read_settings
from simulators.testing import call
from simulators.web import WebServer

MONDAY = datetime(2005, 7, 11, 8, 0, tzinfo=UTC)
LEEDS = [f"ALE0200{number}" for number in range(1, 7)]


class Scheduling:
    """Takes rotas, and refuses the first ones where it is told to."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.refusals: list[int] = []
        self.lent: dict[str, set[int]] = {}
        """The assessors who work elsewhere, and the days of the Mondays of those weeks."""
        self.news = threading.Condition()
        application = Flask("scheduling")
        path = "/cms.scheduling.v1.SchedulingService/PublishRota"
        application.add_url_rule(path, "publish", self._publish, methods=["POST"])
        self.door = WebServer(application, host="127.0.0.1", port=0, threads=4)

    def _publish(self) -> ResponseReturnValue:
        with self.news:
            self.requests.append(request.get_json())
            self.tokens.add(request.headers["Authorization"])
            self.news.notify_all()
            if self.refusals:
                return {"code": "refused"}, self.refusals.pop()
            sent = request.get_json()
            if self.lent.get(sent["assessorId"], set()).intersection(week["day"] for week in sent["weeks"]):
                return {"code": "already_exists", "message": "SHIFT_ELSEWHERE"}, 409
            return {"added": 1}

    def wait(self, until: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The requests, as soon as they are as they should be."""
        with self.news:
            assert self.news.wait_for(lambda: until(self.requests), timeout=10)
            return list(self.requests)


@pytest.fixture
def scheduling() -> Iterator[Scheduling]:
    made = Scheduling()
    made.door.start()
    yield made
    made.door.stop()


@pytest.fixture
def settings(tmp_path: Path, scheduling: Scheduling) -> RotasSettings:
    (tmp_path / "rotas.token").write_text("abc\n")
    settings = read_settings(
        RotasSettings,
        port=0,
        data=tmp_path / "rotas",
        scheduling_url=f"http://127.0.0.1:{scheduling.door.port}",
        token_file=tmp_path / "rotas.token",
        clock_offset_file=tmp_path / "offset",
        offices="600021",
        weeks_ahead=1,
        publish_seconds=0.02,
    )
    go_to(settings, MONDAY)
    return settings


def go_to(settings: RotasSettings, moment: datetime) -> None:
    assert settings.clock_offset_file is not None
    settings.clock_offset_file.write_text(str((moment - datetime.now(UTC)).total_seconds()))


@contextmanager
def running(settings: RotasSettings) -> Iterator[RotaSystem]:
    made = RotaSystem(settings)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def wait_until_ready(system: RotaSystem) -> None:
    for _ in range(500):
        if call(system.port, "GET", "/readyz").status == 200:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the rota system is not ready")


def weeks(requests: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return sorted((one["assessorId"], week["day"]) for one in requests for week in one["weeks"])


def test_the_first_weeks_are_published_once_and_then_it_is_ready(
    scheduling: Scheduling, settings: RotasSettings
) -> None:
    with running(settings) as system:
        wait_until_ready(system)

    assert weeks(scheduling.requests) == [(assessor, day) for assessor in LEEDS for day in (11, 18)]
    assert {one["officeCode"] for one in scheduling.requests} == {"600021"}
    assert scheduling.tokens == {"Bearer abc"}


def test_a_new_week_is_published_when_the_clock_reaches_it(scheduling: Scheduling, settings: RotasSettings) -> None:
    with running(settings) as system:
        wait_until_ready(system)
        go_to(settings, MONDAY + timedelta(days=7))
        requests = scheduling.wait(lambda requests: len(requests) == 12)

    assert weeks(requests[6:]) == [(assessor, 25) for assessor in LEEDS]


def test_what_was_published_is_not_published_again_after_a_restart(
    scheduling: Scheduling, settings: RotasSettings
) -> None:
    for _ in range(2):
        with running(settings) as system:
            wait_until_ready(system)

    assert len(scheduling.requests) == 6
    assert sorted(call_summary(settings)) == LEEDS


def call_summary(settings: RotasSettings) -> dict[str, Any]:
    with running(settings) as system:
        found: dict[str, Any] = call(system.port, "GET", "/ledger").body["assessors"]
    return found


def test_a_rota_that_was_not_answered_is_repeated_as_the_same_request(
    scheduling: Scheduling, settings: RotasSettings
) -> None:
    scheduling.refusals = [503, 429]

    with running(settings) as system:
        wait_until_ready(system)

    requests = [str(one) for one in scheduling.requests]
    assert len(requests) == 8
    assert len(set(requests)) == 6


def test_a_week_that_is_refused_is_reported_and_holds_up_no_other(
    scheduling: Scheduling, settings: RotasSettings
) -> None:
    scheduling.lent = {LEEDS[0]: {11}}

    with running(settings) as system:
        wait_until_ready(system)
        ledger = call(system.port, "GET", "/ledger").body

    assert ledger["assessors"] == {
        one: ["2005-07-18"] if one == LEEDS[0] else ["2005-07-11", "2005-07-18"] for one in LEEDS
    }
    [refused] = ledger["refused"]
    assert (refused["assessor_id"], refused["week"]) == (LEEDS[0], "2005-07-11")
    assert "SHIFT_ELSEWHERE" in refused["reason"]
    assert len({one["requestId"] for one in scheduling.requests}) == len(scheduling.requests) == 8


def test_a_week_that_was_refused_is_tried_again_after_an_hour(scheduling: Scheduling, settings: RotasSettings) -> None:
    scheduling.lent = {LEEDS[0]: {11, 18}}

    with running(settings) as system:
        wait_until_ready(system)
        scheduling.lent = {}
        go_to(settings, MONDAY + timedelta(minutes=61))
        scheduling.wait(lambda requests: len(requests) == 9)
        eventually_published(system, ["2005-07-11", "2005-07-18"])

        assert call(system.port, "GET", "/ledger").body["refused"] == []


def eventually_published(system: RotaSystem, weeks: list[str]) -> None:
    for _ in range(500):
        if call(system.port, "GET", "/ledger").body["assessors"][LEEDS[0]] == weeks:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the weeks are not published")


def test_it_is_not_ready_where_it_may_not_publish(scheduling: Scheduling, settings: RotasSettings) -> None:
    scheduling.refusals = [403] * 100

    with running(settings) as system:
        scheduling.wait(lambda requests: len(requests) >= 6)
        assert call(system.port, "GET", "/readyz").status == 503


def test_it_is_not_ready_while_an_office_withholds_its_rotas(scheduling: Scheduling, settings: RotasSettings) -> None:
    system = RotaSystem(settings)
    system.plan.add([RotasFailure.model_validate({"failure": "withhold", "office_code": "600021"})])
    system.start()
    try:
        assert call(system.port, "GET", "/readyz").status == 503
        assert scheduling.requests == []
        call(system.port, "DELETE", "/failures")
        wait_until_ready(system)
    finally:
        system.stop()


def test_a_rota_that_is_sent_twice_is_the_same_request(scheduling: Scheduling, settings: RotasSettings) -> None:
    system = RotaSystem(settings)
    system.plan.add([RotasFailure.model_validate({"failure": "twice", "count": 1})])
    system.start()
    wait_until_ready(system)
    system.stop()

    assert len(scheduling.requests) == 7
    assert len({one["requestId"] for one in scheduling.requests}) == 6


def test_an_office_without_rotas_is_named_at_the_start(settings: RotasSettings) -> None:
    with pytest.raises(ConfigurationError, match="699999"):
        RotaSystem(settings.model_copy(update={"offices": "600021 699999"}))
