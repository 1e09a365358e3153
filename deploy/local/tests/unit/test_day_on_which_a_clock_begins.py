"""A platform's clock begins in the morning of the day that was asked for, and never goes back under data."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis import clock
from cms_local import platform
from cms_local.layout import Layout
from cms_local.main import app

JULY = date(2005, 7, 11)


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    yield Layout(None, prepared=tmp_path / "platform")
    clock.configure(None)


@pytest.fixture
def with_data(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Layout:
    folder = layout.folder / "postgres"
    folder.mkdir(parents=True)
    monkeypatch.setattr(platform, "postgres_folder", lambda _: folder)
    return layout


def test_the_clock_of_a_new_platform_begins_at_ten_to_nine_in_london(layout: Layout) -> None:
    platform.begin_on(layout, JULY)

    assert abs(clock.now() - datetime(2005, 7, 11, 7, 50, tzinfo=UTC)).total_seconds() < 60


def test_a_platform_that_has_data_goes_on_from_its_own_time_on_the_same_day(with_data: Layout) -> None:
    clock.configure(with_data.clock_file)
    clock.advance(datetime(2005, 7, 11, 15, tzinfo=UTC) - clock.now())

    platform.begin_on(with_data, JULY)

    assert abs(clock.now() - datetime(2005, 7, 11, 15, tzinfo=UTC)).total_seconds() < 60


def test_a_clock_moves_forward_under_data_and_never_back(with_data: Layout) -> None:
    clock.configure(with_data.clock_file)
    clock.advance(datetime(2005, 7, 11, 15, tzinfo=UTC) - clock.now())

    platform.begin_on(with_data, date(2005, 8, 1))

    assert clock.today() == date(2005, 8, 1)
    with pytest.raises(platform.DayPassed, match="has lived until 2005-08-01, past 2005-07-11"):
        platform.begin_on(with_data, JULY)
    assert clock.today() == date(2005, 8, 1)


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_value_that_is_no_day_is_refused(command: str) -> None:
    assert CliRunner().invoke(app, [command, "--on", "11 July"]).exit_code == 2
