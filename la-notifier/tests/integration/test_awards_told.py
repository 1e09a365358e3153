"""A decision heard from the gateway: the authority gets an AWARD, whatever the order of the events."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from chassis.conversions import timestamp
from chassis.runtime import Process
from chassis.testing import eventually
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2
from la_notifier.domain.facts import ClaimFacts

SUBMITTED, AMENDED = events_pb2.ClaimSubmitted(), events_pb2.ClaimAmended(changed_fields=["rent_amount"])
JSA = "JOBSEEKERS_ALLOWANCE"
FROM = date(2026, 3, 4)

Tenant = Callable[..., ClaimFacts]


def decided(version: int = 1) -> gateway_events.DecisionRecorded:
    return gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, decision_version=version)


def test_an_award_goes_out_once_and_its_correction_again(notifier: Process, scene: Any, tenant: Tenant) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])

    scene.claims.decide(JSA, "AWARDED", basis="CONTRIBUTION", on=FROM)
    for _ in range(3):
        scene.publish(decided(), version=1)
    eventually(lambda: scene.versions()[1:] == [(2, "AWARD", "LOADED")])
    scene.claims.decide(JSA, "AWARDED", basis="BOTH", on=FROM)
    scene.publish(decided(2), version=2)
    eventually(lambda: scene.versions()[2:] == [(3, "AWARD", "LOADED")])

    scene.claims.amend(rent_amount="91.00")
    scene.publish(AMENDED, version=5)
    eventually(lambda: scene.versions()[3:] == [(4, "CHANGE", "LOADED")])
    assert scene.loaded_once()


def test_a_decision_that_is_heard_first_dates_no_intention_and_tells_the_whole_claim(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit(on=FROM)
    scene.claims.decide(JSA, "DISALLOWED", on=FROM)

    scene.publish(decided(), version=1)
    scene.publish(SUBMITTED, version=4)

    eventually(lambda: scene.versions() == [(1, "AWARD", "LOADED")])
    [notice] = scene.held()
    assert (notice["loaded_version"], scene.referrals()) == (1, [])


def test_a_decision_on_a_claim_of_which_no_authority_is_told_makes_no_notice(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.claims.keep(tenant(tenure="NON_DEPENDANT"))
    scene.claims.decide(JSA, "AWARDED", basis="INCOME", on=FROM)

    scene.publish(decided(), version=1)

    eventually(scene.is_quiet)
    assert (scene.versions(), scene.referrals()) == ([], [])


def test_a_scheme_that_ends_without_a_decision_is_told_as_withdrawn_until_another_one_is_decided(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.claims.keep(replace(tenant(), schemes=("INCOME_SUPPORT", JSA)))
    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])

    closed = assessment_events.AssessmentClosed(
        close_time=timestamp(datetime(2026, 3, 4, 12, tzinfo=UTC)), schemes=[common_pb2.SCHEME_INCOME_SUPPORT]
    )
    scene.publish(closed, version=4)
    eventually(lambda: scene.versions()[1:] == [(2, "AWARD", "LOADED")])
    scene.claims.decide(JSA, "AWARDED", basis="INCOME", on=FROM)
    scene.publish(decided(), version=1)

    eventually(lambda: scene.versions()[2:] == [(3, "AWARD", "LOADED")])
    assert scene.rows("SELECT date_of_claim_basis, date_of_claim_settled FROM notices") == [("ENTITLEMENT", True)]


def test_a_claim_told_again_after_a_withdrawal_has_clocks_that_run_until_it_is_held(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])
    assert scene.rows("SELECT 1 FROM notice_clocks") == []
    scene.claims.amend(wishes_housing_benefit=False, wishes_council_tax_benefit=False)
    scene.publish(AMENDED, version=5)
    eventually(lambda: scene.versions()[1:] == [(2, "WITHDRAWN", "LOADED")])

    scene.order("unavailable", retry_after=1, method="POST")
    scene.claims.amend(wishes_housing_benefit=True, wishes_council_tax_benefit=True)
    scene.publish(AMENDED, version=6)

    eventually(lambda: scene.versions()[2:] == [(3, "CLAIM", "WAITING")])
    assert scene.rows("SELECT clock FROM notice_clocks ORDER BY 1") == [("CLAIM",), ("INTENTION",)]
