"""GetAssessment through the doors: a claim as its assessor sees it, before the interview and after the confirmation."""

from typing import Any
from uuid import uuid4

import pytest

from assessment.clients import Followed, OpenQuestion, Refusal
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from cms.intake.v1.events_pb2 import ClaimAmended
from cms.notifier.v1 import notifier_pb2

CLAIM = "C0123456789A"
IS, CM = common_pb2.SCHEME_INCOME_SUPPORT, common_pb2.SCHEME_CHILD_MAINTENANCE


@pytest.fixture(autouse=True)
def booked(intake: Any, others: Any) -> None:
    """A booked claim of which something is missing and something would be refused."""
    intake.submit(surname="Jones", rent="70.00")
    intake.open_questions = (
        OpenQuestion(fact="capital", text="How much?", group="money", gap="WILL_SEND", required=True, schemes=()),
    )
    intake.refusals = (
        Refusal(system="ISCS", code="ES0090", field="CM-NINO", fact="nino", ask="Your number?", needs_person=False),
    )
    others.submit(schemes=[IS, CM])
    others.book()


def shown(desk: Any) -> Any:
    return desk.call("GetAssessment", claimRef=CLAIM).body


def blocks(found: Any) -> list[tuple[str, str]]:
    return [(block["kind"].removeprefix("BLOCK_KIND_"), block["name"]) for block in found["blocks"]]


def check(*facts: str, status: str = "ITEM_STATUS_CONFIRMED") -> list[dict[str, str]]:
    return [{"fact": fact, "status": status} for fact in facts]


def test_before_the_interview_it_says_what_is_known_missing_and_would_be_refused(desk: Any, intake: Any) -> None:
    found = shown(desk)

    assert [(item["fact"], item["value"], item["status"]) for item in found["assessment"]["items"]] == [
        ("surname", "Jones", "ITEM_STATUS_UNCHECKED"),
        ("rent", "70.00", "ITEM_STATUS_UNCHECKED"),
    ]
    assert found["assessment"]["state"] == "ASSESSMENT_STATE_READY"
    assert [(one["questionId"], one["gap"]) for one in found["openQuestions"]] == [("capital", "WILL_SEND")]
    assert [(one["system"], one["questionId"]) for one in found["likelyRefusals"]] == [("SYSTEM_ISCS", "nino")]
    assert blocks(found) == [("NOT_STARTED", ""), ("UNCHECKED", "surname"), ("UNCHECKED", "rent")]
    assert found["clocks"]
    assert found["evidence"]["needs"]
    assert [purpose for _, purpose, _ in intake.asked] == [f"work item {CLAIM}"] * 2


def test_it_names_everything_that_holds_up_the_confirmation(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    intake.proposals = {"surname": "JONES"}
    doubt = check("rent", status="ITEM_STATUS_DISPUTED")
    desk.do("VerifyItems", version=version, items=[*check("surname"), *doubt])

    assert blocks(shown(desk)) == [("PROPOSAL", "surname"), ("DISPUTED", "rent")]


def test_after_the_confirmation_it_shows_changes_transfers_and_notices(desk: Any, intake: Any, outcomes: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    version = desk.do("CorrectItem", version=version, fact="rent", value="75.00", reason="as seen")["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname"))["version"]
    desk.do("ConfirmAssessment", version=version)
    outcomes.found = Followed(
        transfers=[gateway_pb2.Transfer(transfer_id="T1")],
        notices=[notifier_pb2.Notice(notice_id="N1", version=1)],
        not_reached=("la-notifier",),
    )

    found = shown(desk)

    assert found["blocks"] == []
    assert [(one["fact"], one["reason"], one["afterConfirmation"]) for one in found["changes"]] == [
        ("rent", "as seen", False)
    ]
    assert ([one["transferId"] for one in found["transfers"]], [one["noticeId"] for one in found["notices"]]) == (
        ["T1"],
        ["N1"],
    )
    assert found["notReached"] == ["la-notifier"]


def test_a_change_after_the_confirmation_is_a_delta_with_its_reason(desk: Any, intake: Any, others: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    version = desk.do("CorrectItem", version=version, fact="rent", value="75.00", reason="as seen")["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname"))["version"]
    confirmed = desk.do("ConfirmAssessment", version=version)
    intake.change_with_reason(rent="80.00", reason="the rent went up")
    others.send(ClaimAmended(changed_fields=["rent"]), version=9)

    found = shown(desk)

    assert [(one["old"], one["new"], one["reason"], one["afterConfirmation"]) for one in found["changes"][1:]] == [
        ("75.00", "80.00", "the rent went up", True)
    ]
    assert [one["afterConfirmation"] for one in found["changes"]] == [False, True]
    assert (found["assessment"]["state"], found["blocks"]) == ("ASSESSMENT_STATE_IN_PROGRESS", [])
    assert found["assessment"]["confirmedSchemes"] == confirmed["confirmedSchemes"] == ["SCHEME_INCOME_SUPPORT"]


def test_a_change_that_only_an_unconfirmed_scheme_needs_is_no_delta(desk: Any, desk_of: Any, intake: Any) -> None:
    caseworker = desk_of("CASEWORKER", office=None, subject="CW000001")
    intake.schemes = {"rent": ("INCOME_SUPPORT",)}
    version = caseworker.do("StartAssessment")["version"]
    version = caseworker.do("VerifyItems", version=version, items=check("surname"))["version"]
    caseworker.do("ConfirmAssessment", version=version)
    intake.change_with_reason(rent="75.00", reason="the rent went up")
    intake.change_with_reason(surname="Smith", reason="married")

    assert [(one["fact"], one["afterConfirmation"]) for one in shown(desk)["changes"]] == [
        ("rent", False),
        ("surname", True),
    ]


def test_a_refused_confirmation_names_all_that_the_picture_names(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    intake.proposals = {"surname": "JONES"}
    body = {"claimRef": CLAIM, "requestId": str(uuid4()), "kinds": ["EVIDENCE_KIND_PASSPORT"]}
    version = desk.call("RequestEvidence", **body).body["evidence"]["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname"))["version"]

    refused = desk.once_refused("ConfirmAssessment", version=version)

    assert blocks(shown(desk)) == [("PROPOSAL", "surname"), ("UNCHECKED", "rent"), ("EVIDENCE", "PASSPORT")]
    assert (refused.reason, refused.fields) == ("ITEMS_OPEN", {"surname", "rent", "PASSPORT"})


def test_a_caseworker_sees_the_claim_without_the_history(desk_of: Any, intake: Any) -> None:
    found = shown(desk_of("CASEWORKER", office=None, subject="CW000001"))

    assert found["changes"] == []
    assert "evidence" not in found
    assert [method for method, _, _ in intake.asked] == ["GetInterview"]


def test_an_unbooked_claim_waits_for_its_interview(desk: Any, intake: Any, others: Any) -> None:
    intake.submit("C00000000010", surname="Evans")
    others.submit("C00000000010", schemes=[IS])

    found = desk.call("GetAssessment", claimRef="C00000000010").body

    assert ("INTERVIEW", "") in blocks(found)


def test_evidence_that_is_awaited_holds_up_the_schemes_that_need_it(desk: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    desk.do("VerifyItems", version=version, items=check("surname", "rent"))
    body = {"claimRef": CLAIM, "requestId": str(uuid4()), "kinds": ["EVIDENCE_KIND_PASSPORT"]}

    asked = desk.call("RequestEvidence", **body)

    assert asked.code == "ok", asked
    assert blocks(shown(desk)) == [("EVIDENCE", "PASSPORT")]
