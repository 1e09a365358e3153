import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from intake.domain.answers import is_gap, read_field, validate_answer
from intake.domain.script import Script
from intake.domain.values import read_nino

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("question", "value", "canonical"),
    [
        ("has_partner", False, False),
        ("sex", "X", "X"),
        ("surname", "  O’Brien ", "O’Brien"),
        ("forenames", "Sia\u0302n", "Siân"),
        ("nino", " ab 12-34 56c", "AB123456C"),
        ("telephone", "(0113) 496 0999", "+441134960999"),
        ("telephone", "+48 22 123 45 67", "+48221234567"),
        ("email", "Ann.Hughes@Example.ORG", "Ann.Hughes@example.org"),
        ("sort_code", "20-00-01", "200001"),
        ("account_number", "0123 4567", "01234567"),
        ("date_of_birth", "2000-02-29", "2000-02-29"),
        ("capital", "007", "7.00"),
        ("capital", "9999999.99", "9999999.99"),
        ("hours_available", 37.5, 37.5),
        ("hours_available", 40.0, 40),
        ("address", {"lines": ["1 High St", "", "Leeds"], "postcode": "ls14ap"},
         {"lines": ["1 High St", "Leeds"], "postcode": "LS1 4AP"}),
        ("non_dependants", [{"relationship": "FRIEND", "date_of_birth": None}], [{"relationship": "FRIEND"}]),
        ("other_income", [], []),
        ("capital", {"gap": "WILL_SEND"}, {"gap": "WILL_SEND"}),
        ("capital", None, None),
    ],
)  # fmt: skip
def test_an_answer_has_one_canonical_form(
    script: Script, today: date, question: str, value: Any, canonical: Any
) -> None:
    assert validate_answer(script, question, value, today=today) == canonical


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("has_partner", "true"), ("has_partner", 1), ("sex", "Q"), ("sex", ["F"]),
        ("surname", ""), ("surname", "   "), ("surname", "A\0B"), ("surname", "A\r\nB"), ("surname", "\ud800"),
        ("surname", "x" * 101), ("surname", "😀"), ("surname", "42"), ("surname", 42), ("job_goal_1", "🙂"),
        ("job_goal_1", "x" * 501),
        ("nino", "QQ123456C"), ("nino", "BG123456A"), ("nino", "AO123456A"), ("nino", "DA123456A"),
        ("nino", "AB123456E"), ("nino", "AB12345C"), ("nino", "ＡＢ123456C"),
        ("telephone", "12"), ("telephone", "+4915123456789012"), ("telephone", "0113 496 0999 ext 5"), ("telephone", "call me"),
        ("email", "a@b"), ("email", "a b@example.org"),
        ("sort_code", "000000"), ("sort_code", "1234567"), ("account_number", "1234567"),
        ("account_number", "00000000"), ("account_number", "١٢٣٤٥٦٧٨"),
        ("date_of_birth", "1999-02-31"), ("date_of_birth", "2001-02-29"), ("date_of_birth", "01/02/1990"),
        ("date_of_birth", "19900201"), ("date_of_birth", "2026-03-03"), ("date_of_birth", "2010-03-03"),
        ("date_of_birth", "1906-03-02"), ("date_of_birth", "0001-01-01"),
        ("capital", "-1.00"), ("capital", "NaN"), ("capital", "1e3"), ("capital", "1,000.00"), ("capital", 12.5),
        ("capital", "10000000.00"), ("capital", "1.5"), ("pension_weekly", "100000.00"),
        ("hours_available", math.nan), ("hours_available", math.inf), ("hours_available", -1),
        ("hours_available", 168.1), ("hours_available", 7.25), ("hours_available", True), ("hours_available", "40"),
        ("education_hours", 1.5), ("education_hours", 10**400),
        ("address", "1 High St"), ("address", {"lines": ["1 High St"], "postcode": "LS1 4AP"}),
        ("address", {"lines": ["a"] * 6, "postcode": "LS1 4AP"}), ("address", {"lines": ["a", "b"]}),
        ("address", {"lines": ["a", "b"], "postcode": "nowhere"}), ("address", {"lines": [[], {}], "postcode": "LS1 4AP"}),
        ("address", {"lines": ["😀", "b"], "postcode": "LS1 4AP"}),
        ("children", {}), ("children", [{}]), ("children", [[]]),
        ("children", [{"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER", "age": 11}]),
        ("children", [{"name": "Mia", "date_of_birth": "2027-01-31", "relationship": "SON_OR_DAUGHTER"}]),
        ("children", [{"name": "Mia", "date_of_birth": "2015-02-30", "relationship": "SON_OR_DAUGHTER"}]),
        ("non_dependants", [{"relationship": "FRIEND"}] * 21),
        ("non_dependants", [{"relationship": "FRIEND", "date_of_birth": "2020-01-01"}]),
        ("backdate_to", "2025-12-01"), ("backdate_to", "2026-03-02"), ("available_from", "2026-06-03"),
        ("declaration", False), ("capital", {"gap": "NEVER"}), ("capital", {"gap": "NOT_KNOWN", "more": 1}),
        ("capital", {}), ("capital", []),
    ],
)  # fmt: skip
def test_an_unsound_answer_is_refused_naming_the_question(
    script: Script, today: date, question: str, value: Any
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        validate_answer(script, question, value, today=today)

    assert [violation.field for violation in refusal.value.violations] == [question]
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(("question", "secret"), [("nino", "QQ123456C"), ("surname", "Zzyzx\n"), ("email", "zzyzx@b")])
def test_a_refusal_never_repeats_the_value(script: Script, today: date, question: str, secret: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        validate_answer(script, question, secret, today=today)

    text = f"{refusal.value} {refusal.value.violations}"
    assert secret.strip() not in text


def test_a_person_born_on_29_february_turns_sixteen_on_1_march_in_other_years(script: Script) -> None:
    born = "2008-02-29"

    assert validate_answer(script, "date_of_birth", born, today=date(2024, 2, 29)) == born
    with pytest.raises(InvalidArgument):
        validate_answer(script, "partner_date_of_birth", "2012-02-29", today=date(2028, 2, 28))
    with pytest.raises(InvalidArgument):
        validate_answer(script, "date_of_birth", "2010-03-01", today=date(2026, 2, 28))


def test_three_months_before_31_may_is_the_last_day_of_february(script: Script) -> None:
    assert validate_answer(script, "backdate_to", "2026-02-28", today=date(2026, 5, 31)) == "2026-02-28"
    with pytest.raises(InvalidArgument):
        validate_answer(script, "backdate_to", "2026-02-27", today=date(2026, 5, 31))


@pytest.mark.parametrize("question", ["favourite_colour", "O'Brien 1980-02-29", ""])
def test_an_unknown_question_is_refused(script: Script, today: date, question: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        validate_answer(script, question, "green", today=today)

    assert "1980" not in f"{refusal.value} {refusal.value.violations}"


def test_a_value_outside_an_interview_is_refused_naming_its_field() -> None:
    with pytest.raises(InvalidArgument, match="caller_nino"):
        read_field("caller_nino", read_nino, "QQ123456C")
    assert read_field("nino", read_nino, "ab123456c") == "AB123456C"


@given(data=st.data(), value=json_values)
def test_the_canonical_form_of_any_value_is_canonical(data: Any, value: Any, script: Script, today: date) -> None:
    question = data.draw(st.sampled_from(sorted(script.questions)))
    try:
        canonical = validate_answer(script, question, value, today=today)
    except InvalidArgument:
        return

    assert validate_answer(script, question, canonical, today=today) == canonical
    assert canonical is None or is_gap(canonical) or value is not None
