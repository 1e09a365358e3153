"""A withdrawn claim: the authority that was told of it is told of that, in any order of events; no other is told anything."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.runtime import Process
from chassis.testing import eventually
from cms.intake.v1 import events_pb2
from la_notifier.domain.facts import ClaimFacts
from la_notifier.domain.listing import NoticeFilter
from la_notifier.domain.notices import NoticeSummary
from la_notifier.store import listing

FIRST_CONTACT, SUBMITTED = events_pb2.FirstContactRecorded(), events_pb2.ClaimSubmitted()
AMENDED, WITHDRAWN = events_pb2.ClaimAmended(changed_fields=["tenure"]), events_pb2.ClaimWithdrawn()
LEEDS = {"lines": ["1 Briggate", "Leeds"], "postcode": "LS1 3AB"}

Tenant = Callable[..., ClaimFacts]


def withdraw(scene: Any) -> None:
    """Intake has the claim as withdrawn."""
    now = next(iter(scene.claims.kept.values()))[-1]
    scene.claims.keep(replace(now, version=now.version + 1, withdrawn=True))


def open_versions(notifier: Process) -> list[NoticeSummary]:
    """What stands on the list of an officer: whatever is not ended."""
    with notifier.database.transaction() as conn:
        return list(listing.list_notices(conn, NoticeFilter(), after=None, limit=10))


def test_an_authority_that_was_told_is_told_of_the_withdrawal_once(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    withdraw(scene)
    for version in (4, 4, 5):
        scene.publish(WITHDRAWN, version=version)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED"), (2, "WITHDRAWN", "LOADED")])
    scene.publish(AMENDED, version=3)
    eventually(scene.is_quiet)

    assert len(scene.versions()) == 2
    [notice] = scene.held()
    assert (notice["loaded_version"], scene.loaded_once()) == (2, True)


def test_every_authority_that_may_hold_a_notice_is_told_of_the_withdrawal(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    scene.claims.amend(address=LEEDS)
    scene.publish(AMENDED, version=4)
    told = [(1, "INTENTION", "LOADED"), (2, "WITHDRAWN", "LOADED")]
    eventually(lambda: scene.versions() == [told[0], *told])

    withdraw(scene)
    scene.publish(WITHDRAWN, version=5)

    eventually(lambda: scene.versions() == told * 2)
    assert scene.referrals() == []


@pytest.mark.parametrize(
    "order",
    [[FIRST_CONTACT, SUBMITTED, WITHDRAWN], [WITHDRAWN, SUBMITTED, FIRST_CONTACT]],
    ids=["in order", "backwards"],
)
def test_nothing_goes_out_for_a_claim_that_was_withdrawn_before_anybody_was_told(
    notifier: Process, scene: Any, tenant: Tenant, order: Any
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    withdraw(scene)

    for event in order:
        scene.publish(event, version=4)

    eventually(lambda: scene.is_quiet() and len(scene.rows("SELECT 1 FROM inbox")) == 3)
    assert (scene.versions(), scene.held(), scene.referrals()) == ([], [], [])


def test_a_version_that_no_authority_took_is_given_up(notifier: Process, scene: Any, tenant: Tenant) -> None:
    scene.order("invalid", method="POST", count=1)
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])

    withdraw(scene)
    scene.publish(WITHDRAWN, version=4)

    eventually(scene.is_quiet)
    assert scene.versions() == [(1, "INTENTION", "REFUSED")]
    assert scene.rows("SELECT wanted FROM notices") == [(False,)]
    assert open_versions(notifier) == []


def test_a_claim_that_is_sought_anew_after_a_refusal_was_given_up_is_told_anew(
    notifier: Process, scene: Any, tenant: Tenant
) -> None:
    scene.order("invalid", method="POST", count=1)
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])
    scene.claims.amend(wishes_housing_benefit=False, wishes_council_tax_benefit=False)
    scene.publish(FIRST_CONTACT, version=4)
    eventually(lambda: open_versions(notifier) == [])

    scene.claims.amend(wishes_housing_benefit=True, wishes_council_tax_benefit=True)
    scene.publish(FIRST_CONTACT, version=5)

    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED"), (2, "INTENTION", "LOADED")])
