"""Prepares a development platform in containers: keys, tokens and the postcode directory in one folder, and databases."""

import os
from pathlib import Path

import psycopg
import stamina

from chassis import clock, embedded, postcodes
from chassis.authorities import AuthorityTable
from cms_local import keys
from cms_local.layout import DATABASES

_WAIT_SECONDS = 60.0


def make_files(folder: Path) -> None:
    """Makes what is absent in `folder`, readable by the services, which run as the same user."""
    keys.make_keys(folder / "keys", authority_codes=AuthorityTable.load().codes(clock.today()))
    postcodes.ensure(folder / "postcodes.sqlite")


@stamina.retry(on=psycopg.OperationalError, attempts=None, timeout=_WAIT_SECONDS, wait_max=1.0)
def make_databases(url: str) -> None:
    """Makes each service's database and roles where they are absent. `url` is the superuser's, without a database."""
    for database in DATABASES.values():
        embedded.create_database(url, database)


if __name__ == "__main__":
    make_databases(os.environ["CMS_POSTGRES_URL"])
    make_files(Path(os.environ["CMS_PREPARED_FOLDER"]))
