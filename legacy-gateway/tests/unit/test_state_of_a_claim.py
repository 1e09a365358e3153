"""The state of a claim at its systems, by the states of its transfers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from legacy_gateway.domain import (
    Action,
    ShownTransfer,
    State,
    System,
    TransferOfWithdrawn,
    held_of_withdrawn,
    sorted_by_carrier,
    standing,
    worst,
)
from tests.support.gateway.transfers import BEGAN, TWO_PHASES, transfer


@given(states=st.lists(st.sampled_from(State), min_size=1))
def test_the_worst_state_comes_first(states: list[State]) -> None:
    order = ["REJECTED", "CLERICAL", "UNKNOWN", "SENDING", "HELD", "WAITING", "ACCEPTED", "CANCELLED"]

    assert worst(states) == next(name for name in order if name in states)


def shown(state: State, *, action: Action = Action.NEW, is_corrected: bool = False, phase: int = 2) -> ShownTransfer:
    return ShownTransfer(
        transfer=replace(transfer(state, phase=phase), action=action),
        replaces="",
        attempts=0,
        next_attempt_time=None,
        legacy_ref="",
        is_corrected=is_corrected,
        messages=(),
        created=BEGAN,
        updated=BEGAN,
    )


@pytest.mark.parametrize(
    ("new", "change", "stands"),
    [
        (State.WAITING, State.HELD, State.WAITING),
        (State.SENDING, State.HELD, State.SENDING),
        (State.UNKNOWN, State.HELD, State.UNKNOWN),
        (State.CLERICAL, State.HELD, State.CLERICAL),
        (State.ACCEPTED, State.HELD, State.HELD),
        (State.ACCEPTED, State.ACCEPTED, State.ACCEPTED),
        (State.CANCELLED, State.HELD, State.HELD),
    ],
)
def test_a_held_change_hides_nothing_that_is_not_accepted_yet(new: State, change: State, stands: State) -> None:
    assert standing([shown(new), shown(change, action=Action.CHANGE)]) == {System.JSAPS: stands}


def test_a_held_new_claim_is_worse_than_one_that_waits() -> None:
    assert standing([shown(State.WAITING), shown(State.HELD)]) == {System.JSAPS: State.HELD}


def test_a_first_phase_alone_never_shows_as_accepted() -> None:
    first = shown(State.ACCEPTED, phase=1)

    assert standing([first, shown(State.WAITING)]) == {System.JSAPS: State.WAITING}
    assert standing([first, shown(State.CANCELLED)]) == {System.JSAPS: State.CANCELLED}
    assert standing([first, shown(State.ACCEPTED)]) == {System.JSAPS: State.ACCEPTED}


def test_a_corrected_transfer_does_not_count_in_the_claims_state() -> None:
    corrected = shown(State.REJECTED, is_corrected=True)

    assert standing([corrected, shown(State.WAITING)]) == {System.JSAPS: State.WAITING}


def test_a_scheme_without_a_system_waits_and_does_not_hold_up_the_others() -> None:
    deployed = {"JOBSEEKERS_ALLOWANCE": System.JSAPS}

    assert sorted_by_carrier(["JOBSEEKERS_ALLOWANCE"], deployed) == ([System.JSAPS], [])
    assert sorted_by_carrier(["INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE"], deployed) == (
        [System.JSAPS],
        ["INCOME_SUPPORT"],
    )
    assert sorted_by_carrier(["CRISIS_LOAN"], deployed) == ([], ["CRISIS_LOAN"])
    with pytest.raises(FailedPrecondition):
        sorted_by_carrier([], deployed)


def of_withdrawn(phase: int, state: State) -> TransferOfWithdrawn:
    return TransferOfWithdrawn(rules=TWO_PHASES, phase=phase, state=state)


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.WAITING])
def test_holdings_of_a_withdrawn_claim_are_unknown_while_a_record_is_under_way(state: State) -> None:
    assert held_of_withdrawn([of_withdrawn(1, State.ACCEPTED), of_withdrawn(2, state)]) is None


def test_holdings_of_a_withdrawn_claim_are_half_without_its_last_phase() -> None:
    first, second = of_withdrawn(1, State.ACCEPTED), of_withdrawn(2, State.ACCEPTED)

    assert held_of_withdrawn([]) == {}
    assert held_of_withdrawn([of_withdrawn(1, State.CLERICAL)]) == {}
    assert held_of_withdrawn([first]) == {System.JSAPS: True}
    assert held_of_withdrawn([first, second]) == {System.JSAPS: False}
