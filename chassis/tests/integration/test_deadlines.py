"""Overdue items are counted and listed, by the clock that dates them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from chassis import clock, deadlines
from chassis.deadlines import Deadline, within, within_real

HANDLED = Deadline(
    state="OLD",
    owner="SUPPORT",
    cut_off=within(timedelta(hours=1)),
    query="SELECT event_id::text AS reference, now() - interval '59 minutes' AS since FROM handled",
)


def counted(platform: Any, *given: Deadline) -> dict[str, float]:
    with platform.database.transaction() as conn:
        return {labels[0]: value for labels, value in deadlines.gauge("tested", given).read(conn)}


def labels_of(platform: Any, *given: Deadline) -> list[str]:
    with platform.database.transaction() as conn:
        return [labels[0] for labels, _ in deadlines.gauge("tested", given).read(conn)]


def listed(platform: Any, *given: Deadline) -> list[tuple[str, str, str]]:
    with platform.database.transaction() as conn:
        return [(late.state, late.owner, late.reference) for late in deadlines.overdue(conn, given)]


def test_items_within_their_deadline_are_neither_counted_nor_listed(platform: Any) -> None:
    platform.execute("INSERT INTO handled VALUES (gen_random_uuid())")
    platform.submitted()

    assert counted(platform, HANDLED) == {"EVENT_UNFINISHED": 0, "DEAD_LETTER": 0, "OLD": 0}
    assert listed(platform, HANDLED) == []


def test_a_state_with_several_deadlines_is_counted_as_one(platform: Any) -> None:
    platform.execute("INSERT INTO handled VALUES (gen_random_uuid())")
    by_another = Deadline(state="OLD", owner="SUPPORT", cut_off=within(timedelta(minutes=1)), query=HANDLED.query)

    assert counted(platform, HANDLED, by_another)["OLD"] == 1
    assert [state for state, _, _ in listed(platform, by_another, by_another)] == ["OLD", "OLD"]
    assert labels_of(platform, HANDLED, by_another).count("OLD") == 1


def test_an_item_overdue_by_the_platforms_clock_shows_when_the_clock_is_moved(platform: Any, clock_file: Path) -> None:
    platform.execute("INSERT INTO handled VALUES ('00000000-0000-0000-0000-000000000001')")

    clock.advance(timedelta(minutes=2))

    assert counted(platform, HANDLED)["OLD"] == 1
    assert listed(platform, HANDLED) == [("OLD", "SUPPORT", "00000000-0000-0000-0000-000000000001")]


def test_an_item_that_the_database_dates_is_not_made_older_by_moving_the_clock(platform: Any, clock_file: Path) -> None:
    platform.submitted()

    clock.advance(timedelta(days=30))

    assert counted(platform)["EVENT_UNFINISHED"] == 0


def test_events_that_nobody_receipts_and_dead_letters_are_listed_by_claim(platform: Any) -> None:
    platform.submitted()
    platform.execute("UPDATE outbox SET created = clock_timestamp() - interval '61 minutes'")
    platform.execute(
        "INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, reason, tries, died_time)"
        " VALUES (gen_random_uuid(), 's', 't', 'C2', '', 'R', 3, clock_timestamp() - interval '25 hours')"
    )

    assert listed(platform) == [("EVENT_UNFINISHED", "SUPPORT", "C0000000000A"), ("DEAD_LETTER", "SUPPORT", "C2")]


def test_a_real_deadline_goes_by_the_real_time(clock_file: Path) -> None:
    clock.advance(timedelta(days=1))

    assert clock.now() - within_real(timedelta(hours=1))(clock.now()) > timedelta(hours=24)
