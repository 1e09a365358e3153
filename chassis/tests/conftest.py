"""A database with the chassis' own tables alone, and a service of the contract served by a few functions."""

from pathlib import Path

from chassis.migrations import OWN_MIGRATIONS
from chassis.testing import database_fixture

database_urls = database_fixture("chassis", Path(OWN_MIGRATIONS).parent / "no-migrations-of-a-service")
