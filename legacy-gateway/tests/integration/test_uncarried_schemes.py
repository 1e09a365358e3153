"""A confirmed scheme that no system carries yet waits, shows, and is taken up when its system is deployed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import clock, deadlines
from chassis.database import Database
from chassis.inbox import Event
from legacy_gateway import consumers, metrics
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.domain import System
from legacy_gateway.service import confirmations
from legacy_gateway.store import transfers, uncarried

CLAIM = "C00000000018"
THIS_RELEASE = {"JOBSEEKERS_ALLOWANCE": System.JSAPS}
NEXT_RELEASE = {**THIS_RELEASE, "INCOME_SUPPORT": System.ISCS}
"""The systems that a release carries, by scheme."""

MakeEvent = Callable[..., Event]


@pytest.fixture(autouse=True)
def _this_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmations, "SYSTEM_OF_SCHEME", THIS_RELEASE)


def hear(database: Database, *events: Event) -> None:
    for event in events:
        with database.transaction() as conn:
            consumers.HANDLERS[event.name](conn, event)


def rows(database: Database) -> list[tuple[str, int, str, int]]:
    with database.transaction() as conn:
        found = conn.execute(transfers.OF_CLAIM, [CLAIM]).fetchall()
    return [(row["action"], row["phase"], row["state"], row["claim_version"]) for row in found]


def waiting(database: Database) -> list[str]:
    with database.transaction() as conn:
        return [found.scheme for found in uncarried.of_claim(conn, CLAIM)]


def overdue(database: Database) -> list[tuple[str, str, str]]:
    with database.transaction() as conn:
        return [(late.state, late.reference, late.owner) for late in deadlines.overdue(conn, DEADLINES)]


def test_a_scheme_without_a_system_does_not_hold_up_the_others(database: Database, confirmation: MakeEvent) -> None:
    event = confirmation(CLAIM, schemes=["INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "CRISIS_LOAN"])

    hear(database, event, event)

    assert rows(database) == [("NEW", 1, "WAITING", 7), ("NEW", 2, "WAITING", 7)]
    assert waiting(database) == ["CRISIS_LOAN", "INCOME_SUPPORT"]


def test_a_scheme_that_waits_for_a_day_is_overdue_for_support(
    database: Database, confirmation: MakeEvent, clock_file: Path
) -> None:
    hear(database, confirmation(CLAIM, schemes=["INCOME_SUPPORT"]))
    clock.advance(timedelta(hours=23))
    assert overdue(database) == []

    clock.advance(timedelta(hours=2))
    assert overdue(database) == [("NO_SYSTEM", CLAIM, "SUPPORT")]
    [gauge] = [one for one in metrics.GAUGES if one.name == "gateway_uncarried_schemes"]
    with database.transaction() as conn:
        assert list(gauge.read(conn)) == [(("INCOME_SUPPORT",), 1.0)]


def test_nothing_is_taken_up_before_its_system_is_deployed(database: Database, confirmation: MakeEvent) -> None:
    hear(database, confirmation(CLAIM, schemes=["INCOME_SUPPORT"]))

    assert not confirmations.take_up_next(database)

    assert (rows(database), waiting(database)) == ([], ["INCOME_SUPPORT"])


@pytest.mark.parametrize("amended_before", [True, False])
def test_a_waiting_scheme_is_taken_up_when_its_system_is_deployed(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent, *, amended_before: bool
) -> None:
    hear(database, confirmation(CLAIM, version=7, schemes=["INCOME_SUPPORT", "CRISIS_LOAN"]))
    if amended_before:
        hear(database, amendment(CLAIM, version=9))

    assert confirmations.take_up_next(database, systems=NEXT_RELEASE)
    assert not confirmations.take_up_next(database, systems=NEXT_RELEASE)
    hear(database, amendment(CLAIM, version=9))

    assert rows(database) == [("NEW", 1, "WAITING", 9)]
    assert waiting(database) == ["CRISIS_LOAN"]


def test_a_scheme_confirmed_later_than_another_is_sent_as_it_was_confirmed(
    database: Database, confirmation: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM, version=7, schemes=["INCOME_SUPPORT"]))
    hear(database, confirmation(CLAIM, version=9, schemes=["JOBSEEKERS_ALLOWANCE"]))

    assert [version for *_, version in rows(database)] == [9, 9]
    assert waiting(database) == ["INCOME_SUPPORT"]


def test_a_withdrawal_gives_up_what_waits_for_a_system(
    database: Database, confirmation: MakeEvent, withdrawal: MakeEvent
) -> None:
    hear(database, confirmation(CLAIM, schemes=["INCOME_SUPPORT"]), withdrawal(CLAIM))

    assert not confirmations.take_up_next(database, systems=NEXT_RELEASE)

    assert (rows(database), waiting(database)) == ([], [])
