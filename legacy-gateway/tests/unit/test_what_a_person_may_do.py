"""The outcomes of retrying, cancelling and correcting a transfer, by its state."""

from typing import Any

import pytest

from legacy_gateway.domain import State
from legacy_gateway.domain.desk import Outcome, Standing


def standing(state: State, **changed: Any) -> Standing:
    left = state not in {State.WAITING, State.HELD}
    given: dict[str, Any] = {
        "state": state,
        "has_left": left,
        "is_due": state in {State.WAITING, State.UNKNOWN},
        "after_defects": False,
        "is_corrected": False,
        "is_withdrawn": False,
        "other_phases": frozenset(),
        "takes_back": False,
    }
    return Standing(**given | changed)


@pytest.mark.parametrize(
    ("state", "retried", "cancelled"),
    [
        (State.WAITING, Outcome.SENT_NOW, Outcome.CANCELLED),
        (State.SENDING, Outcome.UNDER_WAY, Outcome.UNDER_WAY),
        (State.UNKNOWN, Outcome.ASKED_NOW, Outcome.MAY_BE_HELD),
        (State.ACCEPTED, Outcome.HELD_THERE, Outcome.HELD_THERE),
        (State.REJECTED, Outcome.MADE_ANEW, Outcome.CANCELLED),
        (State.HELD, Outcome.WAITS_FOR_ANOTHER, Outcome.CANCELLED),
        (State.CLERICAL, Outcome.ANSWERED_ALREADY, Outcome.MAY_BE_HELD),
        (State.CANCELLED, Outcome.ENDED, Outcome.ENDED),
    ],
)
def test_each_state_has_its_meaning_for_a_retry_and_a_cancellation(
    state: State, retried: Outcome, cancelled: Outcome
) -> None:
    assert standing(state).retried() is retried
    assert standing(state).cancelled() is cancelled


def test_a_later_phase_waits_for_the_one_before_it() -> None:
    assert standing(State.WAITING, is_due=False).retried() is Outcome.WAITS_FOR_ANOTHER


def test_a_transfer_over_which_our_code_failed_is_asked_about_if_it_has_left_and_sent_if_it_has_not() -> None:
    left, unsent = standing(State.CLERICAL, after_defects=True), standing(State.CLERICAL, has_left=False)

    assert (left.retried(), left.cancelled()) == (Outcome.ASKED_NOW, Outcome.MAY_BE_HELD)
    assert (unsent.retried(), unsent.cancelled()) == (Outcome.SENT_NOW, Outcome.CANCELLED)


def test_a_corrected_refusal_is_ended() -> None:
    corrected = standing(State.REJECTED, is_corrected=True)

    assert {corrected.retried(), corrected.cancelled(), corrected.corrected()} == {Outcome.ENDED}


@pytest.mark.parametrize("state", [State.WAITING, State.REJECTED, State.HELD])
def test_nothing_is_cancelled_of_which_the_system_holds_or_may_hold_another_phase(state: State) -> None:
    assert standing(state, other_phases=frozenset({State.ACCEPTED})).cancelled() is Outcome.FIRST_PHASE_HELD
    assert standing(state, other_phases=frozenset({State.UNKNOWN})).cancelled() is Outcome.MAY_BE_HELD


def test_a_transfer_whose_first_phase_the_system_takes_back_can_be_cancelled() -> None:
    half = standing(State.WAITING, other_phases=frozenset({State.ACCEPTED}), takes_back=True)

    assert half.cancelled() is Outcome.CANCELLED


@pytest.mark.parametrize("state", State)
def test_nothing_of_a_withdrawn_claim_is_retried_or_corrected(state: State) -> None:
    withdrawn = standing(state, is_withdrawn=True)

    assert {withdrawn.retried(), withdrawn.corrected()} == {Outcome.CLAIM_WITHDRAWN}


def test_only_a_refused_record_can_be_corrected() -> None:
    assert standing(State.REJECTED).corrected() is Outcome.CORRECTED
    assert {standing(state).corrected() for state in State if state is not State.REJECTED} == {Outcome.NOT_REFUSED}
