"""Notices that the last release stored: it said a `supersedes` of null in version 1, which authorities now refuse."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from chassis import clock
from chassis.database import Database
from chassis.postcodes import Postcodes
from chassis.testing import event_of
from chassis.vault import Vault
from cms.intake.v1 import events_pb2
from la_notifier.channels.api import Councils
from la_notifier.config import Settings, read_secrets
from la_notifier.domain.channels import Channel
from la_notifier.domain.notices import Waits
from la_notifier.domain.receipts import resent
from la_notifier.service import bodies, reviews
from la_notifier.service.reviews import Reviewer
from la_notifier.service.sending import Sender
from la_notifier.store import versions

CLAIM = "C0123456789A"
WAITS = Waits(scale=0.0001, jitter=1.0, poll_seconds=1.0)


@pytest.fixture
def sender(database: Database, vault: Vault, settings: Settings) -> Iterator[Sender]:
    with closing(Councils(settings.councils_url, read_secrets(settings.council_secrets_file))) as councils:
        yield Sender(database, vault, councils, waits=lambda: WAITS, pause_seconds=0)


@pytest.fixture
def old_notice(database: Database, vault: Vault, postcodes: Postcodes, claims: Any, tenant: Any) -> None:
    """A notice that waits, as the last release sealed it."""
    claims.keep(tenant())
    with database.transaction() as conn:
        reviews.hear(conn, event_of(events_pb2.FirstContactRecorded(), claim_ref=CLAIM, version=3, at=clock.now()))
    reviewer = Reviewer(database, vault, claims, claims, postcodes, waits=lambda: WAITS)
    while reviewer.review_next():
        pass
    with database.transaction() as conn:
        [row] = conn.execute("SELECT notice_id, body FROM notice_versions")
        cipher = vault.cipher(conn, CLAIM)
        told = json.loads(bodies.open_bytes(cipher, row["body"], row["notice_id"], version=1))
        old = json.dumps({**told, "supersedes": None}).encode()
        sealed = cipher.seal_bytes(old, field=f"notice {row['notice_id']}", version=1)
        conn.execute("UPDATE notice_versions SET body = %s", [sealed])


def told(database: Database, vault: Vault) -> Any:
    """What the notice says."""
    with database.transaction() as conn:
        [row] = conn.execute("SELECT notice_id, body FROM notice_versions")
        cipher = vault.cipher(conn, CLAIM)
        return json.loads(bodies.open_bytes(cipher, row["body"], row["notice_id"], version=1))


def send_all(sender: Sender) -> None:
    while sender.send_next():
        pass


def test_what_nobody_can_have_is_told_by_the_present_interface(
    sender: Sender, scene: Any, old_notice: None, database: Database, vault: Vault
) -> None:
    send_all(sender)

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert "supersedes" not in told(database, vault)
    assert told(database, vault)["claim_ref"] == CLAIM


def test_what_may_be_held_goes_as_it_was_and_is_told_anew_once_it_was_refused(
    sender: Sender, scene: Any, old_notice: None, database: Database
) -> None:
    scene.change("UPDATE notice_versions SET may_be_held = true")

    send_all(sender)
    assert scene.rows("SELECT state, refused_fields FROM notice_versions") == [("REFUSED", ["supersedes"])]

    [(notice_id,)] = scene.rows("SELECT notice_id FROM notices")
    with database.transaction() as conn:
        version = versions.lock(conn, notice_id, 1)
        assert version is not None
        versions.settle(conn, version, resent(version, Channel.API), now=clock.now())
    send_all(sender)

    assert scene.versions() == [(1, "INTENTION", "SENT")]
