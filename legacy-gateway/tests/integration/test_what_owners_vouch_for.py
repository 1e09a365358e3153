"""An event is a hint: nothing is built unless assessment-svc confirms the version and intake says that it is submitted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import Unavailable
from legacy_gateway.domain.trust import SchemeConfirmation

JSA = "JOBSEEKERS_ALLOWANCE"


def confirmation(*, scheme: str = JSA, version: int = 7, office: str = "100999") -> SchemeConfirmation:
    return SchemeConfirmation(scheme=scheme, claim_version=version, office_code=office, assessor_id="AS000777")


def held_anything(gateway: Any, claim_ref: str) -> bool:
    return bool(gateway.held(claim_ref)["es_held"])


@pytest.mark.parametrize(
    "known", [[], [confirmation(scheme="INCOME_SUPPORT")], [confirmation(version=8)]], ids=["none", "other", "later"]
)
def test_nothing_is_built_of_a_version_that_the_assessment_does_not_confirm(
    gateway: Any, known: list[SchemeConfirmation]
) -> None:
    gateway.assessment.known["C00000000018"] = known
    claim_ref = gateway.claim(version=7)

    gateway.work_until(claim_ref, "CLERICAL", "WAITING")

    [message] = gateway.shown(claim_ref)[0].messages
    assert (message.code, message.field, message.question_id) == ("GW0006", "", "")
    assert gateway.rows(claim_ref)[0]["payload"] is None
    assert gateway.intake.asked == []
    assert gateway.send() is False
    assert not held_anything(gateway, claim_ref)


@pytest.mark.parametrize("state", ["DRAFT", "CLOSED", ""])
def test_nothing_is_built_of_a_claim_that_is_not_submitted(gateway: Any, state: str) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.intake.known[claim_ref, 7] = replace(gateway.intake.known[claim_ref, 7], claim_state=state)

    gateway.work_until(claim_ref, "CLERICAL", "WAITING")

    assert [message.code for message in gateway.shown(claim_ref)[0].messages] == ["GW0007"]
    assert not held_anything(gateway, claim_ref)


def test_a_claim_that_intake_knows_as_withdrawn_waits_for_the_event(
    gateway: Any, withdrawal: Callable[..., Any]
) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.intake.known[claim_ref, 7] = replace(gateway.intake.known[claim_ref, 7], claim_state="WITHDRAWN")

    gateway.send()
    before = gateway.states(claim_ref)
    gateway.hear(withdrawal(claim_ref))

    assert before == ["WAITING", "WAITING"]
    assert gateway.states(claim_ref) == ["CANCELLED", "CANCELLED"]
    assert not held_anything(gateway, claim_ref)


def test_the_assessment_being_away_is_waited_for(gateway: Any) -> None:
    gateway.assessment.error = Unavailable("UNREACHABLE", "away")
    claim_ref = gateway.claim(version=7)
    gateway.send()
    assert gateway.states(claim_ref) == ["WAITING", "WAITING"]

    gateway.assessment.error = None
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")


def test_the_record_names_the_office_and_the_person_of_the_assessment_and_not_of_the_event(gateway: Any) -> None:
    gateway.assessment.known["C00000000018"] = [confirmation()]
    recording = gateway.recorded()
    claim_ref = gateway.claim(version=7)

    gateway.work_until_accepted(claim_ref)

    assert all("AS000777".encode("cp1141") in payload for _, payload in recording.sent)
    assert all("ASSESS01".encode("cp1141") not in payload for _, payload in recording.sent)


def test_both_owners_are_asked_once_for_both_phases_of_a_version(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.work_until_accepted(claim_ref)

    assert (gateway.assessment.asked, gateway.intake.asked) == ([claim_ref], [(claim_ref, 7)])


def test_an_amendment_after_the_confirmation_rests_on_it(gateway: Any) -> None:
    gateway.assessment.known["C00000000018"] = [confirmation(version=7)]
    claim_ref = gateway.claim(version=7)
    gateway.work_until_accepted(claim_ref)

    gateway.amend(claim_ref, version=8, capital="900.00")
    while gateway.states(claim_ref, 2) != ["ACCEPTED", "ACCEPTED"]:
        gateway.send()

    assert gateway.assessment.asked == [claim_ref, claim_ref]


@pytest.mark.parametrize("left", [("CLERICAL", "WAITING", "HELD"), ()], ids=["left", "given up"])
def test_a_later_confirmation_is_sent_after_one_that_was_false(gateway: Any, left: tuple[str, ...]) -> None:
    gateway.assessment.known["C00000000018"] = []
    claim_ref = gateway.claim(version=7)
    gateway.work_until(claim_ref, "CLERICAL", "WAITING")
    gateway.amend(claim_ref, version=8, title="MS")
    if not left:
        gateway.change("UPDATE transfers SET state = 'CANCELLED' WHERE state <> 'CANCELLED'")

    gateway.assessment.known[claim_ref] = [confirmation(version=8)]
    gateway.hear(gateway.confirmed(claim_ref, version=8))
    gateway.hear(gateway.confirmed(claim_ref, version=8))
    while gateway.states(claim_ref, 3) != ["ACCEPTED", "ACCEPTED"]:
        assert gateway.send(), gateway.states(claim_ref, 3)

    assert gateway.held(claim_ref) == {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}


def test_a_confirmation_told_again_does_not_begin_anew_what_a_person_gave_up(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.change("UPDATE transfers SET state = 'CANCELLED', next_attempt_time = NULL")

    gateway.hear(gateway.confirmed(claim_ref, version=7))

    assert gateway.states(claim_ref) == ["CANCELLED", "CANCELLED"]
    assert gateway.send() is False
