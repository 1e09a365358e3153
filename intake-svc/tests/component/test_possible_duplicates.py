"""A second open claim of a person: by name, birth date and postcode a warning, of which the operator decides."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg

from chassis.testing import DatabaseUrls

BORN = "1980-02-29"
HOME = {"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"}


def draft(operator: Any, surname: str, *, born: str = BORN, home: Any = HOME, nino: str | None = None) -> Any:
    """The interview of a new claim in which these were answered."""
    claim_ref = operator.start(nino=nino)["claim"]["claimRef"]
    return operator.record(claim_ref, 1, surname=surname, date_of_birth=born, address=home)


def others(interview: Any) -> list[str]:
    assert all(pair["claimRef"] == interview["claimRef"] for pair in interview["possibleDuplicates"])
    return [pair["otherClaimRef"] for pair in interview["possibleDuplicates"]]


def test_a_surname_that_is_alike_warns_with_both_references_until_it_is_corrected(desk: Any) -> None:
    first = draft(desk(), "Müller")
    second = desk(subject="OP000002")
    claim_ref = second.start(nino=None)["claim"]["claimRef"]
    seen = second.record(claim_ref, 1, date_of_birth=BORN, address=HOME)
    assert others(seen) == []

    for surname in ("Mueller", "Muller", "müller", "Miller-Müller"):
        seen = second.record(claim_ref, seen["version"], surname=surname)
        assert others(seen) == [first["claimRef"]], surname
    seen_from_the_first = desk().get("GetInterview", claimRef=first["claimRef"])["interview"]
    corrected = second.record(claim_ref, seen["version"], surname="Price")

    assert others(seen_from_the_first) == [claim_ref]
    assert others(corrected) == []


def test_another_birth_date_or_postcode_gives_no_warning(desk: Any) -> None:
    draft(desk(), "Müller")

    assert others(draft(desk(), "Müller", born="1980-03-01")) == []
    assert others(draft(desk(), "Müller", home={**HOME, "postcode": "CF10 1EP"})) == []


def test_of_one_person_the_draft_is_withdrawn_and_the_other_claim_goes_on(
    desk: Any, database_urls: DatabaseUrls
) -> None:
    first = draft(desk(), "Müller")
    operator = desk(subject="OP000002")
    second = draft(operator, "Mueller")
    decision = {
        "otherClaimRef": first["claimRef"],
        "verdict": "DUPLICATE_VERDICT_SAME_PERSON",
        "reason": "moved from Köln",
    }

    decided = operator.once("DecideDuplicate", claimRef=second["claimRef"], version=2, **decision)

    assert decided["claim"]["state"] == "CLAIM_STATE_WITHDRAWN"
    assert decided["continueWith"] == first["claimRef"]
    resumed = operator.start(nino=None, claimRef=decided["continueWith"])
    assert resumed["resumed"]
    asked = [{"questionId": "date_of_birth", "value": BORN}]
    for _ in ("the claim that goes on", "its duplicate"):
        operator.once("PassSecurity", callId=resumed["call"]["callId"], answers=asked)
    known = operator.get("GetInterview", claimRef=first["claimRef"])["interview"]
    assert known["earlier"]["claimRef"] == second["claimRef"]
    assert others(desk().get("GetInterview", claimRef=first["claimRef"])["interview"]) == []
    with psycopg.connect(database_urls.owner) as conn:
        kept = conn.execute("SELECT verdict, decided_by, reason FROM possible_duplicates").fetchone()
        events = conn.execute("SELECT type FROM outbox WHERE claim_ref = %s", [second["claimRef"]]).fetchall()
    assert kept is not None
    assert kept[:2] == ("SAME_PERSON", "OP000002")
    assert b"moved" not in kept[2]
    assert ("cms.intake.v1.ClaimWithdrawn",) in events


def test_of_another_person_both_claims_go_on_and_the_reason_is_kept(desk: Any) -> None:
    operator = desk()
    first, second = draft(operator, "Müller"), draft(operator, "Muller")
    decision = {"otherClaimRef": first["claimRef"], "verdict": "DUPLICATE_VERDICT_OTHER_PERSON", "reason": "twins"}
    body = {"claimRef": second["claimRef"], "version": second["version"], **decision}

    decided = operator.once("DecideDuplicate", **body)
    again = operator.try_once("DecideDuplicate", **body)
    later = operator.record(second["claimRef"], 2, address={**HOME, "lines": ["2 High Street", "Leeds"]})

    assert (decided["claim"]["state"], decided["continueWith"]) == ("CLAIM_STATE_DRAFT", "")
    assert (again.code, again.reason) == ("failed_precondition", "NO_WARNING")
    assert others(later) == []


def test_people_without_a_fixed_address_are_compared_with_one_another(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start(nino=None)["claim"]["claimRef"]
    operator.record(claim_ref, 1, surname="Müller", date_of_birth=BORN, address={"gap": "NOT_KNOWN"})

    second = draft(operator, "Mueller", home={"gap": "NOT_KNOWN"})

    assert others(second) == [claim_ref]


def test_two_claims_that_are_given_one_name_at_one_moment_find_each_other(desk: Any) -> None:
    operator = desk()
    references = [operator.start(nino=None)["claim"]["claimRef"] for _ in range(3)]
    person = {"surname": "Müller", "date_of_birth": BORN, "address": HOME}

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda claim_ref: operator.record(claim_ref, 1, **person), references))

    shown = [operator.get("GetInterview", claimRef=claim_ref)["interview"] for claim_ref in references]
    assert [sorted(others(interview)) for interview in shown] == [
        sorted(set(references) - {claim_ref}) for claim_ref in references
    ]


def test_neither_name_nor_sound_is_stored_in_the_open(desk: Any, database_urls: DatabaseUrls) -> None:
    draft(desk(), "Müller")

    with psycopg.connect(database_urls.owner) as conn:
        kept = [row[0] for row in conn.execute("SELECT sound FROM claim_sounds")]

    assert len(kept) == 2
    assert all(len(sound) == 32 for sound in kept)


def test_a_repeated_save_is_answered_as_at_first_although_another_claim_came(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start(nino=None)["claim"]["claimRef"]
    person = [{"questionId": "surname", "value": "Müller"}, {"questionId": "date_of_birth", "value": BORN}]
    body = {"claimRef": claim_ref, "version": 1, "requestId": str(uuid4()), "answers": person}
    first = operator.get("RecordAnswers", **body)
    operator.record(claim_ref, 2, address=HOME)
    draft(operator, "Mueller")

    assert operator.get("RecordAnswers", **body) == first


def test_a_draft_stays_where_the_other_claim_has_ended_meanwhile(desk: Any) -> None:
    operator, other = desk(), desk(subject="OP000002")
    first, second = draft(other, "Müller"), draft(operator, "Mueller")
    other.once("WithdrawClaim", claimRef=first["claimRef"], version=first["version"], reason="found work")
    decision = {"otherClaimRef": first["claimRef"], "verdict": "DUPLICATE_VERDICT_SAME_PERSON", "reason": "moved"}

    late = operator.try_once("DecideDuplicate", claimRef=second["claimRef"], version=2, **decision)

    assert (late.code, late.reason) == ("failed_precondition", "NO_WARNING")
    assert operator.get("GetInterview", claimRef=second["claimRef"])["interview"]["version"] == 2


def test_two_who_decide_of_one_pair_at_one_moment_leave_one_claim_open(desk: Any) -> None:
    operators = [desk(), desk(subject="OP000002")]
    pair = [draft(operators[0], "Müller"), draft(operators[1], "Mueller")]

    def decide(at: int) -> Any:
        return operators[at].try_once(
            "DecideDuplicate",
            claimRef=pair[at]["claimRef"],
            otherClaimRef=pair[1 - at]["claimRef"],
            verdict="DUPLICATE_VERDICT_SAME_PERSON",
            version=2,
            reason="moved",
        )

    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(decide, range(2)))

    assert [reply.code for reply in replies].count("ok") == 1
    assert {reply.reason for reply in replies} - {""} <= {"NO_WARNING", "RECORD_BUSY"}
