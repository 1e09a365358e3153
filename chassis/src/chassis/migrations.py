"""Migrations: SQL files, run by yoyo at start under an advisory lock, first the chassis' own and then the service's.

The `_owner` role migrates. The `_app` role gets what it needs to run, and may only insert into the access log.
"""

from pathlib import Path

import psycopg
import yoyo
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from chassis import seals

OWN_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x636D7333  # "cms3"


def migrate(*, owner_url: str, app_url: str, folder: Path) -> int:
    """Brings the database to the newest schema; returns the number of migrations applied.

    Any number of replicas may start at once: one migrates, the others wait for it.
    """
    app_role = str(conninfo_to_dict(app_url)["user"])
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        applied = _apply(owner_url, folder)
        _grant(connection, app_role)
    return applied


def _apply(owner_url: str, folder: Path) -> int:
    backend = yoyo.get_backend(owner_url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        wanted = yoyo.read_migrations(str(OWN_MIGRATIONS), str(folder))
        missing = backend.to_apply(wanted)
        backend.apply_migrations(missing)
        return len(missing)
    finally:
        backend.connection.close()


def _grant(connection: psycopg.Connection, app_role: str) -> None:
    # One transaction: at no moment may the role that runs the service read or change the access log.
    role = sql.Identifier(app_role)
    statements = (
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "REVOKE ALL ON access_log FROM {role}",
        # Its id, its time and its place in the chain are the database's to give.
        "GRANT INSERT ({columns}) ON access_log TO {role}",
        "REVOKE ALL ON access_log_seals FROM {role}",
        "GRANT SELECT, INSERT ON access_log_seals TO {role}",
        "GRANT EXECUTE ON FUNCTION access_log_to_seal, access_log_give_places TO {role}",
        # A key is destroyed by a tombstone alone, which nobody takes away.
        "REVOKE ALL ON erased_claims FROM {role}",
        "GRANT SELECT, INSERT (claim_ref) ON erased_claims TO {role}",
        "REVOKE DELETE ON data_keys FROM {role}",
    )
    columns = sql.SQL(", ").join(map(sql.Identifier, seals.COLUMNS))
    with connection.transaction():
        for statement in statements:
            connection.execute(sql.SQL(statement).format(role=role, columns=columns))
