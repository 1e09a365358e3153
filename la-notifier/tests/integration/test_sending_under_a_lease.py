"""A worker that dies, is late, or is overtaken: the steps of the workers one by one, on a real database."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chassis import clock
from chassis.authorities import AuthorityTable
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.metrics import REGISTRY
from chassis.postcodes import Postcodes
from chassis.vault import Vault
from la_notifier.channels.api import Councils
from la_notifier.config import Settings, read_secrets
from la_notifier.domain.notices import HeldNotice, HeldState, SendAnswer, SendResult
from la_notifier.service import outcomes, sending
from la_notifier.service.reviews import Reviewer
from la_notifier.store import notices
from tests.support.notifier_steps import CLAIM, WAITS, Steps

SENT = SendAnswer(result=SendResult.SENT, status=202, receipt="HB1")
NOT_TAKEN = SendAnswer(result=SendResult.NOT_TAKEN, status=503)
UNKNOWN = SendAnswer(result=SendResult.UNKNOWN)
CONFLICT = SendAnswer(result=SendResult.LATER_VERSION_HELD, status=409)


@pytest.fixture
def steps(
    *, database: Database, vault: Vault, settings: Settings, postcodes: Postcodes, claims: Any
) -> Iterator[Steps]:
    with closing(Councils(settings.councils_url, read_secrets(settings.council_secrets_file))) as councils:
        steps = Steps(database, vault, councils)
        steps.reviewer = Reviewer(database, vault, claims, claims, postcodes, waits=lambda: steps.waits)
        yield steps


@pytest.fixture
def draft_with_a_notice(steps: Steps, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    steps.review()


def failures(act: str) -> float:
    return REGISTRY.get_sample_value("notifier_failures_total", {"act": act}) or 0.0


def test_a_sender_that_dies_after_sending_leaves_the_notice_to_be_sent_again(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    taken = steps.take()
    assert taken is not None
    steps.councils.send(sending.outgoing(steps.vault, *taken))
    assert steps.take() is None
    assert scene.versions() == [(1, "INTENTION", "WAITING")]

    steps.all_due()
    assert steps.sender.send_next()

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert len(scene.held()[0]["versions"]) == 1
    assert scene.events_out() == [("NoticeSent", 1)]


def test_an_answer_after_the_end_of_the_lease_changes_nothing(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    late = steps.take_surely()
    steps.all_due()
    steps.settle(steps.take_surely(), SENT)

    assert steps.settle(late, NOT_TAKEN) is None

    assert scene.versions() == [(1, "INTENTION", "SENT")]


def test_the_bytes_are_the_same_on_every_attempt(steps: Steps, scene: Any, draft_with_a_notice: None) -> None:
    bodies = []
    for _ in range(3):
        taken = steps.take()
        assert taken is not None
        bodies.append(sending.outgoing(steps.vault, *taken).body)
        steps.settle(taken[0], UNKNOWN)
        steps.all_due()

    assert len(set(bodies)) == 1
    assert scene.rows("SELECT attempts, may_be_held FROM notice_versions") == [(3, True)]


def test_a_newer_version_waits_for_the_one_that_is_under_way(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    first = steps.take_surely()
    scene.claims.submit()
    steps.hear(4)
    steps.review()
    assert scene.versions() == [(1, "INTENTION", "WAITING"), (2, "CLAIM", "WAITING")]
    assert steps.take() is None

    steps.settle(first, SENT)

    second = steps.take_surely()
    assert (second.version, scene.versions()[0]) == (2, (1, "INTENTION", "SENT"))


def test_a_version_that_was_not_taken_is_superseded_by_the_newer_one(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    first = steps.take_surely()
    scene.claims.submit()
    steps.hear(4)
    steps.review()
    steps.settle(first, NOT_TAKEN)

    steps.all_due()
    while (taken := steps.take()) is not None:
        steps.settle(taken[0], SENT)

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "SENT")]


def test_a_version_that_waits_is_superseded_when_a_newer_one_is_made(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    scene.claims.submit()
    steps.hear(4)
    steps.review()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]


def test_an_event_during_a_review_causes_another_review(steps: Steps, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    review = steps.take_review()
    facts = scene.claims.facts(CLAIM)

    scene.claims.submit()
    steps.hear(4)
    assert not steps.reviewer.review_next()
    authority = AuthorityTable.load().find("W06000015", clock.today())
    with steps.database.transaction() as conn:
        outcomes.save_notice(
            conn, steps.vault, review, facts=facts, authority=authority, intention_on=clock.today(), award=None
        )
    steps.review()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]
    assert scene.rows("SELECT 1 FROM looks") == []


def test_a_review_whose_lease_has_ended_saves_nothing(steps: Steps, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    late = steps.take_review(seconds=0.0)
    steps.review()
    assert len(scene.versions()) == 1

    with steps.database.transaction() as conn:
        outcomes.save_withdrawn(conn, steps.vault, late, facts=tenant())

    assert scene.versions() == [(1, "INTENTION", "WAITING")]


def test_a_notice_that_the_authority_lost_is_sent_again_and_published_once(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    assert steps.sender.send_next()
    steps.all_due()

    steps.ask(HeldNotice(state=HeldState.ABSENT))
    assert scene.versions() == [(1, "INTENTION", "WAITING")]
    steps.all_due()
    assert steps.sender.send_next()

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert scene.events_out() == [("NoticeSent", 1)]


def test_a_later_version_at_the_authority_that_we_never_made_is_disputed_until_the_authority_agrees(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    steps.settle(steps.take_surely(), CONFLICT)
    assert scene.rows("SELECT state, disputed IS NULL, sent FROM notice_versions") == [("SENT", False, None)]

    for held in (HeldNotice(state=HeldState.LOADED, version=2), HeldNotice(state=HeldState.UNKNOWN)):
        steps.all_due()
        steps.ask(held)
        assert scene.rows("SELECT state, disputed IS NULL, superseded FROM notice_versions") == [("SENT", False, None)]
    steps.all_due()
    steps.ask(HeldNotice(state=HeldState.LOADED, version=1))

    assert scene.rows("SELECT state, disputed, sent = loaded FROM notice_versions") == [("LOADED", None, True)]
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]


def test_a_conflict_supersedes_a_version_that_a_later_one_of_ours_follows(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    first = steps.take_surely()
    scene.claims.submit()
    steps.hear(4)
    steps.review()

    steps.settle(first, CONFLICT)

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]


def test_a_notice_stays_received_until_it_is_loaded_and_loading_is_published_once(
    steps: Steps, scene: Any, draft_with_a_notice: None
) -> None:
    assert steps.sender.send_next()
    for held in (HeldState.RECEIVED, HeldState.UNKNOWN, HeldState.LOADED):
        steps.all_due()
        steps.ask(HeldNotice(state=held, version=1))

    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.rows("SELECT sent <= received AND received <= loaded FROM notice_versions") == [(True,)]
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]


def test_a_constraint_allows_one_notice_for_a_claim_and_authority(steps: Steps, draft_with_a_notice: None) -> None:
    authority = AuthorityTable.load().find("W06000015", clock.today())
    another = UUID(int=1)

    with (
        pytest.raises(psycopg.errors.UniqueViolation, match="one_notice_for_claim_and_authority"),
        steps.database.transaction() as conn,
    ):
        notices.add_notice(conn, notice_id=another, claim_ref=CLAIM, authority=authority, intention_on=clock.today())


def test_a_notice_that_cannot_be_opened_is_put_off_and_holds_up_no_others(
    steps: Steps, scene: Any, tenant: Any, draft_with_a_notice: None
) -> None:
    broken = scene.rows("UPDATE notice_versions SET body = repeat('x', 64)::bytea RETURNING notice_id")
    other = replace(tenant(), claim_ref="C0123456789B")
    scene.claims.keep(other)
    steps.hear(3, other.claim_ref)
    steps.review()

    steps.waits = replace(WAITS, scale=1.0)
    before = failures("send")
    steps.send_all_due()
    assert failures("send") == before + 1

    rows = "SELECT notice_id, state, attempts, lease IS NULL FROM notice_versions ORDER BY state DESC"
    [of_the_broken, of_the_other] = scene.rows(rows)
    assert of_the_broken == (broken[0][0], "WAITING", 1, True)
    assert of_the_other[1:] == ("SENT", 1, True)
    [(later,)] = scene.rows(
        "SELECT next_attempt_time > statement_timestamp() FROM notice_versions WHERE state = 'WAITING'"
    )
    assert later


def test_a_review_that_fails_is_put_off_and_holds_up_no_others(steps: Steps, scene: Any, tenant: Any) -> None:
    unknown_to_intake, other = "C0123456789B", "C0123456789C"
    scene.claims.keep(replace(tenant(), claim_ref=other))
    for claim_ref in (unknown_to_intake, other):
        steps.hear(3, claim_ref)
    steps.waits = replace(WAITS, scale=1.0)
    before = failures("review")

    steps.review()

    assert failures("review") == before + 1
    assert scene.rows("SELECT claim_ref FROM notices") == [(other,)]
    assert scene.rows("SELECT claim_ref, attempts, lease FROM looks") == [(unknown_to_intake, 1, None)]


def test_a_review_rests_while_intake_is_away(steps: Steps, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    scene.claims.is_away = True
    steps.hear(3)

    with pytest.raises(Unavailable):
        steps.review()

    assert scene.rows("SELECT attempts, lease FROM looks") == [(1, None)]


@pytest.mark.parametrize(("days_ago", "asked"), [(0, [0]), (2, [0, 3])])
def test_older_facts_are_asked_for_only_where_they_may_change_the_day_of_the_intention(
    *, steps: Steps, scene: Any, tenant: Any, days_ago: int, asked: list[int]
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    steps.hear(3, days_ago=days_ago)
    steps.hear(4)

    steps.review()

    assert scene.claims.asked == asked
    [(intention_on,)] = scene.rows("SELECT intention_on FROM notices")
    assert intention_on == (clock.now() - timedelta(days=days_ago)).astimezone(clock.LONDON).date()


def test_an_event_that_arrives_during_the_call_to_intake_is_reviewed_afterwards(
    steps: Steps, scene: Any, tenant: Any
) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    facts = scene.claims.facts

    def facts_and_more(claim_ref: str, version: int = 0) -> Any:
        answer = facts(claim_ref, version)
        if not scene.rows("SELECT 1 FROM heard_events WHERE version = 4"):
            scene.claims.submit()
            steps.hear(4)
        return answer

    scene.claims.facts = facts_and_more
    steps.review()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]
    assert scene.rows("SELECT 1 FROM looks UNION ALL SELECT 1 FROM heard_events") == []


def test_a_fact_that_comes_while_a_review_misses_it_is_not_put_off(steps: Steps, scene: Any, tenant: Any) -> None:
    missed = scene.claims.keep(tenant(tenure=None))
    steps.hear(3)
    steps.waits = replace(WAITS, scale=100.0)

    def facts_as_they_were(*_: Any) -> Any:
        del scene.claims.facts
        scene.claims.amend(tenure="PRIVATE_TENANT")
        steps.hear(4)
        return missed

    scene.claims.facts = facts_as_they_were
    steps.review()

    assert scene.versions() == [(1, "INTENTION", "WAITING")]
    assert scene.rows("SELECT 1 FROM looks UNION ALL SELECT 1 FROM not_told") == []
