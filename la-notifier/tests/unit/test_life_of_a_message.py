"""The steps that Notify's answers make of a message, and the way by which a claimant is reached."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests
from notifications_python_client.errors import HTTPError

from la_notifier.messages.channels.notify import fate_of, refusal
from la_notifier.messages.domain.contact import Contact, contact_of, way_to
from la_notifier.messages.domain.message import (
    Fate,
    FateAnswer,
    Medium,
    Message,
    MessageKind,
    MessageState,
    Reason,
    SendAnswer,
    SendResult,
    Waits,
)
from la_notifier.messages.service.hearing import beginning_of_day, by_day, reminder_time
from la_notifier.messages.service.papers import arrives_on

WAITS = Waits(scale=1.0, jitter=1.0)
ID = uuid4()
ADDRESS = {"lines": ["1 High Street", "Cardiff"], "postcode": "CF10 4ER"}
SAFE = {"lines": ["2 Safe Lane", "Leeds"], "postcode": "LS1 4AP"}


def message(**given: Any) -> Message:
    known: dict[str, Any] = {
        "message_id": uuid4(),
        "claim_ref": "C0123456789A",
        "kind": MessageKind.APPOINTMENT_MADE,
        "subject": "",
        "state": MessageState.SENDING,
        "medium": Medium.TEXT,
        "lease": uuid4(),
        "attempts": 1,
        "polls": 0,
        "due_time": datetime(2005, 7, 4, tzinfo=UTC),
    }
    return Message(**known | given)


def test_a_message_that_notify_took_is_sent_and_asked_about() -> None:
    step = message().sent(SendAnswer(result=SendResult.TAKEN, notify_id=ID), WAITS)

    assert (step.state, step.notify_id) == (MessageState.SENT, ID)
    assert step.wait_seconds is not None


def test_an_attempt_without_an_answer_is_asked_about_before_another() -> None:
    sending = message()

    lost = sending.sent(SendAnswer(result=SendResult.UNKNOWN), WAITS)
    absent = sending.asked(FateAnswer(fate=Fate.ABSENT), WAITS)
    found = sending.asked(FateAnswer(fate=Fate.UNDER_WAY, notify_id=ID), WAITS)

    assert (lost.state, lost.wait_seconds) == (MessageState.SENDING, WAITS.until_known())
    assert (absent.state, absent.wait_seconds) == (MessageState.WAITING, 0.0)
    assert (found.state, found.notify_id) == (MessageState.SENT, ID)


def test_a_message_that_notify_puts_off_waits_for_as_long_as_it_asks() -> None:
    step = message().sent(SendAnswer(result=SendResult.NOT_TAKEN, status=429, retry_after_seconds=90.0), WAITS)

    assert (step.state, step.wait_seconds) == (MessageState.WAITING, 90.0)


@pytest.mark.parametrize(("fate", "reason"), [(Fate.FAILED, Reason.BOUNCED), (Fate.ABSENT, Reason.LOST)])
def test_a_bounce_becomes_a_letter(fate: Fate, reason: Reason) -> None:
    step = message(state=MessageState.SENT).asked(FateAnswer(fate=fate, notify_id=ID), WAITS)

    assert (step.state, step.reason, step.becomes_letter) == (MessageState.DUE, reason, True)


def test_a_bounced_reminder_of_tomorrow_is_left_to_a_person() -> None:
    reminder = message(kind=MessageKind.APPOINTMENT_TOMORROW, state=MessageState.SENT)

    step = reminder.asked(FateAnswer(fate=Fate.FAILED), WAITS)

    assert (step.state, step.reason) == (MessageState.UNREACHABLE, Reason.TOO_LATE_FOR_A_LETTER)


def test_an_answer_that_says_nothing_changes_nothing() -> None:
    for state in (MessageState.SENDING, MessageState.SENT):
        assert message(state=state).asked(FateAnswer(fate=Fate.UNKNOWN), WAITS).state is state


def test_a_claimant_is_reached_as_they_chose() -> None:
    assert way(messages_by="TEXT", telephone="+447700900123") == (Medium.TEXT, "+447700900123", None)
    assert way(messages_by="EMAIL", email="ann@example.org") == (Medium.EMAIL, "ann@example.org", None)
    assert way(messages_by="LETTER", telephone="+447700900123") == (Medium.LETTER, "", None)


def test_without_an_answer_there_is_no_consent_to_anything_but_letters() -> None:
    assert way(telephone="+447700900123", email="ann@example.org") == (Medium.LETTER, "", None)


def test_a_choice_that_leads_nowhere_becomes_a_letter() -> None:
    assert way(messages_by="TEXT", telephone="+441134960111") == (Medium.LETTER, "", Reason.NO_MOBILE_NUMBER)
    assert way(messages_by="TEXT", telephone="+447624123456")[0] is Medium.TEXT
    assert way(messages_by="EMAIL") == (Medium.LETTER, "", Reason.NO_EMAIL_ADDRESS)


def test_where_contact_is_unsafe_only_the_safe_address_is_written_to_and_discreetly() -> None:
    answers = {"contact_unsafe": True, "messages_by": "TEXT", "telephone": "+447700900123", "address": ADDRESS}

    unsafe, safe = contact(**answers), contact(**answers, post_address=SAFE)

    assert way_to(unsafe) is None
    assert safe.discreet
    assert (safe.chosen, safe.address and safe.address.postcode) == (Medium.LETTER, "LS1 4AP")


def way(**answers: Any) -> tuple[Medium, str, Reason | None]:
    found = way_to(contact(**{"address": ADDRESS} | answers))
    assert found is not None
    return found.medium, found.to, found.reason


def contact(**answers: Any) -> Contact:
    return contact_of("C0123456789A", answers, withdrawn=False, language="EN")


@pytest.mark.parametrize(
    ("start", "reminded"),
    [
        (datetime(2005, 7, 5, 8, 30, tzinfo=UTC), datetime(2005, 7, 4, 9, 0, tzinfo=UTC)),
        (
            datetime(2005, 3, 27, 9, 0, tzinfo=UTC),
            datetime(2005, 3, 26, 10, 0, tzinfo=UTC),
        ),  # summer time begins between
    ],
)
def test_a_claimant_is_reminded_at_ten_of_the_london_day_before(start: datetime, reminded: datetime) -> None:
    assert reminder_time(start) == reminded


@pytest.mark.parametrize(
    ("heard", "due"),
    [
        (datetime(2005, 7, 4, 23, 0, tzinfo=UTC), datetime(2005, 7, 5, 7, 0, tzinfo=UTC)),  # midnight in London
        (datetime(2005, 7, 4, 6, 59, tzinfo=UTC), datetime(2005, 7, 4, 7, 0, tzinfo=UTC)),
        (datetime(2005, 7, 4, 7, 0, tzinfo=UTC), datetime(2005, 7, 4, 7, 0, tzinfo=UTC)),
        (datetime(2005, 7, 4, 19, 0, tzinfo=UTC), datetime(2005, 7, 5, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_reminder_wakes_nobody(heard: datetime, due: datetime) -> None:
    assert by_day(heard) == due


def error(status: int, *messages: str, **headers: str) -> HTTPError:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers)
    response._content = json.dumps({"errors": [{"error": "X", "message": text} for text in messages]}).encode()
    return HTTPError(response)


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (error(400, "phone_number Not a UK mobile number"), SendResult.ADDRESS_REFUSED),
        (error(400, "email_address Not a valid email address"), SendResult.ADDRESS_REFUSED),
        (error(400, "Template not found"), SendResult.NOT_TAKEN),
        (error(403, "Invalid token: API key not found"), SendResult.NOT_TAKEN),
        (error(429, "Exceeded rate limit"), SendResult.NOT_TAKEN),
        (error(500, "Internal server error"), SendResult.UNKNOWN),
        (error(503), SendResult.UNKNOWN),
        (HTTPError(None), SendResult.UNKNOWN),
    ],
)
def test_only_a_fault_of_the_recipient_ends_in_a_letter(given: HTTPError, result: SendResult) -> None:
    assert refusal(given).result is result


def test_the_wait_that_notify_asks_for_is_read() -> None:
    assert refusal(error(429, "Exceeded rate limit", **{"Retry-After": "30"})).retry_after_seconds == 30.0
    assert refusal(error(429, "Exceeded rate limit", **{"Retry-After": "soon"})).retry_after_seconds is None


@pytest.mark.parametrize("reply", [None, [], {}, {"status": "new"}, {"status": None, "id": "no"}])
def test_a_reply_of_another_shape_says_nothing(reply: Any) -> None:
    assert fate_of(reply) == FateAnswer(fate=Fate.UNKNOWN)


def test_a_reminder_of_tomorrow_has_lost_its_use_at_midnight_in_london() -> None:
    summer, winter = datetime(2026, 7, 14, 9, 30, tzinfo=UTC), datetime(2026, 12, 1, 9, 30, tzinfo=UTC)

    assert beginning_of_day(summer) == datetime(2026, 7, 13, 23, tzinfo=UTC)
    assert beginning_of_day(winter) == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_letter_arrives_on_the_second_working_day() -> None:
    assert arrives_on(date(2026, 11, 30)) == date(2026, 12, 2)
    assert arrives_on(date(2026, 12, 24)) == date(2026, 12, 30)
