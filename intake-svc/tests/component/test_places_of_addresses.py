"""Addresses outside Great Britain, of postcodes that the directory does not have, and where councils meet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis import postcodes
from chassis.runtime import Process
from chassis.testing import SettingsOf, running
from intake.__main__ import service
from intake.config import Settings

LEEDS, BRADFORD = "E08000035", "E08000032"


@pytest.fixture
def process(settings_of: SettingsOf, tmp_path: Path) -> Iterator[Process]:
    """Intake with a directory in which Leeds and Bradford meet at LS1 4AP."""
    path = tmp_path / "postcodes.sqlite"
    beside = [(f"LS14A{letter}", LEEDS if letter < "R" else BRADFORD, 100 * at, 0) for at, letter in enumerate("PQRST")]
    postcodes._write(path, source="test", rows=[*beside, ("LS13AB", LEEDS, 90_000, 0)])
    with running(service(settings_of(Settings, "intake-svc", postcodes_file=path))) as started:
        yield started


def address(postcode: str) -> dict[str, Any]:
    return {"lines": ["1 High Street", "Leeds"], "postcode": postcode}


def asked(interview: Any, name: str) -> Any:
    return next((question for question in interview["questions"] if question["id"] == name), None)


@pytest.mark.parametrize(
    ("postcode", "ask"),
    [
        ("BT1 5GS", "Northern Ireland Housing Executive"),
        ("IM1-1AA", "Isle of Man Treasury"),
        ("JE2 3AB", "Customer and Local Services"),
        ("GY1 1AA", "Employment & Social Security"),
        ("BF1 2AT", "welfare officer"),
        ("BFPO 140", "welfare officer"),
    ],
)
def test_a_place_outside_great_britain_is_told_in_the_call_with_whom_to_ask(desk: Any, postcode: str, ask: str) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    refused = operator.try_record(claim_ref, 1, address=address(postcode))

    assert refused.fields == {"address.postcode"}
    assert ask in refused.text
    assert postcode not in refused.text


def test_a_postcode_that_is_not_listed_is_keyed_twice_and_its_council_chosen(desk: Any, rest: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    interview = operator.record(claim_ref, 1, **rest | {"address": address("LS1 4ZZ")})
    early = operator.try_once("SubmitClaim", claimRef=claim_ref, version=2)
    differs = operator.record(claim_ref, 2, postcode_again="LS1 4ZX", council=LEEDS)
    agreed = operator.record(claim_ref, 3, postcode_again="ls1-4zz")

    assert asked(interview, "postcode_again")["required"]
    assert [choice["text"] for choice in asked(interview, "council")["choices"]] == ["Bradford", "Leeds"]
    assert early.fields == {"postcode_again", "council"}
    assert "differ" in asked(differs, "postcode_again")["problem"]
    assert (asked(agreed, "postcode_again")["problem"], agreed["remaining"]) == ("", len(OPTIONAL))
    operator.submit(claim_ref, agreed["version"])
    facts = desk("SERVICE", "legacy-gateway").get("GetClaimFacts", claimRef=claim_ref)["facts"]["answers"]
    assert (facts["council"], facts["address"]) == (LEEDS, address("LS1 4ZZ"))


OPTIONAL = ("title", "job_goal_2", "job_goal_3", "roll_number")


def test_an_address_with_a_listed_postcode_ends_the_questions_about_it(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, address=address("LS1 4ZZ"))

    corrected = operator.record(claim_ref, 2, address=address("LS1 3AB"))

    assert asked(corrected, "postcode_again") is None
    assert asked(corrected, "council") is None


def test_the_council_is_chosen_where_two_are_near(desk: Any) -> None:
    operator = desk("OPERATOR")
    claim_ref = operator.start(language="CY")["claim"]["claimRef"]

    interview = operator.record(claim_ref, 1, address=address("LS1 4AP"))
    elsewhere = operator.record(claim_ref, 2, council="W06000015")
    chosen = operator.record(claim_ref, 3, council=BRADFORD)

    assert asked(interview, "postcode_again") is None
    assert [choice["code"] for choice in asked(interview, "council")["choices"]] == [LEEDS, BRADFORD]
    assert "dewiswch eto" in asked(elsewhere, "council")["problem"]
    assert asked(chosen, "council")["answer"] == BRADFORD
    assert asked(chosen, "council")["problem"] == ""


def test_a_choice_of_council_is_among_the_changes_of_a_save(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    answers = [{"questionId": "address", "value": address("LS1 4AP")}]

    saved = operator.once(
        "RecordAnswers", claimRef=claim_ref, version=1, answers=answers, view="INTERVIEW_VIEW_CHANGED"
    )

    assert [question["id"] for question in saved["interview"]["questions"]] == ["address", "council"]


@pytest.mark.parametrize("council", ["Leeds", "N09000003", "E0800003", 7])
def test_a_code_of_no_council_is_refused(desk: Any, council: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, address=address("LS1 4AP"))

    assert operator.try_record(claim_ref, 2, council=council).fields == {"council"}


def test_a_postcode_whose_first_letters_are_of_nowhere_is_refused(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    refused = operator.try_record(claim_ref, 1, address=address("ZZ99 9ZZ"))

    assert refused.fields == {"address.postcode"}


def test_the_first_contact_waits_for_the_choice_of_council(desk: Any, rest: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, **rest | {"address": address("LS1 4AP")})
    notifier = desk("SERVICE", "la-notifier")

    before = notifier.get("GetClaimFacts", claimRef=claim_ref)["facts"]
    operator.record(claim_ref, 2, council=BRADFORD)
    after = notifier.get("GetClaimFacts", claimRef=claim_ref)["facts"]

    assert (before["firstContactRecorded"], after["firstContactRecorded"]) == (False, True)
    assert after["answers"]["council"] == BRADFORD


def test_an_amendment_that_needs_a_council_names_those_to_choose_from(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant | {"address": address("LS1 3AB")})

    refused = operator.try_amend(claim, address=address("LS1 4AP"))
    amended = operator.amend(claim, address=address("LS1 4AP"), council=BRADFORD)["interview"]

    assert (refused.reason, refused.fields) == ("CLAIM_INCOMPLETE", {"council"})
    assert f"{LEEDS},{BRADFORD}" in refused.text
    assert asked(amended, "council")["answer"] == BRADFORD


def test_a_welsh_call_is_told_of_faults_in_welsh(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start(language="CY")["claim"]["claimRef"]

    refused = operator.try_record(
        claim_ref, 1, address=address("BT1 5GS"), telephone="0113 FLOWERS", surname="\u200b", capital="1,2,3"
    )

    assert refused.fields == {"address.postcode", "telephone", "surname", "capital"}
    for words in ("mae yng Ngogledd Iwerddon", "mae'n cynnwys llythyren", "mae'n wag", "rhaid iddo fod yn swm"):
        assert words in refused.text


def test_a_repeat_of_a_save_shows_the_choice_of_council_again(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    body = {
        "claimRef": claim_ref,
        "version": 1,
        "requestId": "7c0a9a52-4e4b-4a55-9d5e-4b6a0f1c2d3e",
        "answers": [{"questionId": "address", "value": address("LS1 4AP")}],
    }

    first = operator.get("RecordAnswers", **body)
    operator.record(claim_ref, 2, address=address("LS1 3AB"))

    assert operator.get("RecordAnswers", **body) == first
