"""Intake hears of the end of an assessment, and of the moment at which all evidence was in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.conversions import timestamp
from chassis.errors import NotFound
from chassis.runtime import Process
from chassis.testing import event_of, handle
from cms.assessment.v1.events_pb2 import AssessmentClosed, EvidenceCompleted
from cms.common.v1 import common_pb2
from cms.gateway.v1.events_pb2 import DecisionRecorded
from intake.consumers import HANDLERS

JSA = common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE
MOMENT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def hear(process: Process, claim_ref: str, event: Any) -> None:
    handle(process.database, HANDLERS, event_of(event, claim_ref=claim_ref))


def submitted(process: Process, desk: Any, *schemes: str) -> str:
    """A claim that counts as submitted: what stands in it does not matter here."""
    claim_ref: str = desk().start(schemes=schemes or ["SCHEME_JOBSEEKERS_ALLOWANCE"])["claim"]["claimRef"]
    with process.database.transaction() as conn:
        conn.execute("UPDATE claims SET state = 'SUBMITTED' WHERE claim_ref = %s", [claim_ref])
    return claim_ref


def claim(process: Process, claim_ref: str) -> Any:
    with process.database.transaction() as conn:
        return conn.execute("SELECT * FROM claims WHERE claim_ref = %s", [claim_ref]).fetchone()


def test_the_later_of_two_times_dates_the_claims_evidence(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk)

    hear(process, claim_ref, EvidenceCompleted(complete_time=timestamp(MOMENT)))
    hear(process, claim_ref, EvidenceCompleted(complete_time=timestamp(MOMENT - timedelta(days=1))))

    assert claim(process, claim_ref)["evidence_complete_time"] == MOMENT


def test_the_time_of_evidence_is_shown_with_the_claim_and_changes_no_version(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk)
    before = claim(process, claim_ref)["version"]

    hear(process, claim_ref, EvidenceCompleted(complete_time=timestamp(MOMENT)))

    shown = desk().call("GetClaim", claimRef=claim_ref).body["claim"]
    assert (shown["evidenceCompleteTime"], shown["version"]) == ("2026-03-02T10:30:00Z", before)


def test_a_closed_assessment_closes_the_claim_once_and_the_person_can_claim_again(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk)
    before = claim(process, claim_ref)["version"]

    for _ in range(2):
        hear(process, claim_ref, AssessmentClosed(close_time=timestamp(MOMENT), schemes=[JSA]))

    assert (claim(process, claim_ref)["state"], claim(process, claim_ref)["version"]) == ("CLOSED", before + 1)
    assert submitted(process, desk) != claim_ref


def test_a_closed_scheme_leaves_the_claim_open_for_the_others(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk, "SCHEME_JOBSEEKERS_ALLOWANCE", "SCHEME_CHILD_MAINTENANCE")

    hear(process, claim_ref, AssessmentClosed(close_time=timestamp(MOMENT), schemes=[JSA]))
    between = claim(process, claim_ref)["state"]
    hear(process, claim_ref, DecisionRecorded(scheme=common_pb2.SCHEME_CHILD_MAINTENANCE, decision_version=1))

    assert (between, claim(process, claim_ref)["state"]) == ("SUBMITTED", "CLOSED")


def test_a_withdrawn_claim_stays_withdrawn_when_its_assessment_is_closed(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk)
    with process.database.transaction() as conn:
        conn.execute("UPDATE claims SET state = 'WITHDRAWN' WHERE claim_ref = %s", [claim_ref])

    hear(process, claim_ref, AssessmentClosed(close_time=timestamp(MOMENT), schemes=[JSA]))

    assert claim(process, claim_ref)["state"] == "WITHDRAWN"


@pytest.mark.parametrize("event", [AssessmentClosed(schemes=[JSA]), EvidenceCompleted()])
def test_news_of_an_unknown_claim_is_refused(process: Process, event: Any) -> None:
    with pytest.raises(NotFound):
        hear(process, "C0000000001J", event)
