"""The date of claim for housing benefit, by the rule in force on the day of the claim."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from la_notifier.data import date_of_claim_rules
from la_notifier.domain.awards import Award, AwardOutcome
from la_notifier.domain.content import one_month_after
from la_notifier.domain.date_of_claim import DateOfClaim, date_of_claim, months_after, rule_of

RULES = date_of_claim_rules()
CONTACT = date(2007, 5, 14)
DAY = timedelta(days=1)


def award(benefit: str = "IS", *, on: date = CONTACT, outcome: str = "AWARDED") -> Award:
    return Award(benefit=benefit, outcome=AwardOutcome(outcome), from_day=on, to_day=None)


def found(
    *, intention: date = CONTACT, claim: date | None = CONTACT, contact: date = CONTACT, decided: Award | None = None
) -> DateOfClaim:
    return date_of_claim(RULES, intention_on=intention, first_contact_on=contact, claim_on=claim, award=decided)


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        (date(1996, 10, 7), "HB_1987_72"),
        (date(2005, 7, 11), "HB_1987_72"),
        (date(2006, 3, 5), "HB_1987_72"),
        (date(2006, 3, 6), "HB_2006_84"),
        (date(2008, 9, 30), "HB_2006_84"),
        (date(2008, 10, 1), "HB_2006_83"),
        (date(2026, 11, 30), "HB_2006_83"),
    ],
)
def test_the_rule_is_that_of_the_day(day: date, rule: str) -> None:
    assert rule_of(RULES, day).name == rule


def test_a_passported_claim_is_dated_by_the_first_day_of_entitlement() -> None:
    told = found(intention=CONTACT + DAY, claim=CONTACT + 2 * DAY, decided=award(on=CONTACT))

    assert (told.day, told.basis, told.rule, told.is_settled) == (CONTACT, "ENTITLEMENT", "HB_2006_84", True)


@pytest.mark.parametrize(
    ("paid_from", "entitled"),
    [
        (CONTACT + 3 * DAY, CONTACT),
        (CONTACT, CONTACT),
        (CONTACT + DAY, CONTACT),
        (CONTACT + 10 * DAY, CONTACT + 7 * DAY),
        (CONTACT - 5 * DAY, CONTACT - 5 * DAY),
    ],
)
def test_the_waiting_days_of_jobseekers_allowance_are_included(paid_from: date, entitled: date) -> None:
    assert found(decided=award("JSA_IB", on=paid_from)).day == entitled


def test_income_support_has_no_waiting_days() -> None:
    assert found(decided=award(on=CONTACT + 3 * DAY)).day == CONTACT + 3 * DAY


@pytest.mark.parametrize(
    "decided", [award("JSA_C"), award("IB"), award(outcome="DISALLOWED"), award("JSA_UNDECIDED", outcome="DISALLOWED")]
)
def test_without_a_passport_the_date_is_that_of_the_intention(decided: Award) -> None:
    told = found(intention=CONTACT + DAY, claim=CONTACT + 2 * DAY, decided=decided)

    assert (told.day, told.basis, told.is_settled) == (CONTACT + DAY, "INTENTION", True)


@pytest.mark.parametrize(("claim", "is_settled"), [(None, False), (CONTACT + DAY, False)])
def test_before_the_decision_the_date_is_that_of_the_intention_and_may_change(
    *, claim: date | None, is_settled: bool
) -> None:
    told = found(claim=claim)

    assert (told.day, told.basis, told.is_settled) == (CONTACT, "INTENTION", is_settled)


@pytest.mark.parametrize("decided", [None, award(), award("IB")])
def test_a_claim_that_comes_later_than_a_month_after_the_intention_is_dated_by_itself(decided: Award | None) -> None:
    in_time, late = found(claim=date(2007, 6, 14), decided=decided), found(claim=date(2007, 6, 15), decided=decided)

    assert in_time.day == CONTACT
    assert (late.day, late.basis) == (date(2007, 6, 15), "CLAIM")


@pytest.mark.parametrize("year", [2005, 2007, 2012])
def test_a_wish_told_within_a_month_of_the_claim_keeps_the_first_day_of_entitlement(year: int) -> None:
    claim = date(year, 5, 14)
    in_time = found(contact=claim, claim=claim, intention=date(year, 6, 14), decided=award(on=claim))
    late = found(contact=claim, claim=claim, intention=date(year, 6, 15), decided=award(on=claim))

    assert (in_time.day, in_time.basis) == (claim, "ENTITLEMENT")
    assert (late.day, late.basis) == (date(year, 6, 15), "INTENTION")


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_one_month_is_the_same_in_the_clocks_and_in_the_rules(day: date) -> None:
    assert months_after(day, 1) == one_month_after(day)


@given(
    contact=st.dates(date(2004, 1, 1), date(2010, 1, 1)),
    wait=st.integers(0, 70),
    late=st.integers(0, 70),
    paid_after=st.integers(0, 5),
    benefit=st.sampled_from(["IS", "JSA_IB", "JSA_C", "IB"]),
)
def test_a_later_intention_never_gives_an_earlier_date(
    *, contact: date, wait: int, late: int, paid_after: int, benefit: str
) -> None:
    claim, intention = contact + wait * DAY, contact + late * DAY
    decided = award(benefit, on=contact + paid_after * DAY)

    earlier, later = (
        found(contact=contact, claim=claim, intention=one, decided=decided) for one in (intention, intention + DAY)
    )

    assert earlier.day <= later.day or earlier.basis == "CLAIM"
