"""A crisis loan is decided by a person: an offer confirms it with its amount, a refusal closes it."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls
from cms.assessment.v1 import events_pb2
from cms.common.v1 import common_pb2

JSA, LOAN = common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, common_pb2.SCHEME_CRISIS_LOAN
CLAIM = "C0123456789A"
ANSWERS = {
    "date_of_birth": "1974-08-19",
    "crisis_reason": "AF",
    "interim_considered": True,
    "amount": "60.00",
    "existing_debt": "1460.50",
}
OFFER = {"outcome": "LOAN_OUTCOME_OFFERED", "amount": "39.50", "reason": "SECRET1 no food in the house"}
REFUSAL = {"outcome": "LOAN_OUTCOME_REFUSED", "reason": "SECRET1 has savings"}


@pytest.fixture(autouse=True)
def application(intake: Any, others: Any) -> None:
    """A claim for a crisis loan alone, without an interview."""
    intake.submit(**ANSWERS)
    others.submit(schemes=[LOAN])


@pytest.fixture
def checked(desk: Any) -> int:
    """Every fact is checked; gives the version."""
    begun = desk.do("StartAssessment")
    items = [{"fact": fact, "status": "ITEM_STATUS_CONFIRMED"} for fact in ANSWERS]
    return int(desk.do("VerifyItems", version=begun["version"], items=items)["version"])


def outbox(database_urls: DatabaseUrls) -> list[tuple[str, bytes]]:
    """The published events about the schemes, oldest first."""
    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT type, payload FROM outbox ORDER BY created").fetchall()
    told = [(kind.rpartition(".")[2], payload) for kind, payload in rows]
    return [(kind, payload) for kind, payload in told if kind.startswith("Assessment")]


def test_an_application_shows_what_can_be_offered_and_until_when(desk: Any) -> None:
    loan = desk.get("GetCrisisLoan", claimRef=CLAIM)["crisisLoan"]

    assert (loan["asked"], loan["owed"], loan["most"], loan["obstacles"]) == ("60.00", "1460.50", "39.50", [])
    assert "decision" not in loan


def test_an_offer_confirms_the_loan_with_its_amount(
    desk: Any, desk_of: Any, checked: int, database_urls: DatabaseUrls
) -> None:
    done = desk.do("DecideCrisisLoan", version=checked, **OFFER)

    gateway = desk_of("SERVICE", subject="legacy-gateway", office=None)
    [confirmed] = gateway.get("GetConfirmations", claimRef=CLAIM)["confirmations"]
    [(kind, payload)] = outbox(database_urls)
    decision = desk.get("GetCrisisLoan", claimRef=CLAIM)["crisisLoan"]["decision"]
    assert done["state"] == "ASSESSMENT_STATE_CONFIRMED"
    assert (confirmed["scheme"], confirmed["loanAmount"]) == ("SCHEME_CRISIS_LOAN", "39.50")
    assert (kind, list(events_pb2.AssessmentConfirmed.FromString(payload).schemes)) == ("AssessmentConfirmed", [LOAN])
    assert (decision["outcome"], decision["amount"]) == ("LOAN_OUTCOME_OFFERED", "39.50")
    assert (decision["reason"], decision["decidedBy"]) == (OFFER["reason"], "AS000001")


def test_a_refusal_closes_the_loan_and_needs_no_checked_facts(
    desk: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    begun = desk.do("StartAssessment")

    done = desk.do("DecideCrisisLoan", version=begun["version"], **REFUSAL)

    [(kind, payload)] = outbox(database_urls)
    assert done["state"] == "ASSESSMENT_STATE_CLOSED"
    assert (kind, list(events_pb2.AssessmentClosed.FromString(payload).schemes)) == ("AssessmentClosed", [LOAN])
    with psycopg.connect(database_urls.owner) as conn:
        row = conn.execute("SELECT sealed FROM crisis_loans").fetchone()
    assert row is not None
    assert b"SECRET1" not in row[0] + payload


def test_the_rules_that_do_not_allow_a_loan_are_named_by_fact_and_nothing_is_done(
    desk: Any, intake: Any, checked: int, database_urls: DatabaseUrls
) -> None:
    def refused(**amendment: Any) -> Any:
        intake.change(**amendment)
        return desk.once_refused("DecideCrisisLoan", version=checked, **OFFER)

    young = refused(date_of_birth="2015-01-01", interim_considered=False, existing_debt="1500.00")

    assert (young.code, young.reason) == ("failed_precondition", "LOAN_NOT_POSSIBLE")
    assert young.fields == {"date_of_birth", "interim_considered", "existing_debt"}
    assert not any(value in young.text for value in ("2015", "1500"))
    assert outbox(database_urls) == []


def test_an_offer_over_the_cap_or_of_unchecked_facts_is_refused(desk: Any, checked: int, intake: Any) -> None:
    over = desk.once_refused("DecideCrisisLoan", version=checked, **OFFER | {"amount": "39.51"})
    intake.change(amount="50.00")
    unchecked = desk.once_refused("DecideCrisisLoan", version=checked, **OFFER)

    assert (over.code, over.fields) == ("invalid_argument", {"amount"})
    assert (unchecked.reason, unchecked.fields) == ("ITEMS_OPEN", {"amount"})


def test_a_loan_is_decided_once_and_only_by_its_decision(desk: Any, checked: int) -> None:
    confirmed = desk.once_refused("ConfirmAssessment", version=checked)
    closed = desk.once_refused("CloseAssessment", version=checked, reason="CLOSED_REASON_LOAN_REFUSED")
    done = desk.do("DecideCrisisLoan", version=checked, **OFFER)
    again = desk.once_refused("DecideCrisisLoan", version=done["version"], **OFFER)

    assert (confirmed.code, confirmed.reason) == ("failed_precondition", "DECISION_NEEDED")
    assert (closed.code, closed.fields) == ("invalid_argument", {"reason"})
    assert (again.code, again.reason) == ("failed_precondition", "ALREADY_CONFIRMED")


def test_a_claim_without_a_crisis_loan_has_none_to_decide(desk: Any, intake: Any, others: Any) -> None:
    other = "C00000000010"
    intake.submit(other, **ANSWERS)
    others.submit(other, schemes=[JSA])
    others.book(other)
    begun = desk.do("StartAssessment", claimRef=other)

    refused = desk.once_refused("DecideCrisisLoan", claimRef=other, version=begun["version"], **OFFER)

    assert (refused.code, refused.reason) == ("not_found", "NO_CRISIS_LOAN")


def test_the_rest_of_a_claim_goes_on_after_its_loan_was_refused(desk: Any, intake: Any, others: Any) -> None:
    other = "C00000000010"
    intake.submit(other, **ANSWERS)
    others.submit(other, schemes=[JSA, LOAN])
    others.book(other)
    begun = desk.do("StartAssessment", claimRef=other)

    refused = desk.do("DecideCrisisLoan", claimRef=other, version=begun["version"], **REFUSAL)
    items = [{"fact": fact, "status": "ITEM_STATUS_CONFIRMED"} for fact in ANSWERS]
    checked = desk.do("VerifyItems", claimRef=other, version=refused["version"], items=items)
    done = desk.do("ConfirmAssessment", claimRef=other, version=checked["version"])

    assert refused["state"] == "ASSESSMENT_STATE_IN_PROGRESS"
    assert (done["state"], done["confirmedSchemes"]) == (
        "ASSESSMENT_STATE_CONFIRMED",
        ["SCHEME_JOBSEEKERS_ALLOWANCE"],
    )


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_only_assessors_of_the_claims_office_see_and_decide(desk_of: Any, checked: int, others: Any, door: Any) -> None:
    others.book()
    offer = {"claimRef": CLAIM, "version": checked, "requestId": str(uuid4()), **OFFER}
    for method, body in (("GetCrisisLoan", {"claimRef": CLAIM}), ("DecideCrisisLoan", offer)):
        nobody = replace(desk_of(door=door), token="").call(method, **body)
        other_role = desk_of("CASEWORKER", "OPERATOR", "PROCESSING_OFFICER", door=door).call(method, **body)
        other_office = desk_of(office="654321", door=door).call(method, **body)
        nowhere = desk_of(office=None, door=door).call(method, **body)
        unknown = desk_of(door=door).call(method, **body | {"claimRef": "C00000000010"})

        assert (nobody.code, other_role.reason) == ("unauthenticated", "ROLE")
        assert (other_office.reason, nowhere.reason) == ("OTHER_OFFICE", "OFFICE_REQUIRED")
        assert (unknown.code, unknown.reason) == ("not_found", "WORK_NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"outcome": "LOAN_OUTCOME_UNSPECIFIED"}, {"outcome"}),
        ({"outcome": 77}, {"outcome"}),
        ({"amount": "SECRET1"}, {"amount"}),
        ({"amount": ""}, {"amount"}),
        ({"outcome": "LOAN_OUTCOME_REFUSED"}, {"amount"}),
        ({"reason": ""}, {"reason"}),
        ({"version": 0}, {"version"}),
        ({"requestId": "SECRET1"}, {"request_id"}),
    ],
)
def test_bad_input_is_named_without_its_value(desk: Any, checked: int, changes: Any, fields: set[str]) -> None:
    answer = desk.once_refused("DecideCrisisLoan", **{"version": checked, **OFFER, **changes})

    assert (answer.code, answer.fields) == ("invalid_argument", fields)
    assert "SECRET1" not in answer.text


def test_a_decision_is_refused_on_a_stale_version_before_the_start_and_after_a_withdrawal(
    desk: Any, others: Any
) -> None:
    not_started = desk.once_refused("DecideCrisisLoan", version=1, **REFUSAL)
    version = desk.do("StartAssessment")["version"]
    stale = desk.once_refused("DecideCrisisLoan", version=version + 1, **REFUSAL)
    others.withdraw()
    withdrawn = desk.once_refused("DecideCrisisLoan", version=version, **REFUSAL)

    assert (not_started.reason, stale.reason) == ("NOT_STARTED", "STALE_VERSION")
    assert (withdrawn.code, withdrawn.reason) == ("failed_precondition", "ASSESSMENT_CLOSED")


def test_a_repeat_gets_the_first_answer_and_decides_nothing_again(desk: Any, checked: int) -> None:
    body = {"claimRef": CLAIM, "version": checked, "requestId": str(uuid4()), **OFFER}

    first, again = (desk.call("DecideCrisisLoan", **body) for _ in range(2))
    other = desk.call("DecideCrisisLoan", **body | {"amount": "10.00"})

    assert (first.code, again) == ("ok", first)
    assert (other.code, other.reason) == ("already_exists", "REQUEST_ID_REUSED")
