"""JSAPS's records are made from facts, and a record's field leads back to its question."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from legacy_gateway import mapping
from legacy_gateway.domain import Action, Facts, System
from legacy_gateway.records import decode, layout

CATALOGUES = Path(__file__).parents[3] / "intake-svc" / "src" / "intake" / "catalogues"
MAPS = Path(mapping.__file__).parent

MakeFacts = Callable[..., Facts]


def in_catalogue(pattern: str, key: str) -> dict[str, Any]:
    """The rows of intake's newest catalogue by their ids."""
    newest = max(CATALOGUES.iterdir(), key=lambda folder: int(folder.name))
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in newest.glob(pattern)]
    return {row["id"]: row for file in files for row in file.get(key, [])}


def case(facts: Facts, **changes: Any) -> mapping.Case:
    return replace(
        mapping.Case(
            claim_ref="C00000000018",
            action=Action.NEW,
            office_code="100123",
            assessor_id="ASSESS01",
            facts=facts,
            authority_code="E07000240",
            first_phase_reference="JS0000000001",
        ),
        **changes,
    )


def record(phase: int, facts: Facts, **changes: Any) -> dict[str, Any]:
    name = mapping.phase_of(System.JSAPS, phase).record
    return decode(layout(name), mapping.build(System.JSAPS, phase, case(facts, **changes)))


def test_the_first_phase_has_every_known_fact(facts: MakeFacts) -> None:
    day = date(2026, 6, 1)
    written = record(1, replace(facts(available_from="2026-06-02"), contact_on=day))

    assert written == {
        "CM-NINO": "AB123456C",
        "CM-CLAIM-REF": "C00000000018",
        "CM-BENEFIT": "JSA",
        "CM-ACTION": "N",
        "CM-TITLE": "MR",
        "CM-SURNAME": "O'BRIEN-LUKASZ",
        "CM-FORENAMES": "SEAN",
        "CM-DATE-OF-BIRTH": 19800229,
        "CM-SEX": "M",
        "CM-ADDRESS-LINE": ["12 HIGH ST", "LEEDS", "", "", ""],
        "CM-POSTCODE": "AL3 5SA",
        "CM-LA-CODE": "E07000240",
        "CM-TELEPHONE": "+441132960000",
        "CM-LANGUAGE": "E",
        "CM-DATE-OF-CONTACT": 20260601,
        "CM-DATE-OF-CLAIM": 20260601,
        "CM-EVIDENCE-COMPLETE": 0,
        "CM-OFFICE-CODE": "100123",
        "CM-ASSESSOR-ID": "ASSESS01",
        "CM-SORT-CODE": 12345,
        "CM-ACCOUNT-NUMBER": 123456,
        "CM-ACCOUNT-NAME": "S O'BRIEN",
        "CM-ROLL-NUMBER": "",
        "CM-PARTNER-FLAG": "N",
        "CM-PARTNER-NINO": "",
        "CM-PARTNER-SURNAME": "",
        "CM-PARTNER-DOB": 0,
        "CM-PARTNER-HOURS": Decimal("0.0"),
        "JE-OPERATOR": "OP000001",
        "JE-OPERATOR-GRADE": "AO",
        "JE-HOME-OFFICE": "100123",
        "JE-TARGET-OFFICE": "100123",
        "JE-AVAILABLE-FROM": 20260602,
        "JE-HOURS-AVAILABLE": Decimal("40.0"),
        "JE-RESTRICTIONS": "",
        "JE-JOB-GOAL": ["FITTER", "", ""],
        "JE-LAST-JOB-ENDED": 20260131,
        "JE-LAST-JOB-REASON": "RD",
        "JE-LAST-EMPLOYER": "KIRKSTALL FORGE LTD",
    }


def test_the_second_phase_has_the_reference_and_the_facts_for_the_amount(
    facts: MakeFacts,
) -> None:
    written = record(2, facts(pension_weekly="12.34", part_time_earnings="5.00", education_hours=12.0))

    assert {name: value for name, value in written.items() if name.startswith("JB-")} == {
        "JB-ES-LEGACY-REF": "JS0000000001",
        "JB-BASIS": "B",
        "JB-JOINT-CLAIM": "N",
        "JB-WAITING-DAYS": 3,
        "JB-RAPID-RECLAIM": "N",
        "JB-BACKDATE-TO": 0,
        "JB-CAPITAL": Decimal("1250.50"),
        "JB-PENSION-WEEKLY": Decimal("12.34"),
        "JB-PART-TIME-EARNINGS": Decimal("5.00"),
        "JB-JURY-SERVICE": "N",
        "JB-EDUCATION-HOURS": 12,
        "JB-SIGNING-DAY": 3,
    }


def test_a_partners_missing_nino_is_blank(facts: MakeFacts) -> None:
    written = record(
        2,
        facts(
            has_partner=True,
            partner_surname="Jones",
            partner_date_of_birth="1985-03-04",
            partner_hours=16.5,
            joint_claim=True,
        ),
    )

    assert written["JB-JOINT-CLAIM"] == "Y"
    assert {name: value for name, value in written.items() if name.startswith("CM-PARTNER")} == {
        "CM-PARTNER-FLAG": "Y",
        "CM-PARTNER-NINO": "",
        "CM-PARTNER-SURNAME": "JONES",
        "CM-PARTNER-DOB": 19850304,
        "CM-PARTNER-HOURS": Decimal("16.5"),
    }


def test_a_person_who_never_worked_has_no_last_job(facts: MakeFacts) -> None:
    written = record(
        1, facts(ever_worked=False, last_employer=None, last_job_ended=None, last_job_reason=None, language="CY")
    )

    assert (written["JE-LAST-JOB-REASON"], written["JE-LAST-JOB-ENDED"], written["JE-LAST-EMPLOYER"]) == ("NW", 0, "")
    assert written["CM-LANGUAGE"] == "W"


def test_a_backdated_claim_keeps_its_day_of_contact(facts: MakeFacts) -> None:
    written = record(2, replace(facts(backdate_to="2026-05-01"), contact_on=date(2026, 6, 1)))

    assert (written["CM-DATE-OF-CLAIM"], written["CM-DATE-OF-CONTACT"], written["JB-BACKDATE-TO"]) == (
        20260501,
        20260601,
        20260501,
    )


def test_the_day_of_complete_evidence_is_written(facts: MakeFacts) -> None:
    assert record(1, replace(facts(), evidence_on=date(2026, 6, 5)))["CM-EVIDENCE-COMPLETE"] == 20260605


@pytest.mark.parametrize(
    ("earlier", "days", "reclaim"), [("NONE", 3, "N"), ("RAPID_RECLAIM", 0, "Y"), ("LINKED", 0, "L")]
)
def test_waiting_days_are_not_served_again(facts: MakeFacts, earlier: str, days: int, reclaim: str) -> None:
    written = record(2, facts(earlier_claim=earlier))

    assert (written["JB-WAITING-DAYS"], written["JB-RAPID-RECLAIM"]) == (days, reclaim)


@pytest.mark.parametrize(
    ("digits", "day"), [("00", 1), ("19", 1), ("20", 2), ("59", 3), ("79", 4), ("80", 5), ("99", 5)]
)
def test_the_signing_day_comes_from_the_nino(facts: MakeFacts, digits: str, day: int) -> None:
    assert record(2, facts(nino=f"AB1234{digits}C"))["JB-SIGNING-DAY"] == day


@pytest.mark.parametrize(
    ("answers", "basis", "capital"),
    [
        ({"claims_income_based": True}, "B", "1250.50"),
        ({"claims_income_based": False}, "C", "0.00"),
        ({"claims_income_based": False, "capital": "20000.00"}, "C", "0.00"),
        (
            {"ever_worked": False, "last_employer": None, "last_job_ended": None, "last_job_reason": None},
            "I",
            "1250.50",
        ),
    ],
)
def test_the_basis_is_what_the_claimant_claims_and_contributions_if_there_are_any(
    facts: MakeFacts, answers: dict[str, Any], basis: str, capital: str
) -> None:
    written = record(2, facts(**answers))

    assert (written["JB-BASIS"], written["JB-CAPITAL"]) == (basis, Decimal(capital))


def test_a_claim_on_contributions_alone_needs_no_capital(facts: MakeFacts) -> None:
    assert record(2, facts(claims_income_based=False, capital=None))["JB-CAPITAL"] == 0


@pytest.mark.parametrize(
    ("capital", "day", "basis"),
    [
        ("16000.00", date(2026, 6, 1), "B"),
        ("16000.01", date(2026, 6, 1), "C"),
        ("8000.01", date(2006, 4, 9), "C"),
        ("8000.01", date(2006, 4, 10), "B"),
    ],
)
def test_a_claim_of_catalogue_1_with_capital_over_the_limit_is_for_contributions(
    facts: MakeFacts, capital: str, day: date, basis: str
) -> None:
    assert record(2, replace(facts(capital=capital), contact_on=day))["JB-BASIS"] == basis


@pytest.mark.parametrize(("hours", "basis"), [(23.9, "B"), (24.0, "C")])
def test_a_claim_of_catalogue_1_with_a_partner_in_full_time_work_is_for_contributions(
    facts: MakeFacts, hours: float, basis: str
) -> None:
    written = record(
        2,
        facts(has_partner=True, partner_surname="Jones", partner_date_of_birth="1985-03-04", partner_hours=hours),
    )

    assert written["JB-BASIS"] == basis


def test_a_change_is_marked_as_one(facts: MakeFacts) -> None:
    assert record(1, facts(), action=Action.CHANGE)["CM-ACTION"] == "C"


@pytest.mark.parametrize(
    ("answers", "question"),
    [
        ({"nino": None}, "nino"),
        ({"surname": "Łukasz"}, "surname"),
        ({"surname": "A" * 36}, "surname"),
        ({"title": "MAJOR"}, "title"),
        ({"claims_income_based": True, "capital": "99999999.00"}, "capital"),
        ({"address": {"lines": ["1 HIGH ST"] * 6, "postcode": "AL3 5SA"}}, "address"),
        ({"job_goal_1": "a" * 41}, "job_goal_1"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_question(
    facts: MakeFacts, answers: dict[str, Any], question: str
) -> None:
    with pytest.raises(mapping.Unfit) as raised:
        mapping.build(System.JSAPS, 1 if question != "capital" else 2, case(facts(**answers)))

    assert {message.question_id for message in raised.value.messages} == {question}
    value = next(iter(answers.values()))
    assert not isinstance(value, str) or value.upper() not in str([*raised.value.messages, raised.value.message])


def test_all_faults_of_a_claim_are_named_at_once(facts: MakeFacts) -> None:
    with pytest.raises(mapping.Unfit) as raised:
        mapping.build(System.JSAPS, 1, case(facts(nino=None, surname="Łukasz"), authority_code=None))

    assert [(message.code, message.field) for message in raised.value.messages] == [
        ("GW0001", "CM-NINO"),
        ("GW0001", "CM-LA-CODE"),
        ("GW0002", "CM-SURNAME"),
    ]


@pytest.mark.parametrize(
    ("field", "question"),
    [
        ("CM-SURNAME", "surname"),
        ("CM-LA-CODE", "address"),
        ("JB-SIGNING-DAY", "nino"),
        ("JE-LAST-JOB-ENDED", "last_job_ended"),
        ("CM-OFFICE-CODE", ""),
        ("JB-ES-LEGACY-REF", ""),
        ("NO-SUCH-FIELD", ""),
    ],
)
def test_a_field_leads_back_to_its_question(field: str, question: str) -> None:
    assert mapping.question_of(System.JSAPS, field) == question


def test_intake_shows_this_service_every_question_and_fact_it_uses() -> None:
    asked, derived = in_catalogue("questions/*.toml", "questions"), in_catalogue("*.toml", "derived")
    sources = [source for fields in mapping.sources(System.JSAPS).fields.values() for source in fields.values()]

    assert {source.question for source in sources if source.question} <= asked.keys()
    facts = {fact for source in sources for fact in source.from_facts if fact}
    unseen = {fact for fact in facts if "legacy-gateway" not in (asked | derived)[fact]["seen_by"]}
    assert unseen == set()


def test_every_choice_of_a_coded_question_has_a_code() -> None:
    asked = in_catalogue("questions/*.toml", "questions")
    sources = [source for fields in mapping.sources(System.JSAPS).fields.values() for source in fields.values()]

    for source in sources:
        if source.codes:
            assert {choice["code"] for choice in asked[source.question]["choices"]} == source.codes.keys()


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("clmcomn", 'CM-SEX = { question = "sex", form = "text", required = true }\n', "", "CM-SEX of JSAPS-ES has no"),
        ("clmcomn", "CM-SEX = ", "CM-GENDER = ", "CM-GENDER is not in JSAPS-ES"),
        ("jsaps", 'form = "basis"', 'form = "guess"', "JB-BASIS: no form guess"),
        ("jsaps", 'form = "basis"', 'forms = "basis"', "forms"),
        ("jsaps", "codes = { NONE = 3, RAPID_RECLAIM = 0, LINKED = 0 }, ", "", "needs a table of codes"),
        ("jsaps", 'form = "constant", value = "JSA"', 'form = "constant"', "needs a value"),
        ("jsaps", "[[phase]]", "[[phase", "jsaps.toml"),
        ("jsaps", "clmcomn.toml", "other.toml", "other.toml"),
        ("iscs", 'form = "count", table = "IS-CHILD"', 'form = "count"', "needs a table"),
        (
            "iscs",
            'table = "IS-CHILD"\nquestion',
            'table = "IS-KIDS"\nquestion',
            "ISCS-CLAIM's table IS-CHILD has no source",
        ),
        ("iscs", "IS-CHILD-NAME = ", "IS-CHILD-NICKNAME = ", "IS-CHILD-NAME of ISCS-CLAIM's table IS-CHILD has no"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path: Path, file: str, old: str, new: str, problem: str) -> None:
    for path in MAPS.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / f"{file}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(mapping.SourcesError, match=problem):
        mapping.read_sources(path if file != "clmcomn" else tmp_path / "jsaps.toml")
