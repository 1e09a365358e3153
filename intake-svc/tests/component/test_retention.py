"""Claims are kept for 24 months after they ended, or for as long as a hold stands; then nothing of them can be read."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from chassis import erasure
from chassis.runtime import Process
from chassis.testing import DatabaseUrls
from intake.domain.retention import kept_since

REASON = "appeal to the tribunal"


@pytest.fixture
def manager(desk: Any) -> Any:
    return desk("SERVICE_MANAGER", "SM000001")


@pytest.fixture
def ended(desk: Any, single_tenant: Any, database_urls: DatabaseUrls) -> Callable[..., str]:
    """A claim that was withdrawn some months ago, all calls of it before."""

    def make(months: int = 25) -> str:
        operator = desk()
        claim = operator.submitted(single_tenant)
        reason = {"version": claim["version"], "reason": "found work"}
        operator.try_once("WithdrawClaim", claimRef=claim["claimRef"], **reason)
        as_owner(
            database_urls,
            "UPDATE claims SET last_live_time = last_live_time - make_interval(months => %(months)s) WHERE claim_ref = %(ref)s",
            ref=claim["claimRef"],
            months=months,
        )
        as_owner(
            database_urls,
            "UPDATE calls SET started = started - make_interval(months => %(months)s) WHERE claim_ref = %(ref)s",
            ref=claim["claimRef"],
            months=months,
        )
        return str(claim["claimRef"])

    return make


def as_owner(urls: DatabaseUrls, statement: str, **values: Any) -> list[Any]:
    with psycopg.connect(urls.owner) as conn:
        found = conn.execute(statement.encode(), values)
        return found.fetchall() if found.description else []


def erase(manager: Any, **more: Any) -> tuple[int, int, int]:
    counts = manager.try_once("EraseClaims", **more).body
    return counts["erased"], counts["due"], counts["held"]


def test_a_claim_is_kept_for_24_months(manager: Any, ended: Any) -> None:
    ended(months=23)
    over = ended(months=25)

    assert erase(manager, preview=True) == (0, 1, 0)
    assert erase(manager) == (1, 0, 0)
    assert erase(manager) == (0, 0, 0)
    assert manager.get("GetClaim", claimRef=over)["claim"]["state"] == "CLAIM_STATE_WITHDRAWN"


def test_24_months_are_calendar_months() -> None:
    assert kept_since(datetime(2005, 7, 11, 9, tzinfo=UTC)) == datetime(2003, 7, 11, 9, tzinfo=UTC)
    assert kept_since(datetime(2008, 2, 29, tzinfo=UTC)) == datetime(2006, 2, 28, tzinfo=UTC)


def test_a_claim_that_is_open_is_never_erased(
    manager: Any, desk: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    desk().submitted(single_tenant)
    as_owner(database_urls, "UPDATE claims SET first_contact_time = '1999-01-01', submit_time = '1999-01-01'")

    assert erase(manager) == (0, 0, 0)


def test_a_later_call_about_a_claim_keeps_it(manager: Any, ended: Any, database_urls: DatabaseUrls) -> None:
    claim_ref = ended()
    as_owner(database_urls, "UPDATE calls SET started = now() WHERE claim_ref = %(ref)s", ref=claim_ref)

    assert erase(manager) == (0, 0, 0)


def test_nothing_of_an_erased_claim_can_be_read_or_found(
    manager: Any, desk: Any, ended: Any, database_urls: DatabaseUrls
) -> None:
    claim_ref = ended()
    seeing = desk("SERVICE_MANAGER", "SM000002", purpose=f"work item {claim_ref}")
    assert "claimant" in seeing.get("GetClaim", claimRef=claim_ref)["claim"]

    assert erase(manager) == (1, 0, 0)

    assert "claimant" not in seeing.get("GetClaim", claimRef=claim_ref)["claim"]
    assert all("claimant" not in claim for claim in seeing.get("ListClaims", state="CLAIM_STATE_WITHDRAWN")["claims"])
    for method in ("GetHistory", "ListCalls"):
        refused = seeing.call(method, claimRef=claim_ref)
        assert (refused.code, refused.reason) == ("failed_precondition", "CLAIM_ERASED")
    facts = desk("SERVICE", "la-notifier").call("GetClaimFacts", claimRef=claim_ref)
    assert facts.reason == "CLAIM_ERASED"
    [left] = as_owner(
        database_urls,
        "SELECT (SELECT count(*) FROM data_keys WHERE claim_ref = %(ref)s),"
        " (SELECT count(*) FROM claim_sounds WHERE claim_ref = %(ref)s),"
        " (SELECT count(nino_lookup) FROM claim_schemes WHERE claim_ref = %(ref)s),"
        " (SELECT count(person_lookup) + count(postcode_lookup) FROM claims WHERE claim_ref = %(ref)s),"
        " (SELECT count(*) FROM calls WHERE claim_ref = %(ref)s AND needs <> '{}')",
        ref=claim_ref,
    )
    assert left == (0, 0, 0, 0, 0)


def test_every_service_is_told_to_erase(manager: Any, ended: Any, database_urls: DatabaseUrls) -> None:
    claim_ref = ended()

    erase(manager)

    told = as_owner(database_urls, "SELECT claim_ref, heard_by FROM outbox WHERE type LIKE '%%.ClaimErased'")
    hearers = {"assessment-svc", "la-notifier", "legacy-gateway", "scheduling-svc"}
    assert [(ref, set(heard_by)) for ref, heard_by in told] == [(claim_ref, hearers)]


def test_a_held_claim_is_kept_until_the_hold_is_lifted(manager: Any, ended: Any) -> None:
    claim_ref = ended()

    placed = manager.try_once("PlaceLegalHold", claimRef=claim_ref, reason=REASON).body["legalHold"]
    again = manager.try_once("PlaceLegalHold", claimRef=claim_ref, reason=REASON)
    assert erase(manager) == (0, 0, 1)
    listed = manager.get("ListLegalHolds")["legalHolds"]
    lifted = manager.try_once("LiftLegalHold", claimRef=claim_ref).body["legalHold"]
    twice = manager.try_once("LiftLegalHold", claimRef=claim_ref)

    assert (placed["reason"], placed["placedBy"]) == (REASON, "SM000001")
    assert listed == [placed]
    assert again.reason == "LEGAL_HOLD"
    assert "liftTime" in lifted
    assert twice.reason == "NO_LEGAL_HOLD"
    assert manager.get("ListLegalHolds")["legalHolds"] == []
    assert erase(manager) == (1, 0, 0)
    assert manager.try_once("PlaceLegalHold", claimRef=claim_ref, reason=REASON).reason == "CLAIM_ERASED"


def test_an_erasure_goes_on_batch_by_batch(manager: Any, ended: Any) -> None:
    for _ in range(3):
        ended()

    assert [erase(manager, limit=2) for _ in range(3)] == [(2, 1, 0), (1, 0, 0), (0, 0, 0)]
    assert manager.try_once("EraseClaims", limit=-1).fields == {"limit"}


def test_no_key_is_made_anew_for_an_erased_claim(process: Process, manager: Any, ended: Any) -> None:
    claim_ref = ended()
    erase(manager)

    with process.database.transaction() as conn, pytest.raises(Exception, match="erased"):
        process.runtime.vault.cipher(conn, claim_ref).seal("x", field="f", version=1)


@pytest.mark.parametrize("statement", ["DELETE FROM data_keys", "DELETE FROM erased_claims"])
def test_the_app_role_destroys_keys_only_with_a_tombstone(process: Process, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), process.database.transaction() as conn:
        conn.execute(statement.encode())

    with process.database.transaction() as conn:
        erasure.forget(conn, ["C00000000026", "C00000000026"])
        assert conn.execute("SELECT count(*) AS count FROM erased_claims").fetchall() == [{"count": 1}]
