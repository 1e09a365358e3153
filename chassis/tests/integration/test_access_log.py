"""The access log has an entry before anything is shown; if the entry cannot be written, nothing is shown."""

from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
import pytest

from chassis import access_log, call, metrics
from chassis.chain import Chain, methods_of
from chassis.database import Database
from chassis.errors import CmsError, PermissionDenied
from chassis.identity import Verifier
from chassis.testing import ISSUER, DatabaseUrls, Tokens
from chassis.vault import Vault
from cms.intake.v1 import intake_pb2

CONTRACT = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
CLAIM = "C00000000000"


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
            methods_of(CONTRACT, Api(record)),
            verifier=Verifier(tokens.jwks_file, issuer=ISSUER, audience="scheduling-svc"),
            database=database,
            vault=vault,
        )
        metadata = {
            "authorization": f"Bearer {tokens.issue('ASSESSOR', subject='AS1')}",
            "cms-purpose": f"work item {CLAIM}",
        }
        request = intake_pb2.GetInterviewRequest(claim_ref=CLAIM)
        return chain.handle(chain.methods["/cms.intake.v1.IntakeService/GetInterview"], lambda: request, metadata, 5.0)

    return asked


def write() -> None:
    with call.current().database.transaction() as conn:
        access_log.record_access(conn, claim_ref=CLAIM)


def rows(database_urls: DatabaseUrls) -> list[Any]:
    with psycopg.connect(database_urls.owner) as conn:
        query = "SELECT subject, claim_ref, method, purpose, outcome, at > now() - interval '1 min' FROM access_log"
        return conn.execute(query).fetchall()


def test_the_access_log_says_who_was_shown_a_claim_and_why(ask: Any, database_urls: DatabaseUrls) -> None:
    answer = ask(write)

    assert answer.interview.claim_ref == CLAIM
    assert rows(database_urls) == [
        ("AS1", CLAIM, "/cms.intake.v1.IntakeService/GetInterview", f"work item {CLAIM}", "SHOWN", True)
    ]


def test_answers_without_an_access_log_row_do_not_leave(ask: Any) -> None:
    with pytest.raises(CmsError) as refused:
        ask(lambda: None)

    assert refused.value.code == "INTERNAL"


WAYS_TO_LOSE_THE_LOG = {
    "no right to write": "REVOKE INSERT ON access_log FROM chassis_app",
    "no table": "ALTER TABLE access_log RENAME TO access_log_of_old",
    "no place for the row": "ALTER TABLE access_log ADD CONSTRAINT none CHECK (false) NOT VALID",
}


def unwritten() -> float:
    value = metrics.REGISTRY.get_sample_value("chassis_access_log_failures_total")
    assert value is not None
    return value


@pytest.mark.parametrize("statement", WAYS_TO_LOSE_THE_LOG.values(), ids=WAYS_TO_LOSE_THE_LOG)
def test_nothing_is_shown_when_the_access_log_cannot_be_written(
    ask: Any, database_urls: DatabaseUrls, statement: LiteralString
) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute(statement)
    before = unwritten()

    with pytest.raises(CmsError) as refused:
        ask(write)

    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "ACCESS_LOG_AWAY")
    assert unwritten() == before + 1


def test_a_caller_is_refused_although_the_denial_cannot_be_written(ask: Any, database_urls: DatabaseUrls) -> None:
    def deny() -> None:
        raise PermissionDenied("NOT_YOURS", "not yours")

    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("REVOKE INSERT ON access_log FROM chassis_app")
    before = unwritten()

    with pytest.raises(PermissionDenied) as refused:
        ask(deny)

    assert refused.value.reason == "NOT_YOURS"
    assert unwritten() == before + 1


def test_an_unwritable_table_is_not_mistaken_for_the_access_log(ask: Any, database_urls: DatabaseUrls) -> None:
    def act() -> None:
        with call.current().database.transaction() as conn:
            conn.execute("INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), 'x')")

    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("REVOKE INSERT ON inbox FROM chassis_app")

    with pytest.raises(CmsError) as refused:
        ask(act)

    assert (refused.value.code, refused.value.reason) == ("INTERNAL", "DEFECT")
