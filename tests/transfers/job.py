"""The job of each contender for a claim: facts, record, the system, and the result in PostgreSQL.

The client of intake, the map, the codec and the connections are the gateway's own, and so is how many of each there are.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from psycopg_pool import ConnectionPool

from chassis import clock, remote
from chassis.identity import ServiceTokens
from chassis.postcodes import Postcodes
from chassis.testing import certificate_of
from legacy_gateway import mapping
from legacy_gateway.clients import IntakeClient
from legacy_gateway.domain import Action, System
from legacy_gateway.link import Completion, LinkPool
from legacy_gateway.mapping import Case
from legacy_gateway.service.payloads import authority_code
from tests.growth.intake_stand_in import CLAIM_VERSION

CREW = 4
"""Records in hand at once, as in the gateway's own settings for ISCS."""
CONNECTIONS = 2
_IN_FLIGHT = 8
_REPLY_SECONDS = 10.0

RESULTS = """
    CREATE TABLE results (transfer_id text PRIMARY KEY, legacy_ref text NOT NULL,
        stored timestamptz NOT NULL DEFAULT clock_timestamp())
"""
_STORE = "INSERT INTO results (transfer_id, legacy_ref) VALUES (%s, %s) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A process's means to do the job."""

    intake: IntakeClient
    postcodes: Postcodes
    pool: LinkPool
    database: ConnectionPool[Any]

    @classmethod
    def from_environment(cls) -> "Job":
        """In a process with the settings of `Place.contender`."""
        return cls.from_settings(os.environ)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Job":
        """By the settings of `Place.contender`."""
        given = {name: str(value) for name, value in settings.items()}
        database: ConnectionPool[Any] = ConnectionPool(
            given["TRANSFERS_DATABASE"], min_size=CREW, max_size=CREW, kwargs={"autocommit": True}, open=True
        )
        pool = LinkPool(
            "127.0.0.1",
            int(given["TRANSFERS_ISCS"]),
            size=CONNECTIONS,
            timeout=_REPLY_SECONDS,
            in_flight=_IN_FLIGHT,
        )
        tokens = ServiceTokens(Path(given["TRANSFERS_TOKEN"]))
        postcodes = Postcodes(Path(given["TRANSFERS_POSTCODES"])).__enter__()
        channel = remote.channel(
            given["TRANSFERS_OWNERS"], service="intake-svc", certificate=certificate_of("legacy-gateway")
        )
        intake = IntakeClient(channel, tokens)
        return cls(intake=intake, postcodes=postcodes, pool=pool, database=database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()
        self.database.close()

    def record(self, claim_ref: str, transfer_id: str) -> bytes:
        """ISCS's record of a claim."""
        facts = self.intake.facts(claim_ref, CLAIM_VERSION)
        case = Case(
            claim_ref=claim_ref,
            action=Action.NEW,
            office_code="100101",
            assessor_id="AS000001",
            facts=facts,
            authority_code=authority_code(self.postcodes, facts),
            first_phase_reference="",
            transfer_id=transfer_id,
        )
        return mapping.build(System.ISCS, 1, case)

    def do(self, claim_ref: str, transfer_id: str) -> None:
        """The whole job. RuntimeError where ISCS does not hold the record afterwards."""
        payload = self.record(claim_ref, transfer_id)
        reply = self.pool.call(dialogue(), transfer_id, payload, sent_at=clock.now())
        if reply.completion not in {Completion.ACCEPTED, Completion.DUPLICATE}:
            raise RuntimeError(f"{transfer_id}: {reply.completion}")
        with self.database.connection() as conn:
            conn.execute(_STORE, [transfer_id, reply.legacy_ref])


def dialogue() -> str:
    """The dialogue by which ISCS takes a claim."""
    return mapping.phase_of(System.ISCS, 1).dialogue
