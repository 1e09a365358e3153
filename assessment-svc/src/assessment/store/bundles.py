"""Bundles: work that was taken along, without any answer."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from assessment.domain.bundles import Bundle, BundleState, TakenClaim
from chassis.database import Connection, Row
from chassis.vault import Vault

ADD = """
    INSERT INTO bundles (bundle_id, taken_by, office_code, taken_time, return_by, device_key, own_keys)
    VALUES (%(bundle_id)s, %(taken_by)s, %(office_code)s, %(taken_time)s, %(return_by)s, %(device_key)s, %(own_keys)s)
"""

ADD_CLAIM = """
    INSERT INTO bundle_claims (bundle_id, claim_ref, place, claim_version, facts, answered_versions)
    VALUES (%(bundle_id)s, %(claim_ref)s, %(place)s, %(claim_version)s, %(facts)s, %(answered_versions)s)
"""

READ = "SELECT * FROM bundles WHERE bundle_id = %s"

LOCK = "SELECT * FROM bundles WHERE bundle_id = %s FOR UPDATE"

CLAIMS = "SELECT * FROM bundle_claims WHERE bundle_id = %s ORDER BY place"

NOTE_CORRECTIONS = """
    -- What intake is about to be asked for; what was noted first stands.
    UPDATE bundle_claims SET correcting = %(facts)s, correcting_version = %(version)s
    WHERE bundle_id = %(bundle_id)s AND claim_ref = %(claim_ref)s AND correcting IS NULL
"""

FORGET_CORRECTIONS = """
    UPDATE bundle_claims SET correcting = NULL, correcting_version = NULL
    WHERE bundle_id = %s AND claim_ref = %s
"""

END = """
    UPDATE bundles
    SET state = %(state)s, own_keys = NULL, ended_by = %(by)s, ended_time = %(at)s, reason = %(reason)s
    WHERE bundle_id = %(bundle_id)s
"""


def add(conn: Connection, vault: Vault, bundle: Bundle, *, own_keys: bytes) -> None:
    """Keeps a bundle that was taken, with this service's own keys for it."""
    values = vars(bundle) | {"own_keys": vault.seal_response(own_keys, place=_place(bundle.bundle_id))}
    conn.execute(ADD, values)
    for place, claim in enumerate(bundle.claims):
        row: dict[str, Any] = {
            "bundle_id": bundle.bundle_id,
            "claim_ref": claim.claim_ref,
            "place": place,
            "claim_version": claim.claim_version,
            "facts": list(claim.answered),
            "answered_versions": list(claim.answered.values()),
        }
        conn.execute(ADD_CLAIM, row)


def read(conn: Connection, bundle_id: str) -> Bundle | None:
    """A bundle with its claims; None where there is none."""
    return _bundle(conn, conn.execute(READ, [bundle_id]).fetchone())


def lock(conn: Connection, bundle_id: str) -> Bundle | None:
    """The same, locked until the transaction ends."""
    return _bundle(conn, conn.execute(LOCK, [bundle_id]).fetchone())


def own_keys(conn: Connection, vault: Vault, bundle_id: str) -> bytes:
    """This service's own keys for a bundle that is out. KeyError where it is not."""
    row = conn.execute(READ, [bundle_id]).fetchone()
    if row is None or row["own_keys"] is None:
        raise KeyError(bundle_id)
    return vault.open_response(row["own_keys"], place=_place(bundle_id))


def note_corrections(conn: Connection, bundle_id: str, claim_ref: str, *, facts: Collection[str], version: int) -> None:
    """Notes the corrections that intake is about to be asked for, and the version of the claim that they build on."""
    conn.execute(
        NOTE_CORRECTIONS, {"bundle_id": bundle_id, "claim_ref": claim_ref, "facts": sorted(facts), "version": version}
    )


def forget_corrections(conn: Connection, bundle_id: str, claim_ref: str) -> None:
    """Forgets the corrections of a claim, all of which intake refused."""
    conn.execute(FORGET_CORRECTIONS, [bundle_id, claim_ref])


def end(
    conn: Connection, vault: Vault, bundle_id: str, *, state: BundleState, by: str, at: datetime, reason: str
) -> None:
    """Ends a bundle; its keys are deleted."""
    sealed = vault.seal_response(reason.encode(), place=_place(bundle_id)) if reason else None
    conn.execute(END, {"bundle_id": bundle_id, "state": state.value, "by": by, "at": at, "reason": sealed})


def _place(bundle_id: str) -> str:
    return f"bundle|{bundle_id}"


def _bundle(conn: Connection, row: Row | None) -> Bundle | None:
    if row is None:
        return None
    return Bundle(
        bundle_id=str(row["bundle_id"]),
        state=BundleState(row["state"]),
        taken_by=row["taken_by"],
        office_code=row["office_code"],
        taken_time=row["taken_time"],
        return_by=row["return_by"],
        device_key=bytes(row["device_key"]),
        claims=tuple(_claim(found) for found in conn.execute(CLAIMS, [row["bundle_id"]])),
    )


def _claim(row: Row) -> TakenClaim:
    return TakenClaim(
        claim_ref=row["claim_ref"],
        claim_version=row["claim_version"],
        answered=dict(zip(row["facts"], row["answered_versions"], strict=True)),
        correcting=None if row["correcting"] is None else frozenset(row["correcting"]),
        correcting_version=row["correcting_version"] or 0,
    )
