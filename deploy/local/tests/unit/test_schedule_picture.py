"""The week's picture of the offices' load."""

from pathlib import Path
from typing import Any

from cms_local.schedule.load import by_office
from cms_local.schedule.picture import MOST_OFFICES, draw, load_text

PNG = b"\x89PNG"


def day(office: str, number: int, *, booked: int, breaches: float = 0.0) -> dict[str, Any]:
    return {
        "office": {"code": office, "name": f"Office {office}", "distanceKm": 0},
        "day": {"year": 2026, "month": 6, "day": number},
        "capacity": 40,
        "booked": booked,
        "forecast": 10.0,
        "expectedElsewhere": 0.0,
        "expectedBreaches": breaches,
        "breachExpected": breaches >= 1,
    }


def test_offices_with_the_most_breaches_come_first_then_the_fullest() -> None:
    days = [day("600011", 1, booked=4), day("600021", 1, booked=8), day("600031", 1, booked=0, breaches=2.0)]

    weeks = by_office(days)

    assert [week.name for week in weeks] == ["Office 600031", "Office 600021", "Office 600011"]
    assert [row[-1] for week in weeks for row in week.rows()] == ["yes", "", ""]


def test_a_day_without_slots_says_so() -> None:
    today, closed = day("600011", 1, booked=10), day("600011", 1, booked=0) | {"capacity": 0}

    assert [load_text(today), load_text(closed)] == ["25%", "no slots"]


def test_a_picture_is_drawn_of_many_offices_with_days_that_some_do_not_work(tmp_path: Path) -> None:
    days = [
        day(f"{600000 + office}", number, booked=(office * number) % 41, breaches=0.3 * (office % 7))
        for office in range(MOST_OFFICES + 5)
        for number in (1, 2, 3)
        if (office + number) % 5
    ]

    draw(by_office(days), tmp_path / "week.png", weeks_of_history=8)

    assert (tmp_path / "week.png").read_bytes().startswith(PNG)
