"""What holds when a worker dies, is late, or is overtaken: the steps of the workers one by one, on a real database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from chassis import clock
from chassis.bus import Bus
from chassis.database import Database
from chassis.identity import ServiceToken
from chassis.inbox import Event
from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.testing import DatabaseUrls, Tokens
from chassis.vault import Vault
from cms.intake.v1 import events_pb2
from la_notifier.authorities import AuthorityTable
from la_notifier.clients import Councils, HeldNotice, HeldState, SendAnswer, SendResult
from la_notifier.config import Settings, read_secrets
from la_notifier.service import looks, sending
from la_notifier.service.sending import Pace, Sending
from la_notifier.store import claims, notices
from la_notifier.workers import Looker, Sender

CLAIM = "C0123456789A"
PACE = Pace(time_scale=0.0001, poll_seconds=1.0)
SENT = SendAnswer(result=SendResult.SENT, status=202, receipt="HB1")
NOT_TAKEN = SendAnswer(result=SendResult.NOT_TAKEN, status=503)
UNKNOWN = SendAnswer(result=SendResult.UNKNOWN)


class Steps:
    """A worker's steps, one at a time."""

    def __init__(self, runtime: Runtime, looker: Looker, councils: Councils) -> None:
        self.runtime = runtime
        self.looker = looker
        self.councils = councils
        self.sender = Sender(runtime, councils, PACE, pause_seconds=0)

    def hear(self, version: int, claim_ref: str = CLAIM, *, days_ago: int = 0) -> None:
        event = Event(
            event_id=uuid4(),
            name="ClaimSubmitted",
            source="intake-svc",
            claim_ref=claim_ref,
            version=version,
            occurred_time=clock.now() - timedelta(days=days_ago),
            message=events_pb2.ClaimSubmitted(),
        )
        with self.runtime.database.transaction() as conn:
            looks.hear(conn, event)

    def look(self) -> None:
        while self.looker.step():
            pass

    def take(self) -> Sending | None:
        with self.runtime.database.transaction() as conn:
            return sending.take_next(conn)

    def settle(self, taken: Sending, answer: SendAnswer) -> object:
        with self.runtime.database.transaction() as conn:
            return sending.settle_sending(conn, taken, answer, PACE)

    def ask(self, held: HeldNotice) -> None:
        with self.runtime.database.transaction() as conn:
            leased = sending.take_next_to_ask(conn)
        assert leased is not None
        with self.runtime.database.transaction() as conn:
            sending.settle_asking(conn, leased, held, PACE)

    def send_all_due(self) -> int:
        """Sends until nothing is due; gives how often our own code failed over a version."""
        failures = 0
        while True:
            try:
                if not self.sender.send():
                    return failures
            except InvalidTag:
                failures += 1

    def all_due(self) -> None:
        """Real time has passed: leases are over, and what was put off is due."""
        with self.runtime.database.transaction() as conn:
            conn.execute("UPDATE notice_versions SET next_attempt_time = clock_timestamp() WHERE state <> 'SUPERSEDED'")
            conn.execute("UPDATE notice_versions SET leased_until = clock_timestamp() WHERE leased_until IS NOT NULL")


@pytest.fixture
def steps(
    *, database: Database, bus: Bus, vault: Vault, tokens: Tokens, settings: Settings, claims: Any
) -> Iterator[Steps]:
    runtime = Runtime(
        name="la-notifier",
        database=database,
        bus=bus,
        vault=vault,
        token=ServiceToken(tokens.service_file("la-notifier")),
        lease_owner="test",
    )
    councils = Councils(settings.councils_url, read_secrets(settings.council_secrets_file))
    with Postcodes(settings.postcodes_file) as postcodes:
        yield Steps(runtime, Looker(runtime, claims, postcodes, PACE), councils)
    councils.close()


@pytest.fixture
def told_of_a_draft(steps: Steps, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    steps.look()


def test_a_sender_that_dies_after_the_notice_went_out_leaves_it_to_be_sent_again(
    steps: Steps, scene: Any, told_of_a_draft: None
) -> None:
    taken = steps.take()
    assert taken is not None
    steps.councils.send(taken.opened(steps.runtime.vault))
    assert steps.take() is None
    assert scene.versions() == [(1, "INTENTION", "WAITING")]

    steps.all_due()
    assert steps.sender.send()

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert len(scene.held()[0]["versions"]) == 1
    assert scene.events_out() == [("NoticeSent", 1)]


def test_an_answer_that_comes_after_the_lease_changes_nothing(steps: Steps, scene: Any, told_of_a_draft: None) -> None:
    late = steps.take()
    assert late is not None
    steps.all_due()
    again = steps.take()
    assert again is not None
    steps.settle(again, SENT)

    steps.settle(late, NOT_TAKEN)

    assert scene.versions() == [(1, "INTENTION", "SENT")]


def test_the_bytes_are_the_same_on_every_attempt(steps: Steps, scene: Any, told_of_a_draft: None) -> None:
    bodies = []
    for _ in range(3):
        taken = steps.take()
        assert taken is not None
        bodies.append(taken.opened(steps.runtime.vault).body)
        steps.settle(taken, UNKNOWN)
        steps.all_due()

    assert len(set(bodies)) == 1
    assert scene.rows("SELECT attempts, may_be_held FROM notice_versions") == [(3, True)]


def test_a_newer_version_goes_after_the_one_that_is_under_way(steps: Steps, scene: Any, told_of_a_draft: None) -> None:
    first = steps.take()
    assert first is not None
    scene.claims.submit()
    steps.hear(4)
    steps.look()
    assert scene.versions() == [(1, "INTENTION", "WAITING"), (2, "CLAIM", "WAITING")]
    assert steps.take() is None

    steps.settle(first, SENT)

    second = steps.take()
    assert second is not None
    assert (second.leased.version, scene.versions()[0]) == (2, (1, "INTENTION", "SENT"))


def test_a_version_that_was_not_taken_is_superseded_by_the_newer(
    steps: Steps, scene: Any, told_of_a_draft: None
) -> None:
    first = steps.take()
    assert first is not None
    scene.claims.submit()
    steps.hear(4)
    steps.look()
    steps.settle(first, NOT_TAKEN)

    steps.all_due()
    while (taken := steps.take()) is not None:
        steps.settle(taken, SENT)

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "SENT")]


def test_a_version_not_yet_begun_is_superseded_when_a_newer_is_made(
    steps: Steps, scene: Any, told_of_a_draft: None
) -> None:
    scene.claims.submit()
    steps.hear(4)
    steps.look()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]


def test_an_event_that_comes_while_a_claim_is_looked_at_makes_another_look(
    steps: Steps, scene: Any, tenant: Any
) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    with steps.runtime.database.transaction() as conn:
        look = claims.claim_look(conn, lease_seconds=60.0)
    assert look is not None
    facts = scene.claims.facts(CLAIM)

    scene.claims.submit()
    steps.hear(4)
    assert not steps.looker.step()
    authority = AuthorityTable.load().find("W06000015", clock.today())
    with steps.runtime.database.transaction() as conn:
        looks.save_notice(conn, steps.runtime.vault, look, facts=facts, authority=authority, intention_on=clock.today())
    steps.look()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]
    assert scene.rows("SELECT 1 FROM looks") == []


def test_a_look_whose_lease_is_over_saves_nothing(steps: Steps, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    steps.hear(3)
    with steps.runtime.database.transaction() as conn:
        late = claims.claim_look(conn, lease_seconds=0.0)
    assert late is not None
    steps.look()
    assert len(scene.versions()) == 1

    with steps.runtime.database.transaction() as conn:
        looks.save_no_notice(conn, steps.runtime.vault, late, reason=None, intention_on=None)

    assert scene.versions() == [(1, "INTENTION", "WAITING")]


def test_a_notice_that_the_authority_has_lost_is_sent_again_and_told_of_once(
    steps: Steps, scene: Any, told_of_a_draft: None
) -> None:
    assert steps.sender.send()
    steps.all_due()

    steps.ask(HeldNotice(state=HeldState.ABSENT))
    assert scene.versions() == [(1, "INTENTION", "WAITING")]
    steps.all_due()
    assert steps.sender.send()

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert scene.events_out() == [("NoticeSent", 1)]


def test_a_version_is_superseded_where_the_authority_holds_a_later_one(
    steps: Steps, scene: Any, told_of_a_draft: None
) -> None:
    assert steps.sender.send()
    steps.all_due()

    steps.ask(HeldNotice(state=HeldState.LOADED, version=2))

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED")]
    assert scene.events_out() == [("NoticeSent", 1)]


def test_a_later_version_at_the_authority_supersedes_the_one_that_is_sent(
    steps: Steps, scene: Any, told_of_a_draft: None
) -> None:
    taken = steps.take()
    assert taken is not None

    steps.settle(taken, SendAnswer(result=SendResult.LATER_VERSION_HELD, status=409))

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED")]


def test_received_is_kept_until_loaded_and_loaded_is_told_once(steps: Steps, scene: Any, told_of_a_draft: None) -> None:
    assert steps.sender.send()
    for held in (HeldState.RECEIVED, HeldState.UNKNOWN, HeldState.LOADED):
        steps.all_due()
        steps.ask(HeldNotice(state=held, version=1))

    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.rows("SELECT sent <= received AND received <= loaded FROM notice_versions") == [(True,)]
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]


def test_a_claim_has_one_notice_at_an_authority_by_constraint(
    database_urls: DatabaseUrls, steps: Steps, told_of_a_draft: None
) -> None:
    authority = AuthorityTable.load().find("W06000015", clock.today())
    another = UUID(int=1)

    with (
        pytest.raises(psycopg.errors.UniqueViolation, match="one_notice_for_claim_and_authority"),
        steps.runtime.database.transaction() as conn,
    ):
        notices.add_notice(conn, notice_id=another, claim_ref=CLAIM, authority=authority, intention_on=clock.today())


def test_a_notice_that_cannot_be_opened_is_put_off_and_holds_up_no_other(
    steps: Steps, scene: Any, tenant: Any, told_of_a_draft: None
) -> None:
    broken = scene.rows("UPDATE notice_versions SET body = repeat('x', 64)::bytea RETURNING notice_id")
    other = replace(tenant(), claim_ref="C0123456789B")
    scene.claims.keep(other)
    steps.hear(3, other.claim_ref)
    steps.look()

    steps.sender = Sender(steps.runtime, steps.councils, Pace(time_scale=1.0, poll_seconds=1.0), pause_seconds=0)
    assert steps.send_all_due() == 1

    rows = "SELECT notice_id, state, attempts, lease IS NULL FROM notice_versions ORDER BY state DESC"
    [of_the_broken, of_the_other] = scene.rows(rows)
    assert of_the_broken == (broken[0][0], "WAITING", 1, True)
    assert of_the_other[1:] == ("SENT", 1, True)
    [(later,)] = scene.rows("SELECT next_attempt_time > clock_timestamp() FROM notice_versions WHERE state = 'WAITING'")
    assert later


@pytest.mark.parametrize(("days_ago", "asked"), [(0, [0]), (2, [0, 3])])
def test_older_facts_are_asked_for_only_where_they_may_date_the_intention_otherwise(
    *, steps: Steps, scene: Any, tenant: Any, days_ago: int, asked: list[int]
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    steps.hear(3, days_ago=days_ago)
    steps.hear(4)

    steps.look()

    assert scene.claims.asked == asked
    [(intention_on,)] = scene.rows("SELECT intention_on FROM notices")
    assert intention_on == clock.today() - timedelta(days=days_ago)


def test_what_is_heard_during_a_look_is_looked_at_afterwards(steps: Steps, scene: Any, tenant: Any) -> None:
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
    steps.look()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")]
    assert scene.rows("SELECT 1 FROM looks UNION ALL SELECT 1 FROM heard_events") == []
