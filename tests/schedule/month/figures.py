"""The figures of a month: the share within the target of each week and policy, and what it cost."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median, quantiles

from scheduling.domain.offices import Office
from tests.schedule.month.ours import Platform
from tests.schedule.month.passing import Month, Outcome
from tests.schedule.month.simple import FixedSlots, OfficeAndNeighbours, OwnOffice
from tests.schedule.month.world import MONTH, Staffing, Week, World, draw

POLICIES = (Platform, OfficeAndNeighbours, OwnOffice, FixedSlots)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A week under a policy. Shares are of 1.

    `lead_days` is the median of days from the call to the interview, `mean_days` their mean, `long_days` their 95th
    percentile, `longest_days` the most; `late_days` the median of the days that those after the target waited longer.
    """

    week: Week
    policy: str
    claimants: int
    missed: int
    within: float
    crises_within: float
    lead_days: float
    mean_days: float
    long_days: float
    longest_days: float
    late_days: float
    by_telephone: float
    distance_km: float
    moves: float

    @classmethod
    def of(cls, week: Week, policy: str, outcomes: Sequence[Outcome]) -> "Figures":
        """The figures of these claimants, who called in this week."""
        crises = [one for one in outcomes if one.claimant.is_crisis]
        late = [
            (one.slot.start_time - one.claimant.due).total_seconds() / 86400
            for one in outcomes
            if one.slot is not None and not one.within_target
        ]
        lead = [
            (one.slot.start_time - one.claimant.first_contact).total_seconds() / 86400 for one in outcomes if one.slot
        ]
        return cls(
            week=week,
            policy=policy,
            claimants=len(outcomes),
            missed=sum(not one.within_target for one in outcomes),
            within=fmean(one.within_target for one in outcomes),
            crises_within=fmean(one.within_target for one in crises) if crises else 1.0,
            lead_days=median(lead) if lead else 0.0,
            mean_days=fmean(lead) if lead else 0.0,
            long_days=quantiles(lead, n=20)[-1] if len(lead) > 1 else 0.0,
            longest_days=max(lead, default=0.0),
            late_days=median(late) if late else 0.0,
            by_telephone=fmean(one.by_telephone for one in outcomes),
            distance_km=fmean(one.distance_km for one in outcomes if not one.by_telephone),
            moves=fmean(one.moves for one in outcomes),
        )


def figures(world: World, *, weeks: Sequence[Week] = MONTH) -> list[Figures]:
    """The figures of every week under every policy, for the same claimants."""
    return [one for number in range(len(POLICIES)) for one in figures_of(world, number, weeks=weeks)]


def figures_of(world: World, number: int, *, weeks: Sequence[Week] = MONTH) -> list[Figures]:
    """The figures of every week under the policy with this number."""
    kind = POLICIES[number]
    outcomes = Month(world, kind).pass_by()
    return [Figures.of(week, kind.name, [one for one in outcomes if one.claimant.week == week]) for week in weeks]


def margins(found: Sequence[Figures]) -> dict[str, float]:
    """By week, how far the platform is ahead of the best of the others, in shares of 1."""
    ahead = {}
    for week in dict.fromkeys(one.week.name for one in found):
        ours = [one.within for one in found if one.week.name == week and one.policy == Platform.name]
        others = [one.within for one in found if one.week.name == week and one.policy != Platform.name]
        ahead[week] = ours[0] - max(others)
    return ahead


def of_seeds(
    offices: Sequence[Office], seeds: Sequence[int], staffing: Staffing, *, jobs: int, weeks: Sequence[Week] = MONTH
) -> dict[int, list[Figures]]:
    """The figures of months that were drawn with each of these seeds; so many policies pass at a time."""
    tasks = [(seed, number) for seed in seeds for number in range(len(POLICIES))]
    of_task = partial(_of_task, offices, staffing, weeks)
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        found = list(pool.map(of_task, tasks))
    return {
        seed: [one for (of_seed, _), part in zip(tasks, found, strict=True) if of_seed == seed for one in part]
        for seed in seeds
    }


def _of_task(
    offices: Sequence[Office], staffing: Staffing, weeks: Sequence[Week], task: tuple[int, int]
) -> list[Figures]:
    seed, number = task
    return figures_of(draw(offices, seed=seed, weeks=weeks, staffing=staffing), number, weeks=weeks)
