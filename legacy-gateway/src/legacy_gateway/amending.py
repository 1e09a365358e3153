"""Amending claims in intake for an officer: each call brings the officer's token, and is theirs in intake's log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import grpc
from google.protobuf.struct_pb2 import Value

from chassis import call, remote
from chassis.identity import ServiceTokens
from cms.intake.v1 import intake_pb2, intake_pb2_grpc

_AMEND_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """Answers that change in a claim: question, value, and whether intake's proposal is accepted. `preview` changes nothing."""

    claim_ref: str
    claim_version: int
    answers: Sequence[tuple[str, Value, bool]]
    reason: str
    request_id: UUID
    purpose: str
    preview: bool


class Amending(Protocol):
    """Intake, called for the caller."""

    def amend(self, amendment: Amendment) -> None:
        """Changes the answers; the same request_id changes nothing again.

        Raises StaleVersion if the claim is not at the amendment's version, InvalidArgument naming the questions at fault,
        FailedPrecondition if the claim cannot be amended any more, NotFound, PermissionDenied, and Unavailable.
        """


class AmendingClient:
    """Intake over gRPC, for the officer whose call is being handled and within its deadline."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)

    def amend(self, amendment: Amendment) -> None:
        """See Amending."""
        remote.invoke_for_caller(
            self._stub.AmendAnswers,
            _request(amendment),
            service="intake-svc",
            tokens=self._tokens,
            timeout_seconds=min(_AMEND_SECONDS, call.current().remaining_seconds()),
            purpose=amendment.purpose,
        )


def _request(amendment: Amendment) -> intake_pb2.AmendAnswersRequest:
    return intake_pb2.AmendAnswersRequest(
        claim_ref=amendment.claim_ref,
        answers=[
            intake_pb2.Answer(question_id=question_id, value=value, accept_transliteration=accepted)
            for question_id, value, accepted in amendment.answers
        ],
        version=amendment.claim_version,
        request_id=str(amendment.request_id),
        reason=amendment.reason,
        view=intake_pb2.INTERVIEW_VIEW_CHANGED,
        preview=amendment.preview,
    )
