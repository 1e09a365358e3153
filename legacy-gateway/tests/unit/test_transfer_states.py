"""The states of a transfer by the answers of a system: pure, so every path can be walked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from legacy_gateway.domain import (
    MOST_DEFECTS,
    MissingSender,
    ProcessName,
    RefusalMessage,
    Result,
    State,
    SystemAnswer,
    Waits,
    new_transfer_id,
)
from tests.support.gateway.transfers import RECOGNISES, TWO_PHASES, transfer

WAITS = Waits(scale=1.0, spread=1.0)
HELD = SystemAnswer(result=Result.HELD, legacy_ref="JS0000000001")
TERMINAL = {State.ACCEPTED, State.REJECTED, State.CLERICAL}


def message(code: str) -> RefusalMessage:
    return RefusalMessage(code=code, field="CM-TITLE", text="NOT ON THE TABLE", question_id="title")


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Result.HELD, State.ACCEPTED),
        (Result.REFUSED, State.REJECTED),
        (Result.CONFLICT, State.CLERICAL),
        (Result.SYSTEM_ERROR, State.WAITING),
        (Result.BUSY, State.WAITING),
        (Result.NOT_SENT, State.WAITING),
        (Result.NO_REPLY, State.UNKNOWN),
        (Result.NOT_KNOWN, State.UNKNOWN),
    ],
)
def test_the_result_of_a_send_decides_the_state(result: Result, state: State) -> None:
    step = transfer(State.SENDING).sent(SystemAnswer(result=result), WAITS)

    assert step.state is state
    assert (step.wait_seconds is None) == (state in TERMINAL)


@pytest.mark.parametrize(
    ("result", "final", "state"),
    [
        (Result.HELD, False, State.ACCEPTED),
        (Result.REFUSED, False, State.REJECTED),
        (Result.CONFLICT, True, State.CLERICAL),
        (Result.NOT_KNOWN, True, State.WAITING),
        (Result.NOT_KNOWN, False, State.UNKNOWN),
        (Result.NO_REPLY, True, State.UNKNOWN),
        (Result.NOT_SENT, True, State.UNKNOWN),
        (Result.SYSTEM_ERROR, True, State.UNKNOWN),
        (Result.BUSY, True, State.UNKNOWN),
    ],
)
def test_the_result_of_an_enquiry_decides_the_state(result: Result, final: bool, state: State) -> None:  # noqa: FBT001
    step = transfer(State.UNKNOWN).asked(SystemAnswer(result=result), WAITS, final=final)

    assert step.state is state


def test_a_refusal_keeps_its_messages() -> None:
    step = transfer(State.SENDING).sent(SystemAnswer(result=Result.REFUSED, messages=(message("ES0090"),)), WAITS)

    assert step.messages == (message("ES0090"),)


def test_a_withdrawn_record_becomes_clerical() -> None:
    step = transfer(State.UNKNOWN).asked(replace(HELD, messages=(message("ES0031"),)), WAITS, final=True)

    assert (step.state, step.legacy_ref) == (State.CLERICAL, HELD.legacy_ref)


def test_a_held_record_is_not_asked_about_again() -> None:
    step = transfer(State.UNKNOWN).asked(HELD, WAITS, final=False)

    assert (step.wait_seconds, step.legacy_ref) == (None, HELD.legacy_ref)


def test_an_enquiry_waits_until_its_answer_can_be_final() -> None:
    by_line = transfer(State.SENDING).sent(SystemAnswer(result=Result.NO_REPLY), WAITS)
    by_sweep = transfer(State.SENDING).lease_expired(WAITS)

    assert [(step.state, step.wait_seconds) for step in (by_line, by_sweep)] == [(State.UNKNOWN, 12.0)] * 2


def test_only_the_sender_itself_says_that_its_connection_is_closed() -> None:
    sending = transfer(State.SENDING)

    assert sending.sent(SystemAnswer(result=Result.NO_REPLY), WAITS).is_closed
    assert sending.hit_defect(WAITS).is_closed
    assert not sending.lease_expired(WAITS).is_closed
    assert not transfer(State.UNKNOWN).asked(SystemAnswer(result=Result.NOT_KNOWN), WAITS, final=False).is_closed


@pytest.mark.parametrize(("closed_seconds", "final"), [(None, False), (0.0, False), (11.9, False), (12.0, True)])
def test_a_not_known_is_final_twelve_seconds_after_the_connection_is_known_to_be_closed(
    closed_seconds: float | None,
    final: bool,  # noqa: FBT001
) -> None:
    assert WAITS.is_final(TWO_PHASES, closed_seconds) is final


@pytest.mark.parametrize("closed_seconds", [None, 0.0, 12.0])
def test_a_not_known_of_a_system_that_recognises_a_repeat_is_final_at_once(closed_seconds: float | None) -> None:
    assert WAITS.is_final(RECOGNISES, closed_seconds)


def test_a_system_that_recognises_a_repeat_is_asked_after_the_first_back_off() -> None:
    unknown = transfer(State.SENDING, rules=RECOGNISES).sent(SystemAnswer(result=Result.NO_REPLY), WAITS)

    assert (unknown.state, unknown.wait_seconds) == (State.UNKNOWN, WAITS.back_off(0))


def test_a_code_of_a_withdrawn_record_means_nothing_where_the_system_withdraws_none() -> None:
    answer = replace(HELD, messages=(message("ES0031"),))

    assert transfer(State.UNKNOWN).asked(answer, WAITS, final=True).state is State.CLERICAL
    assert transfer(State.UNKNOWN, rules=RECOGNISES).asked(answer, WAITS, final=True).state is State.ACCEPTED


def test_a_system_of_one_phase_holds_the_claim_with_its_first_record() -> None:
    assert transfer(State.ACCEPTED, rules=RECOGNISES).is_last_phase


@pytest.mark.parametrize(
    ("has_ended", "lock_counts", "was_missing", "gone"),
    [
        (True, False, False, True),
        (False, True, True, True),
        (False, True, False, False),
        (False, False, True, False),
    ],
)
def test_a_sender_is_gone_when_its_machine_says_so_or_its_lock_is_missing_twice_for_no_other_reason(
    *, has_ended: bool, lock_counts: bool, was_missing: bool, gone: bool
) -> None:
    process = ProcessName(machine="boot", pid=7, started="1")
    sender = MissingSender(sender_id=1, process=process, lock_counts=lock_counts)

    assert sender.is_gone(has_ended=has_ended, was_missing=was_missing) is gone


def test_after_a_final_no_the_record_is_sent_again_at_once() -> None:
    step = transfer(State.UNKNOWN).asked(SystemAnswer(result=Result.NOT_KNOWN), WAITS, final=True)

    assert (step.state, step.wait_seconds) == (State.WAITING, 0.0)


def test_the_back_off_doubles_up_to_five_minutes() -> None:
    waits = [
        transfer(State.SENDING, setbacks=setbacks).sent(SystemAnswer(result=Result.SYSTEM_ERROR), WAITS).wait_seconds
        for setbacks in (0, 1, 2, 7, 8, 500)
    ]

    assert waits == [2.0, 4.0, 8.0, 256.0, 300.0, 300.0]


def test_the_wait_that_a_busy_system_names_is_not_scaled() -> None:
    busy = SystemAnswer(result=Result.BUSY, retry_after_seconds=90.0)

    step = transfer(State.SENDING).sent(busy, Waits(scale=0.01, spread=0.75))

    assert step.wait_seconds == 90.0


@given(scale=st.floats(0.001, 1.0), spread=st.floats(0.75, 1.25), setbacks=st.integers(0, 10_000))
def test_the_back_off_is_bounded(scale: float, spread: float, setbacks: int) -> None:
    assert 0 < Waits(scale=scale, spread=spread).back_off(setbacks) <= 375.0 * scale * 1.001


@pytest.mark.parametrize(
    ("state", "after"),
    [(State.WAITING, State.WAITING), (State.SENDING, State.UNKNOWN), (State.UNKNOWN, State.UNKNOWN)],
)
def test_a_defect_is_tried_again_and_a_sent_record_becomes_unknown(state: State, after: State) -> None:
    step = transfer(state, defects=MOST_DEFECTS - 2).hit_defect(WAITS)

    assert (step.state, step.is_defect) == (after, True)
    assert step.wait_seconds is not None


@pytest.mark.parametrize("state", [State.WAITING, State.SENDING, State.UNKNOWN])
def test_ten_defects_make_a_transfer_clerical(state: State) -> None:
    step = transfer(state, defects=MOST_DEFECTS - 1).hit_defect(WAITS)

    assert (step.state, step.wait_seconds) == (State.CLERICAL, None)


def test_a_value_that_no_record_can_hold_goes_to_a_person_and_one_that_can_be_corrected_does_not() -> None:
    too_much = transfer(State.WAITING).unfit([message("GW0004")], needs_person=True)
    wrong = transfer(State.WAITING).unfit([message("GW0002")])

    assert (too_much.state, too_much.wait_seconds, too_much.messages) == (State.CLERICAL, None, (message("GW0004"),))
    assert (wrong.state, wrong.wait_seconds, wrong.messages) == (State.REJECTED, None, (message("GW0002"),))


def test_the_times_of_the_document_are_scaled() -> None:
    assert Waits(scale=0.05, spread=1.0).final_after_closing(TWO_PHASES) == pytest.approx(0.6)


def test_a_transition_from_another_state_is_refused() -> None:
    for state in State:
        if state is not State.SENDING:
            with pytest.raises(FailedPrecondition, match=state):
                transfer(state).sent(HELD, WAITS)
            with pytest.raises(FailedPrecondition):
                transfer(state).lease_expired(WAITS)
        if state is not State.UNKNOWN:
            with pytest.raises(FailedPrecondition):
                transfer(state).asked(HELD, WAITS, final=True)
        if state is not State.WAITING:
            with pytest.raises(FailedPrecondition):
                transfer(state).unfit([])
            with pytest.raises(FailedPrecondition):
                transfer(state).put_off(WAITS)
        if state not in {State.WAITING, State.SENDING, State.UNKNOWN}:
            with pytest.raises(FailedPrecondition):
                transfer(state).hit_defect(WAITS)


ANSWERS = st.builds(SystemAnswer, result=st.sampled_from(Result), legacy_ref=st.just("JS0000000001"))
WALKS = st.lists(st.tuples(ANSWERS, st.booleans(), st.sampled_from(["lives", "dies", "fails"])), max_size=30)


@given(walk=WALKS)
def test_a_record_is_never_sent_again_while_it_may_be_held(walk: list[tuple[SystemAnswer, bool, str]]) -> None:
    """The walk is what the system says, whether an enquiry is final, and whether the sender dies or fails over it."""
    now = transfer(State.WAITING)
    may_be_held = False
    for answer, final, sender in walk:
        if now.state in TERMINAL:
            break
        if now.state is State.WAITING:
            assert not may_be_held
            sending = replace(now, state=State.SENDING)
            left = {"dies": sending.lease_expired, "fails": sending.hit_defect}.get(sender)
            step = left(WAITS) if left else sending.sent(answer, WAITS)
            may_be_held = bool(left) or answer.result not in {Result.NOT_SENT, Result.SYSTEM_ERROR, Result.BUSY}
        elif sender == "fails":
            step = now.hit_defect(WAITS)
        else:
            step = now.asked(answer, WAITS, final=final)
            may_be_held = may_be_held and not (answer.result is Result.NOT_KNOWN and final)
        now = replace(now, state=step.state, defects=now.defects + step.is_defect)


def test_setbacks_of_sends_and_enquiries_are_counted_apart() -> None:
    tried = replace(transfer(State.SENDING, setbacks=3), enquiry_setbacks=5)
    asked = replace(tried, state=State.UNKNOWN)

    send = tried.sent(SystemAnswer(result=Result.SYSTEM_ERROR), WAITS)
    enquiry = asked.asked(SystemAnswer(result=Result.NO_REPLY), WAITS, final=True)

    assert (send.setbacks, send.enquiry_setbacks, send.wait_seconds) == (4, 5, 16.0)
    assert (enquiry.setbacks, enquiry.enquiry_setbacks, enquiry.wait_seconds) == (3, 6, 64.0)


@pytest.mark.parametrize("final", [True, False])
def test_setbacks_are_forgotten_when_the_system_answers(final: bool) -> None:  # noqa: FBT001
    asked = replace(transfer(State.UNKNOWN, setbacks=3), enquiry_setbacks=5)

    step = asked.asked(SystemAnswer(result=Result.NOT_KNOWN), WAITS, final=final)

    assert (step.setbacks, step.enquiry_setbacks) == (0, 0)


def test_a_transfer_that_fails_again_after_it_was_woken_sits_out_its_back_off() -> None:
    fails = SystemAnswer(result=Result.NOT_SENT)
    sending = transfer(State.SENDING)

    assert sending.sent(fails, WAITS).wakes_after == 0.0
    assert replace(sending, woken=True).sent(fails, WAITS).wakes_after is None


def test_a_system_that_names_a_time_wakes_nothing_before_it() -> None:
    busy = SystemAnswer(result=Result.BUSY, retry_after_seconds=90.0)

    assert transfer(State.SENDING).sent(busy, WAITS).wakes_after == 90.0


def test_only_what_left_is_an_attempt() -> None:
    results = (Result.NOT_SENT, Result.SYSTEM_ERROR, Result.NO_REPLY)

    nothing_left = [transfer(State.SENDING).sent(SystemAnswer(result=result), WAITS).nothing_left for result in results]

    assert nothing_left == [True, False, False]


def test_only_the_last_phase_makes_the_claim_usable() -> None:
    assert [transfer(State.ACCEPTED, phase=phase).is_last_phase for phase in (1, 2)] == [False, True]


def test_transfer_ids_have_the_interfaces_form_and_differ() -> None:
    drawn = {new_transfer_id() for _ in range(100)}

    assert len(drawn) == 100
    assert all(len(name) == 26 and set(name) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") for name in drawn)
