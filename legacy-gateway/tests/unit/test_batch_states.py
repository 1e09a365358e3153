"""The life of a batch: what a response, a refusal, a repeat's answer, a missing line and silence mean."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from chassis.errors import FailedPrecondition
from legacy_gateway.domain import System, Waits
from legacy_gateway.domain.batches import (
    GIVE_UP_AFTER,
    MOST_REFUSALS,
    REPEAT_AFTER,
    WRONG_FOR,
    Batch,
    BatchState,
    BatchStep,
    DayList,
    FileFault,
    Line,
    MissingLines,
    NotBelieved,
    Response,
    Version,
    sequence_after,
)
from legacy_gateway.domain.systems import HeldRecord

WAITS = Waits(scale=1.0, spread=1.0)
FIRST, SECOND = Version(changed=100, size=400), Version(changed=102, size=400)
IDS = ["A" * 26, "B" * 26]


def batch(state: BatchState, **changed: Any) -> Batch:
    made = Batch(system=System.PSCS, number=7, sequence=7, state=state, details=2)
    return replace(made, **changed)


def after(before: Batch, step: BatchStep) -> Batch:
    """The batch as the store keeps it after a step."""
    return replace(
        before,
        state=step.state,
        setbacks=step.setbacks,
        refusals=step.refusals,
        taken=step.taken,
        fault=step.fault,
        refused_by=step.refused_by,
    )


def test_sequences_go_up_by_one_and_begin_again_after_the_last() -> None:
    assert [sequence_after(one) for one in (0, 1, 999_998, 999_999)] == [1, 2, 999_999, 1]


def test_a_file_that_could_not_be_sent_goes_again_later_and_later() -> None:
    built = batch(BatchState.BUILT)
    first = built.not_uploaded(WAITS)
    second = after(built, first).not_uploaded(WAITS)

    assert (first.state, second.state) == (BatchState.BUILT, BatchState.BUILT)
    assert first.wait_seconds < second.wait_seconds


def test_a_refused_file_is_made_anew_and_the_refusal_is_not_its_answer() -> None:
    sent = batch(BatchState.SENT)
    refused = after(sent, sent.refused("PF0004", FIRST, WAITS))
    corrected = after(refused, refused.corrected())

    assert refused.state is BatchState.REFUSED
    assert corrected.state is BatchState.BUILT
    assert not corrected.is_new(FIRST)
    assert corrected.is_new(SECOND)
    assert corrected.fault == "PF0004"


def test_a_corrected_file_waits_for_another_second_however_short_the_scale() -> None:
    step = batch(BatchState.SENT).refused("PF0004", FIRST, Waits(scale=0.001, spread=1.0))

    assert step.wait_seconds >= 2.0


def test_a_file_that_is_refused_again_and_again_is_left_to_a_person_who_can_try_it_again() -> None:
    last = batch(BatchState.SENT, refusals=MOST_REFUSALS - 1)
    clerical = after(last, last.refused("PF0001", FIRST, WAITS))

    assert clerical.state is BatchState.CLERICAL
    again = after(clerical, clerical.tried_again())
    assert (again.state, again.refusals) == (BatchState.REFUSED, 0)


def test_a_wrong_response_leaves_the_file_sent_with_its_fault_and_less_patience() -> None:
    sent = batch(BatchState.SENT, since_sent=WRONG_FOR).misread(FileFault.COUNT)
    again = sent.unanswered(WAITS, fetched=True, duplicate=False)
    taken = after(sent, sent.unanswered(WAITS, fetched=True, duplicate=True))

    assert (again.state, again.fault) == (BatchState.BUILT, "COUNT")
    assert (taken.state, taken.fault) == (BatchState.SENT, "COUNT")
    assert taken.is_given_up(WAITS)


def test_a_file_that_lies_unfetched_is_not_sent_again() -> None:
    sent = batch(BatchState.SENT, since_sent=REPEAT_AFTER * 10)

    assert sent.unanswered(WAITS, fetched=False, duplicate=False).state is BatchState.SENT


def test_a_fetched_file_without_an_answer_goes_again_after_hours() -> None:
    early = batch(BatchState.SENT, since_sent=REPEAT_AFTER / 2)
    late = batch(BatchState.SENT, since_sent=REPEAT_AFTER)

    assert early.unanswered(WAITS, fetched=True, duplicate=False).state is BatchState.SENT
    assert late.unanswered(WAITS, fetched=True, duplicate=False).state is BatchState.BUILT


def test_a_file_that_is_known_to_be_taken_is_awaited_for_a_day_and_then_given_up() -> None:
    sent = batch(BatchState.SENT, since_sent=REPEAT_AFTER)
    taken = after(sent, sent.unanswered(WAITS, fetched=True, duplicate=True))

    assert (taken.state, taken.taken) == (BatchState.SENT, True)
    assert not taken.is_given_up(WAITS)
    assert replace(taken, since_sent=GIVE_UP_AFTER).is_given_up(WAITS)
    assert not replace(taken, since_sent=GIVE_UP_AFTER, taken=False).is_given_up(WAITS)


@pytest.mark.parametrize("state", [BatchState.REFUSED, BatchState.CLERICAL, BatchState.ANSWERED])
def test_a_batch_that_is_not_under_way_has_no_response(state: BatchState) -> None:
    with pytest.raises(FailedPrecondition):
        batch(state).answered()
    with pytest.raises(FailedPrecondition):
        batch(state).refused("PF0003", FIRST, WAITS)
    with pytest.raises(FailedPrecondition):
        batch(state).uploaded(WAITS)


def held(*transfer_ids: str) -> tuple[Line, ...]:
    return tuple(Line(transfer_id=one, legacy_ref="REF") for one in transfer_ids)


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (Response(sequence=8, count=2, lines=held(*IDS)), FileFault.OTHER_SEQUENCE),
        (Response(sequence=7, count=3, lines=held(*IDS)), FileFault.COUNT),
        (Response(sequence=7, count=0, lines=held(IDS[0])), FileFault.COUNT),
        (Response(sequence=7, count=2, refusal="PF0004"), FileFault.COUNT),
        (Response(sequence=7, count=1, lines=held("C" * 26)), FileFault.OTHER_TRANSFERS),
        (Response(sequence=7, count=2, lines=held(IDS[0], IDS[0])), FileFault.OTHER_TRANSFERS),
    ],
)
def test_a_response_about_something_else_is_not_believed(response: Response, fault: FileFault) -> None:
    with pytest.raises(NotBelieved) as caught:
        response.must_fit(7, IDS)

    assert caught.value.fault is fault


@pytest.mark.parametrize("count", [1, 2])
def test_a_response_with_a_line_missing_is_believed_for_the_others(count: int) -> None:
    Response(sequence=7, count=count, lines=held(IDS[0])).must_fit(7, IDS)


DAY, NEXT = date(2005, 7, 11), date(2005, 7, 12)
MISSING = MissingLines(
    system=System.PSCS,
    number=7,
    sent_time=datetime(2005, 7, 11, 10, tzinfo=UTC),
    answered_time=datetime(2005, 7, 11, 11, tzinfo=UTC),
    list_seen=100,
    missing=["B" * 26],
    held=["A" * 26],
)


def listed(changed: int, *transfer_ids: str) -> DayList:
    return DayList(changed=changed, records=[HeldRecord(transfer_id=one, legacy_ref="REF") for one in transfer_ids])


def utc_day(moment: datetime) -> date:
    return moment.date()


def test_a_missing_line_may_stand_under_the_days_between_sending_and_answer() -> None:
    late = replace(MISSING, answered_time=datetime(2005, 7, 11, 23, 30, tzinfo=UTC))

    assert MISSING.days(utc_day) == [DAY]
    assert late.days(utc_day) == [DAY, NEXT]


def test_a_missing_line_that_is_listed_has_its_reference() -> None:
    assert MISSING.references({DAY: listed(50, *IDS)}) == {"B" * 26: "REF"}


@pytest.mark.parametrize(
    ("lists", "whole"),
    [
        ({DAY: listed(101, "A" * 26)}, True),
        ({DAY: listed(100, "A" * 26)}, False),  # not written since it was first read after the answer
        ({DAY: listed(101)}, False),  # what the answer named as held is not there: it was cut short
        ({}, False),
    ],
)
def test_a_missing_line_is_not_held_only_if_a_whole_later_list_lacks_it(
    lists: Mapping[date, DayList], *, whole: bool
) -> None:
    assert MISSING.are_whole(lists, [DAY]) is whole
