"""Failures by rate, seed, count and target."""

from hypothesis import given
from hypothesis import strategies as st

from simulators.failures import FailurePlan, FailureRule
from simulators.record_link.failures import RecordLinkFailure


def everything(_: FailureRule) -> bool:
    return True


def fired(plan: FailurePlan[FailureRule], times: int) -> list[bool]:
    return [plan.pick(everything) is not None for _ in range(times)]


@given(seed=st.integers(), rate=st.floats(0.01, 1))
def test_the_same_seed_and_rate_fail_at_the_same_requests(seed: int, rate: float) -> None:
    first, second = FailurePlan[FailureRule](), FailurePlan[FailureRule]()
    for plan in (first, second):
        plan.add([FailureRule(failure="hang", rate=rate, seed=seed)])

    assert fired(first, 50) == fired(second, 50)


def test_a_rate_is_kept_over_many_requests() -> None:
    plan = FailurePlan[FailureRule]()
    plan.add([FailureRule(failure="hang", rate=0.3, seed=1)])

    assert 500 < sum(fired(plan, 2000)) < 700


@given(count=st.integers(1, 20))
def test_a_count_ends_a_failure(count: int) -> None:
    plan = FailurePlan[FailureRule]()
    plan.add([FailureRule(failure="hang", count=count)])

    assert sum(fired(plan, 30)) == count
    assert plan.listing()[0]["remaining"] == 0


def test_the_first_that_applies_and_fires_happens() -> None:
    plan = FailurePlan[RecordLinkFailure]()
    plan.add([RecordLinkFailure(failure="busy", dialogue="BA504"), RecordLinkFailure(failure="hang")])

    picked = plan.pick(lambda rule: rule.applies_to("ES504", None))

    assert picked is not None
    assert picked.failure == "hang"


def test_counts_outlive_the_rules() -> None:
    plan = FailurePlan[FailureRule]()
    plan.add([FailureRule(failure="hang")])
    fired(plan, 3)

    plan.replace([FailureRule(failure="hang")])
    fired(plan, 1)

    assert plan.counts() == {"hang": 4}
