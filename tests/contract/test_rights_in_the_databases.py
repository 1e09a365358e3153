"""In every service's database each role has the rights that `grants.toml` names, and every other statement is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from chassis import grants
from chassis.migrations import OWN_MIGRATIONS
from chassis.testing import DatabaseUrls, Servers, make_database
from cms_local.layout import DATABASES, ROOT
from tests.support.platforms import PlatformUnderTest

STATEMENTS = {
    "SELECT": "SELECT * FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = DEFAULT WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
    "REFERENCES": "CREATE TABLE more (id integer)",
    "TRIGGER": "CREATE TRIGGER more BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "ALTER": "ALTER TABLE {table} ADD COLUMN more text",
    "DROP": "DROP TABLE {table} CASCADE",
}
"""A statement that needs each right, by the right."""
NEVER = {
    "app": {
        "answers": "DELETE",
        "data_keys": "DELETE",
        "requests": "DELETE",
        "outbox": "DELETE",
        "access_log": "SELECT",
    },
    "housekeeping": {"answers": "SELECT", "data_keys": "SELECT", "access_log": "SELECT", "outbox": "UPDATE"},
}
"""Rights that would undo what the roles are for: no file may name them."""
TABLES = """
    SELECT relname, (SELECT attname FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum = 1) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname !~ '^_?yoyo'
"""
OF_TABLES = """
    SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges WHERE table_schema = 'public'
"""
OF_COLUMNS = """
    SELECT role.rolname, relname, format('%s (%s)', privilege_type, string_agg(attname, ', ' ORDER BY attnum))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, LATERAL aclexplode(attacl) AS right_
    JOIN pg_roles AS role ON role.oid = right_.grantee
    WHERE relnamespace = 'public'::regnamespace GROUP BY role.rolname, relname, privilege_type
"""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """A service's database, and the rights that its files name: by role, by table."""

    urls: DatabaseUrls
    named: grants.Grants

    def url(self, role: str) -> str:
        return {"app": self.urls.app, "housekeeping": self.urls.housekeeping}[role]


@pytest.fixture(scope="module", params=list(DATABASES))
def rights(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Rights]:
    migrations = ROOT / request.param / "migrations"
    urls = make_database(servers, DATABASES[request.param], migrations)
    yield Rights(urls=urls, named=grants.read(OWN_MIGRATIONS, migrations))
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {urls.name} WITH (FORCE)".encode())


def test_every_role_has_the_rights_that_are_named_and_no_other(rights: Rights) -> None:
    real: dict[str, dict[str, set[str]]] = {}
    with psycopg.connect(rights.urls.owner) as conn:
        for grantee, table, right in [*conn.execute(OF_TABLES), *conn.execute(OF_COLUMNS)]:
            if "yoyo" not in table and not grantee.endswith("_owner"):
                real.setdefault(grantee.rpartition("_")[2], {}).setdefault(table, set()).add(right)

    assert real == {
        role: {table: set(allowed) for table, allowed in tables.items() if not table.endswith(")")}
        for role, tables in rights.named.items()
    }


@pytest.mark.parametrize("role", grants.ROLES)
def test_every_statement_that_no_right_allows_is_refused(rights: Rights, role: str) -> None:
    with psycopg.connect(rights.urls.owner) as owner:
        tables = owner.execute(TABLES).fetchall()
    allowed = []
    with psycopg.connect(rights.url(role), autocommit=True) as conn:
        for table, column in tables:
            for right in STATEMENTS.keys() - {right.partition(" ")[0] for right in rights.named[role].get(table, [])}:
                try:
                    conn.execute(STATEMENTS[right].format(table=table, column=column).encode())
                except psycopg.errors.InsufficientPrivilege:
                    continue
                allowed.append((table, right))

    assert allowed == []


@pytest.mark.parametrize("role", grants.ROLES)
def test_no_file_names_a_right_that_would_undo_the_role(rights: Rights, role: str) -> None:
    assert [table for table, right in NEVER[role].items() if right in rights.named[role].get(table, [])] == []


@pytest.mark.xdist_group("platform")
def test_no_role_can_connect_to_another_database(platform_under_test: PlatformUnderTest) -> None:
    server = f"127.0.0.1:{platform_under_test.layout.postgres_port}"
    reached = []
    for own in DATABASES.values():
        for end in ("owner", *grants.ROLES):
            for other in {*DATABASES.values(), "postgres", "template1"} - {own}:
                try:
                    psycopg.connect(f"postgresql://{own}_{end}@{server}/{other}").close()
                except psycopg.OperationalError as refused:
                    assert "permission denied for database" in str(refused)  # noqa: PT017 - it is one of many
                    continue
                reached.append((own, end, other))

    assert reached == []


def test_a_file_with_a_role_that_is_unknown_is_refused(tmp_path: Path) -> None:
    (tmp_path / "grants.toml").write_text('[admin]\nclaims = ["SELECT"]\n')

    with pytest.raises(ValueError, match="there is no role admin"):
        grants.read(tmp_path)
