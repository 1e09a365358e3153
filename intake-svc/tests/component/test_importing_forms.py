"""ImportForm: a form makes a draft with all that is sound of it, once, dated by the day on which it was received."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from chassis import clock
from chassis.testing import DatabaseUrls

JSA = "SCHEME_JOBSEEKERS_ALLOWANCE"


def day(ago: int = 0) -> dict[str, int]:
    received = clock.today() - timedelta(days=ago)
    return {"year": received.year, "month": received.month, "day": received.day}


def keyed(**values: Any) -> dict[str, Any]:
    return {"answers": [{"question": name.strip("_"), "value": value} for name, value in values.items()]}


def form_of(answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"form": keyed(**answers), "receivedOn": day(), "schemes": [JSA], **more}


def claims_in(urls: DatabaseUrls) -> int:
    with psycopg.connect(urls.owner) as conn:
        row = conn.execute("SELECT count(*) FROM claims").fetchone()
    assert row is not None
    return int(row[0])


def test_a_keyed_form_becomes_a_claim_that_can_be_submitted(desk: Any, single_tenant: dict[str, Any]) -> None:
    operator = desk()

    given = {name: value for name, value in single_tenant.items() if name != "final_payments"}  # of late jobs alone
    made = operator.once("ImportForm", **form_of(given, receivedOn=day(3)))

    claim = made["claim"]
    first_contact = datetime.fromisoformat(claim["firstContactTime"]).astimezone(clock.LONDON)
    required = {question["id"] for question in made["interview"]["questions"] if question["required"]}
    assert made["problems"] == []
    assert (claim["channel"], claim["state"], claim["version"]) == ("CLAIM_CHANNEL_KEYED_FORM", "CLAIM_STATE_DRAFT", 1)
    assert first_contact.date() == clock.today() - timedelta(days=3)
    assert required & set(made["openQuestionIds"]) <= {"final_payments"}
    resumed = operator.start(None, claimRef=claim["claimRef"])
    assert resumed["resumed"]


def test_a_form_gives_the_claim_that_the_call_gives(desk: Any, couple_with_children: dict[str, Any]) -> None:
    operator = desk()
    rest = {name: value for name, value in couple_with_children.items() if name not in ("nino", "language")}
    claim_ref = operator.start()["claim"]["claimRef"]
    by_call = operator.record(claim_ref, 1, **rest)

    by_form = operator.once("ImportForm", **form_of(couple_with_children | {"nino": "CE654321B"}))["interview"]

    def answers(interview: Any) -> dict[str, Any]:
        return {part["id"]: part.get("answer") for part in interview["questions"] if part["id"] != "nino"}

    assert answers(by_form) == answers(by_call)
    assert by_form["nextQuestionId"] == by_call["nextQuestionId"]
    assert by_form["sections"] == by_call["sections"]


def test_faults_are_named_by_number_and_part_and_left_to_the_call(desk: Any, single_tenant: dict[str, Any]) -> None:
    faulty = single_tenant | {
        "nino": "QQ123456C",
        "address": {"lines": ["1 High Street", "Leeds"], "postcode": "ZZ1 1AA"},
    }

    made = desk().once("ImportForm", **form_of(faulty))

    told = {problem["field"]: problem for problem in made["problems"]}
    assert {"nino", "address.postcode"} <= told.keys()
    assert told["nino"]["text"].startswith(f"Question {told['nino']['number']} (part {told['nino']['part']}, ")
    assert {"nino", "address"} <= set(made["openQuestionIds"])
    assert "QQ" not in str(made["problems"])


def test_an_answer_that_does_not_apply_is_kept_out_and_said_so(desk: Any, single_tenant: dict[str, Any]) -> None:
    made = desk().once("ImportForm", **form_of(single_tenant | {"partner_hours": 12}))

    [problem] = [problem for problem in made["problems"] if problem["questionId"] == "partner_hours"]
    assert "does not apply" in problem["text"]
    assert "partner_hours" not in {question["id"] for question in made["interview"]["questions"]}


def test_questions_are_keyed_by_their_number_as_well(desk: Any) -> None:
    by_id = desk().once("ImportForm", **form_of({"surname": "Hughes", "forenames": "Ann"}))
    number = next(
        problem["number"]
        for problem in desk().once("ImportForm", **form_of({"surname": "1", "forenames": "Ann"}))["problems"]
    )

    by_number = desk().once("ImportForm", **form_of({f"_{number}": "Hughes", "forenames": "Ann"}))

    assert [part.get("answer") for part in by_number["interview"]["questions"]] == [
        part.get("answer") for part in by_id["interview"]["questions"]
    ]


def test_a_repeat_gets_the_first_answer_and_makes_no_second_claim(
    desk: Any, single_tenant: dict[str, Any], database_urls: DatabaseUrls
) -> None:
    request = form_of(single_tenant | {"nino": "QQ123456C"}, requestId=str(uuid4()))

    first = desk().call("ImportForm", **request)
    again = desk().call("ImportForm", **request)

    assert first.code == "ok"
    assert again.body == first.body
    assert claims_in(database_urls) == 1


def test_a_repeat_gets_the_first_answer_also_after_the_claim_has_changed(
    desk: Any, single_tenant: dict[str, Any]
) -> None:
    operator = desk()
    person = {name: single_tenant[name] for name in ("surname", "date_of_birth", "address")}
    operator.once("ImportForm", **form_of(person))
    request = form_of(person | {"has_partner": False}, requestId=str(uuid4()))
    first = operator.get("ImportForm", **request)
    claim_ref = first["claim"]["claimRef"]
    call = operator.start(None, claimRef=claim_ref)["call"]
    asked = [
        {"questionId": part["questionId"], "value": single_tenant[part["questionId"]]}
        for part in call["securityQuestions"]
    ]
    operator.once("PassSecurity", callId=call["callId"], answers=asked)
    operator.once("ChangeSchemes", claimRef=claim_ref, version=1, schemes=["SCHEME_INCOME_SUPPORT"])
    operator.record(claim_ref, 2, language="CY")

    assert len(first["interview"]["possibleDuplicates"]) == 1
    assert operator.get("ImportForm", **request) == first


def test_of_two_forms_of_a_person_at_one_moment_one_is_refused(
    desk: Any, single_tenant: dict[str, Any], database_urls: DatabaseUrls
) -> None:
    operator = desk()
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda _: operator.try_once("ImportForm", **form_of(single_tenant)), range(2)))

    [made], [refused] = (
        [reply for reply in replies if reply.code == "ok"],
        [reply for reply in replies if reply.code != "ok"],
    )
    assert (refused.code, refused.reason) == ("already_exists", "OPEN_CLAIM")
    assert made.body["claim"]["claimRef"] in refused.text
    assert claims_in(database_urls) == 1


def test_a_second_form_of_a_person_is_refused_with_the_open_claim(
    desk: Any, single_tenant: dict[str, Any], database_urls: DatabaseUrls
) -> None:
    first = desk().once("ImportForm", **form_of(single_tenant))

    second = desk("OPERATOR", "OP000002").try_once("ImportForm", **form_of(single_tenant | {"surname": "Other"}))

    assert (second.code, second.reason) == ("already_exists", "OPEN_CLAIM")
    assert first["claim"]["claimRef"] in second.text
    assert claims_in(database_urls) == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"receivedOn": day(-1)}, "received_on"),
    ({"receivedOn": day(400)}, "received_on"),
    ({"receivedOn": {"year": 2026, "month": 2, "day": 30}}, "received_on"),
    ({"form": {}}, "form"),
    ({"form": keyed(surname=None)}, "form"),
    ({"form": keyed(shoe_size=43)}, "form.answers[0].question"),
    ({"form": keyed(_999="x")}, "form.answers[0].question"),
    ({"form": {"pdf": "aGVsbG8="}}, "form.pdf"),
    ({"form": keyed(surname="Hughes") | {"formNumber": "CMS3-99-JSA-EN-1"}}, "form.form_number"),
    ({"form": keyed(surname="Hughes") | {"formNumber": "another form"}}, "form.form_number"),
    ({"form": keyed(surname="Hughes") | {"formNumber": "CMS3-1-JSA-EN-9"}}, "form.form_number"),
    ({"form": keyed(surname="Hughes") | {"formNumber": "CMS3-1-IS-EN-1"}}, "schemes"),
]


def test_a_foreign_form_is_refused_as_a_whole(desk: Any, database_urls: DatabaseUrls) -> None:
    for change, field in WRONG:
        refused = desk().try_once("ImportForm", **form_of({"surname": "Hughes"}) | change)

        assert (refused.code, refused.fields) == ("invalid_argument", {field}), change
    assert claims_in(database_urls) == 0


def test_a_file_of_200_megabytes_is_refused_unread(desk: Any) -> None:
    refused = desk().try_once("ImportForm", **form_of({}) | {"form": {"pdf": "A" * 3_000_000}})

    assert (refused.code, refused.reason) == ("resource_exhausted", "TOO_LARGE")


def test_only_operators_import_forms(desk: Any) -> None:
    for role in ("ASSESSOR", "CASEWORKER", "SUPPORT"):
        assert desk(role).try_once("ImportForm", **form_of({"surname": "Hughes"})).code == "permission_denied"


def test_the_first_contact_of_a_form_is_announced(
    desk: Any, single_tenant: dict[str, Any], database_urls: DatabaseUrls
) -> None:
    claim_ref = desk().once("ImportForm", **form_of(single_tenant))["claim"]["claimRef"]

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT type, version FROM outbox WHERE claim_ref = %s", [claim_ref]).fetchall()
    assert [(name.rpartition(".")[2], version) for name, version in rows] == [("FirstContactRecorded", 1)]


def test_a_claim_by_form_stays_when_a_call_about_it_was_a_wrong_number(
    desk: Any, single_tenant: dict[str, Any]
) -> None:
    operator = desk()
    claim_ref = operator.once("ImportForm", **form_of(single_tenant))["claim"]["claimRef"]
    nobody = operator.try_once("ResumeCall", claimRef=claim_ref)
    call_id = operator.start(None, claimRef=claim_ref)["call"]["callId"]

    operator.once("EndCall", callId=call_id, outcome="CALL_OUTCOME_WRONG_NUMBER")

    assert (nobody.code, nobody.reason) == ("failed_precondition", "NO_DROPPED_CALL")
    assert operator.get("GetClaim", claimRef=claim_ref)["claim"]["state"] == "CLAIM_STATE_DRAFT"
