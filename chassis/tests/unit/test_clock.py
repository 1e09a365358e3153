"""The platform's clock: real time, moved by a file that every process reads."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from chassis import clock


def test_the_clock_shows_the_real_time_without_a_file() -> None:
    before = datetime.now(UTC)

    now = clock.now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_moves_of_the_clock_add_up(clock_file: Path) -> None:
    clock.advance(timedelta(days=3))

    assert clock.advance(timedelta(hours=-12)) == timedelta(days=2.5)
    assert clock.now() - datetime.now(UTC) > timedelta(days=2.4)


def test_a_moment_of_real_time_is_shown_on_the_platforms_clock(clock_file: Path) -> None:
    clock.advance(timedelta(days=-7000))
    real = datetime(2026, 11, 30, tzinfo=UTC)

    assert (clock.as_shown(real), clock.as_shown(None)) == (real - timedelta(days=7000), None)


def test_a_move_by_another_process_is_seen_at_once(clock_file: Path) -> None:
    assert clock.offset() == timedelta(0)

    scratch = clock_file.with_name("another")
    scratch.write_text("3600")
    scratch.replace(clock_file)

    assert clock.offset() == timedelta(hours=1)


def test_removing_the_file_removes_the_offset(clock_file: Path) -> None:
    clock.advance(timedelta(days=1))

    clock_file.unlink()

    assert clock.offset() == timedelta(0)


def test_a_reader_during_a_move_sees_the_time_before_or_after_it(clock_file: Path) -> None:
    seen: set[float] = set()
    moved = threading.Event()

    def watch() -> None:
        while not moved.is_set():
            seen.add(clock.offset().total_seconds())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(200):
        clock.advance(timedelta(seconds=123456789))
    moved.set()
    watcher.join()

    assert seen <= {123456789.0 * move for move in range(201)}


def test_the_clock_cannot_be_moved_without_a_file() -> None:
    with pytest.raises(ValueError, match="no offset file"):
        clock.advance(timedelta(days=1))


def test_the_day_is_londons(clock_file: Path) -> None:
    half_past_eleven_in_utc = datetime(2027, 7, 1, 23, 30, tzinfo=UTC)

    clock.advance(half_past_eleven_in_utc - datetime.now(UTC))

    assert clock.today() == date(2027, 7, 2)
