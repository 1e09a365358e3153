"""The life of a version: what each answer of the authority makes of it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from la_notifier.domain.notices import (
    HeldNotice,
    HeldState,
    NoticeState,
    NoticeVersion,
    Saying,
    SendAnswer,
    SendResult,
    Step,
    Waits,
    Word,
)

WAITS = Waits(scale=1.0, jitter=1.0, poll_seconds=2.0)
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
WAITING, SENT, RECEIVED, LOADED, REFUSED, SUPERSEDED = NoticeState
VERSION = NoticeVersion(
    notice_id=UUID(int=1),
    version=2,
    claim_ref="C0123456789A",
    authority_code="W06000015",
    state=WAITING,
    lease=UUID(int=2),
    attempts=3,
    polls=0,
    may_be_held=False,
    is_wanted=True,
    is_disputed=False,
    first_contact_time=NOW,
    sent_time=None,
    notice_was_sent=False,
)
UNDER_WAY = replace(VERSION, state=SENT, polls=2, sent_time=NOW)


def answer(result: SendResult, **more: object) -> SendAnswer:
    return replace(SendAnswer(result=result), **more)  # type: ignore[arg-type]


def held(state: HeldState, version: int = 2) -> HeldNotice:
    return HeldNotice(state=state, version=version)


@pytest.mark.parametrize(
    ("given_answer", "step"),
    [
        (answer(SendResult.SENT, receipt="HB1"), Step(state=SENT, wait_seconds=2.0, receipt="HB1")),
        (answer(SendResult.REFUSED, refused_fields=("nino",)), Step(state=REFUSED, refused_fields=("nino",))),
        (answer(SendResult.NOT_TAKEN), Step(state=WAITING, wait_seconds=4.0, may_be_held=False)),
        (
            answer(SendResult.NOT_TAKEN, retry_after_seconds=60.0),
            Step(state=WAITING, wait_seconds=60.0, may_be_held=False),
        ),
        (answer(SendResult.UNKNOWN), Step(state=WAITING, wait_seconds=4.0)),
        (answer(SendResult.LATER_VERSION_HELD), Step(state=SENT, wait_seconds=2.0, is_disputed=True)),
    ],
)
def test_the_answer_to_a_send_decides_the_next_step(given_answer: SendAnswer, step: Step) -> None:
    assert VERSION.sent(given_answer, WAITS) == step


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (held(HeldState.UNKNOWN), Step(state=SENT, wait_seconds=8.0)),
        (held(HeldState.RECEIVED), Step(state=RECEIVED, wait_seconds=8.0)),
        (held(HeldState.LOADED), Step(state=LOADED)),
        (held(HeldState.REFUSED), Step(state=REFUSED)),
        (held(HeldState.ABSENT, 0), Step(state=WAITING, wait_seconds=4.0)),
        (held(HeldState.LOADED, 1), Step(state=WAITING, wait_seconds=4.0)),
        (held(HeldState.LOADED, 3), Step(state=SENT, wait_seconds=8.0, is_disputed=True)),
    ],
)
def test_what_the_authority_holds_decides_the_next_step(found: HeldNotice, step: Step) -> None:
    assert UNDER_WAY.asked(found, WAITS) == step


def test_a_later_version_at_the_authority_supersedes_a_version_that_a_later_one_of_ours_follows() -> None:
    followed = replace(VERSION, is_wanted=False)

    assert followed.sent(answer(SendResult.LATER_VERSION_HELD), WAITS).state is SUPERSEDED
    assert replace(UNDER_WAY, is_wanted=False).asked(held(HeldState.LOADED, 3), WAITS).state is SUPERSEDED


def test_a_refusal_contradicts_an_earlier_receipt() -> None:
    lost = replace(VERSION, sent_time=NOW)

    assert lost.sent(answer(SendResult.REFUSED), WAITS) == Step(state=SENT, wait_seconds=2.0, is_disputed=True)


@pytest.mark.parametrize("found", [HeldState.UNKNOWN, HeldState.ABSENT])
def test_a_dispute_lasts_until_the_authority_says_that_it_has_the_version(found: HeldState) -> None:
    disputed = replace(UNDER_WAY, is_disputed=True, sent_time=None)

    assert disputed.asked(held(found, 0), WAITS).is_disputed
    assert disputed.failed(WAITS).is_disputed
    assert not disputed.asked(held(HeldState.RECEIVED), WAITS).is_disputed


def test_a_version_that_is_not_wanted_any_more_is_not_sent_again() -> None:
    unwanted = replace(VERSION, is_wanted=False)

    assert unwanted.sent(answer(SendResult.NOT_TAKEN), WAITS) == Step(state=SUPERSEDED, may_be_held=False)
    assert unwanted.overtaken() == Step(state=SUPERSEDED, may_be_held=False)
    assert replace(UNDER_WAY, is_wanted=False).asked(held(HeldState.ABSENT, 0), WAITS).state is SUPERSEDED


@given(
    result=st.sampled_from(SendResult),
    found=st.builds(HeldNotice, state=st.sampled_from(HeldState), version=st.integers(0, 4)),
    was_sent=st.booleans(),
    state=st.sampled_from([SENT, RECEIVED]),
)
def test_no_answer_ends_the_newest_version_as_superseded(
    *, result: SendResult, found: HeldNotice, was_sent: bool, state: NoticeState
) -> None:
    newest = replace(VERSION, sent_time=NOW if was_sent else None)
    steps = [newest.sent(answer(result), WAITS), replace(newest, state=state, polls=1).asked(found, WAITS)]

    assert all(step.state is not SUPERSEDED for step in steps)
    assert all((step.wait_seconds is None) == (step.state in {LOADED, REFUSED}) for step in steps)


def test_an_answer_in_the_wrong_state_is_refused() -> None:
    with pytest.raises(FailedPrecondition, match="is SENT, not WAITING"):
        UNDER_WAY.sent(answer(SendResult.SENT), WAITS)
    with pytest.raises(FailedPrecondition, match="is WAITING, not SENT or RECEIVED"):
        VERSION.asked(held(HeldState.LOADED), WAITS)


@given(attempts=st.integers(1, 10_000), jitter=st.floats(0.75, 1.25))
def test_retries_wait_longer_each_time_up_to_five_minutes(attempts: int, jitter: float) -> None:
    wait = replace(WAITS, jitter=jitter).before_retry(attempts)

    assert wait == pytest.approx(jitter * min(300.0, 2.0 ** min(attempts - 1, 16)))


@given(attempts=st.integers(1, 100), asked=st.floats(0, 1e9))
def test_a_retry_waits_as_long_as_the_authority_asks_up_to_an_hour(attempts: int, asked: float) -> None:
    wait = replace(WAITS, scale=0.01).before_retry(attempts, asked)

    assert min(asked, 3600.0) <= wait <= 3600.0


def test_questions_slow_down_to_every_ten_minutes() -> None:
    assert [WAITS.before_poll(polls) for polls in (0, 1, 2, 8, 9, 1000)] == [2.0, 4.0, 8.0, 512.0, 600.0, 600.0]


HELD_BY_FILE = replace(VERSION, state=WAITING, may_be_held=True)
SAID_LOADED, SAID_REFUSED, SAID_LATER = (
    Word(saying=saying, refused_fields=("nino",) * (saying is Saying.REFUSED)) for saying in Saying
)


@pytest.mark.parametrize(
    ("version", "word", "step"),
    [
        (UNDER_WAY, SAID_LOADED, Step(state=LOADED)),
        (HELD_BY_FILE, SAID_LOADED, Step(state=LOADED)),
        (UNDER_WAY, SAID_REFUSED, Step(state=REFUSED, refused_fields=("nino",))),
        (replace(VERSION, state=REFUSED), SAID_REFUSED, None),
        (replace(VERSION, state=REFUSED), SAID_LOADED, Step(state=LOADED)),
        (replace(VERSION, state=LOADED), SAID_LOADED, None),
        (replace(VERSION, state=LOADED), SAID_REFUSED, None),
        (replace(VERSION, state=SUPERSEDED), SAID_LOADED, None),
        (replace(UNDER_WAY, is_wanted=False), SAID_LATER, Step(state=SUPERSEDED)),
        (UNDER_WAY, SAID_LATER, Step(state=SENT, is_disputed=True)),
        (replace(UNDER_WAY, is_disputed=True), SAID_LATER, None),
        (replace(UNDER_WAY, is_disputed=True), SAID_LOADED, Step(state=LOADED)),
    ],
)
def test_a_word_on_a_version_counts_whenever_it_comes_and_once(
    version: NoticeVersion, word: Word, step: Step | None
) -> None:
    assert version.heard(word) == step


@pytest.mark.parametrize("word", [SAID_LOADED, SAID_REFUSED, SAID_LATER])
def test_a_word_on_a_version_that_never_went_out_is_refused(word: Word) -> None:
    with pytest.raises(FailedPrecondition, match="was never sent") as error:
        VERSION.heard(word)

    assert error.value.reason == "NOTICE_NEVER_SENT"
