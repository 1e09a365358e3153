"""Rights of the roles that run a service, table by table: each may do what the service does and nothing else.

`<database>_app` runs the service. `<database>_housekeeping` removes what nobody needs any more. Their rights stand in
`grants.toml` beside the migrations, the chassis' own and the service's. What is not named there is revoked.
docs/adr/0081-a-role-may-do-what-its-service-does.md says what follows from it.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

ROLES = ("app", "housekeeping")
"""The ends of the names of the roles whose rights stand in `grants.toml`."""
FILE = "grants.toml"

Grants = Mapping[str, Mapping[str, Sequence[str]]]
"""The rights by the end of the role's name and by table, or by function where a name has parentheses."""


def read(*folders: Path) -> Grants:
    """Reads the rights in these folders of migrations; one without a file gives none. Raises ValueError for other roles."""
    found: dict[str, dict[str, Sequence[str]]] = {role: {} for role in ROLES}
    for folder in folders:
        path = folder / FILE
        for role, rights in (tomllib.loads(path.read_text()) if path.exists() else {}).items():
            if role not in ROLES:
                raise ValueError(f"{path}: there is no role {role}; choose one of {', '.join(ROLES)}")
            found[role] |= rights
    return found


def roles_of(database: str) -> Mapping[str, str]:
    """The roles of a database by the ends of their names."""
    return {role: f"{database}_{role}" for role in ROLES}


def apply(conn: psycopg.Connection, database: str, grants: Grants) -> None:
    """Gives the database's roles these rights and no other, all at one moment. `conn` is the owner's, in autocommit."""
    with conn.transaction():
        for end, role in roles_of(database).items():
            for statement in _statements(sql.Identifier(role), grants[end]):
                conn.execute(statement)


def _statements(role: sql.Identifier, rights: Mapping[str, Sequence[str]]) -> Iterator[sql.Composed]:
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}").format(role=role)
    yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}").format(role=role)
    yield sql.SQL("GRANT SELECT ON _yoyo_migration TO {role}").format(role=role)
    for name, allowed in rights.items():
        # Both are text of our own files: a right may name columns, a function its parameters.
        kind, what = ("FUNCTION", name) if name.endswith(")") else ("TABLE", name)
        yield sql.SQL("GRANT {allowed} ON {kind} {what} TO {role}").format(
            allowed=_own_text(", ".join(allowed)), kind=_own_text(kind), what=_own_text(what), role=role
        )


def _own_text(text: str) -> sql.SQL:
    return sql.SQL(text)
