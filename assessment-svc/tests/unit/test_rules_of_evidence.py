"""Which facts need evidence is data, by scheme and by the day of first contact."""

from datetime import date
from importlib import resources

import pytest

from assessment.data.evidence import EVIDENCE, parse_evidence
from assessment.domain.evidence import months_after, working_days_before
from chassis.errors import InvalidArgument
from cms.assessment.v1 import record_pb2

JSA, IS, IB = "JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT", "INCAPACITY_BENEFIT"
DAY = date(2007, 5, 1)


def needed(*schemes: str, day: date = DAY, given: set[str] | None = None) -> set[str]:
    return {need.id for need in EVIDENCE.needed(schemes=schemes, day=day, given=given)}


def test_every_kind_of_the_contract_has_a_name_in_both_languages() -> None:
    kinds = {name.removeprefix("EVIDENCE_KIND_") for name in record_pb2.EvidenceKind.DESCRIPTOR.values_by_name} - {
        "UNSPECIFIED"
    }

    assert set(EVIDENCE.kinds) == kinds
    assert all(name.en and name.cy and name.en != name.cy for name in EVIDENCE.kinds.values())


def test_a_need_holds_only_for_facts_that_say_something() -> None:
    assert needed(JSA, given={"surname", "part_time_earnings"}) == {"identity", "earnings"}


def test_before_the_facts_are_known_all_that_a_scheme_may_need_is_listed() -> None:
    assert {"identity", "last_job", "capital", "mortgage"} <= needed(JSA)
    assert "sick_pay" not in needed(JSA)
    assert needed("CHILD_MAINTENANCE") == set()


@pytest.mark.parametrize(
    ("need", "scheme", "last_day"),
    [("children", IS, date(2004, 4, 5)), ("illness", IS, date(2008, 10, 26)), ("illness", IB, date(2008, 10, 26))],
)
def test_a_dated_need_ends_with_its_last_day(need: str, scheme: str, last_day: date) -> None:
    assert need in needed(scheme, day=last_day)
    assert need not in needed(scheme, day=date.fromordinal(last_day.toordinal() + 1))


def test_proof_of_identity_is_required_from_1_december_1997() -> None:
    assert "identity" not in needed(IS, day=date(1997, 11, 30))
    assert "identity" in needed(IS, day=date(1997, 12, 1))


@pytest.mark.parametrize(
    ("today", "due"),
    [
        (date(2026, 3, 2), date(2026, 4, 2)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
    ],
)
def test_evidence_is_awaited_for_a_month_unless_another_day_is_named(today: date, due: date) -> None:
    assert EVIDENCE.due_on(None, today=today) == due
    assert EVIDENCE.due_on(today, today=today) == today


def test_a_month_at_the_end_of_a_year_ends_in_the_next() -> None:
    assert months_after(date(2026, 12, 31), 2) == date(2027, 2, 28)


@pytest.mark.parametrize("wanted", [date(2026, 3, 1), date(2026, 9, 3), date(9999, 12, 31)])
def test_a_day_that_is_over_or_too_far_ahead_is_refused_by_name(wanted: date) -> None:
    with pytest.raises(InvalidArgument) as refused:
        EVIDENCE.due_on(wanted, today=date(2026, 3, 2))

    assert [fault.field for fault in refused.value.violations] == ["due_on"]


def test_reminders_come_ten_and_three_working_days_before_the_day() -> None:
    due = date(2026, 4, 9)  # after Easter, whose Friday and Monday do not count

    assert working_days_before(due, 3) == date(2026, 4, 2)
    first = EVIDENCE.reminder_after(date(2026, 3, 9), due_on=due)
    assert first == date(2026, 3, 24)
    assert EVIDENCE.reminder_after(first, due_on=due) == date(2026, 4, 2)
    assert EVIDENCE.reminder_after(date(2026, 4, 2), due_on=due) is None


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ('kinds = ["WAGE_SLIP", "EMPLOYER_LETTER"]', 'kinds = ["NOTE"]', "NOTE are no kinds"),
        ('id = "earnings"', 'id = "identity"', "identity stand twice"),
        ('schemes = ["JOBSEEKERS_ALLOWANCE"]', 'schemes = ["JSA"]', "JSA are no schemes"),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused_by_name(replaced: str, by: str, said: str) -> None:
    written = resources.files("assessment.data").joinpath("evidence.toml").read_text()

    with pytest.raises(ValueError, match=said):
        parse_evidence(written.replace(replaced, by, 1).encode())
