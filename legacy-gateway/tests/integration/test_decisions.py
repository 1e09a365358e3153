"""Claims that are held wait for a decision; a decision is recorded once, and corrected as a new version."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, StaleVersion
from legacy_gateway.data import deadline_of
from legacy_gateway.domain.decisions import Decision, DecisionBasis, DecisionOutcome, Undecided
from legacy_gateway.service import decisions, withdrawals

JSA = "JOBSEEKERS_ALLOWANCE"


def undecided(gateway: Any, *schemes: str) -> list[Undecided]:
    with gateway.database.transaction() as conn:
        return list(decisions.list_undecided(conn, schemes or [JSA], older_than=None, after=None, limit=50).claims)


def decision(claim_ref: str, **changed: Any) -> Decision:
    given: dict[str, Any] = {
        "claim_ref": claim_ref,
        "scheme": JSA,
        "version": 1,
        "outcome": DecisionOutcome.AWARDED,
        "basis": DecisionBasis.INCOME,
        "from_day": date(2026, 12, 7),
        "to_day": None,
        "decided_by": "PO000001",
        "decided_time": clock.now(),
    }
    return Decision(**given | changed)


def record(gateway: Any, made: Decision) -> Decision:
    with gateway.database.transaction() as conn:
        return decisions.record_decision(conn, made)


def told(gateway: Any) -> int:
    return sum(event["type"].endswith("DecisionRecorded") for event in gateway.events())


def test_a_claim_waits_for_a_decision_from_the_moment_in_which_it_is_held_whole(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until(claim_ref, "ACCEPTED", "WAITING")
    assert undecided(gateway) == []

    gateway.work_until_accepted(claim_ref)

    [waiting] = undecided(gateway)
    assert (waiting.claim_ref, waiting.scheme) == (claim_ref, JSA)
    assert waiting.legacy_ref == gateway.rows(claim_ref)[1]["legacy_ref"]
    assert waiting.deadline_time == deadline_of(JSA, confirmed_time=waiting.confirmed_time)
    assert undecided(gateway, "INCOME_SUPPORT") == []


def test_a_decision_is_recorded_once_and_told_without_what_was_decided(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until_accepted(claim_ref)

    recorded = record(gateway, decision(claim_ref))

    assert undecided(gateway) == []
    assert told(gateway) == 1
    with pytest.raises(AlreadyExists, match="decided"):
        record(gateway, decision(claim_ref, outcome=DecisionOutcome.DISALLOWED, basis=None))
    with gateway.database.transaction() as conn:
        assert decisions.decisions_of(conn, claim_ref) == [recorded]


def test_a_correction_is_a_new_version_of_the_newest_one(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until_accepted(claim_ref)
    record(gateway, decision(claim_ref))

    record(gateway, decision(claim_ref, version=2, basis=DecisionBasis.BOTH))

    with pytest.raises(StaleVersion):
        record(gateway, decision(claim_ref, version=2))
    with gateway.database.transaction() as conn:
        assert [(one.version, one.basis) for one in decisions.decisions_of(conn, claim_ref)] == [
            (2, DecisionBasis.BOTH),
            (1, DecisionBasis.INCOME),
        ]
    assert told(gateway) == 2


def test_only_a_claim_that_is_held_whole_is_decided(gateway: Any) -> None:
    claim_ref = gateway.claim()

    with pytest.raises(FailedPrecondition, match="holds the claim"):
        record(gateway, decision(claim_ref))


def test_a_withdrawn_claim_waits_for_no_decision(gateway: Any, withdrawal: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until_accepted(claim_ref)

    gateway.hear(withdrawal(claim_ref))

    assert undecided(gateway) == []
    with pytest.raises(FailedPrecondition, match="withdrawn"):
        record(gateway, decision(claim_ref))


def test_a_claim_that_is_accepted_while_its_withdrawal_is_heard_waits_for_no_decision(
    gateway: Any, withdrawal: Any
) -> None:
    claim_ref = gateway.claim()
    gateway.work_until_accepted(claim_ref)
    [listed] = undecided(gateway)
    gateway.change("UPDATE transfers SET state = 'WAITING', next_attempt_time = now() WHERE phase = 2")
    gateway.hear(withdrawal(claim_ref))
    gateway.change("UPDATE transfers SET state = 'ACCEPTED' WHERE phase = 2")
    gateway.change("UPDATE withdrawals SET settled_time = NULL")
    with gateway.database.transaction() as conn:
        conn.execute(
            "INSERT INTO undecided (claim_ref, scheme, system, legacy_ref, confirmed_time, accepted_time, deadline_time) "
            "VALUES (%(claim_ref)s, %(scheme)s, %(system)s, %(legacy_ref)s, %(confirmed_time)s, %(accepted_time)s, "
            "%(deadline_time)s)",
            asdict(listed),
        )

    with pytest.raises(FailedPrecondition, match="withdrawn"):
        record(gateway, decision(claim_ref))
    withdrawals.settle_all(gateway.database)

    assert undecided(gateway) == []


def test_a_change_of_a_decided_claim_waits_for_no_other_decision(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until_accepted(claim_ref)
    record(gateway, decision(claim_ref))
    gateway.change("UPDATE transfers SET state = 'WAITING', next_attempt_time = now() WHERE phase = 2")

    gateway.work_until_accepted(claim_ref)

    assert undecided(gateway) == []


def test_undecided_claims_are_listed_in_pages_by_age(gateway: Any) -> None:
    claims = [f"C0000000{number:04}" for number in range(3)]
    for claim_ref in claims:
        gateway.claim(claim_ref)
        gateway.work_until_accepted(claim_ref)

    with gateway.database.transaction() as conn:
        first = decisions.list_undecided(conn, [JSA, "INCOME_SUPPORT"], older_than=None, after=None, limit=2)
        rest = decisions.list_undecided(conn, [JSA, "INCOME_SUPPORT"], older_than=None, after=first.end, limit=2)
    assert [one.claim_ref for one in first.claims] == claims[:2]
    assert ([one.claim_ref for one in rest.claims], rest.end) == (claims[2:], None)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"basis": None}, "basis"),
        ({"scheme": "INCOME_SUPPORT"}, "basis"),
        ({"outcome": DecisionOutcome.DISALLOWED}, "basis"),
        ({"to_day": date(2026, 12, 6)}, "to"),
    ],
)
def test_a_decision_that_is_not_sound_names_its_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument, match=field):
        decision("C00000000018", **changed)


def test_a_deadline_is_that_of_the_day_of_the_confirmation() -> None:
    in_2005 = clock.now().replace(year=2005, month=7, day=11)
    in_2009 = clock.now().replace(year=2009, month=6, day=1)

    assert deadline_of("INCOME_SUPPORT", confirmed_time=in_2005) - in_2005 == timedelta(days=16)
    assert deadline_of("INCOME_SUPPORT", confirmed_time=in_2009) - in_2009 == timedelta(days=14)
    assert deadline_of("CRISIS_LOAN", confirmed_time=in_2009) - in_2009 == timedelta(days=1)
