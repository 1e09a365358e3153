"""The access log is chained, sealed and copied, and whatever is done to it afterwards is found, by row."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import sql
from psycopg.rows import dict_row

from chassis import seal_check, seals
from chassis.database import Database
from chassis.seal_check import Finding
from chassis.seals import AppendedFile, Sealer
from chassis.signatures import Signatures
from chassis.testing import DatabaseUrls, SignaturesOf, publish, signing_files, signing_key

SERVICE = "intake-svc"
Keys = Mapping[str, Ed25519PublicKey]
KEYS: Keys = {f"{SERVICE}/1": signing_key(SERVICE).private.public_key()}
_WRITE = """
    INSERT INTO access_log (at, subject, roles, method, claim_ref, purpose, outcome, traceparent)
    VALUES ('2005-07-11 09:00Z', %s, '{ASSESSOR}', '/m', 'C0000000000A', 'A17', 'SHOWN', '')
"""
_INSERTED = """
    INSERT INTO access_log (at, written_time, subject, roles, method, purpose, outcome, traceparent)
    VALUES ('2005-07-11 09:00Z', {time}, 'AS2', '{{ASSESSOR}}', '/m', 'A17', 'SHOWN', '')
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return seals.exported_file(tmp_path / "second place")


@pytest.fixture
def sealer(database: Database, signatures_of: SignaturesOf, copy: Path) -> Sealer:
    return Sealer(SERVICE, database, signatures_of(SERVICE), AppendedFile(copy))


@pytest.fixture
def sealed(database: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> Sealer:
    """Nine rows in three seals, and then an empty seal."""
    monkeypatch.setattr(seals, "QUIET_SECONDS", 0.0)
    for seal in range(3):
        show(database, *(f"OP{3 * seal + row}" for row in range(1, 4)))
        sealer.seal()
    sealer.seal()
    return sealer


def show(database: Database, *subjects: str) -> None:
    with database.transaction() as conn:
        for subject in subjects:
            conn.execute(_WRITE, [subject])


def as_owner(urls: DatabaseUrls, *statements: str) -> None:
    with psycopg.connect(urls.owner) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def found(urls: DatabaseUrls, copy: Path, keys: Keys = KEYS) -> list[Finding]:
    with psycopg.connect(urls.owner, row_factory=dict_row) as conn:
        return seal_check.check(
            SERVICE,
            rows=conn.execute(seal_check.ROWS).fetchall(),
            unsealed=conn.execute(seal_check.UNSEALED).fetchall(),
            seals=conn.execute(seal_check.SEALS).fetchall(),
            now=datetime.now(UTC),
            copy=seal_check.read_copy([copy] if copy.exists() else [], keys),
            keys=keys,
        )


def kinds(urls: DatabaseUrls, copy: Path, keys: Keys = KEYS) -> set[tuple[str, int | None]]:
    return {(finding.kind, finding.row) for finding in found(urls, copy, keys)}


def make_chain_anew(urls: DatabaseUrls) -> None:
    """Gives all rows places and hashes that fit, and each seal its head, as whoever owns the database can."""
    with psycopg.connect(urls.owner, row_factory=dict_row) as conn:
        rows = conn.execute("SELECT * FROM access_log ORDER BY place, access_id").fetchall()
        conn.execute("UPDATE access_log SET place = NULL")
        head = seals.FIRST
        for place, row in enumerate(rows, start=1):
            head = seals.row_hash(head, place, seals.row_text(row))
            conn.execute(
                "UPDATE access_log SET place = %s, hash = %s WHERE access_id = %s", [place, head, row["access_id"]]
            )
        conn.execute(
            "UPDATE access_log_seals SET last_place = least(last_place, %s),"
            " head = coalesce((SELECT hash FROM access_log WHERE place = least(last_place, %s)), head)",
            [len(rows), len(rows)],
        )


def test_rows_are_sealed_in_order_and_nothing_is_found(
    database: Database, database_urls: DatabaseUrls, sealed: Sealer, copy: Path
) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        places = conn.execute("SELECT access_id, place FROM access_log ORDER BY place").fetchall()
        numbers = conn.execute("SELECT number, last_place FROM access_log_seals ORDER BY number").fetchall()

    assert places == [(number, number) for number in range(1, 10)]
    assert numbers == [(1, 3), (2, 6), (3, 9), (4, 9)]
    assert found(database_urls, copy) == []
    show(database, "OP10")
    assert found(database_urls, copy) == []
    assert sealed.seal() is False
    assert found(database_urls, copy) == []


def test_without_new_rows_no_seal_is_made_for_a_while(
    database: Database, database_urls: DatabaseUrls, sealer: Sealer, copy: Path
) -> None:
    for _ in range(3):
        sealer.seal()

    assert len(copy.read_bytes().splitlines()) == 1


def test_a_batch_that_is_full_is_followed_by_the_next(
    database: Database, database_urls: DatabaseUrls, sealer: Sealer, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "BATCH", 4)
    show(database, *(f"OP{number}" for number in range(9)))

    assert [sealer.seal(), sealer.seal(), sealer.seal()] == [True, True, False]
    assert found(database_urls, copy) == []


ATTACKS = {
    "altered": (["UPDATE access_log SET subject = 'NOBODY' WHERE access_id = 5"], ("altered", 5)),
    "purpose altered": (["UPDATE access_log SET purpose = 'A18' WHERE access_id = 9"], ("altered", 9)),
    "dated back": (
        ["UPDATE access_log SET written_time = written_time - interval '1 day' WHERE access_id = 5"],
        ("misdated", 5),
    ),
    "removed": (["DELETE FROM access_log WHERE access_id = 5"], ("missing", 5)),
    "last ones removed": (["DELETE FROM access_log WHERE access_id > 7"], ("missing", 9)),
    "last ones removed with their seals": (
        ["DELETE FROM access_log WHERE access_id > 6", "DELETE FROM access_log_seals WHERE number > 2"],
        ("missing", 7),
    ),
    "all removed": (["TRUNCATE access_log, access_log_seals"], ("missing", 1)),
    "sealed again elsewhere": (
        ["UPDATE access_log SET subject = 'NOBODY', place = NULL, hash = NULL WHERE access_id = 5"],
        ("altered", 5),
    ),
    "two rows exchanged": (
        [
            "UPDATE access_log SET place = 100 WHERE access_id = 4",
            "UPDATE access_log SET place = 4 WHERE access_id = 5",
            "UPDATE access_log SET place = 5 WHERE access_id = 4",
        ],
        ("altered", 5),
    ),
    "inserted with a place": (
        [
            _INSERTED.format(time="now()"),
            "UPDATE access_log SET place = 10, hash = '\\x00' WHERE access_id = 10",
        ],
        ("inserted", 10),
    ),
    "a seal altered": (["UPDATE access_log_seals SET head = '\\x00' WHERE number = 2"], ("seal broken", 2)),
    "a seal removed": (["DELETE FROM access_log_seals WHERE number = 2"], ("seal missing", 2)),
}


@pytest.mark.parametrize(("statements", "expected"), ATTACKS.values(), ids=ATTACKS)
def test_a_change_of_the_log_is_found_by_row(
    *,
    database_urls: DatabaseUrls,
    sealed: Sealer,
    copy: Path,
    statements: list[str],
    expected: tuple[str, int],
) -> None:
    as_owner(database_urls, *statements)

    assert expected in kinds(database_urls, copy)

    sealed.seal()
    assert expected in kinds(database_urls, copy)


REMADE = {
    "altered": ("UPDATE access_log SET subject = 'NOBODY' WHERE access_id = 5", ("altered", 5)),
    "removed": ("DELETE FROM access_log WHERE access_id = 5", ("missing", 5)),
    "inserted": (
        "; ".join(
            [
                _INSERTED.format(time="(SELECT written_time FROM access_log WHERE access_id = 2)"),
                "UPDATE access_log SET place = place + 100 WHERE access_id BETWEEN 3 AND 9",
                "UPDATE access_log SET place = 3 WHERE access_id = 10",
            ]
        ),
        ("inserted", 10),
    ),
}


@pytest.mark.parametrize(("statement", "expected"), REMADE.values(), ids=REMADE)
def test_a_chain_that_was_made_anew_is_found(
    *, database_urls: DatabaseUrls, sealed: Sealer, copy: Path, statement: str, expected: tuple[str, int]
) -> None:
    as_owner(database_urls, statement)
    make_chain_anew(database_urls)

    findings = kinds(database_urls, copy)
    assert expected in findings
    assert any(kind == "seal broken" for kind, _ in findings)

    copy.unlink()
    assert any(kind == "seal broken" for kind, _ in kinds(database_urls, copy))


@pytest.mark.parametrize("time", ["now() - interval '1 day'", "now() + interval '1 day'"])
def test_an_inserted_row_with_another_time_is_found(
    database_urls: DatabaseUrls, sealed: Sealer, copy: Path, time: str
) -> None:
    as_owner(database_urls, _INSERTED.format(time=time))

    sealed.seal()

    assert kinds(database_urls, copy) == {("misdated", 10)}


def test_a_copy_that_is_gone_is_found(database_urls: DatabaseUrls, sealed: Sealer, copy: Path) -> None:
    copy.unlink()

    assert kinds(database_urls, copy) == {("no copy", None)}


def test_a_withdrawn_key_is_vouched_for_by_the_next_key(
    *, database: Database, database_urls: DatabaseUrls, sealed: Sealer, copy: Path, tmp_path: Path
) -> None:
    second = signing_key(SERVICE, number=2)
    known = {second.key_id: second.private.public_key()}
    assert kinds(database_urls, copy, known) == {("seal broken", 4)}  # nobody vouches for the newest rows yet

    own, signatories = signing_files(tmp_path, SERVICE)
    publish(signatories, signing_key(SERVICE), second)
    own.write_text(second.secret_text())
    signatures = Signatures(SERVICE, signing_key_file=own, signatories_file=signatories)
    Sealer(SERVICE, database, signatures, AppendedFile(copy)).seal()

    assert kinds(database_urls, copy, known) == set()


def test_rows_whose_seal_was_not_committed_are_sealed_again(
    database: Database, database_urls: DatabaseUrls, sealer: Sealer, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(name: str) -> None:
        raise RuntimeError(name)

    show(database, "OP1", "OP2")
    with monkeypatch.context() as dying:
        dying.setattr("chassis.crash.point", die)
        with pytest.raises(RuntimeError, match=r"access_log\.before_commit"):
            sealer.seal()
    assert found(database_urls, copy) == []

    show(database, "OP3")
    sealer.seal()

    assert found(database_urls, copy) == []
    assert len(copy.read_bytes().splitlines()) == 2


def test_a_line_that_was_cut_off_does_not_spoil_the_next(
    database: Database, database_urls: DatabaseUrls, sealed: Sealer, copy: Path
) -> None:
    with copy.open("ab") as file:
        file.write(b'{"seal": {"num')
    show(database, "OP10")

    sealed.seal()

    assert found(database_urls, copy) == []
    assert len(copy.read_bytes().splitlines()) == 6


def test_nothing_is_sealed_while_the_second_place_is_away(
    database: Database, database_urls: DatabaseUrls, sealer: Sealer, copy: Path
) -> None:
    copy.parent.parent.mkdir(exist_ok=True)
    copy.parent.write_text("a file where the folder must be")
    show(database, "OP1")

    with pytest.raises(OSError, match="second place"):
        sealer.seal()

    copy.parent.unlink()
    sealer.seal()
    assert found(database_urls, copy) == []


@pytest.mark.parametrize("column", ["access_id", "written_time", "place", "hash"])
def test_the_app_role_cannot_give_what_is_the_databases_to_give(database: Database, column: str) -> None:
    statement = sql.SQL(
        "INSERT INTO access_log (at, subject, roles, method, purpose, outcome, traceparent, {})"
        " OVERRIDING SYSTEM VALUE VALUES (now(), 'OP1', '{{OPERATOR}}', 'm', '', 'SHOWN', '', NULL)"
    ).format(sql.Identifier(column))

    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as conn:
        conn.execute(statement)


@pytest.mark.parametrize("statement", ["DELETE FROM access_log_seals", "UPDATE access_log_seals SET head = ''"])
def test_the_app_role_cannot_change_a_seal(database: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as conn:
        conn.execute(statement.encode())


def test_the_app_role_reads_no_row_that_is_sealed(database: Database, sealed: Sealer) -> None:
    with database.transaction() as conn:
        conn.execute("SELECT access_log_give_places(ARRAY[1::bigint], 50, ARRAY['\\x00'::bytea])")
        rows = conn.execute("SELECT * FROM access_log_to_seal(100)").fetchall()

    assert rows == []
