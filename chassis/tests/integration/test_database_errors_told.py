"""A caller learns of the database's own errors, and of which of them pass, so that a retry is worth while."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis import call
from chassis.chain import Chain, methods_of
from chassis.database import Connection, Database
from chassis.errors import CmsError
from chassis.identity import Verifier
from chassis.testing import ISSUER, Tokens
from chassis.vault import Vault
from cms.intake.v1 import intake_pb2

CONTRACT = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
_NOTE = "INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), 'tests')"

Act = Callable[[Connection], None]


class Api:
    """Answers GetInterview once `act` has done with the database what it does."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def __getattr__(self, name: str) -> Any:
        return self._serve

    def _serve(self, _request: Any) -> Any:
        with call.current().database.transaction() as conn:
            self.act(conn)
        return intake_pb2.GetInterviewResponse()


@pytest.fixture
def told(database: Database, vault: Vault, tokens: Tokens) -> Callable[[Act], tuple[str, str]]:
    """The code and the reason of the error that a call ends with."""

    def asked(act: Act) -> tuple[str, str]:
        verifier = Verifier(tokens.jwks_file, issuer=ISSUER, audience="scheduling-svc")
        chain = Chain(methods_of(CONTRACT, Api(act)), verifier=verifier, database=database, vault=vault)
        metadata = {"authorization": f"Bearer {tokens.issue('ASSESSOR', subject='AS1')}"}
        request = intake_pb2.GetInterviewRequest(claim_ref="C0000000000A")
        with pytest.raises(CmsError) as refused:
            chain.handle(chain.methods["/cms.intake.v1.IntakeService/GetInterview"], lambda: request, metadata, 5.0)
        return refused.value.code, refused.value.reason

    return asked


def write_on_a_stand_by(conn: Connection) -> None:
    """If another server has become the one that is written to, the old one takes reads alone."""
    conn.execute("SET TRANSACTION READ ONLY")
    conn.execute(_NOTE)


def take_too_long(conn: Connection) -> None:
    conn.execute("SET LOCAL statement_timeout = '20ms'")
    conn.execute("SELECT pg_sleep(10)")


def want_what_another_holds(conn: Connection) -> None:
    with call.current().database.transaction() as other:
        other.execute("SELECT pg_advisory_xact_lock(1)")
        conn.execute("SET LOCAL lock_timeout = '20ms'")
        conn.execute("SELECT pg_advisory_xact_lock(1)")


def lose_the_server(conn: Connection) -> None:
    conn.execute("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)")


def ask_nonsense(conn: Connection) -> None:
    conn.execute("SELECT 1 / 0")


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (write_on_a_stand_by, ("UNAVAILABLE", "DATABASE_AWAY")),
        (lose_the_server, ("UNAVAILABLE", "DATABASE_AWAY")),
        (take_too_long, ("DEADLINE_EXCEEDED", "DATABASE_SLOW")),
        (want_what_another_holds, ("UNAVAILABLE", "RECORD_BUSY")),
        (ask_nonsense, ("INTERNAL", "DEFECT")),
    ],
    ids=lambda given: given.__name__.replace("_", " ") if callable(given) else given[1],
)
def test_database_errors_tell_the_caller_whether_to_retry(told: Any, act: Act, error: tuple[str, str]) -> None:
    assert told(act) == error
