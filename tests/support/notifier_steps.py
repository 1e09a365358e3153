"""The steps of the notifier's workers, one at a time."""

from datetime import timedelta
from typing import Any

from chassis import clock
from chassis.database import Database
from chassis.testing import event_of
from chassis.vault import Vault
from cms.intake.v1 import events_pb2
from la_notifier.channels.api import Councils
from la_notifier.domain.notices import HeldNotice, NoticeVersion, SendAnswer, Waits
from la_notifier.service import reviews, sending
from la_notifier.service.reviews import Reviewer
from la_notifier.service.sending import Sealed, Sender
from la_notifier.store import reviews as review_store

CLAIM = "C0123456789A"
WAITS = Waits(scale=0.0001, jitter=1.0, poll_seconds=1.0)


class Steps:
    """The steps of the workers, one at a time."""

    reviewer: Reviewer

    def __init__(self, database: Database, vault: Vault, councils: Councils) -> None:
        self.database = database
        self.vault = vault
        self.councils = councils
        self.waits = WAITS
        self.sender = Sender(database, vault, councils, waits=lambda: self.waits, pause_seconds=0)

    def hear(self, version: int, claim_ref: str = CLAIM, *, days_ago: int = 0) -> None:
        at = clock.now() - timedelta(days=days_ago)
        with self.database.transaction() as conn:
            reviews.hear(conn, event_of(events_pb2.ClaimSubmitted(), claim_ref=claim_ref, version=version, at=at))

    def review(self) -> None:
        while self.reviewer.review_next():
            pass

    def take_review(self, *, seconds: float = 60.0) -> Any:
        with self.database.transaction() as conn:
            return review_store.take_review(conn, seconds=seconds)

    def take(self) -> Sealed | None:
        with self.database.transaction() as conn:
            return sending.take_to_send(conn)

    def take_surely(self) -> NoticeVersion:
        taken = self.take()
        assert taken is not None
        return taken[0]

    def settle(self, version: NoticeVersion, answer: SendAnswer) -> object:
        with self.database.transaction() as conn:
            return sending.settle_send(conn, version, answer, WAITS)

    def ask(self, held: HeldNotice) -> None:
        with self.database.transaction() as conn:
            version = sending.take_to_ask(conn)
        assert version is not None
        with self.database.transaction() as conn:
            sending.settle_question(conn, version, held, WAITS)

    def send_all_due(self) -> None:
        while self.sender.send_next():
            pass

    def all_due(self) -> None:
        """Lets real time pass: leases have ended, and what was put off is due."""
        with self.database.transaction() as conn:
            conn.execute(
                "UPDATE notice_versions SET next_attempt_time = statement_timestamp()"
                " WHERE state IN ('WAITING', 'SENT', 'RECEIVED')"
            )
            conn.execute(
                "UPDATE notice_versions SET leased_until = statement_timestamp() WHERE leased_until IS NOT NULL"
            )
