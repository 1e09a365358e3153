"""Messages to claimants, from the event to what Notify says: each goes once, and a bounce becomes a letter."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from chassis import clock, crash, testing
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, eventually
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2 as intake_events
from la_notifier.__main__ import service
from la_notifier.config import Settings
from la_notifier.messages.clients import Sources
from simulators.notify.server import Notify
from simulators.notify.testing import notify_settings
from tests.support.post_of_claimants import ADDRESS, Owners, Post, due_hour, in_days


@pytest.fixture
def owners() -> Owners:
    return Owners()


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[Notify]:
    stand_in = Notify(notify_settings(tmp_path / "notify"))
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def messenger(
    settings: Settings, notify: Notify, owners: Owners, clock_file: Path, tmp_path: Path
) -> Callable[[], AbstractContextManager[Process]]:
    """Runs the notifier against the stand-in for Notify, from noon on: at night some messages wait for the morning."""
    clock.advance(timedelta(hours=(12 - clock.now().hour) % 24))
    given = msgspec.structs.replace(
        settings,
        clock_offset_file=clock_file,
        notify_url=f"http://127.0.0.1:{notify.port}",
        notify_key_file=tmp_path / "notify" / "notify.key",
    )
    sources = Sources(claimants=owners, appointments=owners, evidence=owners, decisions=owners)
    return partial(testing.running, service(given, sources_of=lambda _runtime: sources))


@pytest.fixture
def post(database_urls: DatabaseUrls, notify: Notify, publish: Any, owners: Owners) -> Post:
    return Post(database_urls, notify, publish, owners)


def test_an_appointment_is_told_by_text_and_its_delivery_is_known(messenger: Any, post: Post) -> None:
    with messenger():
        post.book(in_days(3))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DELIVERED")

    (said,) = post.said()
    assert (said["type"], said["recipient"]) == ("sms", "+447700900123")
    assert "Income Support" in said["body"]
    assert "at the Jobcentre Plus office in Cardiff" in said["body"]
    assert post.states()["APPOINTMENT_TOMORROW"] == "DUE"


def test_the_day_before_the_claimant_is_reminded_of_the_appointment_as_it_stands(messenger: Any, post: Post) -> None:
    with messenger():
        post.book(in_days(3))
        post.book(in_days(5), version=2)
        eventually(lambda: post.states().get("APPOINTMENT_MOVED") == "DELIVERED")
        clock.advance(timedelta(days=2))
        eventually(lambda: reminders(post) == ["DROPPED", "DUE"])
        clock.advance(timedelta(days=2))
        eventually(lambda: reminders(post) == ["DROPPED", "DELIVERED"])

    assert "tomorrow" in post.said()[-1]["body"]


def test_another_assessor_at_the_same_time_is_told_to_nobody_and_what_was_told_stands(
    messenger: Any, post: Post
) -> None:
    post.book(in_days(3))
    post.book(in_days(3), version=2, arranged_version=1)
    with messenger():
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DELIVERED")

    assert "APPOINTMENT_MOVED" not in post.states()


def reminders(post: Post) -> list[str]:
    with psycopg.connect(post._urls.owner) as conn:
        found = conn.execute(
            "SELECT state FROM messages WHERE kind = 'APPOINTMENT_TOMORROW' ORDER BY due_time"
        ).fetchall()
    return [state for (state,) in found]


def test_an_event_that_comes_twice_makes_one_message(messenger: Any, post: Post) -> None:
    starts = in_days(3)
    with messenger():
        post.book(starts)
        post.book(starts)
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DELIVERED")

    assert len(post.said()) == 1


@pytest.mark.parametrize("failure", ["bounce", "temporary_failure", "technical_failure", "refuse_recipient"])
def test_a_message_that_does_not_arrive_becomes_a_letter(messenger: Any, post: Post, failure: str) -> None:
    post.order(failure)
    with messenger():
        post.book(in_days(10))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "LETTER")

    reason = "ADDRESS_REFUSED" if failure == "refuse_recipient" else "BOUNCED"
    assert post.rows()["APPOINTMENT_MADE"] == ("LETTER", "LETTER", reason)
    assert post.letters() == [("CLAIMANT", "APPOINTMENT_MADE", "WAITING")]


@pytest.mark.parametrize("failure", ["lose_reply", "unavailable", "system_error", "rate_limited", "huge_reply"])
def test_a_message_goes_once_whatever_becomes_of_the_reply(messenger: Any, post: Post, failure: str) -> None:
    post.order(failure, count=2)
    with messenger():
        post.book(in_days(3))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DELIVERED", seconds=30)

    assert (len(post.said()), post.duplicates()) == (1, 0)


def test_nothing_says_what_is_claimed_where_discretion_was_asked(messenger: Any, post: Post, owners: Owners) -> None:
    owners.answers |= {"messages_discreet": True, "messages_by": "EMAIL"}
    owners.outcomes["INCOME_SUPPORT", 1] = "AWARDED"
    with messenger():
        post.book(in_days(3))
        decided = gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_INCOME_SUPPORT, decision_version=1)
        post.hear(decided, version=1)
        eventually(lambda: list(post.states().values()).count("DELIVERED") == 2)

    for said in post.said():
        assert said["type"] == "email"
        assert [word for word in ("Income Support", "benefit", "Jobcentre", "claim") if word in said["body"]] == []


def test_a_message_waits_while_its_owner_is_away_and_is_dropped_when_the_claim_is_withdrawn(
    messenger: Any, post: Post, owners: Owners
) -> None:
    owners.is_away = True
    with messenger():
        post.book(in_days(3))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DUE")
        owners.withdrawn, owners.is_away = True, False
        eventually(lambda: post.rows()["APPOINTMENT_MADE"] == ("DROPPED", None, "WITHDRAWN"))

    assert post.said() == []


def test_a_claimant_without_an_address_is_left_to_a_person_until_one_is_given(
    messenger: Any, post: Post, owners: Owners
) -> None:
    del owners.answers["address"]
    owners.answers["messages_by"] = "LETTER"
    with messenger():
        post.book(in_days(3))
        eventually(lambda: post.rows().get("APPOINTMENT_MADE") == ("UNREACHABLE", None, "NO_ADDRESS"))


def test_the_list_of_what_to_bring_follows_the_booking_with_a_file_to_print(
    messenger: Any, post: Post, owners: Owners
) -> None:
    owners.answers["messages_by"] = "EMAIL"
    owners.is_draft, owners.needs = True, ("Who you are: a passport; or a birth certificate", "Your rent: a rent book")
    with messenger():
        post.book(in_days(3))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DELIVERED")
        clock.advance(timedelta(minutes=6))
        owners.is_draft = False  # the claim is submitted late: the list was put off meanwhile, or was not yet looked at
        clock.advance(timedelta(minutes=31))
        eventually(lambda: post.states()["WHAT_TO_BRING"] == "DELIVERED")

    said = post.said()[-1]["body"]
    assert "* Who you are: a passport; or a birth certificate\n* Your rent: a rent book" in said
    assert "https://documents.service.gov.uk/d/" in said, "the list as a file"


def test_a_list_that_is_too_long_for_a_text_goes_by_letter(messenger: Any, post: Post, owners: Owners) -> None:
    owners.needs = tuple(f"Need {number}: " + "a document; or " * 5 for number in range(9))
    with messenger():
        post.book(in_days(3))
        eventually(lambda: "WHAT_TO_BRING" in post.states())
        clock.advance(timedelta(minutes=6))
        eventually(lambda: post.rows().get("WHAT_TO_BRING") == ("LETTER", "LETTER", "TOO_LONG_FOR_A_TEXT"))


@pytest.mark.parametrize("change", ["APPOINTMENT_MOVED", "APPOINTMENT_CANCELLED"])
def test_a_person_rings_where_a_letter_would_come_after_the_appointment(
    messenger: Any, post: Post, owners: Owners, change: str
) -> None:
    owners.answers["messages_by"] = "LETTER"
    with messenger():
        post.book(in_days(1))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "LETTER")
        if change == "APPOINTMENT_MOVED":
            post.book(in_days(2), version=2)
        else:
            post.cancel(version=2)
        eventually(lambda: post.rows().get(change) == ("UNREACHABLE", None, "TOO_LATE_FOR_A_LETTER"))


def test_a_letter_that_is_not_printed_yet_follows_the_claimants_address(
    messenger: Any, post: Post, owners: Owners
) -> None:
    owners.answers["messages_by"] = "LETTER"
    with messenger():
        post.book(in_days(10))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "LETTER")
        post.hear(intake_events.ClaimAmended(changed_fields=["landlord"]), version=4)
        owners.answers |= {"contact_unsafe": True, "post_address": ADDRESS}
        post.hear(intake_events.ClaimAmended(changed_fields=["contact_unsafe", "post_address"]), version=5)
        eventually(lambda: len(post.letters()) == 2)
        eventually(lambda: post.states()["APPOINTMENT_MADE"] == "LETTER")
        assert sorted(state for _, _, state in post.letters()) == ["CANCELLED", "WAITING"]

        owners.withdrawn = True
        post.hear(intake_events.ClaimWithdrawn(), version=6)
        eventually(lambda: post.rows()["APPOINTMENT_MADE"][0] == "DROPPED")

    assert {state for _, _, state in post.letters()} == {"CANCELLED"}


def test_a_letter_that_is_printed_stays_as_it_is(
    messenger: Any, post: Post, owners: Owners, database_urls: DatabaseUrls
) -> None:
    owners.answers["messages_by"] = "LETTER"
    with messenger():
        post.book(in_days(10))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "LETTER")
        with psycopg.connect(database_urls.owner) as conn:
            conn.execute("UPDATE letters SET state = 'PRINTED', printed = now(), printed_by = 'PO000001'")
        post.book(in_days(11), version=2)
        post.hear(intake_events.ClaimAmended(changed_fields=["address"]), version=4)
        eventually(lambda: post.states().get("APPOINTMENT_MOVED") == "LETTER")

    assert [(about, state) for _, about, state in post.letters()].count(("APPOINTMENT_MADE", "PRINTED")) == 1
    assert post.states()["APPOINTMENT_MADE"] == "LETTER"


def test_what_waited_for_notify_is_written_anew_before_it_goes(messenger: Any, post: Post, owners: Owners) -> None:
    post.order("rate_limited")
    with messenger():
        post.book(in_days(3))
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "WAITING")
        owners.answers |= {"contact_unsafe": True, "post_address": ADDRESS}
        clock.advance(timedelta(minutes=11))
        eventually(lambda: post.rows()["APPOINTMENT_MADE"] == ("LETTER", "LETTER", None))

    assert post.said() == []


@pytest.mark.parametrize("kind", ["APPOINTMENT_MADE", "DECISION"])
def test_what_comes_late_or_from_no_person_waits_for_the_morning(
    messenger: Any, post: Post, owners: Owners, kind: str, database_urls: DatabaseUrls
) -> None:
    clock.advance(timedelta(hours=11))
    owners.is_away = True
    owners.outcomes["INCOME_SUPPORT", 1] = "AWARDED"
    with messenger():
        if kind == "DECISION":
            decided = gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_INCOME_SUPPORT, decision_version=1)
            post.hear(decided, version=1)
        else:
            post.book(in_days(3))
        eventually(lambda: post.states().get(kind) == "DUE")
        clock.advance(timedelta(minutes=15))
        owners.is_away = False
        eventually(lambda: due_hour(database_urls, kind) == 8)
        assert post.said() == []
        clock.advance(timedelta(hours=10))
        eventually(lambda: post.states()[kind] == "DELIVERED")


def test_the_list_for_an_interview_that_is_put_off_is_sent_before_the_new_day(
    messenger: Any, post: Post, owners: Owners
) -> None:
    owners.is_draft = True
    with messenger():
        post.book(in_days(1))
        eventually(lambda: "WHAT_TO_BRING" in post.states())
        post.book(in_days(10), version=2)
        eventually(lambda: "APPOINTMENT_MOVED" in post.states())
        clock.advance(timedelta(days=3))
        owners.needs = ("Your rent: a rent book",)  # first, for the worker may ask at any moment
        owners.is_draft = False
        clock.advance(timedelta(minutes=31))
        eventually(lambda: post.states()["WHAT_TO_BRING"] == "DELIVERED")

    assert any("Your rent: a rent book" in said["body"] for said in post.said())


def test_evidence_that_is_asked_for_is_listed_and_reminded_of(messenger: Any, post: Post, owners: Owners) -> None:
    owners.awaited = ("wage slips",)
    with messenger():
        post.hear(assessment_events.EvidenceRequested(), version=4)
        post.hear(assessment_events.EvidenceReminderDue(number=1), version=4)
        eventually(lambda: list(post.states().values()) == ["DELIVERED", "DELIVERED"])
        post.hear(assessment_events.EvidenceReminderDue(number=1), version=6)  # of what was asked for since
        eventually(lambda: len(post.said()) == 3)
        owners.awaited = ()
        post.hear(assessment_events.EvidenceReminderDue(number=2), version=6)
        eventually(lambda: post.states()["EVIDENCE_DUE"] == "DROPPED")

    assert ["wage slips" in said["body"] for said in post.said()] == [True, True, True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("point", ["message.before_sending", "message.after_answer", "message.after_storing"])
def test_a_message_goes_once_when_the_process_dies_around_sending(
    messenger: Any, post: Post, monkeypatch: pytest.MonkeyPatch, point: str, database_urls: DatabaseUrls
) -> None:
    """The point raises instead of ending the process: what is left is the same, a row that was taken and not settled."""
    died: list[str] = []

    def die_once(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise SystemExit

    monkeypatch.setattr(crash, "point", die_once)
    with messenger():
        post.book(in_days(3))
        eventually(lambda: died != [])
        with psycopg.connect(database_urls.owner) as conn:  # the lease of a process that is gone runs out
            conn.execute("UPDATE messages SET leased_until = statement_timestamp() WHERE state = 'SENDING'")
        eventually(lambda: post.states().get("APPOINTMENT_MADE") == "DELIVERED", seconds=30)

    assert (len(post.said()), post.duplicates()) == (1, 0)
