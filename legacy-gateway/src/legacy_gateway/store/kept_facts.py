"""The facts of a claim's version, sealed, from its first record until its last one is made."""

import msgspec

from chassis.database import Connection
from chassis.vault import Vault
from legacy_gateway.domain import Facts, Transfer

KEEP = """
    -- Facts that a later phase needs as well.
    INSERT INTO kept_facts (claim_ref, claim_version, facts) VALUES (%(claim_ref)s, %(version)s, %(facts)s)
    ON CONFLICT DO NOTHING
"""

FIND = """
    -- The facts that an earlier phase had.
    SELECT facts FROM kept_facts WHERE claim_ref = %(claim_ref)s AND claim_version = %(version)s
"""

FORGET = """
    -- No further record needs them.
    DELETE FROM kept_facts WHERE claim_ref = %(claim_ref)s AND claim_version = %(version)s
"""

_FIELD = "facts"

_FACTS = msgspec.json.Decoder(Facts)
"""Made once, when the module is loaded: two threads that need a dataclass for the first time at once crash msgspec, which
shows each the other's half-made description of the class."""


def keep(conn: Connection, vault: Vault, transfer: Transfer, facts: Facts) -> None:
    """Keeps the facts for the phases after this one."""
    cipher = vault.cipher(conn, transfer.claim_ref)
    sealed = cipher.seal(msgspec.to_builtins(facts), field=_FIELD, version=transfer.claim_version)
    conn.execute(KEEP, {**_key(transfer), "facts": sealed})


def find(conn: Connection, vault: Vault, transfer: Transfer) -> Facts | None:
    """The facts that an earlier phase kept; None where there are none."""
    row = conn.execute(FIND, _key(transfer)).fetchone()
    if row is None:
        return None
    cipher = vault.cipher(conn, transfer.claim_ref)
    return _FACTS.decode(cipher.open_bytes(row["facts"], field=_FIELD, version=transfer.claim_version))


def forget(conn: Connection, transfer: Transfer) -> None:
    """Deletes the facts of the claim's version."""
    conn.execute(FORGET, _key(transfer))


def _key(transfer: Transfer) -> dict[str, str | int]:
    return {"claim_ref": transfer.claim_ref, "version": transfer.claim_version}
