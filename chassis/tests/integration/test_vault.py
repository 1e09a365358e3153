"""A sealed value opens only in its place, and by a key that the database holds."""

import base64
import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from chassis import erasure
from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.vault import Keyring, Vault

CLAIM = "C0000000000A"
OTHER = "C00000000010"


class Undone(Exception):
    """Rolls a transaction back."""


def keyring(path: Path, **changes: Any) -> Keyring:
    raw = json.loads(path.read_text()) if path.exists() else json.loads(Keyring.generate())
    path.write_text(json.dumps(raw | changes))
    return Keyring.load(path)


@pytest.mark.parametrize("value", ["Łukasz", 12, None, {"lines": ["1 High St"]}, [True, "x"], ""])
def test_a_sealed_value_opens_again(database: Database, vault: Vault, value: Any) -> None:
    with database.transaction() as conn:
        sealed = vault.cipher(conn, CLAIM).seal(value, field="name", version=1)

    with database.transaction() as conn:
        assert vault.cipher(conn, CLAIM).open(sealed, field="name", version=1) == value
    assert str(value).encode() not in sealed or len(str(value)) < 5


def test_the_same_value_is_sealed_differently_each_time(database: Database, vault: Vault) -> None:
    with database.transaction() as conn:
        cipher = vault.cipher(conn, CLAIM)

        assert cipher.seal("x", field="f", version=1) != cipher.seal("x", field="f", version=1)


@pytest.mark.parametrize(("claim", "field", "version"), [(OTHER, "name", 1), (CLAIM, "bank", 1), (CLAIM, "name", 2)])
def test_a_sealed_value_copied_elsewhere_does_not_open(
    database: Database, vault: Vault, claim: str, field: str, version: int
) -> None:
    with database.transaction() as conn:
        sealed = vault.cipher(conn, CLAIM).seal("x", field="name", version=1)

        with pytest.raises(InvalidTag):
            vault.cipher(conn, claim).open(sealed, field=field, version=version)


def test_another_service_cannot_open_a_value_with_the_same_keys(database: Database, tmp_path: Path) -> None:
    keys = keyring(tmp_path / "keys.json")
    with database.transaction() as conn:
        Vault("intake-svc", keys).cipher(conn, CLAIM)

        with pytest.raises(InvalidTag):
            Vault("la-notifier", keys).cipher(conn, CLAIM)


def test_a_key_that_is_rolled_back_with_its_transaction_is_not_used_again(database: Database, tmp_path: Path) -> None:
    keys = keyring(tmp_path / "keys.json")
    running = Vault("intake-svc", keys)
    with suppress(Undone), database.transaction() as conn:
        running.cipher(conn, CLAIM)
        running.cipher(conn, CLAIM)  # now the row is there to be read, and still not committed
        raise Undone

    with database.transaction() as conn:
        sealed = running.cipher(conn, CLAIM).seal("x", field="f", version=1)

    started_again = Vault("intake-svc", keys)
    with database.transaction() as conn:
        assert started_again.cipher(conn, CLAIM).open(sealed, field="f", version=1) == "x"


def test_two_transactions_at_once_make_one_key(database: Database, vault: Vault) -> None:
    together = threading.Barrier(2)

    def seal(_number: int) -> bytes:
        with database.transaction() as conn:
            conn.execute("SELECT 1")
            together.wait()
            return vault.cipher(conn, CLAIM).seal("x", field="f", version=1)

    with ThreadPoolExecutor(2) as callers:
        sealed = list(callers.map(seal, range(2)))

    with database.transaction() as conn:
        cipher = vault.cipher(conn, CLAIM)
        assert [cipher.open(each, field="f", version=1) for each in sealed] == ["x", "x"]
        assert conn.execute("SELECT count(*) AS count FROM data_keys").fetchone() == {"count": 1}


def test_after_a_rotation_old_claims_open_and_new_ones_use_the_new_key(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = keyring(path)
    with database.transaction() as conn:
        sealed = Vault("intake-svc", first).cipher(conn, CLAIM).seal("x", field="f", version=1)
    response = Vault("intake-svc", first).seal_response(b"response", place="p")

    both = json.loads(path.read_text())["wrapping"] | {"2026": base64.b64encode(secrets.token_bytes(32)).decode()}
    rotated = Vault("intake-svc", keyring(path, current="2026", wrapping=both))

    with database.transaction() as conn:
        assert rotated.cipher(conn, CLAIM).open(sealed, field="f", version=1) == "x"
        rotated.cipher(conn, OTHER)
        rows = conn.execute("SELECT claim_ref, key_id FROM data_keys ORDER BY claim_ref").fetchall()
    assert {row["claim_ref"]: row["key_id"] for row in rows} == {CLAIM: "1", OTHER: "2026"}
    assert rotated.open_response(response, place="p") == b"response"


def test_a_removed_data_key_is_gone_at_once(database: Database, vault: Vault) -> None:
    with database.transaction() as conn:
        sealed = vault.cipher(conn, CLAIM).seal("x", field="f", version=1)
    with database.transaction() as conn:
        erasure.forget(conn, [CLAIM])

    with database.transaction() as conn:
        cipher = vault.cipher(conn, CLAIM)
    with pytest.raises(FailedPrecondition, match="erased"):
        cipher.open(sealed, field="f", version=1)


def test_the_lookup_of_a_nino_is_stable_and_depends_on_the_key(vault: Vault, tmp_path: Path) -> None:
    other = Vault("test", keyring(tmp_path / "keys.json"))

    assert vault.lookup("AB123456C") == vault.lookup("AB123456C")
    assert vault.lookup("AB123456C") not in {vault.lookup("AB123456D"), other.lookup("AB123456C")}


def test_sealed_values_are_not_readable_in_the_database(database: Database, vault: Vault) -> None:
    with database.transaction() as conn:
        vault.cipher(conn, CLAIM)
        row = conn.execute("SELECT wrapped FROM data_keys").fetchone()

    assert row
    assert len(row["wrapped"]) == 12 + 32 + 16  # nonce, key, tag: sealed by a key from outside


def test_a_malformed_keyring_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{}")

    with pytest.raises(KeyError):
        Keyring.load(path)


def wait_a_little_for_the_key(database: Database, vault: Vault) -> None:
    with database.transaction() as conn:
        conn.execute("SET LOCAL lock_timeout = '50ms'")
        vault.cipher(conn, CLAIM)


def test_a_lock_timeout_is_an_error_and_makes_no_second_key(database: Database, vault: Vault) -> None:
    with database.transaction() as first:
        vault.cipher(first, CLAIM)

        with pytest.raises(psycopg.errors.LockNotAvailable):
            wait_a_little_for_the_key(database, vault)
