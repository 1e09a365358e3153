"""The checks of a request: each names one fact, or a group stands for its facts."""

from collections.abc import Collection, Mapping, Sequence

from assessment.domain.items import Check, Facts, GroupCheck, Item, ItemStatus
from chassis.errors import InvalidArgument, Violation


def checks_of_groups(
    groups: Sequence[GroupCheck], named: Sequence[Check], *, items: Mapping[str, Item], facts: Facts
) -> list[Check]:
    """The checks that groups stand for: of their items that are UNCHECKED, save those that are named themselves.

    A disputed item stays disputed. Raises InvalidArgument naming groups that have no item, or that are given twice.
    """
    _check_groups(groups, known={facts.groups.get(fact) for fact in items})
    apart, by_group = {check.fact for check in named}, {check.group: check for check in groups}
    return [
        Check(fact=fact, status=ItemStatus.CONFIRMED, evidence=by_group[group].evidence)
        for fact, item in items.items()
        if (group := facts.groups.get(fact)) in by_group and fact not in apart and item.status is ItemStatus.UNCHECKED
    ]


def _check_groups(groups: Sequence[GroupCheck], *, known: Collection[str | None]) -> None:
    violations, earlier = list[Violation](), set[str]()
    for index, check in enumerate(groups):
        if check.group not in known or check.group in earlier:
            text = "is given twice" if check.group in earlier else "has no item of this assessment"
            violations.append(Violation(field=f"groups[{index}].group", description=text))
        earlier.add(check.group)
    if violations:
        raise InvalidArgument.of(*violations)


def check_names(checks: Sequence[Check], *, known: set[str]) -> None:
    """Raises InvalidArgument naming checks of facts that are given twice, or that are unknown."""
    violations, earlier = list[Violation](), set[str]()
    for index, check in enumerate(checks):
        if check.fact not in known:
            violations.append(Violation(field=f"items[{index}].fact", description="is no item of this assessment"))
        elif check.fact in earlier:
            violations.append(Violation(field=f"items[{index}].fact", description="is given twice"))
        earlier.add(check.fact)
    if violations:
        raise InvalidArgument.of(*violations)
