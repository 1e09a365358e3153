"""Events in, notices at the councils' stand-in: real database, bus, workers and HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql

from chassis import contract
from chassis.metrics import REGISTRY
from chassis.runtime import Process
from chassis.testing import eventually
from cms.intake.v1 import events_pb2
from la_notifier.consumers import HANDLERS
from la_notifier.domain.facts import ClaimFacts

Scene = Any
Tenant = Callable[..., ClaimFacts]
Running = Any

FIRST_CONTACT = events_pb2.FirstContactRecorded()
SUBMITTED = events_pb2.ClaimSubmitted()
AMENDED = events_pb2.ClaimAmended(changed_fields=["rent_amount"])
LEEDS = {"lines": ["2 Park Row", "Leeds"], "postcode": "LS1 3AA"}
TAMWORTH = {"lines": ["1 High Street", "Tamworth"], "postcode": "B77 5AJ"}
BELFAST = {"lines": ["4 Donegall Square", "Belfast"], "postcode": "BT1 5GS"}
NOWHERE = {"lines": ["5 High Street", "Cardiff"], "postcode": "CF10 9ZZ"}


def failed_reviews() -> float:
    return REGISTRY.get_sample_value("notifier_failures_total", {"act": "review"}) or 0.0


def test_the_handlers_are_the_events_that_the_contract_names() -> None:
    assert HANDLERS.keys() == contract.events_heard_by("la-notifier").keys()


def test_an_intention_goes_out_at_first_contact_and_then_the_claim(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions()[1:] == [(2, "CLAIM", "LOADED")])

    [notice] = scene.held()
    assert notice["authority_code"] == "W06000015"
    assert [(row["version"], row["kind"], row["state"]) for row in notice["versions"]] == scene.versions()
    assert scene.ledger()["duplicates"] == 0
    expected = [("NoticeSent", 1), ("NoticeLoaded", 1), ("NoticeSent", 2), ("NoticeLoaded", 2)]
    assert scene.events_out() == expected


def test_a_claim_that_is_submitted_at_once_has_no_intention(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()

    scene.publish(SUBMITTED, version=4)

    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])
    assert scene.held()[0]["versions"][0]["kind"] == "CLAIM"


def test_an_amendment_goes_out_as_a_change_only_if_the_authority_needs_it(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])

    scene.claims.amend(sort_code="112233")
    scene.publish(AMENDED, version=5)
    eventually(lambda: len(scene.rows("SELECT 1 FROM inbox")) == 2 and scene.is_quiet())
    assert scene.versions() == [(1, "CLAIM", "LOADED")]

    scene.claims.amend(rent_amount="90.00")
    scene.publish(AMENDED, version=6)
    eventually(lambda: scene.versions()[1:] == [(2, "CHANGE", "LOADED")])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_repeated_events_in_any_order_lead_to_one_notice_loaded_once(
    notifier: Process, scene: Scene, tenant: Tenant, order: tuple[int, ...]
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    scene.claims.amend(rent_amount="90.00")
    events = [(FIRST_CONTACT, 3), (SUBMITTED, 4), (AMENDED, 5)]
    deliveries = [(*events[number], uuid4()) for number in order] * 3

    for event, version, event_id in deliveries:
        scene.publish(event, version=version, event_id=event_id)

    eventually(lambda: len(scene.rows("SELECT 1 FROM inbox")) == 3 and scene.is_quiet())
    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])
    assert scene.loaded_once()
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]


@pytest.mark.parametrize("failure", ["unavailable", "too_many"])
def test_an_authority_that_is_away_gets_the_notice_after_its_retry_after(
    notifier: Process, scene: Scene, tenant: Tenant, failure: str
) -> None:
    scene.order(failure, count=1, retry_after=1, method="POST")
    scene.claims.keep(tenant())
    began = datetime.now(UTC)

    scene.publish(FIRST_CONTACT, version=3)

    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    [(attempts, sent)] = scene.rows("SELECT attempts, sent FROM notice_versions")
    assert (attempts, scene.fired()) == (2, {failure: 1})
    assert (sent - began).total_seconds() >= 1


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_lost_replies_do_not_double_anything(notifier: Process, scene: Scene, tenant: Tenant, method: str) -> None:
    scene.order("lose_reply", count=3, method=method)
    scene.claims.keep(tenant())

    scene.publish(FIRST_CONTACT, version=3)

    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    assert scene.fired() == {"lose_reply": 3}
    assert scene.loaded_once()
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]


def test_a_refused_notice_shows_its_fields_and_goes_out_again_after_a_correction(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.order("invalid", count=1, field="tenancy.kind")
    scene.claims.keep(tenant())
    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions() == [(1, "CLAIM", "REFUSED")])
    assert scene.rows("SELECT refused_fields, attempts FROM notice_versions") == [(["tenancy.kind"], 1)]

    scene.claims.amend(tenure="COUNCIL_TENANT")
    scene.publish(AMENDED, version=5)

    eventually(lambda: scene.versions() == [(1, "CLAIM", "REFUSED"), (2, "CLAIM", "LOADED")])
    assert scene.events_out() == [("NoticeRefused", 1), ("NoticeSent", 2), ("NoticeLoaded", 2)]


def test_a_notice_that_is_refused_after_its_receipt_is_refused(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.order("refuse_load", count=1)
    scene.claims.keep(tenant())

    scene.publish(FIRST_CONTACT, version=3)

    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeRefused", 1)]


def test_only_the_newest_notice_waits_to_be_printed(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.claims.keep(tenant(address=TAMWORTH))
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "WAITING")])

    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)

    eventually(lambda: scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "WAITING")])
    assert scene.rows("SELECT DISTINCT channel FROM notice_versions") == [("POST",)]


@pytest.mark.parametrize("postcode", ["LS1 3AB", "LS1 9ZZ"])
def test_the_notice_goes_to_the_council_that_the_claimant_named(
    notifier: Process, scene: Scene, tenant: Tenant, postcode: str
) -> None:
    scene.claims.keep(tenant(address=LEEDS | {"postcode": postcode}, council="E08000032"))

    scene.publish(FIRST_CONTACT, version=3)

    eventually(lambda: scene.rows("SELECT authority_code FROM notices") == [("E08000032",)])


@pytest.mark.parametrize(("address", "reason"), [(BELFAST, "NORTHERN_IRELAND"), (NOWHERE, "POSTCODE_UNKNOWN")])
def test_a_claim_without_an_authority_is_referred_until_its_address_is_corrected(
    notifier: Process, scene: Scene, tenant: Tenant, address: dict[str, Any], reason: str
) -> None:
    scene.claims.keep(tenant(address=address))
    scene.publish(FIRST_CONTACT, version=3, occurred=datetime(2026, 3, 1, 12, tzinfo=UTC))
    eventually(lambda: scene.referrals() == [("", reason)])
    assert scene.rows("SELECT DISTINCT owner FROM not_told") == [("PROCESSING_OFFICER",)]
    assert scene.versions() == []

    scene.claims.submit()
    scene.publish(SUBMITTED, version=4, occurred=datetime(2026, 3, 2, 12, tzinfo=UTC))
    eventually(lambda: len(scene.rows("SELECT 1 FROM inbox")) == 2 and scene.is_quiet())
    scene.claims.amend(address=LEEDS)
    scene.publish(AMENDED, version=5, occurred=datetime(2026, 5, 9, 12, tzinfo=UTC))

    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])
    assert scene.referrals() == []
    # The intention was notified on the day of first contact: the wrong address costs the claimant nothing.
    assert scene.rows("SELECT intention_on, proof_due_on FROM notices JOIN notice_versions USING (notice_id)") == [
        (date(2026, 3, 1), date(2026, 4, 1))
    ]


def test_a_draft_whose_address_was_cleared_is_referred_and_goes_out_once_it_is_back(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    failures_before = failed_reviews()
    scene.claims.keep(tenant())
    scene.claims.amend(address=None)
    scene.publish(FIRST_CONTACT, version=3, occurred=datetime(2026, 3, 1, 12, tzinfo=UTC))
    eventually(lambda: scene.referrals() == [("", "FACTS_MISSING")])
    eventually(lambda: scene.rows("SELECT 1 FROM looks WHERE attempts > 2"))
    assert (scene.versions(), scene.rows("SELECT 1 FROM heard_events")) == ([], [])
    assert failed_reviews() == failures_before

    # An answer of a draft makes no event: the notifier has to review the claim again by itself.
    scene.claims.amend(address=LEEDS)

    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    assert (scene.referrals(), scene.rows("SELECT 1 FROM looks")) == ([], [])
    assert scene.rows("SELECT intention_on FROM notices") == [(date(2026, 3, 1),)]


def test_notices_stay_as_they_are_while_a_fact_is_missing_or_the_address_has_no_authority(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.keep(tenant(address=LEEDS))
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    scene.claims.amend(address=NOWHERE)
    scene.publish(AMENDED, version=4)
    eventually(lambda: scene.referrals() == [("", "POSTCODE_UNKNOWN")])

    scene.claims.amend(surname=None)
    scene.publish(AMENDED, version=5)

    eventually(lambda: scene.referrals() == [("", "FACTS_MISSING")])
    assert scene.versions() == [(1, "INTENTION", "LOADED")]


def test_a_move_to_another_authority_makes_a_notice_there_with_the_same_dates_and_withdraws_the_other(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3, occurred=datetime(2026, 3, 1, 12, tzinfo=UTC))
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    scene.claims.submit()
    scene.claims.amend(address=LEEDS)
    scene.publish(AMENDED, version=5, occurred=datetime(2026, 3, 9, 12, tzinfo=UTC))

    leeds, cardiff = [(1, "CLAIM", "LOADED")], [(1, "INTENTION", "LOADED"), (2, "WITHDRAWN", "LOADED")]
    eventually(lambda: scene.versions() == leeds + cardiff)
    assert scene.rows("SELECT authority_code, intention_on FROM notices ORDER BY 1") == [
        ("E08000035", date(2026, 3, 1)),
        ("W06000015", date(2026, 3, 1)),
    ]
    assert scene.referrals() == []


def test_a_move_there_and_back_tells_the_first_authority_of_the_claim_again(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.claims.submit()
    scene.publish(SUBMITTED, version=4)
    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])
    scene.claims.amend(address=LEEDS)
    scene.publish(AMENDED, version=5)
    eventually(lambda: scene.versions()[1:] == [(1, "CLAIM", "LOADED"), (2, "WITHDRAWN", "LOADED")])

    scene.claims.amend(address=tenant().answers["address"])
    scene.publish(AMENDED, version=6)

    first, withdrawn = (1, "CLAIM", "LOADED"), (2, "WITHDRAWN", "LOADED")
    eventually(lambda: scene.versions() == [first, withdrawn, first, withdrawn, (3, "CLAIM", "LOADED")])


def test_a_move_to_northern_ireland_withdraws_the_notice_and_is_referred(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    scene.claims.amend(address=BELFAST)
    scene.publish(AMENDED, version=4)

    eventually(lambda: scene.versions()[1:] == [(2, "WITHDRAWN", "LOADED")])
    assert scene.referrals() == [("", "NORTHERN_IRELAND")]


def test_a_wish_that_is_taken_back_withdraws_the_notice(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    scene.claims.amend(wishes_housing_benefit=False, wishes_council_tax_benefit=False)
    scene.publish(AMENDED, version=4)

    eventually(lambda: scene.versions()[1:] == [(2, "WITHDRAWN", "LOADED")])
    assert scene.referrals() == []


def test_no_notice_goes_out_for_a_non_dependant(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.claims.keep(replace(tenant(tenure="NON_DEPENDANT"), claim_on=date(2026, 3, 1)))

    scene.publish(SUBMITTED, version=4)

    eventually(scene.is_quiet)
    assert (scene.versions(), scene.referrals(), scene.held()) == ([], [], [])


def test_the_intention_is_dated_by_the_first_event_whose_facts_held_it(
    notifier: Process, scene: Scene, tenant: Tenant
) -> None:
    scene.claims.is_away = True
    scene.claims.keep(tenant(wishes_housing_benefit=False, wishes_council_tax_benefit=False))
    scene.claims.amend(wishes_housing_benefit=True)
    scene.claims.submit()
    scene.publish(SUBMITTED, version=5, occurred=datetime(2026, 7, 9, 9, tzinfo=UTC))
    # Half past eleven at night by Greenwich is the next day in London's summer.
    scene.publish(AMENDED, version=4, occurred=datetime(2026, 7, 4, 23, 30, tzinfo=UTC))
    scene.publish(FIRST_CONTACT, version=3, occurred=datetime(2026, 7, 1, 9, tzinfo=UTC))
    eventually(lambda: len(scene.rows("SELECT 1 FROM heard_events")) == 3)

    scene.claims.is_away = False

    eventually(lambda: scene.versions() == [(1, "CLAIM", "LOADED")])
    assert scene.rows("SELECT intention_on, proof_due_on FROM notices JOIN notice_versions USING (notice_id)") == [
        (date(2026, 7, 5), date(2026, 8, 5))
    ]


def test_a_claim_is_reviewed_when_intake_is_back(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.claims.is_away = True
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.rows("SELECT 1 FROM looks WHERE attempts > 1"))

    scene.claims.is_away = False

    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    assert scene.rows("SELECT 1 FROM looks UNION ALL SELECT 1 FROM heard_events") == []


def test_a_waiting_notice_goes_out_after_a_restart(running: Running, scene: Scene, tenant: Tenant) -> None:
    scene.order("unavailable", method="POST", retry_after=1, count=1)
    scene.claims.keep(tenant())
    with running():
        scene.publish(FIRST_CONTACT, version=3)
        eventually(lambda: scene.rows("SELECT 1 FROM notice_versions WHERE attempts = 1 AND lease IS NULL"))

    with running():
        eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    assert scene.loaded_once()


def test_the_database_holds_no_readable_answers(notifier: Process, scene: Scene, tenant: Tenant) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    for (table,) in scene.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'access_log'"
    ):
        text = str(scene.rows(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))))
        assert not [value for value in ("Brien", "AB123456C", "High Street", "CF10 4ER") if value in text], table
