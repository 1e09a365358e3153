"""Migrations: SQL files, run by yoyo at start under an advisory lock, first the chassis' own and then the service's.

The `_owner` role migrates. The other roles get the rights that `grants.toml` names: see `chassis.grants`.
"""

from pathlib import Path

import psycopg
import yoyo
from psycopg.conninfo import conninfo_to_dict

from chassis import grants

OWN_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x636D7333  # "cms3"


def migrate(*, owner_url: str, folder: Path) -> int:
    """Brings the database to the newest schema; returns the number of migrations applied.

    Any number of replicas may start at once: one migrates, the others wait for it. The roles that get rights are named as the
    owner is: `intake_app` beside `intake_owner`.
    """
    name = str(conninfo_to_dict(owner_url)["user"]).removesuffix("_owner")
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        applied = _apply(owner_url, folder)
        grants.apply(connection, name, grants.read(OWN_MIGRATIONS, folder))
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
