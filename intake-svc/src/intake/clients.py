"""The call to legacy-gateway, which knows what the paying systems take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import grpc
from google.protobuf.struct_pb2 import Struct

from chassis import logs, remote
from chassis.conversions import timestamp
from chassis.enums import name_of, number_of
from chassis.errors import CmsError, Text
from chassis.identity import ServiceTokens
from cms.common.v1 import common_pb2
from cms.gateway.v1 import checks_pb2, gateway_pb2_grpc
from intake.domain.record_check import RecordCheck, RecordFinding
from intake.domain.values import JsonValue

_LONGEST_SECONDS = 1.5


@dataclass(frozen=True, kw_only=True)
class ClaimToCheck:
    """A claim as it stands: the facts that the gateway may have, in the form to which the claimant agreed for records."""

    claim_ref: str
    schemes: tuple[str, ...]
    first_contact_time: datetime
    facts: Mapping[str, JsonValue]


class Gateway(Protocol):
    """Checks records. No error of it stops an interview."""

    def check(self, claim: ClaimToCheck) -> RecordCheck:
        """Asks what would keep the claim's records from being sent. If the gateway does not answer, no check was made."""
        ...


class GatewayClient:
    """legacy-gateway over gRPC, called as this service."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = gateway_pb2_grpc.LegacyGatewayServiceStub(channel)
        self._tokens = tokens

    def check(self, claim: ClaimToCheck) -> RecordCheck:
        """See Gateway."""
        try:
            response = remote.invoke(
                self._stub.CheckRecord,
                _request(claim),
                token=self._tokens.to("legacy-gateway"),
                timeout_seconds=_LONGEST_SECONDS,
                purpose=f"interview {claim.claim_ref}",
            )
        except CmsError as error:
            logs.get().warning("records not checked", claim_ref=claim.claim_ref, reason=error.reason)
            return RecordCheck(made=False)
        return RecordCheck(made=True, findings=tuple(_finding(problem) for problem in response.problems))


def _request(claim: ClaimToCheck) -> checks_pb2.CheckRecordRequest:
    facts = checks_pb2.FactsToCheck(
        schemes=[number_of(common_pb2.Scheme, scheme) for scheme in claim.schemes],
        first_contact_time=timestamp(claim.first_contact_time),
    )
    values = Struct()
    values.update(claim.facts)
    facts.facts.extend(checks_pb2.FactToCheck(name=name, value=values.fields[name]) for name in claim.facts)
    return checks_pb2.CheckRecordRequest(claim_ref=claim.claim_ref, facts=facts)


def _finding(problem: checks_pb2.RecordProblem) -> RecordFinding:
    return RecordFinding(
        system=name_of(common_pb2.System, problem.system, field="system"),
        code=problem.code,
        field=problem.field,
        question_id=problem.question_id,
        ask=Text(en=problem.ask.en, cy=problem.ask.cy),
        needs_person=problem.needs_person,
    )
