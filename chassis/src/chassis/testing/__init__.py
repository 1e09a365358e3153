"""Fixtures and helpers for the tests of every service.

A real PostgreSQL and bus, a migrated database for each test, tokens, a clock, a running service, and a client of its doors.
This is a pytest plugin, which the conftest at the root loads. The servers start when the first test asks for them, once for
all workers of the test run, and end with the run.
"""

from chassis.testing.databases import (
    DatabaseUrls,
    as_owner,
    commits_fail,
    database,
    database_fixture,
    databases,
    housekeeping_database,
    make_database,
    waits_for_a_lock,
)
from chassis.testing.doors import HTTP, Client, Door, Reply
from chassis.testing.events import deliver, event_of, handle
from chassis.testing.identity import ISSUER, Tokens, begin_at_noon, clock_file, tokens, vault
from chassis.testing.servers import (
    Servers,
    bus,
    bus_prefix,
    eventually,
    free_port,
    pytest_configure,
    pytest_unconfigure,
    servers,
)
from chassis.testing.services import (
    NotCalled,
    SettingsOf,
    as_logged,
    postcodes,
    postcodes_file,
    running,
    settings_for,
    settings_of,
)
from chassis.testing.signing import SignaturesOf, add_signed, publish, signatures_of, signing_files, signing_key
from chassis.testing.tls import certificate_of, channel_to, open_channel, secure_port, tls_files

__all__ = [
    "HTTP",
    "ISSUER",
    "Client",
    "DatabaseUrls",
    "Door",
    "NotCalled",
    "Reply",
    "Servers",
    "SettingsOf",
    "SignaturesOf",
    "Tokens",
    "add_signed",
    "as_logged",
    "as_owner",
    "begin_at_noon",
    "bus",
    "bus_prefix",
    "certificate_of",
    "channel_to",
    "clock_file",
    "commits_fail",
    "database",
    "database_fixture",
    "databases",
    "deliver",
    "event_of",
    "eventually",
    "free_port",
    "handle",
    "housekeeping_database",
    "make_database",
    "open_channel",
    "postcodes",
    "postcodes_file",
    "publish",
    "pytest_configure",
    "pytest_unconfigure",
    "running",
    "secure_port",
    "servers",
    "settings_for",
    "settings_of",
    "signatures_of",
    "signing_files",
    "signing_key",
    "tls_files",
    "tokens",
    "vault",
    "waits_for_a_lock",
]
