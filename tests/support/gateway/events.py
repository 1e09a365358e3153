"""Events that the gateway hears."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from chassis import clock
from chassis.inbox import Event
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2 as intake_events


def confirmed(claim_ref: str, *, version: int = 7, schemes: list[str] | None = None) -> Event:
    """AssessmentConfirmed of a version of a claim."""
    message = assessment_events.AssessmentConfirmed(
        claim_version=version,
        schemes=[common_pb2.Scheme.Value(f"SCHEME_{name}") for name in schemes or ["JOBSEEKERS_ALLOWANCE"]],
        office_code="100123",
        assessor_id="ASSESS01",
    )
    return event("AssessmentConfirmed", "assessment-svc", claim_ref, 3, message)


def amended(claim_ref: str, *facts: str, version: int) -> Event:
    """ClaimAmended to a version of a claim: its title, unless facts are named."""
    message = intake_events.ClaimAmended(changed_fields=facts or ["title"])
    return event("ClaimAmended", "intake-svc", claim_ref, version, message)


def withdrawn(claim_ref: str) -> Event:
    """ClaimWithdrawn of a claim, now."""
    message = intake_events.ClaimWithdrawn()
    message.withdraw_time.FromDatetime(clock.now())
    return event("ClaimWithdrawn", "intake-svc", claim_ref, 9, message)


def event(name: str, source: str, claim_ref: str, version: int, message: Any) -> Event:
    """An event of a source about a claim, now."""
    return Event(
        event_id=uuid4(),
        name=name,
        source=source,
        claim_ref=claim_ref,
        version=version,
        occurred_time=datetime.now(UTC),
        message=message,
    )
