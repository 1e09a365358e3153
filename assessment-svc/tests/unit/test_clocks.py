"""The two clocks of a claim, against the targets of targets.toml."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from assessment.data import targets
from assessment.domain.clocks import Clock, end_of, working_days_between

TARGETS = targets.read()
IS, JSA, IB = "INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT"
FRIDAY = date(2005, 7, 8)


@pytest.mark.parametrize(
    ("scheme", "clock", "on", "days"),
    [
        (IS, Clock.EVIDENCE_COMPLETE, date(2005, 1, 3), 12),
        (JSA, Clock.FIRST_CONTACT, date(2008, 3, 31), 12),
        (JSA, Clock.FIRST_CONTACT, date(2008, 4, 1), 11.5),
        (IB, Clock.FIRST_CONTACT, date(2004, 4, 1), 22),
        (IB, Clock.FIRST_CONTACT, date(2008, 10, 1), 15),
        (JSA, Clock.FIRST_CONTACT, date(1999, 1, 4), 12),
        (JSA, Clock.EVIDENCE_COMPLETE, date(2005, 1, 3), None),
    ],
)
def test_a_target_is_that_of_the_day_of_first_contact(scheme: str, clock: Clock, on: date, days: float | None) -> None:
    assert TARGETS.of(scheme, clock, on=on) == days


@pytest.mark.parametrize(
    ("first", "days", "end"),
    [
        (FRIDAY, 0, datetime(2005, 7, 8, 23, tzinfo=UTC)),  # midnight in London, in summer
        (FRIDAY, 1, datetime(2005, 7, 11, 23, tzinfo=UTC)),
        (FRIDAY, 11.5, datetime(2005, 7, 26, 11, tzinfo=UTC)),
        (date(2005, 12, 23), 1, datetime(2005, 12, 29, tzinfo=UTC)),  # Boxing Day and a day in lieu of Christmas
        (date(2008, 2, 28), 2, datetime(2008, 3, 4, tzinfo=UTC)),  # over 29 February
    ],
)
def test_a_target_ends_with_its_last_working_day_or_at_noon(first: date, days: float, end: datetime) -> None:
    assert end_of(first, days) == end


def test_working_days_are_counted_after_the_first_day_and_stop_with_the_decision() -> None:
    first_contact = datetime(2005, 7, 8, 9, tzinfo=UTC)

    running = TARGETS.read(
        [IS, JSA],
        first_contact=first_contact,
        evidence_complete=first_contact + timedelta(days=5),
        decided={JSA: first_contact + timedelta(days=3)},
        now=first_contact + timedelta(days=14),
    )

    found = [(one.scheme, one.clock, one.working_days, one.target_time is None) for one in running]
    assert found == [
        (IS, Clock.FIRST_CONTACT, 10, True),
        (IS, Clock.EVIDENCE_COMPLETE, 7, False),
        (JSA, Clock.FIRST_CONTACT, 1, False),
        (JSA, Clock.EVIDENCE_COMPLETE, 0, True),
    ]
    assert working_days_between(FRIDAY, FRIDAY - timedelta(days=7)) == 0


def test_no_clock_runs_before_first_contact_is_known() -> None:
    assert TARGETS.read([IS], first_contact=None, evidence_complete=None, decided={}, now=datetime.now(UTC)) == []


def test_another_file_sets_other_targets_and_must_have_the_form(tmp_path: Path) -> None:
    other, broken = tmp_path / "other.toml", tmp_path / "broken.toml"
    row = '[[targets]]\nscheme = "INCOME_SUPPORT"\nclock = "FIRST_CONTACT"\nfrom = 2004-04-01\nworking_days = 3\n'
    other.write_text(row)
    broken.write_text(row.replace("FIRST_CONTACT", "LAST_CONTACT"))

    assert targets.read(other).of(IS, Clock.FIRST_CONTACT, on=FRIDAY) == 3
    with pytest.raises(msgspec.ValidationError):
        targets.read(broken)
