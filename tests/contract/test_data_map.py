"""docs/data-map.toml says of every column of every database what personal data it holds."""

import tomllib
from collections.abc import Mapping

import pytest

from cms_local.layout import ROOT, SERVICES
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

MAP: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = tomllib.loads((ROOT / "docs/data-map.toml").read_text())
KINDS = frozenset(
    ["sealed", "look_up", "plain", "reference", "file", "keyring", "staff", "staff_sealed", "not_personal"]
)
COLUMNS = """
    SELECT pg_class.relname, attname, atttypid = 'bytea'::regtype FROM pg_attribute
    JOIN pg_class ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0
        AND NOT attisdropped AND relname NOT LIKE %s
"""
BYTES_THAT_SAY_NOTHING = {
    ("access_log", "hash"),
    ("access_log_seals", "head"),
    ("access_log_seals", "previous"),
    ("access_log_seals", "signature"),
    ("bundles", "device_key"),
    ("data_keys", "wrapped"),
    ("dead_letters", "entry"),
    ("dead_letters", "envelope"),
    ("diary_links", "token_hash"),
    ("outbox", "payload"),
}


def mapped(service: str) -> dict[tuple[str, str], str]:
    """The kind of each column of a service. AssertionError where a column is named twice."""
    found: dict[tuple[str, str], str] = {}
    for table, kinds in {**MAP["every-service"], **MAP[service]}.items():
        for kind, columns in kinds.items():
            for column in columns:
                assert (table, column) not in found, (table, column)
                found[table, column] = kind
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_column_is_in_the_data_map(platform_under_test: PlatformUnderTest, service: str) -> None:
    rows = platform_under_test.rows(service, COLUMNS, "%yoyo%")

    kinds = mapped(service)
    real = {(table, column) for table, column, _ in rows}
    assert sorted(real - kinds.keys()) == [], "columns that docs/data-map.toml does not name"
    assert sorted(kinds.keys() - real) == [], "columns that are not there"
    assert set(kinds.values()) <= KINDS
    bytes_of = {(table, column) for table, column, is_bytes in rows if is_bytes}
    assert {place for place in bytes_of if kinds[place] == "not_personal"} <= BYTES_THAT_SAY_NOTHING
    assert {kind for (_, column), kind in kinds.items() if column == "claim_ref"} == {"reference"}


def test_the_page_explains_every_kind() -> None:
    page = (ROOT / "docs/data-map.md").read_text()

    assert {kind for kind in KINDS if f"| `{kind}` |" in page} == KINDS
