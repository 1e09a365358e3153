"""A claim is closed when each of its schemes is decided, and then the person can claim again."""

from typing import Any

import pytest

from chassis.errors import NotFound
from chassis.runtime import Process
from chassis.testing import event_of, handle
from cms.common.v1 import common_pb2
from cms.gateway.v1.events_pb2 import DecisionRecorded
from intake.consumers import HANDLERS

JSA, IS = common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, common_pb2.SCHEME_INCOME_SUPPORT


def decide(process: Process, claim_ref: str, scheme: Any, *, version: int = 1) -> None:
    event = DecisionRecorded(scheme=scheme, decision_version=version)
    handle(process.database, HANDLERS, event_of(event, claim_ref=claim_ref))


def submitted(process: Process, desk: Any, *schemes: str) -> Any:
    """A claim that counts as submitted: what stands in it does not matter here."""
    claim = desk().start(schemes=[f"SCHEME_{name}" for name in schemes])["claim"]
    with process.database.transaction() as conn:
        conn.execute("UPDATE claims SET state = 'SUBMITTED' WHERE claim_ref = %s", [claim["claimRef"]])
    return claim["claimRef"]


def state_of(process: Process, claim_ref: str) -> tuple[str, int]:
    with process.database.transaction() as conn:
        row = conn.execute("SELECT state, version FROM claims WHERE claim_ref = %s", [claim_ref]).fetchone()
    assert row is not None
    return row["state"], row["version"]


def test_a_claim_is_closed_with_the_decision_on_its_last_scheme(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk, "JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT")
    _, version = state_of(process, claim_ref)

    decide(process, claim_ref, IS)
    assert state_of(process, claim_ref) == ("SUBMITTED", version)
    decide(process, claim_ref, IS, version=2)
    decide(process, claim_ref, JSA)
    decide(process, claim_ref, JSA, version=2)

    assert state_of(process, claim_ref) == ("CLOSED", version + 1)


def test_a_person_can_claim_again_once_the_claim_is_decided(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk, "JOBSEEKERS_ALLOWANCE")
    again = {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"]}
    assert desk().start(**again)["claim"]["claimRef"] == claim_ref

    decide(process, claim_ref, JSA)

    assert desk().start(**again)["claim"]["claimRef"] != claim_ref


def test_a_withdrawn_claim_stays_withdrawn(desk: Any, process: Process) -> None:
    claim_ref = submitted(process, desk, "JOBSEEKERS_ALLOWANCE")
    with process.database.transaction() as conn:
        conn.execute("UPDATE claims SET state = 'WITHDRAWN' WHERE claim_ref = %s", [claim_ref])

    decide(process, claim_ref, JSA)

    assert state_of(process, claim_ref)[0] == "WITHDRAWN"


def test_a_decision_on_an_unknown_claim_is_refused(process: Process) -> None:
    with pytest.raises(NotFound):
        decide(process, "C0000000001J", JSA)
