"""The facts of a claim's version, sealed: kept from its first record until its last one is made."""

from dataclasses import dataclass

import msgspec

from chassis.database import Connection
from chassis.vault import Vault
from legacy_gateway.domain import Facts, Transfer
from legacy_gateway.domain.trust import Basis

KEEP = """
    -- Facts that another record needs as well.
    INSERT INTO kept_facts (claim_ref, claim_version, facts) VALUES (%(claim_ref)s, %(version)s, %(facts)s)
    ON CONFLICT DO NOTHING
"""

FIND = """
    -- The facts that an earlier record had.
    SELECT facts FROM kept_facts WHERE claim_ref = %(claim_ref)s AND claim_version = %(version)s
"""

FORGET = """
    -- No further record needs them: no other phase of this system, and no other system.
    DELETE FROM kept_facts WHERE claim_ref = %(claim_ref)s AND claim_version = %(version)s AND NOT EXISTS (
        SELECT FROM transfers
        WHERE transfers.claim_ref = %(claim_ref)s AND transfers.claim_version = %(version)s AND system <> %(system)s
            AND state = 'WAITING' AND payload IS NULL
    )
"""

_FIELD = "facts"


@dataclass(frozen=True, kw_only=True)
class _Kept(Facts):
    """Facts with what else a record is made of, in one flat form: the release before this one reads the facts out of it."""

    office_code: str
    assessor_id: str


_KEPT = msgspec.json.Decoder(_Kept)
"""Made once, when the module is loaded: two threads that need a dataclass for the first time at once crash msgspec, which
shows each the other's half-made description of the class."""


def keep(conn: Connection, vault: Vault, transfer: Transfer, basis: Basis) -> None:
    """Keeps what a record was made of for those after this one."""
    cipher = vault.cipher(conn, transfer.claim_ref)
    flat = msgspec.to_builtins(basis.facts) | {"office_code": basis.office_code, "assessor_id": basis.assessor_id}
    sealed = cipher.seal(flat, field=_FIELD, version=transfer.claim_version)
    conn.execute(KEEP, {**_key(transfer), "facts": sealed})


def find(conn: Connection, vault: Vault, transfer: Transfer) -> Basis | None:
    """The basis of an earlier record; None where it was not kept, or not kept whole by an earlier release."""
    row = conn.execute(FIND, _key(transfer)).fetchone()
    if row is None:
        return None
    cipher = vault.cipher(conn, transfer.claim_ref)
    opened = cipher.open_bytes(row["facts"], field=_FIELD, version=transfer.claim_version)
    try:
        kept = _KEPT.decode(opened)
    except msgspec.ValidationError:
        return None
    return Basis(facts=kept, office_code=kept.office_code, assessor_id=kept.assessor_id)


def forget(conn: Connection, transfer: Transfer) -> None:
    """Deletes what was kept for this system's records of the claim's version, unless another system's needs it."""
    conn.execute(FORGET, _key(transfer))


def _key(transfer: Transfer) -> dict[str, str | int]:
    return {"claim_ref": transfer.claim_ref, "version": transfer.claim_version, "system": transfer.system}
