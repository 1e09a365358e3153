"""The table of the ledger's states: docs/states.md shows it, and the transitions of a transfer are those of the table."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.errors import FailedPrecondition
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.domain import (
    MOST_DEFECTS,
    Action,
    Result,
    Rules,
    State,
    Step,
    System,
    SystemAnswer,
    Transfer,
    Waits,
)
from legacy_gateway.domain.ledger import STAYS, TRANSITIONS, Cause, is_possible

PAGE = Path(__file__).parents[3] / "docs" / "states.md"
WAITS = Waits(scale=1.0, spread=1.0)
RULES = Rules(system=System.JSAPS, schemes=("JOBSEEKERS_ALLOWANCE",), phases=2, recognises_repeat=False)
FINAL = {State.ACCEPTED, State.CANCELLED}

Way = tuple[Cause, State | None, State]


def transfer(state: State, *, defects: int = 0) -> Transfer:
    return Transfer(
        transfer_id="0" * 26,
        claim_ref="C00000000018",
        claim_version=7,
        action=Action.NEW,
        generation=1,
        rules=RULES,
        phase=2,
        state=state,
        defects=defects,
    )


def ways_of(state: State) -> Iterator[tuple[Cause, Callable[[], State]]]:
    """Everything that a transfer in a state can be asked to do, each with its cause."""

    def after(step: Callable[[], Step]) -> Callable[[], State]:
        return lambda: step().state

    now = transfer(state)
    yield Cause.SENDER, lambda: now.begun().state
    yield Cause.LEASE_END, after(lambda: now.lease_expired(WAITS))
    yield Cause.OWN_CHECK, after(lambda: now.unfit([]))
    yield Cause.OWN_CHECK, after(lambda: now.unfit([], needs_person=True))
    yield Cause.DOUBT, after(lambda: now.unfit([], needs_person=True))
    yield Cause.DEFECT, after(lambda: now.hit_defect(WAITS))
    yield Cause.DEFECT, after(lambda: transfer(state, defects=MOST_DEFECTS).hit_defect(WAITS))
    for result in Result:
        answer = SystemAnswer(result=result)
        yield Cause.ANSWER, after(lambda answer=answer: now.sent(answer, WAITS))  # type: ignore[misc]
        for final in (True, False):
            asked = after(lambda answer=answer, final=final: now.asked(answer, WAITS, final=final))  # type: ignore[misc]
            yield Cause.ENQUIRY, asked


def found_ways() -> set[Way]:
    found: set[Way] = set()
    for state in State:
        for cause, go in ways_of(state):
            try:
                after = go()
            except FailedPrecondition:
                continue
            if after is not state:
                found.add((cause, state, after))
    return found


def test_a_transfer_goes_the_ways_of_the_table_and_no_other() -> None:
    found = found_ways()

    assert found == {
        (one.cause, one.before, one.after) for one in TRANSITIONS if one.cause in {way[0] for way in found}
    }


def test_every_state_has_a_way_in_and_every_state_that_is_no_end_has_a_way_out_a_deadline_and_an_owner() -> None:
    assert {one.after for one in TRANSITIONS} == set(State)
    assert {one.before for one in TRANSITIONS if one.cause is not Cause.LOSS} - {None, State.ACCEPTED} == set(STAYS)
    assert set(STAYS) == set(State) - FINAL
    assert is_possible(None, State.WAITING)
    assert not is_possible(State.CANCELLED, State.WAITING)


def test_overdue_items_are_counted_by_the_table() -> None:
    counted = {deadline.state: deadline for deadline in DEADLINES if deadline.state in set(State)}

    assert set(counted) == set(STAYS)
    assert {state: deadline.owner for state, deadline in counted.items()} == {
        state: stay.owner for state, stay in STAYS.items()
    }


def lines(after: str) -> list[list[str]]:
    table = PAGE.read_text().split(after, 1)[1].split("\n\n", 2)[2] if after else PAGE.read_text()
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")
    ]


@pytest.mark.parametrize("state", STAYS)
def test_the_page_shows_each_deadline_and_owner(state: State) -> None:
    [row] = [row for row in lines("") if row[:2] == ["legacy-gateway", state]]

    assert row[3:] == [words(STAYS[state].deadline), STAYS[state].owner]


def words(time: timedelta) -> str:
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if time >= unit:
            return f"{time // unit} {name}{'s' if time > unit else ''}"
    raise AssertionError(time)


def test_the_page_shows_every_transition_with_its_event() -> None:
    shown = [tuple(row) for row in lines("## How a transfer goes")[1:] if not row[0].startswith("---")]

    assert [(cause, before, after, event) for cause, before, after, event in shown] == [
        (one.cause, one.before or "–", one.after, one.event or "–") for one in TRANSITIONS
    ]
