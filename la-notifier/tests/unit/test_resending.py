"""Which versions a person can have sent again, and what becomes of them."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from la_notifier.domain.channels import Channel
from la_notifier.domain.fields import is_field
from la_notifier.domain.notices import NoticeState, NoticeVersion
from la_notifier.domain.questions import questions_of
from la_notifier.domain.receipts import NothingToResend, resent


def version(state: NoticeState) -> NoticeVersion:
    return NoticeVersion(
        notice_id=uuid4(),
        version=1,
        claim_ref="C1",
        authority_code="E1",
        state=state,
        lease=None,
        attempts=1,
        polls=0,
        may_be_held=True,
        is_wanted=True,
        is_disputed=False,
        first_contact_time=datetime(2026, 11, 30, tzinfo=UTC),
        sent_time=None,
        notice_was_sent=False,
    )


@pytest.mark.parametrize("channel", [Channel.API, Channel.POST])
@pytest.mark.parametrize("state", [NoticeState.WAITING, NoticeState.SENT, NoticeState.RECEIVED, NoticeState.REFUSED])
def test_what_is_open_waits_to_be_sent_again_at_once(channel: Channel, state: NoticeState) -> None:
    step = resent(version(state), channel)

    assert (step.state, step.wait_seconds) == (NoticeState.WAITING, 0)
    # What was refused before it had a receipt the authority does not hold.
    assert step.may_be_held is (state is not NoticeState.REFUSED)


def test_what_was_refused_after_a_receipt_may_be_held() -> None:
    refused = replace(version(NoticeState.REFUSED), sent_time=datetime(2026, 11, 30, tzinfo=UTC))

    assert resent(refused, Channel.SFTP).may_be_held


def test_what_went_in_a_file_stays_sent() -> None:
    assert resent(version(NoticeState.SENT), Channel.SFTP).state is NoticeState.SENT


@pytest.mark.parametrize(
    ("channel", "state"),
    [
        (Channel.API, NoticeState.LOADED),
        (Channel.POST, NoticeState.SUPERSEDED),
        (Channel.SFTP, NoticeState.LOADED),
    ],
)
def test_what_is_ended_or_answered_in_a_file_is_not_sent_again(channel: Channel, state: NoticeState) -> None:
    with pytest.raises(NothingToResend):
        resent(version(state), channel)


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (NoticeState.SENT, NoticeState.WAITING),
        (NoticeState.WAITING, NoticeState.WAITING),
        (NoticeState.REFUSED, None),
        (NoticeState.LOADED, None),
        (NoticeState.SUPERSEDED, None),
    ],
)
def test_what_a_file_was_answered_without_waits_for_the_next_unless_it_is_answered_for(
    state: NoticeState, becomes: NoticeState | None
) -> None:
    step = version(state).left_out()

    assert (step and step.state) is becomes
    assert step is None or (step.wait_seconds, step.may_be_held) == (0, True)


@pytest.mark.parametrize(
    ("field", "questions"),
    [
        ("claimant.nino", ("nino",)),
        ("household[0].date_of_birth", ("children", "non_dependants")),
        ("household.0.relationship", ("children", "non_dependants")),
        ("address", ("address",)),
        ("notice_id", ()),
    ],
)
def test_a_refused_field_names_the_questions_that_supply_it(field: str, questions: tuple[str, ...]) -> None:
    assert questions_of(field) == questions


@pytest.mark.parametrize(
    "name", ["claimant.nino", "tenancy", "household[2].date_of_birth", "income.0.amount", "address.lines[1]"]
)
def test_the_interfaces_names_are_fields(name: str) -> None:
    assert is_field(name)


@pytest.mark.parametrize("name", ["", "claimant.", "Mary", "bank_account"])
def test_other_names_are_no_fields(name: str) -> None:
    assert not is_field(name)
