"""The database's clock is put forward while a record may be at JSAPS: no wait ends early, and nothing is held twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from legacy_gateway.domain import Answer
from legacy_gateway.service.database_clock import DatabaseClock
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.store import leases

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
AN_HOUR_AGO = """
    UPDATE transfers SET connection_closed_time = connection_closed_time - interval '1 hour',
        next_attempt_time = next_attempt_time - interval '1 hour', lease_until = lease_until - interval '1 hour'
"""
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clocks:
    """The database's clock and the process's own, in seconds since the test began; a reading takes `delay`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database, self.own, self.delay = 0.0, 500.0, 0.001
        monkeypatch.setattr(leases, "database_time", self._database_time)
        monkeypatch.setattr("legacy_gateway.service.database_clock.time.monotonic", lambda: self.own)

    def _database_time(self, _: Any) -> datetime:
        now = BEGAN + timedelta(seconds=self.database)
        self.pass_by(self.delay)
        return now

    def pass_by(self, seconds: float) -> None:
        self.database += seconds
        self.own += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def test_a_clock_that_nobody_sets_is_even_since_it_was_first_read_however_slow_a_reading_is(clocks: Clocks) -> None:
    clock = DatabaseClock()
    first = clock.steady_since(None)  # type: ignore[arg-type]

    for clocks.delay in (0.001, 3.0, 0.001, 0.5):
        clocks.pass_by(60.0)
        clocks.database += 0.02
        assert clock.steady_since(None) == first  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [3600.0, 0.5, -0.5, -3600.0])
def test_a_clock_that_was_set_is_even_from_then_on_only(clocks: Clocks, step: float) -> None:
    clock = DatabaseClock()
    clock.steady_since(None)  # type: ignore[arg-type]
    clocks.pass_by(60.0)

    clocks.database += step
    since = clock.steady_since(None)  # type: ignore[arg-type]

    clocks.pass_by(60.0)
    assert since == BEGAN + timedelta(seconds=60.001 + step)
    assert clock.steady_since(None) == since  # type: ignore[arg-type]


def put_forward(gateway: Any, *clocks: DatabaseClock) -> None:
    """An hour forward is, for the ledger, all of it an hour ago; these clocks were read before that."""
    gateway.change(AN_HOUR_AGO)
    for clock in clocks:
        assert clock._ahead is not None
        assert clock._since is not None
        clock._ahead = (clock._ahead[0] - 3600, clock._ahead[1] - 3600)
        clock._since -= timedelta(hours=1)


def test_an_hour_forward_while_a_held_record_is_unknown_does_not_make_it_held_twice(gateway: Any) -> None:
    gateway.order("hold_late", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]

    put_forward(gateway, gateway.resources.clock)

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")
    assert gateway.held(claim_ref) == HELD_ONCE


def test_an_hour_forward_while_a_record_is_on_its_way_leaves_it_to_its_sender(gateway: Any) -> None:
    sweeper = replace(gateway.resources, clock=DatabaseClock())
    sweep(sweeper)

    def around(send: Any) -> Answer:
        put_forward(gateway, sweeper.clock)
        assert sweep(sweeper) is False
        answer: Answer = send()
        return answer

    gateway.recorded(around)
    claim_ref = gateway.claim()
    gateway.send()

    assert gateway.states(claim_ref) == ["ACCEPTED", "WAITING"]
