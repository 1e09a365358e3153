"""Who was shown what is written before it is shown; if it cannot be written, nothing is shown."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from chassis import access_log, call
from chassis.chain import Chain
from chassis.database import Database
from chassis.errors import CmsError
from chassis.identity import Verifier
from chassis.testing import ISSUER, DatabaseUrls, Tokens
from chassis.vault import Vault
from cms.intake.v1 import intake_pb2

CONTRACT = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
CLAIM = "C0000000000A"


class Api:
    """Answers GetInterview with answers, as `record` says after or without writing the access."""

    def __init__(self, record: Callable[[], None]) -> None:
        self.record = record

    def __getattr__(self, name: str) -> Any:
        return self._serve

    def _serve(self, _request: Any) -> Any:
        self.record()
        return intake_pb2.GetInterviewResponse(interview=intake_pb2.Interview(claim_ref=CLAIM))


@pytest.fixture
def ask(database: Database, vault: Vault, tokens: Tokens) -> Callable[[Callable[[], None]], Any]:
    """Calls GetInterview as an assessor with a purpose, through the chain."""

    def asked(record: Callable[[], None]) -> Any:
        chain = Chain(
            service=CONTRACT,
            servicer=Api(record),
            verifier=Verifier(tokens.jwks_file, issuer=ISSUER),
            database=database,
            vault=vault,
        )
        metadata = {"authorization": f"Bearer {tokens.issue('ASSESSOR', subject='AS1')}", "cms-purpose": "A17"}
        request = intake_pb2.GetInterviewRequest(claim_ref=CLAIM)
        return chain.handle(chain.methods["GetInterview"], lambda: request, metadata, 5.0)

    return asked


def write() -> None:
    with call.current().database.transaction() as conn:
        access_log.record_access(conn, claim_ref=CLAIM)


def rows(database_urls: DatabaseUrls) -> list[Any]:
    with psycopg.connect(database_urls.owner) as conn:
        query = "SELECT subject, claim_ref, method, purpose, outcome, at > now() - interval '1 min' FROM access_log"
        return conn.execute(query).fetchall()


def test_what_is_shown_is_written_with_who_and_why(ask: Any, database_urls: DatabaseUrls) -> None:
    answer = ask(write)

    assert answer.interview.claim_ref == CLAIM
    assert rows(database_urls) == [("AS1", CLAIM, "/cms.intake.v1.IntakeService/GetInterview", "A17", "SHOWN", True)]


def test_answers_that_no_row_tells_of_do_not_leave(ask: Any) -> None:
    with pytest.raises(CmsError) as refused:
        ask(lambda: None)

    assert refused.value.code == "INTERNAL"


def test_where_the_row_cannot_be_written_nothing_is_shown(ask: Any, database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("REVOKE INSERT ON access_log FROM chassis_app")

    with pytest.raises(CmsError) as refused:
        ask(write)

    assert refused.value.code == "INTERNAL"
