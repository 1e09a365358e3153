"""The page on adding a system: the migration that it shows lets every table know the system."""

import re
from pathlib import Path

import psycopg

from chassis.testing import DatabaseUrls

PAGE = Path(__file__).parents[3] / "docs/adding-a-system.md"
CHECKS = """
    SELECT count(*), count(*) FILTER (WHERE pg_get_constraintdef(oid) LIKE '%WPRS%')
    FROM pg_constraint WHERE contype = 'c' AND pg_get_constraintdef(oid) LIKE '%CMS_COTS%'
"""


def test_the_migration_of_the_page_widens_every_check_of_the_systems(database_urls: DatabaseUrls) -> None:
    [migration] = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute(migration.encode())
        [(checks, widened)] = conn.execute(CHECKS).fetchall()

    assert widened == checks > 8
