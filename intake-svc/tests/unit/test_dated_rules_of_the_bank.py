"""Rules that changed on a day hold by the date of claim, and not by the day on which somebody asks."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from intake.catalogue import CATALOGUES, load_catalogue
from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Blocker, evaluate

Faulty = Callable[..., set[str]]
IS = "INCOME_SUPPORT"


@pytest.fixture(scope="module")
def faulty() -> Faulty:
    """The questions whose answers fail a check in a claim whose first contact was on this day."""
    catalogue = load_catalogue(CATALOGUES / "2")

    def of(scheme: str, on: date, **answers: Any) -> set[str]:
        script = catalogue.script_for([scheme])
        given = {
            name: Answer(value=validate_answer(script.questions, name, value, today=on), version=1)
            for name, value in answers.items()
        }
        states = evaluate(script, given, language="EN", contact_date=on).questions
        return {state.question.id for state in states if state.blocker in {Blocker.CHECK_FAILED, Blocker.NOT_ENTITLED}}

    return of


def child(born: str) -> dict[str, Any]:
    return {"name": "Mia", "date_of_birth": born, "relationship": "SON_OR_DAUGHTER"}


@pytest.mark.parametrize(
    ("on", "limit"),
    [
        (date(2008, 11, 23), 16), (date(2008, 11, 24), 12), (date(2009, 10, 25), 12), (date(2009, 10, 26), 10),
        (date(2010, 10, 24), 10), (date(2010, 10, 25), 7),
    ],
)  # fmt: skip
def test_a_lone_parent_needs_a_child_under_the_age_of_the_day(faulty: Faulty, on: date, limit: int) -> None:
    alone = {"is_group": "LP", "has_partner": False}
    birthday = on.replace(year=on.year - limit)
    day_after = birthday.replace(day=birthday.day + 1)

    assert faulty(IS, on, **alone, children=[child(day_after.isoformat())]) == set()
    assert faulty(IS, on, **alone, children=[child(birthday.isoformat())]) == {"is_group"}
    assert faulty(IS, on, **alone, children=[child(birthday.isoformat()), child(on.isoformat())]) == set()


def test_somebody_with_a_partner_or_without_a_child_is_no_lone_parent(faulty: Faulty) -> None:
    on = date(2005, 7, 11)

    assert faulty(IS, on, is_group="LP", has_partner=True, children=[child("2000-01-31")]) == {"is_group"}
    assert faulty(IS, on, is_group="LP", has_partner=False, children=[]) == {"is_group"}


@pytest.mark.parametrize(("on", "failed"), [(date(2008, 10, 26), set()), (date(2008, 10, 27), {"is_group"})])
def test_the_sick_claim_income_support_until_october_2008(faulty: Faulty, on: date, failed: set[str]) -> None:
    assert faulty(IS, on, is_group="SK") == failed


@pytest.mark.parametrize(
    ("on", "capital", "failed"),
    [
        (date(2006, 4, 9), "8000.00", set()), (date(2006, 4, 9), "8000.01", {"capital"}),
        (date(2006, 4, 10), "8000.01", set()), (date(2006, 4, 10), "16000.01", {"capital"}),
    ],
)  # fmt: skip
def test_capital_is_held_to_the_limit_of_the_date_of_claim(
    faulty: Faulty, on: date, capital: str, failed: set[str]
) -> None:
    assert faulty(IS, on, capital=capital) == failed
    assert faulty("JOBSEEKERS_ALLOWANCE", on, ever_worked=True, claims_income_based=True, capital=capital) == failed
    assert faulty("JOBSEEKERS_ALLOWANCE", on, ever_worked=False, capital=capital) == failed


def test_a_backdated_claim_has_the_limit_of_the_day_for_which_it_is_made(faulty: Faulty) -> None:
    backdated = {"wishes_backdating": True, "backdate_to": "2006-04-09", "capital": "9000.00"}

    assert faulty(IS, date(2006, 4, 20), **backdated) == {"capital"}
    assert faulty(IS, date(2006, 4, 20), **backdated | {"backdate_to": "2006-04-10"}) == set()


@pytest.mark.parametrize(("on", "failed"), [(date(2006, 4, 9), {"children"}), (date(2006, 4, 10), set())])
def test_a_young_person_counts_as_a_child_to_19_and_from_april_2006_to_20(
    faulty: Faulty, on: date, failed: set[str]
) -> None:
    assert faulty(IS, on, children=[child("1987-01-31")]) == failed


@pytest.mark.parametrize(
    ("answers", "failed"),
    [
        ({"expected_birth": "2005-03-28"}, set()),
        ({"expected_birth": "2005-02-28"}, set()),
        ({"expected_birth": "2005-02-27"}, {"expected_birth"}),
        ({"expected_birth": "2005-03-20", "born_on": "2005-03-28"}, set()),
        ({"expected_birth": "2005-04-20", "born_on": "2005-03-27"}, {"born_on"}),
        ({"expected_birth": "2006-05-01"}, {"expected_birth"}),
    ],
)
def test_a_pregnancy_counts_until_fifteen_weeks_after_the_birth(
    faulty: Faulty, answers: dict[str, Any], failed: set[str]
) -> None:
    assert faulty(IS, date(2005, 7, 11), is_group="PR", **answers) == failed


def test_a_claim_goes_back_three_months_before_the_first_contact(faulty: Faulty) -> None:
    on = date(2005, 5, 31)

    assert faulty(IS, on, wishes_backdating=True, backdate_to="2005-02-28") == set()
    assert faulty(IS, on, wishes_backdating=True, backdate_to="2005-02-27") == {"backdate_to"}


def test_work_of_sixteen_hours_or_a_partners_of_24_bars_income_support(faulty: Faulty) -> None:
    on = date(2005, 7, 11)

    assert faulty(IS, on, part_time_hours=15.9, has_partner=True, partner_hours=23.9) == set()
    assert faulty(IS, on, part_time_hours=16, has_partner=True, partner_hours=24) == {
        "part_time_hours",
        "partner_hours",
    }
