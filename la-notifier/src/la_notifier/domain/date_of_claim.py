"""The date of claim for housing benefit: what the authority's rule makes of the dates that the notices carry.

The authority decides it. It is worked out here so that the cost of a late notice is seen: docs/interfaces/local-authority.md,
"Why it matters".
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from la_notifier.domain.awards import Award

_WAITING_DAYS = timedelta(days=3)
"""Waiting days of Jobseeker's Allowance: Jobseekers Act 1995, Schedule 1, paragraph 4."""


class DateBasis(StrEnum):
    """The day that the date of claim is."""

    ENTITLEMENT = "ENTITLEMENT"
    """The first day of entitlement to Income Support or income-based Jobseeker's Allowance, waiting days included."""
    INTENTION = "INTENTION"
    """The day on which the intention was notified."""
    CLAIM = "CLAIM"
    """The day on which the claim was made: it came later than a month after the intention."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of `data/date_of_claim.toml`, from its first day until the next rule's. `starts` is None for the first."""

    name: str
    law: str
    in_time: Literal["INTENTION", "CLAIM"]
    months: int
    starts: date | None = None


@dataclass(frozen=True, kw_only=True)
class DateOfClaim:
    """The date of claim by a rule. `is_settled`: the claim is made and the benefit decided, so that it stays."""

    day: date
    basis: DateBasis
    rule: str
    is_settled: bool


def date_of_claim(
    rules: Sequence[Rule], *, intention_on: date, first_contact_on: date, claim_on: date | None, award: Award | None
) -> DateOfClaim:
    """The date of claim for housing benefit as far as it can be told now. `claim_on` is the day of submission.

    Until the claim is made it is the day of the intention, which holds if the claim follows in time; until the benefit is
    decided the date of entitlement is not known.
    """
    rule = rule_of(rules, claim_on or intention_on)
    if claim_on is None:
        return DateOfClaim(day=intention_on, basis=DateBasis.INTENTION, rule=rule.name, is_settled=False)
    # A wish that is told after submission is claimed for with it: the claim for the benefit was made before.
    housing_claim_on = max(claim_on, intention_on)
    is_settled = award is not None
    if housing_claim_on > months_after(intention_on, rule.months):
        return DateOfClaim(day=housing_claim_on, basis=DateBasis.CLAIM, rule=rule.name, is_settled=is_settled)
    needed_on = intention_on if rule.in_time == "INTENTION" else housing_claim_on
    if award is not None and award.is_passport and needed_on <= months_after(claim_on, rule.months):
        day = first_day_of_entitlement(award, first_contact_on)
        return DateOfClaim(day=day, basis=DateBasis.ENTITLEMENT, rule=rule.name, is_settled=True)
    return DateOfClaim(day=intention_on, basis=DateBasis.INTENTION, rule=rule.name, is_settled=is_settled)


def first_day_of_entitlement(award: Award, first_contact_on: date) -> date:
    """The first day of an award, and of Jobseeker's Allowance the waiting days that came immediately before it.

    No waiting day lies before the day from which the benefit is claimed, which is that of first contact: so a linked claim,
    which is paid from that day, has none.
    """
    if award.benefit != "JSA_IB" or award.from_day <= first_contact_on:
        return award.from_day
    return max(award.from_day - _WAITING_DAYS, first_contact_on)


def rule_of(rules: Sequence[Rule], day: date) -> Rule:
    """The rule that is in force on a day. `rules` are in the order of their first days."""
    return [rule for rule in rules if rule.starts is None or rule.starts <= day][-1]


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day: 31 January gives 28 or 29 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
