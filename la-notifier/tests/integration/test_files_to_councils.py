"""The channel SFTP, turn by turn: a real database, the councils' SFTP server, and its failures."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from chassis import clock
from chassis.database import Database
from chassis.postcodes import Postcodes
from chassis.sftp import SftpClient, SftpServer
from chassis.testing import event_of
from chassis.vault import Vault
from cms.intake.v1 import events_pb2
from la_notifier.channels import sftp
from la_notifier.config import Settings
from la_notifier.domain.channels import Channel
from la_notifier.domain.notices import Waits
from la_notifier.domain.receipts import resent
from la_notifier.service import reviews
from la_notifier.service.filing import Filing
from la_notifier.service.reviews import Reviewer
from la_notifier.store import versions

CLAIM, OTHER = "C0123456789A", "C0123456789B"
WELWYN, BLACKBURN = "E07000241", "E06000008"
AT_WELWYN = {"address": {"lines": ["1 High Street", "Welwyn"], "postcode": "AL7 3HN"}}
AT_BLACKBURN = {"address": {"lines": ["2 High Street", "Blackburn"], "postcode": "BB2 4EG"}}
WAITS = Waits(scale=1.0, jitter=1.0, poll_seconds=1.0)
STATES = "SELECT authority_code, sequence, state, uploads FROM files ORDER BY authority_code, sequence"


class Steps:
    """The turns of the notifier and the cycles of the councils, one at a time."""

    def __init__(self, database: Database, scene: Any, reviewer: Reviewer, filing: Callable[[], Filing]) -> None:
        self.database = database
        self.scene = scene
        self.reviewer = reviewer
        self._filing = filing
        self.filing = filing()

    def hear(self, claim_ref: str = CLAIM, version: int = 3) -> None:
        event = event_of(events_pb2.ClaimSubmitted(), claim_ref=claim_ref, version=version, at=clock.now())
        with self.database.transaction() as conn:
            reviews.hear(conn, event)
        while self.reviewer.review_next():
            pass

    def turns(self) -> None:
        """Every authority has a turn, as in the next cycle."""
        self.all_due()
        while self.filing.step():
            pass

    def all_due(self) -> None:
        """Lets real time pass: leases have ended, and every wait is over."""
        with self.database.transaction() as conn:
            conn.execute("UPDATE file_authorities SET due = statement_timestamp(), leased_until = NULL")
            conn.execute(
                "UPDATE notice_versions SET next_attempt_time = statement_timestamp() WHERE next_attempt_time > now()"
            )

    def ask_due(self) -> None:
        """Lets the hours pass after which an unanswered file is asked about."""
        with self.database.transaction() as conn:
            conn.execute("UPDATE files SET ask_again_time = statement_timestamp()")

    def send_again(self, claim_ref: str) -> None:
        """An officer has the first version of a claim's notice sent again."""
        with self.database.transaction() as conn:
            row = conn.execute("SELECT notice_id FROM notices WHERE claim_ref = %s", [claim_ref]).fetchone()
            version = versions.lock(conn, row["notice_id"], 1) if row else None
            assert version is not None
            versions.settle(conn, version, resent(version, Channel.SFTP), now=clock.now())

    def start_again(self) -> None:
        """Another process goes on where one was killed."""
        self.filing = self._filing()

    def files(self) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.scene.rows(STATES)
        return found


@pytest.fixture
def steps(
    *,
    database: Database,
    vault: Vault,
    settings: Settings,
    postcodes: Postcodes,
    claims: Any,
    scene: Any,
) -> Iterator[Steps]:
    server = SftpServer(
        host=settings.councils_sftp_host,
        port=settings.councils_sftp_port,
        user=settings.councils_sftp_user,
        key_file=settings.councils_sftp_key_file,
        host_key_file=settings.councils_sftp_host_key_file,
        part=sftp.PART,
    )
    reviewer = Reviewer(database, vault, claims, claims, postcodes, waits=lambda: WAITS)
    with closing(SftpClient(server)) as client:
        yield Steps(
            database,
            scene,
            reviewer,
            lambda: Filing(database, vault, client, waits=lambda: WAITS, cycle_seconds=3600.0),
        )


@pytest.fixture
def waiting(steps: Steps, scene: Any, tenant: Any) -> None:
    """A claim whose notice waits for the next file."""
    scene.claims.keep(tenant(**AT_WELWYN))
    steps.hear()


def test_a_notice_goes_in_a_file_and_is_loaded(steps: Steps, scene: Any, waiting: None) -> None:
    steps.turns()

    assert steps.files() == [(WELWYN, 1, "SENT", 1)]
    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert scene.cycle() == [{"authority": WELWYN, "sequence": 1, "rows": 1, "refused": 0}]

    steps.turns()

    assert steps.files() == [(WELWYN, 1, "ACKNOWLEDGED", 1)]
    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]
    assert scene.rows("SELECT content FROM files") == [(None,)]


def test_every_field_of_a_submitted_claim_has_its_column(steps: Steps, scene: Any, waiting: None) -> None:
    now = scene.claims.submit()
    steps.hear(version=now.version)

    steps.turns()
    [taken] = scene.cycle()
    steps.turns()

    assert taken["refused"] == 0
    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "LOADED")]


@pytest.mark.parametrize("failure", ["cut_ack", "omit_row", "no_ack", "other_version", "huge_ack"])
def test_a_version_without_an_answer_stays_sent_and_its_file_is_sent_again(
    steps: Steps, scene: Any, waiting: None, failure: str
) -> None:
    scene.order(failure, count=1, **({"seconds": 3600} if failure == "no_ack" else {}))
    steps.turns()
    scene.cycle()
    steps.turns()

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert steps.files() == [(WELWYN, 1, "SENT", 1)]

    steps.ask_due()
    steps.turns()
    assert steps.files() == [(WELWYN, 1, "SENT", 2)]
    scene.cycle()
    steps.turns()

    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.ledger()["files"] == {"taken": 1, "refused": 0, "repeated": 1}
    assert scene.loaded_once()


def test_rows_in_any_order_and_twice_count_once(steps: Steps, scene: Any, waiting: None, tenant: Any) -> None:
    scene.claims.keep(replace(tenant(**AT_WELWYN), claim_ref=OTHER))
    steps.hear(OTHER)
    scene.order("jumble_ack")
    steps.turns()
    scene.cycle()

    steps.turns()

    assert {state for _, _, state in scene.versions()} == {"LOADED"}
    assert [name for name, _ in scene.events_out()].count("NoticeLoaded") == 2


def test_a_file_that_the_authority_has_not_taken_is_not_sent_again(steps: Steps, scene: Any, waiting: None) -> None:
    steps.turns()
    steps.ask_due()

    steps.turns()

    assert steps.files() == [(WELWYN, 1, "SENT", 1)]


def test_a_refused_row_names_its_fields(steps: Steps, scene: Any, waiting: None) -> None:
    scene.order("refuse_load", reason="tenancy.kind: the tenant of O’Brien is unknown")
    steps.turns()
    scene.cycle()

    steps.turns()

    assert scene.versions() == [(1, "INTENTION", "REFUSED")]
    assert scene.rows("SELECT refused_fields FROM notice_versions") == [(["tenancy.kind"],)]
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeRefused", 1)]


def test_a_hasty_reader_never_sees_half_a_file(steps: Steps, scene: Any, waiting: None) -> None:
    scene.order("hasty")
    steps.turns()
    scene.cycle()

    steps.turns()

    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.ledger()["files"]["refused"] == 0


def test_a_council_that_is_silent_for_long_takes_its_files_in_order(steps: Steps, scene: Any, waiting: None) -> None:
    scene.order("silent", authority=WELWYN, seconds=3600)
    steps.turns()
    now = scene.claims.submit()
    steps.hear(version=now.version)
    scene.cycle()
    steps.turns()
    assert steps.files() == [(WELWYN, 1, "SENT", 1), (WELWYN, 2, "SENT", 1)]

    scene.relent()
    assert [taken["sequence"] for taken in scene.cycle()] == [1, 2]
    steps.turns()

    assert scene.versions() == [(1, "INTENTION", "LOADED"), (2, "CLAIM", "LOADED")]
    assert scene.loaded_once()


def test_a_server_that_is_away_holds_nothing_up_once_it_is_back(steps: Steps, scene: Any, waiting: None) -> None:
    scene.order("down")
    steps.turns()
    assert scene.versions() == [(1, "INTENTION", "WAITING")]
    assert steps.files() == [(WELWYN, 1, "BUILT", 0)]

    now = scene.claims.submit()
    steps.hear(version=now.version)
    scene.relent()
    for _ in range(2):
        steps.turns()
        scene.cycle()
    steps.turns()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "LOADED")]
    assert steps.files() == [(WELWYN, 1, "ACKNOWLEDGED", 1), (WELWYN, 2, "ACKNOWLEDGED", 1)]


def test_one_authority_that_fails_holds_up_no_other(steps: Steps, scene: Any, waiting: None, tenant: Any) -> None:
    scene.claims.keep(replace(tenant(**AT_BLACKBURN), claim_ref=OTHER))
    steps.hear(OTHER)
    scene.order("system_error", authority=WELWYN)

    steps.turns()
    steps.turns()

    assert (BLACKBURN, 1, "SENT", 1) in steps.files()
    assert (WELWYN, 1, "BUILT", 0) in steps.files()


def test_a_notice_that_cannot_be_opened_goes_in_no_file_and_the_others_do(
    steps: Steps, scene: Any, waiting: None, tenant: Any
) -> None:
    with steps.database.transaction() as conn:
        conn.execute("UPDATE notice_versions SET body = '\\x00'")
    scene.claims.keep(replace(tenant(**AT_WELWYN), claim_ref=OTHER))
    steps.hear(OTHER)

    steps.turns()

    assert scene.rows("SELECT claim_ref FROM file_rows JOIN notices USING (notice_id)") == [(OTHER,)]
    assert scene.rows(
        "SELECT may_be_held FROM notice_versions JOIN notices USING (notice_id) WHERE claim_ref = 'C0123456789A'"
    ) == [(False,)]


def test_a_sequence_that_was_taken_by_others_leaves_its_rows_to_the_next_file(
    steps: Steps, scene: Any, waiting: None
) -> None:
    scene.take_sequence(WELWYN, 1)
    steps.turns()
    scene.cycle()
    steps.turns()
    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert steps.files() == [(WELWYN, 1, "SENT", 1)]

    for _ in range(2):  # the answer is no slip: it is the same to the repeated file
        steps.ask_due()
        steps.turns()
        scene.cycle()
    assert scene.versions() == [(1, "INTENTION", "WAITING")]
    for _ in range(2):
        steps.turns()
        scene.cycle()

    assert steps.files() == [(WELWYN, 1, "ACKNOWLEDGED", 2), (WELWYN, 2, "ACKNOWLEDGED", 1)]
    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.loaded_once()


def test_a_file_without_any_answer_goes_again_and_its_rows_in_no_other(steps: Steps, scene: Any, waiting: None) -> None:
    scene.order("no_ack", count=9, seconds=3600)
    for _ in range(4):
        steps.turns()
        scene.cycle()
        steps.ask_due()

    assert steps.files() == [(WELWYN, 1, "SENT", 4)]


def test_a_file_of_which_nobody_needs_the_answer_is_at_its_end(steps: Steps, scene: Any, waiting: None) -> None:
    scene.order("no_ack", count=1, seconds=3600)
    steps.turns()
    scene.cycle()
    now = scene.claims.submit()
    steps.hear(version=now.version)
    steps.turns()
    scene.cycle()
    for _ in range(2):
        steps.turns()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "LOADED")]
    assert steps.files() == [(WELWYN, 1, "ACKNOWLEDGED", 1), (WELWYN, 2, "ACKNOWLEDGED", 1)]
    assert scene.rows("SELECT saying FROM file_rows ORDER BY sequence") == [(None,), ("LOADED",)]


def test_a_row_that_is_always_left_out_goes_in_the_next_file_and_is_loaded_once(
    steps: Steps, scene: Any, waiting: None, tenant: Any
) -> None:
    scene.claims.keep(replace(tenant(**AT_WELWYN), claim_ref=OTHER))
    steps.hear(OTHER)
    scene.order("omit_row", claim_ref=CLAIM, count=2)  # it is loaded, and no acknowledgement says so
    for _ in range(3):
        steps.turns()
        scene.cycle()
        steps.ask_due()
    for _ in range(2):
        steps.turns()
        scene.cycle()

    assert {state for _, _, state in scene.versions()} == {"LOADED"}
    assert steps.files() == [(WELWYN, 1, "ACKNOWLEDGED", 2), (WELWYN, 2, "ACKNOWLEDGED", 1)]
    assert scene.loaded_once()


def test_a_version_that_is_left_out_after_a_later_one_is_superseded(steps: Steps, scene: Any, waiting: None) -> None:
    scene.take_sequence(WELWYN, 1)
    steps.turns()
    now = scene.claims.submit()
    steps.hear(version=now.version)
    for _ in range(3):
        scene.cycle()
        steps.ask_due()
        steps.turns()

    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "LOADED")]


def test_a_refused_row_that_waits_for_a_later_file_is_not_sent_by_the_earlier_one(
    steps: Steps, scene: Any, waiting: None, tenant: Any
) -> None:
    scene.claims.keep(replace(tenant(**AT_WELWYN), claim_ref=OTHER))
    steps.hear(OTHER)
    scene.order("refuse_load", claim_ref=CLAIM, count=1)
    scene.order("omit_row", claim_ref=OTHER, count=1)
    steps.turns()
    scene.cycle()
    steps.turns()
    assert {state for _, _, state in scene.versions()} == {"REFUSED", "SENT"}

    steps.send_again(CLAIM)
    steps.ask_due()
    with steps.database.transaction() as conn:  # the file goes once more before the next one is made
        conn.execute("UPDATE notice_versions SET next_attempt_time = 'infinity' WHERE state = 'WAITING'")
        conn.execute("UPDATE file_authorities SET due = statement_timestamp()")
    while steps.filing.step():
        pass

    assert steps.files() == [(WELWYN, 1, "SENT", 2)]
    assert {state for _, _, state in scene.versions()} == {"WAITING", "SENT"}


def test_a_file_that_was_refused_whole_goes_in_a_later_one_when_an_officer_sends_it_again(
    steps: Steps, scene: Any, waiting: None
) -> None:
    scene.order("refuse_file", reason="THE HASH IS NOT THAT OF THE LINES", count=1)
    steps.turns()
    scene.cycle()
    steps.turns()
    assert scene.versions() == [(1, "INTENTION", "REFUSED")]

    steps.send_again(CLAIM)
    for _ in range(2):
        steps.turns()
        scene.cycle()
    steps.turns()

    assert steps.files() == [(WELWYN, 1, "ACKNOWLEDGED", 1), (WELWYN, 2, "ACKNOWLEDGED", 1)]
    assert scene.versions() == [(1, "INTENTION", "LOADED")]
    assert scene.loaded_once()
