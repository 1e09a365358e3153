"""Claims that are withdrawn: by whom, with what effect, and what is possible afterwards."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.bus import Bus
from chassis.testing import eventually
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2

REASON = "Found work before the claim began"


def withdraw(person: Any, claim: Any, version: int | None = None, **more: Any) -> Any:
    body = {"claimRef": claim["claimRef"], "version": version or claim["version"], "reason": REASON}
    return person.try_once("WithdrawClaim", **body | more)


def test_a_draft_is_withdrawn_and_can_be_claimed_again_at_once(desk: Any) -> None:
    operator = desk()
    draft = operator.start()["claim"]

    withdrawn = withdraw(operator, draft).body["claim"]
    again = operator.start()

    assert (withdrawn["state"], withdrawn["version"]) == ("CLAIM_STATE_WITHDRAWN", 2)
    assert not again["resumed"]
    assert again["claim"]["claimRef"] != draft["claimRef"]


def test_a_submitted_claim_is_withdrawn_and_stays_so(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant)

    withdrawn = withdraw(operator, claim).body["claim"]
    replies = [
        withdraw(operator, withdrawn),
        operator.try_amend(withdrawn, capital="1.00"),
        operator.try_record(claim["claimRef"], withdrawn["version"], capital="1.00"),
        operator.try_once("SubmitClaim", claimRef=claim["claimRef"], version=withdrawn["version"]),
    ]

    assert withdrawn["state"] == "CLAIM_STATE_WITHDRAWN"
    assert withdrawn["submitTime"] == claim["submitTime"]
    assert [(reply.code, reply.reason) for reply in replies] == [("failed_precondition", "CLAIM_WITHDRAWN")] * 4


def test_those_who_may_see_the_claimant_see_why_a_claim_was_withdrawn(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant)
    withdraw(operator, claim)

    own = operator.get("GetClaim", claimRef=claim["claimRef"])["claim"]
    other = desk("SUPPORT", "SU000001").get("GetClaim", claimRef=claim["claimRef"])["claim"]

    cause, reason, by = (own["withdrawal"][name] for name in ("cause", "reason", "by"))
    assert (cause, reason, by) == ("WITHDRAWAL_CAUSE_CLAIMANT_ASKED", REASON, "OP000001")
    ago = clock.now() - datetime.fromisoformat(own["withdrawal"]["withdrawTime"])
    assert timedelta() < ago < timedelta(minutes=10)
    assert "withdrawal" not in other


def test_assessors_withdraw_claims_of_their_own_office_for_a_purpose(desk: Any, book: Any, single_tenant: Any) -> None:
    claim = desk().submitted(single_tenant)
    book(claim["claimRef"])

    nameless = withdraw(desk("ASSESSOR", "AS1", office="100101"), claim)
    elsewhere = withdraw(desk("ASSESSOR", "AS2", purpose="own work", office="100102"), claim)
    own = withdraw(desk("ASSESSOR", "AS1", purpose="own work", office="100101"), claim)

    assert [reply.reason for reply in (nameless, elsewhere)] == ["PURPOSE_REQUIRED", "OTHER_OFFICE"]
    assert own.body["claim"]["state"] == "CLAIM_STATE_WITHDRAWN"


def test_operators_need_their_own_call_to_withdraw_a_claim(desk: Any) -> None:
    claim = desk().start()["claim"]

    assert withdraw(desk(subject="OP000002"), claim).reason == "CALL_REQUIRED"


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_withdrawal_is_announced_without_its_reason(
    desk: Any, bus: Bus, single_tenant: Any, *, is_submitted: bool
) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant) if is_submitted else operator.start()["claim"]
    withdraw(operator, claim)
    seen: list[Any] = []

    def is_announced() -> bool:
        read = bus.read("tests", "one", ["events:intake-svc"], count=10)
        told = [entry for entry in read if b"envelope" in entry.fields]
        envelopes = [(common_pb2.EventEnvelope.FromString(entry.fields[b"envelope"]), entry) for entry in told]
        seen.extend(pair for pair in envelopes if pair[0].type.endswith("ClaimWithdrawn"))
        return bool(seen)

    eventually(is_announced, what="the event")
    [(envelope, entry)] = seen
    assert (envelope.claim_ref, envelope.version) == (claim["claimRef"], claim["version"] + 1)
    assert events_pb2.ClaimWithdrawn.FromString(envelope.payload).HasField("withdraw_time")
    assert not any(b"Found work" in field for field in entry.fields.values())
