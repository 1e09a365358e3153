"""The day's balance: every transfer in one column, a ledger against a list, and the remedy for what is lost."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition, InvalidArgument
from legacy_gateway.domain import (
    Action,
    Balance,
    Closing,
    Difference,
    DifferenceState,
    LedgerEntry,
    ListedRecord,
    RecordOfClaim,
    Remedy,
    Rules,
    ShownDifference,
    State,
    System,
    balance_of,
    difference_of,
    remedy,
)

DAY = date(2005, 7, 11)
JSAPS = Rules(system=System.JSAPS, schemes=("JOBSEEKERS_ALLOWANCE",), phases=2, recognises_repeat=False)
ISCS = Rules(system=System.ISCS, schemes=("INCOME_SUPPORT",), recognises_repeat=True)


def balanced(states: dict[State, int], *, missing: int = 0, unknown: int = 0) -> Balance:
    return balance_of(System.JSAPS, DAY, states, missing_there=missing, unknown_here=unknown)


@given(st.lists(st.sampled_from(State)), st.integers(0, 5), st.data())
def test_every_captured_transfer_is_in_one_column_or_missing_there(
    states: list[State], unknown: int, data: st.DataObject
) -> None:
    missing = data.draw(st.integers(0, states.count(State.ACCEPTED)))

    found = balanced(dict(Counter(states)), missing=missing, unknown=unknown)

    columns = [found.accepted, found.rejected, found.waiting, found.clerical, found.cancelled]
    assert found.captured == len(states)
    assert min(columns) >= 0
    assert found.captured + unknown == sum(columns) + found.unexplained


def test_a_transfer_on_its_way_unknown_or_held_is_waiting() -> None:
    states = {State.WAITING: 1, State.SENDING: 1, State.UNKNOWN: 1, State.HELD: 1}

    assert balanced(states).waiting == 4


def listed(state: State | None, *, copies: int = 1, ref: str = "R1", has_twin: bool = False) -> ListedRecord:
    ours = None if state is None else LedgerEntry(claim_ref="C1", state=state, legacy_ref="R1", has_twin=has_twin)
    return ListedRecord(transfer_id="T1", legacy_ref=ref, copies=copies, ours=ours)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (listed(None), Difference.UNKNOWN_HERE),
        (listed(None, copies=2), Difference.UNKNOWN_HERE),
        (listed(State.ACCEPTED), None),
        (listed(State.ACCEPTED, copies=2), Difference.HELD_TWICE),
        (listed(State.ACCEPTED, ref="R2"), Difference.OTHER_REFERENCE),
        (listed(State.SENDING), None),
        (listed(State.UNKNOWN), None),
        (listed(State.UNKNOWN, copies=2), Difference.HELD_TWICE),
        (listed(State.CLERICAL), None),
        (listed(State.WAITING), Difference.NOT_EXPECTED),
        (listed(State.CANCELLED), Difference.NOT_EXPECTED),
        (listed(State.REJECTED), Difference.NOT_EXPECTED),
        (listed(State.REJECTED, has_twin=True), Difference.TWO_NEW),
    ],
)
def test_a_listed_record_is_held_against_the_ledger(record: ListedRecord, expected: Difference | None) -> None:
    assert difference_of(record, JSAPS) is expected


def test_a_record_that_waits_is_no_difference_where_the_system_will_recognise_it() -> None:
    assert difference_of(listed(State.WAITING), ISCS) is None


@given(
    st.dictionaries(st.integers(0, 30), st.sampled_from(State)),
    st.lists(st.integers(0, 40), max_size=60),
    st.sampled_from([ISCS, JSAPS]),
)
def test_a_ledger_and_a_list_agree_only_where_each_accepted_record_is_listed_once(
    ledger: dict[int, State], on_list: list[int], rules: Rules
) -> None:
    copies = Counter(on_list)

    found = {
        number
        for number, count in copies.items()
        if difference_of(listed(ledger.get(number), copies=count), rules) is not None
    }

    for number, count in copies.items():
        if count > 1 or number not in ledger:
            assert number in found
        elif ledger[number] in {State.ACCEPTED, State.SENDING, State.UNKNOWN, State.CLERICAL}:
            assert number not in found


def record(name: str, **changed: Any) -> RecordOfClaim:
    """A record of an accepted new claim: `name` is its transfer id."""
    given_values: dict[str, Any] = {
        "transfer_id": name,
        "generation": 1,
        "phase": 1,
        "action": Action.NEW,
        "state": State.ACCEPTED,
        "lost": False,
    }
    return RecordOfClaim(**given_values | changed)


def first_phase(**changed: Any) -> RecordOfClaim:
    return record("ES", **changed)


def second_phase(**changed: Any) -> RecordOfClaim:
    return record("BA", phase=2, **changed)


def remedy_for(lost: RecordOfClaim, *others: RecordOfClaim, withdrawn: bool = False) -> Remedy:
    return remedy(lost, [lost, *others], withdrawn=withdrawn)


def test_a_lost_record_without_phases_goes_again_as_it_was() -> None:
    assert remedy_for(record("T1", lost=True)) is Remedy.SENT_AGAIN


def test_a_lost_second_phase_goes_again_while_its_first_is_held() -> None:
    assert remedy_for(second_phase(lost=True), first_phase()) is Remedy.SENT_AGAIN


def test_a_lost_first_phase_whose_second_is_held_is_a_persons_work() -> None:
    assert remedy_for(first_phase(lost=True), second_phase()) is Remedy.FIRST_PHASE_LOST


@pytest.mark.parametrize("state", [State.REJECTED, State.CLERICAL])
def test_a_lost_first_phase_whose_second_a_person_has_is_a_persons_work(state: State) -> None:
    assert remedy_for(first_phase(lost=True), second_phase(state=state)) is Remedy.FIRST_PHASE_LOST


def test_both_phases_go_anew_where_both_are_lost() -> None:
    assert remedy_for(first_phase(lost=True), second_phase(lost=True)) is Remedy.SENT_ANEW
    assert remedy_for(second_phase(lost=True), first_phase(lost=True)) is Remedy.SENT_ANEW


def test_both_phases_go_anew_where_the_second_was_not_sent_yet() -> None:
    assert remedy_for(first_phase(lost=True), second_phase(state=State.WAITING)) is Remedy.SENT_ANEW


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN])
def test_nothing_is_done_while_another_record_of_the_claim_is_on_its_way(state: State) -> None:
    assert remedy_for(first_phase(lost=True), second_phase(state=state)) is Remedy.LATER
    assert remedy_for(record("T1", lost=True), record("T2", generation=2, state=state)) is Remedy.LATER


def test_nothing_is_done_while_the_system_is_asked_to_give_the_first_phase_up() -> None:
    given_up = first_phase(lost=True, being_withdrawn=True)

    assert remedy_for(given_up, second_phase(state=State.CANCELLED)) is Remedy.LATER


def test_a_lost_first_phase_whose_second_was_given_up_stays_lost() -> None:
    assert remedy_for(first_phase(lost=True), second_phase(state=State.CANCELLED)) is Remedy.GONE_ON


def test_a_record_that_a_later_one_replaced_is_not_sent_again() -> None:
    change = record("T2", generation=2, action=Action.CHANGE)

    assert remedy_for(record("T1", lost=True), change) is Remedy.REPLACED


def test_a_lost_change_goes_again_only_while_what_it_changed_is_held() -> None:
    change = record("T2", generation=2, action=Action.CHANGE, lost=True)

    assert remedy_for(change, record("T1")) is Remedy.SENT_AGAIN
    assert remedy_for(change, record("T1", lost=True)) is Remedy.CHANGE_LOST


def test_a_lost_change_of_both_phases_is_a_persons_work() -> None:
    change: dict[str, Any] = {"generation": 2, "action": Action.CHANGE, "lost": True}

    assert remedy_for(first_phase(**change), second_phase(**change)) is Remedy.CHANGE_LOST


def test_nothing_of_a_withdrawn_claim_is_sent_again() -> None:
    assert remedy_for(record("T1", lost=True), withdrawn=True) is Remedy.WITHDRAWN


def test_nothing_is_done_about_a_transfer_that_has_gone_on_or_that_is_held() -> None:
    assert remedy_for(record("T1", lost=True, state=State.WAITING)) is Remedy.GONE_ON
    assert remedy_for(record("T1")) is Remedy.NONE


def difference(kind: Difference, state: DifferenceState = DifferenceState.OPEN) -> ShownDifference:
    return ShownDifference(
        difference_id=UUID(int=1),
        system=System.JSAPS,
        kind=kind,
        state=state,
        day=DAY,
        transfer_id="T1",
        claim_ref="C1",
        legacy_ref="R1",
        cause="",
        since=datetime(2005, 7, 12, tzinfo=UTC),
        closed_time=None,
        closed_by="",
        closing_reason="",
    )


def test_closing_the_difference_of_a_missing_transfer_settles_the_transfer() -> None:
    missing = difference(Difference.MISSING_THERE)

    assert missing.closed(Closing.HELD_THERE) is State.ACCEPTED
    assert missing.closed(Closing.GIVEN_UP) is State.CANCELLED
    with pytest.raises(InvalidArgument):
        missing.closed(Closing.NOT_OURS)


def test_closing_another_difference_leaves_the_transfer_as_it_is() -> None:
    assert difference(Difference.HELD_TWICE).closed(Closing.ENDED_THERE) is None


@pytest.mark.parametrize("state", [DifferenceState.ASKING, DifferenceState.CLOSED])
def test_only_an_open_difference_is_closed(state: DifferenceState) -> None:
    with pytest.raises(FailedPrecondition):
        difference(Difference.MISSING_THERE, state).closed(Closing.HELD_THERE)
