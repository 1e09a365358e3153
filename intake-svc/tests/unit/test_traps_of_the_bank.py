"""Questions that must not be asked, or not of some people, or not before others; answers that must not be read back or told."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from intake.catalogue import CATALOGUES, load_catalogue
from intake.domain.answers import validate_answer
from intake.domain.catalogue import Catalogue
from intake.domain.interview import Answer, evaluate

IS, JSA, IB = "INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT"
LOAN, MAINTENANCE = "CRISIS_LOAN", "CHILD_MAINTENANCE"
JULY_2005 = date(2005, 7, 11)
CHILD = {"name": "Mia", "date_of_birth": "2000-01-31", "relationship": "SON_OR_DAUGHTER"}
TENANT = {
    "tenure": "PRIVATE_TENANT", "liable_for_rent": True, "liable_for_council_tax": True, "wishes_housing_benefit": True,
    "wishes_council_tax_benefit": True,
}  # fmt: skip
NO_WISH = TENANT | {"wishes_housing_benefit": False, "wishes_council_tax_benefit": False}
PARTNER = {"has_partner": True, "partner_date_of_birth": "1975-05-05", "children": []}
WORKER = {"ever_worked": True, "claims_income_based": True, "has_partner": False, "children": []}
MONEY = {"capital", "other_income", "given_away", "capital_kinds", "disability_benefit"}
ARRIVAL = {
    "arrived_on", "came_from", "nationality", "eea_basis", "public_funds_barred", "sponsored", "asylum_seeker",
}  # fmt: skip
PREGNANCY = {"expected_birth", "born_on", "sick_from_pregnancy"}

Relevant = Callable[..., set[str]]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUES / "2")


@pytest.fixture(scope="module")
def relevant(catalogue: Catalogue) -> Relevant:
    """The questions that these answers make relevant for the schemes, in July 2005 unless another day is given."""

    def of(*schemes: str, on: date = JULY_2005, **answers: Any) -> set[str]:
        script = catalogue.script_for(schemes)
        given = {
            name: Answer(value=validate_answer(script.questions, name, value, today=on), version=1)
            for name, value in answers.items()
        }
        states = evaluate(script, given, language="EN", contact_date=on).questions
        return {state.question.id for state in states if state.relevant}

    return of


def test_incapacity_benefit_asks_nothing_of_savings_residence_or_a_partners_work(relevant: Relevant) -> None:
    asked = relevant(IB, **PARTNER, **NO_WISH)

    assert not asked & (MONEY | {"arrived_recently", "partner_hours", "partner_nino", "partner_claims", "landlord"})
    assert "pension_weekly" in asked


def test_the_council_needs_income_and_capital_whatever_the_benefit(relevant: Relevant) -> None:
    for scheme in (IB, JSA):
        asked = relevant(
            scheme, **TENANT, **({"ever_worked": True, "claims_income_based": False} if scheme == JSA else {})
        )

        assert {"capital", "other_income", "children", "rent_amount", "non_dependants"} <= asked
        assert not asked & {"given_away", "disability_benefit", "arrived_recently"}


def test_a_claim_on_contributions_alone_asks_for_the_own_pension_and_for_no_capital(relevant: Relevant) -> None:
    asked = relevant(JSA, **NO_WISH, **WORKER | {"claims_income_based": False, "children": None})

    assert not asked & (MONEY | {"arrived_recently", "partner_claims", "has_mortgage", "children"})
    assert {"pension_weekly", "part_time_hours", "available_from"} <= asked


def test_somebody_who_never_worked_claims_by_income_without_being_asked(relevant: Relevant) -> None:
    asked = relevant(JSA, **NO_WISH, ever_worked=False)

    assert not asked & {"claims_income_based", "last_employer", "last_job_ended", "last_job_reason"}
    assert {"capital", "other_income", "arrived_recently"} <= asked


def test_an_owner_is_not_asked_about_rent_nor_a_tenant_about_a_mortgage(relevant: Relevant) -> None:
    owner = relevant(IS, tenure="OWNER_OCCUPIER", liable_for_council_tax=True, wishes_council_tax_benefit=True)

    assert not owner & {"liable_for_rent", "wishes_housing_benefit", "landlord", "rent_amount", "rent_period"}
    assert "has_mortgage" in owner
    assert "lender" not in owner
    assert not relevant(IS, **TENANT) & {"has_mortgage", "lender", "service_charge", "non_dependants_work"}


@pytest.mark.parametrize("schemes", [(IS,), (JSA,), (IB,), (LOAN,), (IS, JSA, IB, LOAN)])
def test_a_partner_who_has_died_or_gone_ends_the_questions_about_one(
    catalogue: Catalogue, relevant: Relevant, schemes: tuple[str, ...]
) -> None:
    about = {name for name in catalogue.script_for(schemes).questions if name.startswith("partner_")}
    known = {name: value for name, value in WORKER.items() if name in catalogue.script_for(schemes).questions}

    assert about & relevant(*schemes, **known | {"has_partner": True})
    assert not about & relevant(*schemes, **known | {"has_partner": False})


@pytest.mark.parametrize("schemes", [(IS,), (LOAN,), (IS, JSA)])
def test_nobody_is_asked_about_immigration_who_did_not_arrive_lately(
    relevant: Relevant, schemes: tuple[str, ...]
) -> None:
    assert "arrived_recently" in relevant(*schemes)
    assert not ARRIVAL & relevant(*schemes)
    assert not ARRIVAL & relevant(*schemes, arrived_recently=False)
    assert relevant(*schemes, arrived_recently=True, nationality="BRITISH_IRISH") >= {"arrived_on", "nationality"}


def test_the_right_to_reside_is_asked_about_from_may_2004(relevant: Relevant) -> None:
    arrived = {"arrived_recently": True, "nationality": "EEA"}

    assert "eea_basis" not in relevant(IS, on=date(2004, 4, 30), **arrived)
    assert "eea_basis" in relevant(IS, on=date(2004, 5, 1), **arrived)


@pytest.mark.parametrize("group", ["LP", "CA", "SK", "OT"])
def test_a_pregnancy_is_asked_about_only_of_those_who_name_it_as_their_reason(relevant: Relevant, group: str) -> None:
    assert not PREGNANCY & relevant(IS, is_group=group)
    assert relevant(IS, is_group="PR") >= {"expected_birth", "born_on"}
    assert not PREGNANCY & (relevant(JSA, **WORKER) | relevant(IB) | relevant(LOAN))


@pytest.mark.parametrize(("due", "asked"), [("2005-09-26", False), ("2005-09-27", True)])
def test_whether_a_pregnancy_keeps_from_working_is_asked_more_than_eleven_weeks_before_the_birth(
    relevant: Relevant, due: str, *, asked: bool
) -> None:
    found = relevant(IS, is_group="PR", expected_birth=due)

    assert ("sick_from_pregnancy" in found) == asked


def test_the_reason_for_leaving_a_job_is_asked_while_it_can_cost_benefit(relevant: Relevant) -> None:
    left = WORKER | {"last_job_reason": "RESIGNED"}

    assert "leaving_story" in relevant(JSA, **left, last_job_ended="2005-02-01")
    assert "leaving_story" not in relevant(JSA, **left, last_job_ended="2005-01-01")
    assert "leaving_story" not in relevant(JSA, **left | {"last_job_reason": "REDUNDANT"}, last_job_ended="2005-07-01")


@pytest.mark.parametrize(
    ("on", "born", "partner_born", "asked"),
    [
        (date(2002, 10, 27), "1970-01-01", "1972-01-01", False),
        (date(2002, 10, 28), "1970-01-01", "1972-01-01", True),
        (date(2002, 10, 27), "1976-03-20", "1950-01-01", True),
        (date(2002, 10, 27), "1976-03-19", "1950-01-01", False),
        (JULY_2005, "1957-10-28", "1957-10-28", False),
        (JULY_2005, "1950-01-01", "1957-10-29", True),
        (JULY_2005, "1950-01-01", "1987-07-12", False),
    ],
)
def test_a_couple_claims_jointly_if_one_of_them_is_grown_up_and_born_late_enough(
    relevant: Relevant, on: date, born: str, partner_born: str, *, asked: bool
) -> None:
    couple = WORKER | {"has_partner": True, "date_of_birth": born, "partner_date_of_birth": partner_born}
    couple |= {"partner_hours": 15.9}

    assert ("partner_excused" in relevant(JSA, on=on, **couple)) == asked
    assert "partner_excused" not in relevant(JSA, on=on, **couple | {"children": [CHILD]})
    assert "partner_excused" not in relevant(JSA, on=on, **couple | {"partner_hours": 16})
    assert "partner_excused" not in relevant(JSA, on=on, **couple | {"claims_income_based": False})


def test_nothing_is_asked_that_follows_from_another_answer(catalogue: Catalogue) -> None:
    texts = [question.text.en.lower() for question in catalogue.bank.values()]

    assert not [text for text in texts if "how old" in text or "your age" in text or "signing day" in text]
    assert len(texts) == len(set(texts))


def test_answers_kept_from_the_council_are_not_shown_to_the_notifier(catalogue: Catalogue) -> None:
    secret = [question for question in catalogue.bank.values() if "NOT_TO_COUNCIL" in question.sensitivity]

    assert [question.id for question in secret if "la-notifier" in question.seen_by] == []
    assert {question.id for question in secret} >= {
        "illness", "disability_benefit", "sort_code", "account_number", "expected_birth", "asylum_seeker",
        "contact_unsafe", "good_cause", "other_parent_address",
    }  # fmt: skip


def test_questions_never_read_back_are_marked(catalogue: Catalogue) -> None:
    marked = {name for name, question in catalogue.bank.items() if "NOT_READ_BACK" in question.sensitivity}

    assert marked >= {
        "nino", "sort_code", "account_number", "illness", "contact_unsafe", "good_cause", "other_parent_address",
        "other_parent_employer", "other_parent_nino", "disability_benefit", "expected_birth",
    }  # fmt: skip


def test_a_persons_whereabouts_are_never_told_to_the_other_parent(catalogue: Catalogue) -> None:
    kept = {name for name, question in catalogue.bank.items() if "NOT_TO_OTHER_PARENT" in question.sensitivity}

    assert kept >= {"address", "post_address", "postcode_again", "council", "telephone", "email", "nino"}


def test_safety_is_asked_before_any_contact_detail(catalogue: Catalogue, relevant: Relevant) -> None:
    order = list(catalogue.bank)
    contact = min(order.index(name) for name in ("address", "telephone", "email", "post_address"))

    assert {"contact_unsafe"} <= relevant(MAINTENANCE)
    for schemes, known in {(IS,): {}, (JSA,): WORKER}.items():
        asked = relevant(*schemes, **known | {"children": [CHILD], "other_parent_elsewhere": True})
        assert "contact_unsafe" in asked
        decides = {"contact_unsafe", "other_parent_elsewhere", "children", "has_partner", "is_group"} & asked
        assert max(order.index(name) for name in decides) < contact
