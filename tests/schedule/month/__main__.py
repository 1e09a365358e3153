"""`make simulate-month`: a month under the platform's search and under three simple policies, into docs/scheduling.md.

    python -m tests.schedule.month [--offices 24] [--seeds 1,2,3] [--normal-seeds 1,2,3,4,5,6,7,8,9,10]

It writes the part of docs/scheduling.md between its two marks, and the plot beside it, and prints the table.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from scheduling.data import load_offices
from tests.schedule.month import world
from tests.schedule.month.figures import POLICIES, Figures, margins, of_seeds
from tests.schedule.month.plot import svg
from tests.schedule.month.world import LATE_DUTY, MONTH, RECKONED, SPARE, STAFFINGS, Staffing

DOCS = Path(__file__).resolve().parents[3] / "docs"
LEEDS = (430_000, 433_500)
_BEGIN, _END = "<!-- the month begins -->\n", "<!-- the month ends -->\n"


OfSeeds = dict[int, list[Figures]]


def page(of_all: dict[Staffing, OfSeeds], normal: dict[Staffing, OfSeeds], *, offices: int) -> str:
    """The part of the page, in Markdown: for each staffing the table of the first seed, and the margins of all.

    `normal` has the normal week alone, of more seeds.
    """
    of_seeds = of_all[RECKONED]
    found = next(iter(of_seeds.values()))
    text = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    return text.format(
        offices=offices,
        assessors=offices * world.ASSESSORS,
        claimants=f"{sum(one.claimants for one in found if one.policy == found[0].policy):,}",
        by_telephone=round(100 * world.BY_TELEPHONE),
        reckoned=_table(of_all[RECKONED]),
        late_duty=_table(of_all[LATE_DUTY]),
        spare=_table(of_all[SPARE]),
        normal="\n".join(_missed(staffing, found) for staffing, found in normal.items()),
        normal_seeds=len(normal[RECKONED]),
        seeds=", ".join(map(str, of_seeds)),
        reckoned_margins=_margins(of_all[RECKONED]),
        late_duty_margins=_margins(of_all[LATE_DUTY]),
        spare_margins=_margins(of_all[SPARE]),
        filled=round(100 * RECKONED.filled),
        spare_filled=round(100 * SPARE.filled),
        area_km=world.AREA_KM,
        office_spread=world.OFFICE_SPREAD,
        area_spread=world.AREA_SPREAD,
        cancelled=round(100 * world.CANCELLED),
        missed=round(100 * world.MISSED),
        crises=round(100 * world.CRISES),
        away=round(100 * world.AWAY),
    )


def _weeks(of_seeds: OfSeeds) -> list[str]:
    return list(dict.fromkeys(one.week.name for one in next(iter(of_seeds.values()))))


def _table(of_seeds: OfSeeds) -> str:
    found = next(iter(of_seeds.values()))
    return "\n".join(_row(one) for week in _weeks(of_seeds) for one in found if one.week.name == week)


def _margins(of_seeds: OfSeeds) -> str:
    return "\n".join(
        _margin(week, [margins(figures)[week] for figures in of_seeds.values()]) for week in _weeks(of_seeds)
    )


def _row(one: Figures) -> str:
    days = " | ".join(f"{number:.1f}" for number in (one.lead_days, one.mean_days, one.long_days))
    return (
        f"| {one.week.name} | {one.policy} | {100 * one.within:.1f} % | {100 * one.crises_within:.0f} % | {days}"
        f" | {one.longest_days:.0f} | {one.late_days:.1f} | {100 * one.by_telephone:.0f} % | {one.distance_km:.1f}"
        f" | {100 * one.moves:.1f} % |"
    )


def _ahead(of_seeds: OfSeeds) -> list[float]:
    """By week, the median of the seeds' margins."""
    return [median(margins(figures)[week] for figures in of_seeds.values()) for week in _weeks(of_seeds)]


def _margin(week: str, found: Sequence[float]) -> str:
    return f"| {week} | {100 * min(found):.2f} | {100 * median(found):.2f} | {100 * max(found):.2f} |"


def _missed(staffing: Staffing, of_seeds: OfSeeds) -> str:
    """By policy, how many of the claimants of all seeds were not seen in time; and the margins of the single seeds."""
    every = [one for figures in of_seeds.values() for one in figures]
    by_policy = {kind.name: [one for one in every if one.policy == kind.name] for kind in POLICIES}
    missed = " | ".join(str(sum(one.missed for one in found)) for found in by_policy.values())
    claimants = sum(one.claimants for one in by_policy[POLICIES[0].name])
    ahead = [next(iter(margins(figures).values())) for figures in of_seeds.values()]
    level = sum(margin == 0 for margin in ahead)
    behind = sum(margin < 0 for margin in ahead)
    spread = f"{100 * min(ahead):.2f} to {100 * max(ahead):.2f}"
    return f"| {staffing.name} | {claimants:,} | {missed} | {len(ahead) - level - behind} / {level} / {behind} | {spread} |"


def main() -> int:
    """Writes page and plot; 1 where another policy is ahead of the platform in a week, in the median of the seeds."""
    parser = argparse.ArgumentParser(prog="make simulate-month")
    parser.add_argument("--offices", type=int, default=24)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--normal-seeds", default="1,2,3,4,5,6,7,8,9,10", help="of the normal week alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many policies pass at a time")
    given = parser.parse_args()
    offices = world.region(load_offices(), around=LEEDS, number=given.offices)
    seeds = [int(seed) for seed in given.seeds.split(",")]
    of_all = {staffing: of_seeds(offices, seeds, staffing, jobs=given.jobs) for staffing in STAFFINGS}
    more = [int(seed) for seed in given.normal_seeds.split(",")]
    normal = {staffing: of_seeds(offices, more, staffing, jobs=given.jobs, weeks=MONTH[:1]) for staffing in STAFFINGS}
    written = page(of_all, normal, offices=len(offices))
    file = DOCS / "scheduling.md"
    before, _, rest = file.read_text(encoding="utf-8").partition(_BEGIN)
    file.write_text(f"{before}{_BEGIN}\n{written}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
    (DOCS / "schedule-month.svg").write_text(svg(next(iter(of_all[RECKONED].values()))), encoding="utf-8")
    print(written)
    return 0 if all(min(_ahead(of_staffing)) >= 0 for of_staffing in of_all.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
