"""Records of ISCS, SFCS, PSCS and CMS-COTS are made from facts; what a record cannot hold is for a person."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from legacy_gateway import mapping
from legacy_gateway.domain import Action, Facts, System
from legacy_gateway.mapping import showing
from legacy_gateway.records import decode, layout

PERSON: Mapping[str, Any] = {
    "language": "EN",
    "title": "MS",
    "surname": "WALKER",
    "forenames": "DONNA MARIE",
    "date_of_birth": "1974-08-19",
    "sex": "F",
    "nino": "JK456789A",
    "address": {"lines": ["FLAT 2", "31 STATION ROAD", "WAKEFIELD"], "postcode": "WF1 5LQ"},
    "telephone": "+441924375020",
    "has_partner": False,
    "has_account": True,
    "sort_code": "209956",
    "account_number": "04556677",
    "account_name": "D M WALKER",
}
CHILD = {"name": "Kyle Walker", "date_of_birth": "1989-02-11", "relationship": "SON_OR_DAUGHTER", "disabled": True}
INCOME_SUPPORT = {
    **PERSON,
    "is_group": "LP",
    "part_time_hours": 8.0,
    "part_time_earnings": "46.00",
    "pension_weekly": "0.00",
    "capital": "120.00",
    "other_income": [{"kind": "BENEFIT", "amount": "45.10", "period": "WEEKLY"}],
    "children": [CHILD],
    "liable_for_rent": True,
}
CRISIS_LOAN = {
    **PERSON,
    "crisis_reason": "AF",
    "amount": "60.00",
    "existing_debt": "0.00",
    "money_needed_by": "2005-07-12",
    "interim_considered": True,
    "other_resources": "1.50",
}
INCAPACITY_BENEFIT = {
    **PERSON,
    "sick_from": "2005-07-01",
    "employment_status": "E",
    "ssp_reason": "NE",
    "illness": "BROKEN LEG",
    "special_treatment": "NO",
    "in_hospital_or_home": "HOSPITAL",
    "pension_weekly": "12.34",
    "adult_dependant": "SPOUSE",
    "children": [CHILD, CHILD],
}
MAINTENANCE = {
    **PERSON,
    "maintenance_role": "PARENT_WITH_CARE",
    "contact_unsafe": True,
    "other_parent_surname": "Grant",
    "other_parent_forenames": "Darren",
    "other_parent_address": {"lines": ["40 Shore Road", "Morecambe"], "postcode": "LA4 5DE"},
    "arrangement": "COURT_ORDER",
    "arrears": "350.00",
    "arrears_as_at": "2005-06-30",
    "children": [CHILD, {**CHILD, "name": "Jade Walker", "date_of_birth": "1996-06-05"}],
    "children_nights": [{"name": "Jade Walker", "nights": 52.0}],
}


def case(answers: Mapping[str, Any], **changes: Any) -> mapping.Case:
    given = {name: value for name, value in {**answers, **changes}.items() if value is not None}
    return mapping.Case(
        claim_ref="C00000000018",
        action=Action.NEW,
        office_code="100123",
        assessor_id="ASSESS01",
        facts=Facts(
            answers=given, contact_on=date(2005, 7, 11), evidence_on=None, operator="OP000001", operator_grade="AO"
        ),
        authority_code="E08000036",
        transfer_id="0123456789ABCDEFGHIJKLMNOP",
    )


def record(system: System, answers: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    payload = mapping.build(system, 1, case(answers, **changes))
    return decode(layout(mapping.phase_of(system, 1).record), payload)


def income_support(**changes: Any) -> dict[str, Any]:
    return record(System.ISCS, INCOME_SUPPORT, **changes)


def application(answers: Mapping[str, Any] = MAINTENANCE, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(mapping.build(System.CMS_COTS, 1, case(answers, **changes)))
    return found


def test_a_record_of_income_support_has_incomes_and_children_with_their_counts() -> None:
    written = income_support(pension_weekly="12.00")

    assert (written["CM-BENEFIT"], written["IS-GROUP"], written["IS-CAPITAL"]) == ("IS", "LP", Decimal("120.00"))
    assert (written["IS-INCOME-COUNT"], written["IS-CHILD-COUNT"]) == (3, 1)
    assert written["IS-INCOME"][:4] == [
        {"IS-INC-KIND": "BEN", "IS-INC-AMOUNT": Decimal("45.10"), "IS-INC-PERIOD": "W"},
        {"IS-INC-KIND": "EMP", "IS-INC-AMOUNT": Decimal("46.00"), "IS-INC-PERIOD": "W"},
        {"IS-INC-KIND": "PEN", "IS-INC-AMOUNT": Decimal("12.00"), "IS-INC-PERIOD": "W"},
        {"IS-INC-KIND": "", "IS-INC-AMOUNT": Decimal(0), "IS-INC-PERIOD": ""},
    ]
    assert written["IS-CHILD"][:2] == [
        {"IS-CHILD-NAME": "KYLE WALKER", "IS-CHILD-DOB": 19890211, "IS-CHILD-DISABLED": "Y"},
        {"IS-CHILD-NAME": "", "IS-CHILD-DOB": 0, "IS-CHILD-DISABLED": ""},
    ]
    assert (written["IS-RENT-LIABLE"], written["IS-MORTGAGE"], written["IS-EXPECTED-BIRTH"]) == ("Y", "N", 0)


@pytest.mark.parametrize(
    ("period", "amount", "code", "written"),
    [
        ("WEEKLY", "45.10", "W", "45.10"),
        ("FORTNIGHTLY", "45.10", "F", "45.10"),
        ("MONTHLY", "45.10", "M", "45.10"),
        ("YEARLY", "45.10", "Y", "45.10"),
        ("FOUR_WEEKLY", "100.00", "W", "25.00"),
        ("FOUR_WEEKLY", "0.02", "W", "0.01"),
        ("FOUR_WEEKLY", "0.01", "W", "0.00"),
        ("FOUR_WEEKLY", "99999.99", "W", "25000.00"),
    ],
)
def test_four_weekly_income_becomes_a_weeks_amount(period: str, amount: str, code: str, written: str) -> None:
    [income, *_] = income_support(other_income=[{"kind": "BENEFIT", "amount": amount, "period": period}])["IS-INCOME"]

    assert (income["IS-INC-PERIOD"], income["IS-INC-AMOUNT"]) == (code, Decimal(written))


@pytest.mark.parametrize(
    ("changes", "field", "question"),
    [
        ({"children": [CHILD] * 11}, "IS-CHILD", "children"),
        (
            {"other_income": [{"kind": "OTHER", "amount": "1.00", "period": "WEEKLY"}] * 6},
            "IS-INCOME",
            "other_income",
        ),
        ({"children": [{**CHILD, "name": "A" * 31}]}, "IS-CHILD-NAME", "children"),
        ({"children": [{**CHILD, "name": "Ŵyn Walker"}]}, "IS-CHILD-NAME", "children"),
    ],
)
def test_a_value_that_the_record_cannot_hold_goes_to_a_person_and_is_never_cut(
    changes: dict[str, Any], field: str, question: str
) -> None:
    with pytest.raises(mapping.Unfit) as raised:
        income_support(**changes)

    [message] = raised.value.messages
    assert (message.code, message.field, message.question_id) == ("GW0004", field, question)
    assert raised.value.needs_person


def test_as_much_as_the_record_holds_is_sent() -> None:
    most = {**CHILD, "name": "A" * 30}
    written = income_support(
        children=[most] * 10, other_income=[{"kind": "OTHER", "amount": "1.00", "period": "WEEKLY"}] * 5
    )

    assert (written["IS-CHILD-COUNT"], written["IS-INCOME-COUNT"]) == (10, 6)
    assert written["IS-CHILD"][9]["IS-CHILD-NAME"] == "A" * 30


def test_an_answer_that_can_be_corrected_comes_before_what_a_person_must_complete() -> None:
    with pytest.raises(mapping.Unfit) as raised:
        income_support(children=[CHILD] * 11, nino=None)

    assert {message.code for message in raised.value.messages} == {"GW0001", "GW0004"}
    assert not raised.value.needs_person


def test_a_record_of_a_crisis_loan_has_the_loan() -> None:
    written = record(System.SFCS, CRISIS_LOAN)

    assert {name: value for name, value in written.items() if name.startswith("SF-")} == {
        "SF-LOAN-REF": "C00000000018",
        "SF-REASON": "AF",
        "SF-AMOUNT": Decimal("60.00"),
        "SF-EXISTING-DEBT": Decimal("0.00"),
        "SF-NEEDED-BY": 20050712,
        "SF-INTERIM-CONSIDERED": "Y",
        "SF-OTHER-RESOURCES": Decimal("1.50"),
    }
    assert written["CM-BENEFIT"] == "SF"


def test_a_record_of_a_crisis_loan_has_the_amount_that_was_offered() -> None:
    built = mapping.build(System.SFCS, 1, replace(case(CRISIS_LOAN), loan_amount="45.50"))

    assert decode(layout("SFCS-LOAN"), built)["SF-AMOUNT"] == Decimal("45.50")


@pytest.mark.parametrize(
    ("changes", "ended", "reason"),
    [
        ({}, 20050630, "NE"),
        ({"ssp_reason": "EX", "ssp_ended": "2005-07-05"}, 20050705, "EX"),
        ({"employment_status": "U", "ssp_reason": None}, 0, ""),
    ],
)
def test_sick_pay_that_was_never_due_ends_on_the_eve_of_the_illness(
    changes: dict[str, Any], ended: int, reason: str
) -> None:
    written = record(System.PSCS, INCAPACITY_BENEFIT, **changes)

    assert (written["PD-SSP-ENDED"], written["PD-SSP-REASON"]) == (ended, reason)


def test_a_line_of_incapacity_benefit_has_the_illness_and_the_family() -> None:
    written = record(System.PSCS, INCAPACITY_BENEFIT)

    assert (written["PD-TYPE"], written["PD-LINE"], written["PD-TRANSFER-ID"]) == ("1", 0, case({}).transfer_id)
    assert (written["PD-HOSPITAL"], written["PD-ADULT-DEPENDANT"], written["PD-CHILD-COUNT"]) == ("Y", "Y", 2)
    assert (written["CM-BENEFIT"], written["PD-INCAPACITY"]) == ("IB", "BROKEN LEG")
    assert (written["PD-MED-CERT-FROM"], written["PD-PENSION-WEEKLY"]) == (0, Decimal("12.34"))


def test_an_application_of_a_parent_with_care_has_the_nights_and_births_of_the_children() -> None:
    assert application() == {
        "transfer_id": "0123456789ABCDEFGHIJKLMNOP",
        "claim_ref": "C00000000018",
        "applicant": {
            "nino": "JK456789A",
            "title": "MS",
            "surname": "WALKER",
            "forenames": "DONNA MARIE",
            "date_of_birth": "1974-08-19",
            "address": ["FLAT 2", "31 STATION ROAD", "WAKEFIELD"],
            "postcode": "WF1 5LQ",
            "telephone": "+441924375020",
            "language": "EN",
        },
        "other_parent": {
            "surname": "Grant",
            "forenames": "Darren",
            "address": ["40 Shore Road", "Morecambe", "LA4 5DE"],
        },
        "role": "PARENT_WITH_CARE",
        "children": [{"name": "Jade Walker", "date_of_birth": "1996-06-05", "nights_per_year": 52}],
        "arrangement": "COURT_ORDER",
        "opening_arrears": "350.00",
        "arrears_as_at": "2005-06-30",
        "safe_contact": False,
        "bank": {"sort_code": "209956", "account_number": "04556677", "account_name": "D M WALKER"},
    }


def test_an_address_of_five_lines_keeps_its_postcode_in_the_last() -> None:
    full = {"lines": ["Flat 1", "Shore House", "40 Shore Road", "Torrisholme", "Morecambe"], "postcode": "LA4 5DE"}

    written = application(other_parent_address=full)["other_parent"]["address"]

    assert written == [*full["lines"][:4], "Morecambe LA4 5DE"]


def test_an_application_of_a_non_resident_parent_has_rows_of_its_own() -> None:
    child = {"name": "Ben Harding", "date_of_birth": "2000-07-29", "nights": 0.0}

    written = application(
        maintenance_role="NON_RESIDENT_PARENT", children=None, children_nights=None, qualifying_children=[child]
    )

    assert written["children"] == [{"name": "Ben Harding", "date_of_birth": "2000-07-29", "nights_per_year": 0}]


def test_a_new_arrangement_has_no_arrears_on_the_day_of_contact() -> None:
    written = application(arrangement="NONE", arrears=None, arrears_as_at=None)

    assert (written["opening_arrears"], written["arrears_as_at"]) == ("0.00", "2005-07-11")


@pytest.mark.parametrize("children", [[], [CHILD, {**CHILD, "date_of_birth": "1990-02-11"}]])
def test_a_child_whose_birth_cannot_be_told_is_asked_about(children: list[Any]) -> None:
    with pytest.raises(mapping.Unfit) as raised:
        application(children=children, children_nights=[{"name": "Kyle Walker", "nights": 1.0}])

    [message] = raised.value.messages
    assert (message.field, message.question_id) == ("cots.children.date_of_birth", "children_nights")


def test_the_same_facts_make_the_same_bytes() -> None:
    shuffled = dict(reversed(MAINTENANCE.items()))

    assert mapping.build(System.CMS_COTS, 1, case(MAINTENANCE)) == mapping.build(System.CMS_COTS, 1, case(shuffled))


def test_the_map_says_which_facts_feed_which_record() -> None:
    assert "capital" in mapping.feeding(System.ISCS, 1)
    assert "capital" not in mapping.feeding(System.JSAPS, 1)
    assert {"children", "other_income", "wishes_backdating"} <= mapping.feeding(System.ISCS, 1)
    assert "illness" in mapping.feeding(System.PSCS, 1)
    assert "illness" not in mapping.feeding(System.SFCS, 1)


def test_one_parents_words_about_the_other_go_to_the_package_and_are_shown_to_nobody() -> None:
    payload = mapping.build(System.CMS_COTS, 1, case(MAINTENANCE))
    shown = showing.texts(System.CMS_COTS, 1, payload)

    withheld = [name for name in shown if showing.is_withheld(System.CMS_COTS, 1, name)]

    assert withheld == [f"other_parent.address({line})" for line in (1, 2, 3)]
    assert "applicant.address(1)" in shown
