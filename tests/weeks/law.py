"""The date of claim for housing benefit, worked out from the law as the interface document gives it, apart from the services.

docs/interfaces/local-authority.md, "Why it matters: the date of claim".
"""

from datetime import date, timedelta

from tests.weeks.lives import Life

REGULATIONS_OF_2006 = date(2006, 3, 6)
END_OF_GATEWAY_OFFICES = date(2008, 10, 1)
_WAITING = timedelta(days=3)
_PASSPORTS = ("INCOME", "BOTH")


def seeks_housing_benefit(life: Life) -> bool:
    """Whether the claimant is liable for rent and wishes for help with it."""
    answers = life.claimant.case.answers
    pays_rent = answers.get("tenure") not in {"OWNER_OCCUPIER", "NON_DEPENDANT", "NONE"}
    wishes = answers.get("liable_for_rent") and answers.get("wishes_housing_benefit")
    return bool(pays_rent and wishes and life.claimant.case.wants_notice)


def rule_on(day: date) -> str:
    """The name of the rule for claims of the day."""
    if day < REGULATIONS_OF_2006:
        return "HB_1987_72"
    return "HB_2006_84" if day < END_OF_GATEWAY_OFFICES else "HB_2006_83"


def date_of_claim(life: Life) -> date:
    """The date of claim of a decided claim for housing benefit.

    A claim that follows its intention within a month dates from the first day of entitlement where Income Support or
    income-based Jobseeker's Allowance is awarded, waiting days included, and otherwise from the intention. One that comes later
    dates from itself.
    """
    intention, claim = life.intention_on, life.submitted_on
    assert intention is not None
    assert claim is not None
    if claim > _a_month_after(intention):
        return claim
    entitled = _first_day_of_entitlement(life)
    return intention if entitled is None else entitled


def _first_day_of_entitlement(life: Life) -> date | None:
    """None where no benefit was awarded that is a passport to housing benefit."""
    if not life.claimant.awarded:
        return None
    if "INCOME_SUPPORT" in life.decided:
        return life.decided["INCOME_SUPPORT"]
    if "JOBSEEKERS_ALLOWANCE" in life.decided and life.claimant.basis in _PASSPORTS:
        return life.decided["JOBSEEKERS_ALLOWANCE"] - _WAITING
    return None


def _a_month_after(day: date) -> date:
    month = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    last = (date(month.year + month.month // 12, month.month % 12 + 1, 1) - timedelta(days=1)).day
    return month.replace(day=min(day.day, last))
