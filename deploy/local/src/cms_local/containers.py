"""Prepares a development platform in containers: keys, tokens and the postcode directory in one folder, and databases.

It goes on for as long as the platform does, since tokens do not live that long.
"""

import os
import signal
import threading
from pathlib import Path

import psycopg
import stamina

from chassis import clock, core_dumps, embedded, postcodes
from chassis.authorities import AuthorityTable
from cms_local import certificates, keys
from cms_local.layout import DATABASES

_WAIT_SECONDS = 60.0
LOOK_SECONDS = 10.0


def make_files(folder: Path) -> None:
    """Makes what is absent in `folder`, readable by the services, which run as the same user."""
    keys.make_keys(folder / "keys", authority_codes=AuthorityTable.load().codes(clock.today()))
    postcodes.ensure(folder / "postcodes.sqlite")


@stamina.retry(on=psycopg.OperationalError, attempts=None, timeout=_WAIT_SECONDS, wait_max=1.0)
def make_databases(url: str) -> None:
    """Makes each service's database and roles where they are absent. `url` is the superuser's, without a database."""
    for database in DATABASES.values():
        embedded.create_database(url, database)
    embedded.close_maintenance_databases(url)


def keep_tokens(folder: Path, stopping: threading.Event, *, pause_seconds: float = LOOK_SECONDS) -> None:
    """Renews tokens and certificates in the folder of keys before they end, until it is told to stop."""
    while not stopping.wait(pause_seconds):
        keys.renew_tokens(folder)
        certificates.renew(folder)


if __name__ == "__main__":
    core_dumps.forbid()
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: told.set())
    prepared = Path(os.environ["CMS_PREPARED_FOLDER"])
    make_databases(os.environ["CMS_POSTGRES_URL"])
    make_files(prepared)
    keep_tokens(prepared / "keys", told)
