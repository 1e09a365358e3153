"""The claimants of the week of July 2005: the same by a seed, in the week's proportion, all of whom can claim."""

from collections import Counter
from datetime import date

import pytest

from cms_local.replay.outside import FAILED_SHARE, rules_of
from cms_local.replay.population import WEEK, population

MONDAY = date(2005, 7, 11)


def test_a_seed_gives_the_same_claimants() -> None:
    assert population(7, size=50, today=MONDAY) == population(7, size=50, today=MONDAY)
    assert population(7, size=50, today=MONDAY) != population(8, size=50, today=MONDAY)


@pytest.mark.parametrize("size", [433, sum(WEEK.values())])
def test_the_schemes_have_the_weeks_proportion(size: int) -> None:
    counts = Counter(case.schemes[0] for case in population(1, size=size, today=MONDAY))

    assert sum(counts.values()) == size
    assert all(abs(counts[scheme] - size * part / 4333) < 2 for scheme, part in WEEK.items())


def test_the_modes_together_fail_the_weeks_share_of_attempts() -> None:
    left = 1.0
    for rule in rules_of("ES504", seed=1, share=1.0):
        left *= 1 - rule["rate"]

    assert 1 - left == pytest.approx(FAILED_SHARE, abs=0.001)
