"""Traps of illness, crisis loans and maintenance: nothing is asked too early, of the wrong person, or told to the wrong one."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from chassis.errors import InvalidArgument
from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.catalogue import Catalogue
from intake.domain.interview import Answer, Blocker, Interview, evaluate
from intake.domain.place import Place
from intake.domain.script import AnsweredBy, Kind, Question, Script, Sensitivity

IS, JSA, IB = "INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT"
LOAN, MAINTENANCE = "CRISIS_LOAN", "CHILD_MAINTENANCE"
JULY = date(2005, 7, 11)
CONTACT = ("address", "telephone", "email", "post_address")
OTHER_PARENT = {"other_parent_address", "other_parent_employer", "other_parent_nino"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogues()[2]


def asked(catalogue: Catalogue, *schemes: str, on: date = JULY, **values: Any) -> set[str]:
    """The questions that are relevant after these answers."""
    return {state.question.id for state in interview(catalogue, *schemes, on=on, **values).questions if state.relevant}


def interview(catalogue: Catalogue, *schemes: str, on: date = JULY, **values: Any) -> Interview:
    script = catalogue.script_for(schemes)
    answers = {name: answer(script, name, value, on) for name, value in values.items()}
    return evaluate(script, answers, language="EN", contact_date=on)


def answer(script: Script, name: str, value: Any, on: date) -> Answer:
    place = Place(is_listed=True, councils=()) if script.questions[name].located else None
    return Answer(value=validate_answer(script.questions, name, value, today=on), place=place, version=1)


def blockers(found: Interview) -> Mapping[str, Blocker]:
    return {missing.question_id: missing.blocker for missing in found.missing}


def all_sets(catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for count in (1, 2, len(catalogue.schemes)):
        yield from combinations(catalogue.schemes, count)


def marked(catalogue: Catalogue, mark: Sensitivity) -> dict[str, Question]:
    return {name: question for name, question in catalogue.bank.items() if mark in question.sensitivity}


@pytest.mark.parametrize("status", ["S", "U"])
def test_only_the_employed_are_asked_for_sick_pay(catalogue: Catalogue, status: str) -> None:
    assert not asked(catalogue, IB, employment_status=status) & {"ssp_reason", "ssp_ended"}
    assert "ssp_reason" in asked(catalogue, IB, employment_status="E")


def test_the_end_of_sick_pay_that_was_never_due_is_not_asked(catalogue: Catalogue) -> None:
    assert "ssp_ended" not in asked(catalogue, IB, employment_status="E", ssp_reason="NE")
    assert "ssp_ended" in asked(catalogue, IB, employment_status="E", ssp_reason="EX")


def test_only_the_operator_answers_whether_an_interim_payment_was_considered(catalogue: Catalogue) -> None:
    by_operator = {name for name, question in catalogue.bank.items() if question.answered_by is AnsweredBy.OPERATOR}

    assert by_operator == {"interim_considered"}


def test_an_interim_payment_comes_before_a_loan_for_a_delayed_claim(catalogue: Catalogue) -> None:
    refused = interview(catalogue, LOAN, crisis_reason="AF", interim_considered=False)

    assert blockers(refused)["interim_considered"] is Blocker.CHECK_FAILED
    assert "interim_considered" not in blockers(interview(catalogue, LOAN, crisis_reason="AF", interim_considered=True))
    assert "interim_considered" not in asked(catalogue, LOAN, crisis_reason="DI")


def test_a_crisis_loan_has_no_savings_limit(catalogue: Catalogue) -> None:
    script = catalogue.script_for([LOAN])
    rules = {name for question in script.questions.values() for check in question.checks for name in check.rule.names}

    assert "capital" not in script.questions
    assert "other_resources" not in rules
    assert "capital_limit" not in rules


def test_the_emergency_comes_first_wherever_a_crisis_loan_can_follow(catalogue: Catalogue) -> None:
    for schemes in all_sets(catalogue):
        if schemes != (MAINTENANCE,):
            assert interview(catalogue, *schemes).next_question_id == "can_manage_today", schemes


def test_safety_is_asked_before_any_contact_detail_where_another_parent_is_involved(catalogue: Catalogue) -> None:
    for schemes in all_sets(catalogue):
        order = list(catalogue.script_for(schemes).questions)
        if "contact_unsafe" in order:
            assert order.index("contact_unsafe") < min(order.index(name) for name in CONTACT if name in order)


def test_safety_is_the_next_question_once_another_parent_is_known(catalogue: Catalogue) -> None:
    child = {"name": "Kyle", "date_of_birth": "1999-02-11", "relationship": "SON_OR_DAUGHTER"}
    opening: dict[str, Any] = {
        "can_manage_today": True,
        "language": "EN",
        "caller_role": "SELF",
        "needs_interpreter": False,
        "contact_format": "NONE",
        "children": [child],
    }

    assert interview(catalogue, IS, **opening).next_question_id == "other_parent_elsewhere"
    assert interview(catalogue, IS, **opening, other_parent_elsewhere=True).next_question_id == "contact_unsafe"
    assert "contact_unsafe" not in asked(catalogue, IS, **opening, other_parent_elsewhere=False)


def test_a_reason_for_opting_out_is_never_demanded(catalogue: Catalogue) -> None:
    child = {"name": "Kyle", "date_of_birth": "1999-02-11", "relationship": "SON_OR_DAUGHTER"}
    opted_out = interview(catalogue, IS, children=[child], other_parent_elsewhere=True, maintenance_opt_out=True)

    state = next(state for state in opted_out.questions if state.question.id == "good_cause")
    assert (state.relevant, state.required) == (True, False)


@pytest.mark.parametrize(("on", "is_asked"), [(date(2008, 7, 13), True), (date(2008, 7, 14), False)])
def test_opting_out_is_asked_only_while_a_claim_was_an_application(
    catalogue: Catalogue, *, on: date, is_asked: bool
) -> None:
    child = {"name": "Kyle", "date_of_birth": "1999-02-11", "relationship": "SON_OR_DAUGHTER"}

    assert ("other_parent_elsewhere" in asked(catalogue, IS, on=on, children=[child])) is is_asked


def test_the_non_resident_parent_is_not_asked_where_the_other_lives(catalogue: Catalogue) -> None:
    assert not asked(catalogue, MAINTENANCE, maintenance_role="NON_RESIDENT_PARENT") & OTHER_PARENT
    assert asked(catalogue, MAINTENANCE, maintenance_role="PARENT_WITH_CARE") >= OTHER_PARENT


def test_children_of_the_claim_are_not_named_twice_with_their_birth_dates(catalogue: Catalogue) -> None:
    both = asked(catalogue, IS, MAINTENANCE, maintenance_role="PARENT_WITH_CARE")
    fields = {field.id for field in catalogue.bank["children_nights"].fields}

    assert "children" in both
    assert "qualifying_children" not in both
    assert "date_of_birth" not in fields


def test_nights_are_given_for_children_that_were_named(catalogue: Catalogue) -> None:
    child = {"name": "Kyle", "date_of_birth": "1999-02-11", "relationship": "SON_OR_DAUGHTER"}
    given: dict[str, Any] = {"maintenance_role": "PARENT_WITH_CARE", "children": [child]}
    named = interview(catalogue, MAINTENANCE, **given, children_nights=[{"name": "Kyle", "nights": 52}])
    unknown = interview(catalogue, MAINTENANCE, **given, children_nights=[{"name": "Jade", "nights": 52}])

    assert "children_nights" not in blockers(named)
    assert blockers(unknown)["children_nights"] is Blocker.CHECK_FAILED


def test_questions_never_read_back_are_marked(catalogue: Catalogue) -> None:
    secret = OTHER_PARENT | {
        "nino", "partner_nino", "sort_code", "account_number", "contact_unsafe", "post_address", "illness",
        "special_treatment", "ill_when_young", "maintenance_opt_out", "good_cause", "parentage_disputed",
    }  # fmt: skip

    assert marked(catalogue, Sensitivity.NOT_READ_BACK).keys() >= secret
    # A number is asked of a caller who has to show who is calling: it is told by the caller, not shown.
    told_by_the_caller = {"nino", "partner_nino"}
    assert marked(catalogue, Sensitivity.NOT_BEFORE_SECURITY).keys() >= secret - told_by_the_caller


def test_the_council_sees_nothing_that_is_marked_or_medical(catalogue: Catalogue) -> None:
    kept_from_it = marked(catalogue, Sensitivity.NOT_TO_COUNCIL)
    medical = {name for name, question in catalogue.bank.items() if question.section == "illness"}
    about_a_parent = {name for name, question in catalogue.bank.items() if question.section == "maintenance"}

    for question in kept_from_it.values():
        assert "la-notifier" not in question.seen_by, question.id
        assert not [name for name in question.needed_by if name.startswith("notice.")], question.id
    for name in medical | about_a_parent:
        assert "la-notifier" not in catalogue.bank[name].seen_by, name
    assert {"illness", "special_treatment", "sick_from", "has_account", "sort_code"} <= kept_from_it.keys()


def test_the_illness_fits_a_few_words(catalogue: Catalogue) -> None:
    record = catalogue.script_for([IB]).questions["illness"].record

    assert record is not None
    assert record.maximum == 60


@pytest.mark.parametrize(
    ("scheme", "last", "closed"),
    [(IB, date(2008, 10, 26), date(2008, 10, 27)), (LOAN, date(2013, 3, 31), date(2013, 4, 1))],
)
def test_a_scheme_closes_on_its_day(catalogue: Catalogue, scheme: str, last: date, closed: date) -> None:
    catalogue.refuse_closed([scheme], last)

    with pytest.raises(InvalidArgument) as refusal:
        catalogue.refuse_closed([scheme], closed)
    assert closed.isoformat() in refusal.value.violations[0].description


@pytest.mark.parametrize(
    ("on", "debt", "is_refused"),
    [
        (date(2006, 4, 2), "400.00", False),
        (date(2006, 4, 2), "400.01", True),
        (date(2006, 4, 3), "900.00", False),
        (date(2006, 4, 3), "900.01", True),
    ],
)
def test_a_loan_stays_under_the_cap_of_its_day(catalogue: Catalogue, *, on: date, debt: str, is_refused: bool) -> None:
    found = blockers(interview(catalogue, LOAN, on=on, amount="600.00", existing_debt=debt))

    assert ("amount" in found) is is_refused


@pytest.mark.parametrize(("on", "is_asked"), [(date(2009, 10, 29), False), (date(2009, 10, 30), True)])
def test_earlier_loans_are_counted_from_their_day(catalogue: Catalogue, *, on: date, is_asked: bool) -> None:
    assert ("awards_in_year" in asked(catalogue, LOAN, on=on)) is is_asked


def test_incapacity_does_not_begin_after_the_date_of_claim(catalogue: Catalogue) -> None:
    backdated: dict[str, Any] = {"wishes_backdating": True, "backdate_to": "2005-07-01"}

    late = interview(catalogue, IB, **backdated, sick_from="2005-07-04")
    in_time = interview(catalogue, IB, **backdated, sick_from="2005-07-01")

    assert blockers(late)["sick_from"] is Blocker.CHECK_FAILED
    assert "sick_from" not in blockers(in_time)


def test_a_certificate_does_not_end_before_it_begins(catalogue: Catalogue) -> None:
    given: dict[str, Any] = {"certificate_held": True, "med_cert_from": "2005-07-04"}

    assert blockers(interview(catalogue, IB, **given, med_cert_to="2005-07-03"))["med_cert_to"] is Blocker.CHECK_FAILED
    assert "med_cert_to" not in blockers(interview(catalogue, IB, **given, med_cert_to="2005-07-04"))


def test_every_free_text_that_goes_into_a_record_has_its_rule(catalogue: Catalogue) -> None:
    for scheme in (IS, JSA, IB, LOAN):
        for question in catalogue.script_for([scheme]).questions.values():
            fields = [name for name in question.needed_by if name[:3] in {"CM-", "IS-", "JE-", "JB-", "PD-", "SF-"}]
            if question.kind in {Kind.TEXT, Kind.NAME, Kind.ADDRESS} and fields:
                assert question.record is not None, question.id


def test_no_question_is_reckoned_shorter_than_it_takes_to_read_it_out(catalogue: Catalogue) -> None:
    """At 150 words a minute, and three seconds for the shortest answer."""
    too_short = {
        name: question.seconds
        for name, question in catalogue.bank.items()
        if question.seconds < len(question.text.en.split()) / 2.5 + 3
    }

    assert too_short == {}
