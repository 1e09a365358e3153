"""One claim from the call to its outcome: what an operator's, an assessor's and a support engineer's programs would do.

Reads {addresses, certificate, token, step, …} as JSON from standard input, and writes what came of the step.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import grpc

from cms.assessment.v1 import assessment_pb2, record_pb2
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from cms.intake.v1 import intake_pb2
from cms.notifier.v1 import notifier_pb2
from cms.scheduling.v1 import scheduling_pb2
from cms_client import Addresses, Certificate, CmsClient, Refused, answer

T = TypeVar("T")
PATIENCE_SECONDS = 60.0


def take_claim(cms: CmsClient, nino: str, answers: Mapping[str, Any], postcode: str) -> dict[str, str]:
    """Takes the call: every question of the interview, the booking and the submission."""
    started = cms.intake.StartCall(
        intake_pb2.StartCallRequest(
            purpose=intake_pb2.CALL_PURPOSE_NEW,
            nino=nino,
            schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE],
            language=common_pb2.LANGUAGE_EN,
            caller=intake_pb2.Caller(relation=intake_pb2.CALLER_RELATION_SELF),
            request_id=str(uuid4()),
        )
    )
    claim_ref, interview = started.claim.claim_ref, started.interview
    while due := [
        answer(question.id, answers[question.id])
        for question in interview.questions
        if question.id in answers and not question.HasField("answer")
    ]:
        save = intake_pb2.RecordAnswersRequest(
            claim_ref=claim_ref, answers=due, version=interview.version, request_id=str(uuid4())
        )
        interview = cms.intake.RecordAnswers(save).interview
    booking = scheduling_pb2.BookAppointmentRequest(
        claim_ref=claim_ref, earliest=True, postcode=postcode, request_id=str(uuid4())
    )
    appointment = cms.scheduling.BookAppointment(booking).appointment
    cms.intake.SubmitClaim(
        intake_pb2.SubmitClaimRequest(claim_ref=claim_ref, version=interview.version, request_id=str(uuid4()))
    )
    return {"claimRef": claim_ref, "assessor": appointment.assessor_id, "office": appointment.office.code}


def confirm_claim(cms: CmsClient, claim_ref: str) -> None:
    """Checks every item and confirms, at the office of the appointment."""
    start = assessment_pb2.StartAssessmentRequest(claim_ref=claim_ref, request_id=str(uuid4()))
    work = eventually(lambda: _started(cms, start))
    checks = assessment_pb2.VerifyItemsRequest(
        claim_ref=claim_ref,
        items=[
            assessment_pb2.ItemCheck(fact=item.fact, status=record_pb2.ITEM_STATUS_CONFIRMED) for item in work.items
        ],
        version=work.version,
        request_id=str(uuid4()),
    )
    checked = cms.assessment.VerifyItems(checks).assessment
    cms.assessment.ConfirmAssessment(
        assessment_pb2.ConfirmAssessmentRequest(claim_ref=claim_ref, version=checked.version, request_id=str(uuid4()))
    )


def _started(cms: CmsClient, request: assessment_pb2.StartAssessmentRequest) -> record_pb2.Assessment | None:
    try:
        return cms.assessment.StartAssessment(request).assessment
    except Refused as refused:
        # Word of the claim, and then of its office, comes as events.
        if refused.code in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}:
            return None
        raise


def outcome_of(cms: CmsClient, claim_ref: str) -> dict[str, list[str]]:
    """Waits until the paying system has accepted the claim and the council has loaded its notice."""
    return eventually(lambda: _outcome(cms, claim_ref))


def _outcome(cms: CmsClient, claim_ref: str) -> dict[str, list[str]] | None:
    work = (("cms-purpose", f"work item {claim_ref}"),)
    systems = cms.gateway.GetTransfers(gateway_pb2.GetTransfersRequest(claim_ref=claim_ref), metadata=work).systems
    notices = cms.notifier.GetNotices(notifier_pb2.GetNoticesRequest(claim_ref=claim_ref), metadata=work).notices
    whole = [notice for notice in notices if notice.kind != notifier_pb2.NOTICE_KIND_INTENTION]
    accepted = systems and all(one.state == gateway_pb2.TRANSFER_STATE_ACCEPTED for one in systems)
    if not accepted or not whole or any(one.state != notifier_pb2.NOTICE_STATE_LOADED for one in whole):
        return None
    return {
        "systems": [common_pb2.System.Name(one.system).removeprefix("SYSTEM_") for one in systems],
        "councils": [one.authority_code for one in whole],
    }


def eventually(look: Callable[[], T | None]) -> T:
    """Looks until something is there. Raises TimeoutError after a minute."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise TimeoutError("it did not come within a minute")


def main() -> None:
    """Takes one step of the claim: take, confirm or outcome."""
    given = json.load(sys.stdin)
    came: Mapping[str, Any] = {}
    certificate = Certificate(**{name: Path(path) for name, path in given["certificate"].items()})
    with CmsClient(Addresses(**given["addresses"]), token=lambda: str(given["token"]), certificate=certificate) as cms:
        match given["step"]:
            case "take":
                claimant = given["claimant"]
                came = take_claim(cms, claimant["nino"], claimant["answers"], claimant["postcode"])
            case "confirm":
                confirm_claim(cms, given["claimRef"])
            case "outcome":
                came = outcome_of(cms, given["claimRef"])
    print(json.dumps(came))


if __name__ == "__main__":
    main()
