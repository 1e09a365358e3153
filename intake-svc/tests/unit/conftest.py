from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Interview, evaluate
from intake.domain.script import Script
from intake.domain.script_file import SCRIPTS, load_script

Answered = Callable[..., dict[str, Answer]]
Evaluated = Callable[[Mapping[str, Answer]], Interview]


@pytest.fixture(scope="session")
def script() -> Script:
    return load_script(SCRIPTS / "jobseekers_allowance.toml")


@pytest.fixture(scope="session")
def today() -> date:
    return date(2026, 3, 2)


@pytest.fixture(scope="session")
def answered(script: Script, today: date) -> Answered:
    """Makes answers of JSON values, each validated as it would be when it was given."""

    def make(**values: Any) -> dict[str, Answer]:
        return {
            name: Answer(value=validate_answer(script, name, value, today=today), version=1)
            for name, value in values.items()
        }

    return make


@pytest.fixture(scope="session")
def evaluated(script: Script) -> Evaluated:
    return lambda answers: evaluate(script, answers, language="EN")


@pytest.fixture(scope="session")
def single_tenant() -> dict[str, Any]:
    """A single tenant of the council, out of work, with an account."""
    return {
        "language": "EN",
        "surname": "Hughes",
        "forenames": "Ann Mary",
        "date_of_birth": "1980-02-29",
        "sex": "F",
        "nino": "AB123456C",
        "arrived_recently": False,
        "address": {"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"},
        "telephone": "0113 496 0999",
        "has_partner": False,
        "children": [],
        "ever_worked": True,
        "last_employer": "Harrison & Sons",
        "last_job_ended": "2026-02-13",
        "last_job_reason": "REDUNDANT",
        "part_time_hours": 0,
        "earlier_claim": "NONE",
        "wishes_backdating": False,
        "available_from": "2026-03-02",
        "actively_seeking": True,
        "hours_available": 40,
        "job_goal_1": "Bookkeeper",
        "education_hours": 0,
        "jury_service": False,
        "other_income": [],
        "capital": "350.00",
        "pension_weekly": "0.00",
        "has_account": True,
        "sort_code": "20-00-00",
        "account_number": "12345678",
        "account_name": "A M Hughes",
        "tenure": "COUNCIL_TENANT",
        "liable_for_rent": True,
        "liable_for_council_tax": True,
        "wishes_housing_benefit": True,
        "wishes_council_tax_benefit": True,
        "rent_amount": "91.50",
        "rent_period": "WEEKLY",
        "moved_in_on": "2019-06-01",
        "non_dependants": [],
        "declaration": True,
    }


@pytest.fixture(scope="session")
def couple_with_children(single_tenant: dict[str, Any]) -> dict[str, Any]:
    """A couple with two children who rent from a landlord and work a few hours."""
    return single_tenant | {
        "has_partner": True,
        "partner_surname": "O'Brien",
        "partner_forenames": "Sean",
        "partner_date_of_birth": "1979-05-04",
        "partner_nino": "CE123456A",
        "partner_hours": 12.5,
        "children": [
            {"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"},
            {"name": "李", "date_of_birth": "2018-07-01", "relationship": "STEPCHILD"},
        ],
        "child_benefit": True,
        "part_time_hours": 6,
        "part_time_earnings": "61.20",
        "hours_available": 30,
        "restrictions": "School runs",
        "tenure": "PRIVATE_TENANT",
        "landlord": "Mr J Price",
    }
