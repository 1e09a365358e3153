"""The claimants whom an office cannot see in time."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest

from chassis.bank_holidays import Nation
from scheduling.domain.breaches import Moment, by_day, changed, late, moments, run
from scheduling.domain.demand import Expected
from scheduling.domain.working_time import LONDON, TARGET, london_day, working_days

ENGLAND = Nation.ENGLAND
MONDAY = date(2026, 6, 1)
BEFORE_WORK = datetime(2026, 6, 1, 6, tzinfo=UTC)
WEEKS = 5_000


def _slots(day: date, number: int) -> list[datetime]:
    """Starts from nine in the morning, every three quarters of an hour; after ten of them from nine again."""
    return [
        datetime.combine(day, time(9), tzinfo=LONDON) + timedelta(minutes=45 * (place % 10)) for place in range(number)
    ]


def _line(means: Sequence[float], *, slots: int, spread: float = 1.0, first: date = MONDAY) -> list[Moment]:
    """Working days with these means and so many free slots each, and as many slots on the three days after them."""
    days = working_days(first, ENGLAND, number=len(means) + 3)
    free = sorted(start for day in days for start in _slots(day, slots))
    demand = {day: Expected(mean=mean, dispersion=spread) for day, mean in zip(days, means, strict=False)}
    return moments(days[: len(means)], demand, free, nation=ENGLAND, now=BEFORE_WORK)


def test_an_office_with_room_sees_everybody() -> None:
    outcomes = run(_line([5, 5, 5, 5, 5], slots=12))

    assert sum(outcome.breaches for outcome in outcomes) < 1e-4
    assert min(outcome.certainty for outcome in outcomes) > 0.999


def test_an_office_without_slots_sees_nobody() -> None:
    found = by_day(run(_line([5, 3], slots=0)))

    assert [outcome.breaches for outcome in found.values()] == pytest.approx([5, 3], abs=0.01)
    assert found[MONDAY].certainty == pytest.approx(0, abs=0.01)


def test_calls_reach_the_slots_of_two_working_days_and_a_weekend_counts_for_nothing() -> None:
    friday = date(2026, 6, 5)

    line = _line([4], slots=10, first=friday)

    assert [moment.due for moment in line] == [moment.at + timedelta(days=4) for moment in line]
    assert [moment.reachable for moment in line] == [20, 20]


def test_moments_that_are_past_are_left_out() -> None:
    days = working_days(MONDAY, ENGLAND, number=2)
    noon = datetime(2026, 6, 1, 11, tzinfo=UTC)

    line = moments(days, dict.fromkeys(days, Expected(mean=2)), [], nation=ENGLAND, now=noon)

    assert [london_day(moment.at) for moment in line] == [days[0], days[1], days[1]]


@pytest.mark.parametrize(("spare", "spread"), [(0, 1.6), (3, 1.0)])
def test_expected_breaches_are_those_of_many_weeks_played_through(spare: int, spread: float) -> None:
    line = [
        Moment(**vars(moment) | {"spare": spare}) for moment in _line([16, 14, 13, 12, 10], slots=11, spread=spread)
    ]

    late, elsewhere, with_a_breach = _play(line)

    for day, outcome in by_day(run(line)).items():
        assert outcome.breaches == pytest.approx(late[day] / WEEKS, abs=0.08, rel=0.08)
        assert outcome.elsewhere == pytest.approx(elsewhere[day] / WEEKS, abs=0.08, rel=0.08)
        assert 1 - outcome.certainty == pytest.approx(with_a_breach[day] / WEEKS, abs=0.02)


def test_an_earlier_day_s_claimants_are_in_the_way_of_a_later_one_s() -> None:
    quiet = by_day(run(_line([2, 10], slots=8)))
    busy = by_day(run(_line([25, 10], slots=8)))

    tuesday = date(2026, 6, 2)
    assert busy[tuesday].breaches > quiet[tuesday].breaches + 3


def test_far_beyond_its_slots_an_office_sees_the_first_callers_alone() -> None:
    outcomes = run(_line([200] * 5, slots=50, spread=2.0))

    # Those who call first hold the slots of the days to come, late ones too.
    assert sum(outcome.breaches for outcome in outcomes) == pytest.approx(5 * 200 - 125, rel=0.02)


def _play(line: Sequence[Moment]) -> tuple[Counter[date], Counter[date], Counter[date]]:
    """WEEKS weeks, call by call: by day those who were late, those seen elsewhere, and the weeks with somebody late."""
    source = random.Random(48)
    chances = [moment.demand.probabilities() for moment in line]
    late, elsewhere, weeks = Counter[date](), Counter[date](), Counter[date]()
    for _ in range(WEEKS):
        waiting, days = 0, set[date]()
        for moment, chance in zip(line, chances, strict=True):
            spare, day = moment.spare, london_day(moment.at)
            for _ in range(source.choices(range(len(chance)), chance)[0]):
                if waiting >= moment.reachable and spare:
                    spare -= 1
                    elsewhere[day] += 1
                    continue
                if waiting >= moment.reachable:
                    late[day] += 1
                    days.add(day)
                waiting += 1
            waiting = max(0, waiting - moment.until_next)
        weeks.update(days)
    return late, elsewhere, weeks


def test_the_target_is_a_setting() -> None:
    days = working_days(MONDAY, ENGLAND, number=3)
    free = [start for day in days for start in _slots(day, 10)]
    demand = dict.fromkeys(days[:1], Expected(mean=3))

    line = moments(days[:1], demand, free, nation=ENGLAND, now=BEFORE_WORK, target=TARGET / 2)

    assert [moment.reachable for moment in line] == [10, 10]


@pytest.mark.parametrize("slots", [0, 3, 11])
def test_late_claimants_are_counted_as_by_the_outcomes(slots: int) -> None:
    line = [Moment(**vars(moment) | {"spare": 2}) for moment in _line([16, 9, 13], slots=slots, spread=1.6)]

    assert late(line) == pytest.approx(sum(outcome.breaches for outcome in run(line)), abs=1e-4)


def test_slots_that_are_opened_and_closed_change_the_moments_that_reach_them() -> None:
    days = working_days(MONDAY, ENGLAND, number=5)
    free = [start for day in days for start in _slots(day, 4)]
    opened, closed = _slots(days[2], 3), _slots(days[1], 2)
    demand = dict.fromkeys(days[:3], Expected(mean=3))

    def line(starts: Sequence[datetime]) -> list[Moment]:
        return moments(days[:3], demand, sorted(starts), nation=ENGLAND, now=BEFORE_WORK)

    left = Counter(free) - Counter(closed)
    assert list(changed(line(free), opened=opened, closed=closed)) == line([*left.elements(), *opened])
