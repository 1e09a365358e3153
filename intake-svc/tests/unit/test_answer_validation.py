import math
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from intake.domain import values
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
        ("capital", "1.5", "1.50"),
        ("capital", " \u00a012\t", "12.00"),
        ("capital", "£1,250.00", "1250.00"),
        ("capital", "£ 1,250,000", "1250000.00"),
        ("date_of_birth", "\u00a02000-02-29 ", "2000-02-29"),
        ("date_of_birth", "2000–02–29", "2000-02-29"),
        ("date_of_birth", "2000/02/29", "2000-02-29"),
        ("nino", "AB\u00a012\t34–56.C", "AB123456C"),
        ("nino", "\u202aAB/12/34/56/C\u202c", "AB123456C"),
        ("sort_code", "20.00.01", "200001"),
        ("sort_code", "20−00—01", "200001"),
        ("account_number", "0123\u20094567", "01234567"),
        ("account_number", "0123\u200b4567", "01234567"),
        ("surname", "van\u00a0der\u2003 Berg\u200b", "van der Berg"),
        ("surname", "\u202eHughes\u202c", "Hughes"),
        ("surname", "علی\u200cرضا", "علی\u200cرضا"),
        ("surname", "Hug\u200dhes", "Hughes"),
        ("surname", "葛\U000e0100城", "葛\U000e0100城"),
        ("email", "\u200bann@example.org", "ann@example.org"),
        ("email", "ann@xn--80AK6aa92e.com", "ann@xn--80ak6aa92e.com"),
        ("email", "ann@BÜCHER.example.org", "ann@bücher.example.org"),
        ("email", "a" * 64 + "@example.org", "a" * 64 + "@example.org"),
        ("telephone", "+44 (0)113 496 0999", "+441134960999"),
        ("telephone", "0113/496.0999", "+441134960999"),
        ("telephone", "\u202a07700\u00a0900‑123\u202c", "+447700900123"),
        ("telephone", "0044 7700 900123", "+447700900123"),
        ("telephone", "+39 06 698 12345", "+390669812345"),
        ("telephone", "0800 1111", "+448001111"),
        ("telephone", "016977 2345", "+44169772345"),
        ("capital", "9999999.99", "9999999.99"),
        ("hours_available", 37.5, 37.5),
        ("hours_available", 40.0, 40),
        ("address", {"lines": ["1 High St", "", "Leeds"], "postcode": "ls14ap"},
         {"lines": ["1 High St", "Leeds"], "postcode": "LS1 4AP"}),
        ("address", {"lines": ["1\u00a0High St", "\u200b", "Leeds"], "postcode": "LS1-4AP"},
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
    assert validate_answer(script.questions, question, value, today=today) == canonical


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("has_partner", "true"), ("has_partner", 1), ("sex", "Q"), ("sex", ["F"]),
        ("surname", ""), ("surname", "   "), ("surname", "A\0B"), ("surname", "A\r\nB"), ("surname", "\ud800"),
        ("surname", "x" * 101), ("surname", "😀"), ("surname", "42"), ("surname", 42), ("job_goal_1", "🙂"),
        ("surname", "\u200b"), ("surname", "\u00a0"), ("surname", "\u3164"), ("surname", "\u2800"), ("surname", "\u200d\u200c"),
        ("surname", "\u202e\u202c"), ("surname", "Hughes\ue000"), ("surname", "Hughes\U00100000"), ("surname", "Hughes\ufffe"),
        ("surname", "A" + "\u0301" * 100), ("surname", "Smith2"), ("surname", "Smith²"),
        ("landlord", "\u0301"), ("landlord", "\u200b\u0301"), ("landlord", "\U00013430"), ("landlord", "\u0378"),
        ("landlord", "\u200b"), ("landlord", "\u2066\u2069"), ("landlord", "\u00ad"), ("landlord", "x\ue000"),
        ("landlord", "-"), ("landlord", "..."), ("landlord", "\u2800\u00a0"), ("landlord", "🙂"),
        ("job_goal_1", "x" * 501),
        ("nino", "QQ123456C"), ("nino", "BG123456A"), ("nino", "AO123456A"), ("nino", "DA123456A"),
        ("nino", "AB123456E"), ("nino", "AB12345C"), ("nino", "ＡＢ123456C"),
        ("telephone", "12"), ("telephone", "+4915123456789012"), ("telephone", "0113 496 0999 ext 5"), ("telephone", "call me"),
        ("telephone", "07700 90O123"), ("telephone", "0113 FLOWERS"), ("telephone", "1111"), ("telephone", "496 0999"),
        ("telephone", "999"), ("telephone", "118118"), ("telephone", "07700 90012"), ("telephone", "+49 30 1"),
        ("telephone", "0113 496 0999 #5"), ("telephone", "0113 496 0999;5"), ("telephone", "0113 496 0999 / 07700 900123"),
        ("telephone", "+54 11 15 2345 6789"), ("telephone", "+7 8 495 123 45 67"), ("telephone", "07700 900١٢٣"),
        ("telephone", "07700 900１２３"), ("telephone", "++44 7700 900123"), ("telephone", "07700 9001²3"),
        ("email", "a@①.com"), ("email", "a@exa１.com"), ("email", "a@b٢.com"),
        ("email", "a@b"), ("email", "a b@example.org"),
        ("email", "a" * 65 + "@example.org"), ("email", "a" * 255),
        ("sort_code", "000000"), ("sort_code", "1234567"), ("account_number", "1234567"),
        ("account_number", "00000000"), ("account_number", "١٢٣٤٥٦٧٨"),
        ("date_of_birth", "1999-02-31"), ("date_of_birth", "2001-02-29"), ("date_of_birth", "01/02/1990"),
        ("date_of_birth", "19900201"), ("date_of_birth", "2026-03-03"), ("date_of_birth", "2010-03-03"),
        ("date_of_birth", "1906-03-02"), ("date_of_birth", "0001-01-01"),
        ("capital", "-1.00"), ("capital", "NaN"), ("capital", "1e3"), ("capital", 12.5),
        ("capital", "1,2,3"), ("capital", "12,50"), ("capital", "1.234,56"), ("capital", "٣"), ("capital", "３"),
        ("capital", "½"), ("capital", "1.005"), ("capital", "-£5"), ("capital", "£"),
        ("capital", "12."), ("capital", ".5"), ("capital", "1 250"),
        ("capital", "£1,250" + " " * 30),
        ("capital", "10000000.00"), ("pension_weekly", "100000.00"),
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
        ("backdate_to", "2026-03-02"), ("available_from", "2026-06-03"),
        ("declaration", False), ("capital", {"gap": "NEVER"}), ("capital", {"gap": "NOT_KNOWN", "more": 1}),
        ("capital", {}), ("capital", []),
    ],
)  # fmt: skip
def test_an_unsound_answer_is_refused_naming_the_question(
    script: Script, today: date, question: str, value: Any
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        validate_answer(script.questions, question, value, today=today)

    assert {question_of(violation.field) for violation in refusal.value.violations} == {question}
    assert all(violation.welsh for violation in refusal.value.violations)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def question_of(field: str) -> str:
    """The question of a violation, without the place in its answer."""
    return field.partition("[")[0].partition(".")[0]


def test_the_places_at_fault_in_an_answer_are_named(script: Script, today: date) -> None:
    children = [
        {"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"},
        {"name": "\u200b", "date_of_birth": "31/01/2015"},
        [],
    ]
    address = {"lines": ["1 High St", "x" * 101, "a\ue000"], "postcode": "nowhere"}

    def fields(question: str, value: Any) -> list[str]:
        with pytest.raises(InvalidArgument) as refusal:
            validate_answer(script.questions, question, value, today=today)
        return [violation.field for violation in refusal.value.violations]

    assert fields("children", children) == [
        "children[1].name", "children[1].date_of_birth", "children[1].relationship", "children[2]",
    ]  # fmt: skip
    assert fields("address", address) == ["address.lines[1]", "address.lines[2]", "address.postcode"]
    assert fields("address", {"lines": ["a"] * 6, "postcode": "LS1 4AP"}) == ["address.lines"]


@pytest.mark.parametrize(("question", "secret"), [("nino", "QQ123456C"), ("surname", "Zzyzx\n"), ("email", "zzyzx@b")])
def test_a_refusal_never_repeats_the_value(script: Script, today: date, question: str, secret: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        validate_answer(script.questions, question, secret, today=today)

    text = f"{refusal.value} {refusal.value.violations}"
    assert secret.strip() not in text


def test_a_person_born_on_29_february_turns_sixteen_on_1_march_in_other_years(script: Script) -> None:
    born = "2008-02-29"

    assert validate_answer(script.questions, "date_of_birth", born, today=date(2024, 2, 29)) == born
    with pytest.raises(InvalidArgument):
        validate_answer(script.questions, "partner_date_of_birth", "2012-02-29", today=date(2028, 2, 28))
    with pytest.raises(InvalidArgument):
        validate_answer(script.questions, "date_of_birth", "2010-03-01", today=date(2026, 2, 28))


def test_three_months_before_31_may_is_the_last_day_of_february(script: Script) -> None:
    assert validate_answer(script.questions, "available_from", "2026-05-31", today=date(2026, 2, 28)) == "2026-05-31"
    with pytest.raises(InvalidArgument):
        validate_answer(script.questions, "available_from", "2026-06-01", today=date(2026, 2, 28))


CHILD = {"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"}
LODGER = {"relationship": "LODGER"}


@pytest.mark.parametrize(
    ("question", "value", "field"),
    [
        ("address", {"lines": ["a", "b"], "postcode": "nowhere"}, "address.postcode"),
        ("address", {"lines": "a", "postcode": "LS1 4AP"}, "address.lines"),
        ("address", {"lines": ["a"], "postcode": "LS1 4AP"}, "address.lines"),
        ("address", {"lines": ["a", "", "b\n"], "postcode": "LS1 4AP"}, "address.lines[2]"),
        ("children", [CHILD, {**CHILD, "name": "7"}], "children[1].name"),
        ("children", [{**CHILD, "name": None}], "children[0].name"),
        ("children", [CHILD, CHILD, "Mia"], "children[2]"),
        ("children", [CHILD, {**CHILD, "date_of_birth": "1984-02-29"}], "children[1].date_of_birth"),
        ("non_dependants", [{**LODGER, "date_of_birth": "2015-01-31"}], "non_dependants[0].date_of_birth"),
        ("children", "Mia", "children"),
    ],
)
def test_a_fault_is_told_with_its_place_in_the_answer(
    script: Script, today: date, question: str, value: Any, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        validate_answer(script.questions, question, value, today=today)

    assert [violation.field for violation in refusal.value.violations] == [field]


def test_a_value_outside_an_interview_is_refused_naming_its_field() -> None:
    with pytest.raises(InvalidArgument, match="caller_nino"):
        read_field("caller_nino", read_nino, "QQ123456C")
    assert read_field("nino", read_nino, "ab123456c") == "AB123456C"


LIMITED = [
    "surname",
    "nino",
    "telephone",
    "email",
    "sort_code",
    "account_number",
    "date_of_birth",
    "capital",
    "landlord",
]


@pytest.mark.parametrize("question", LIMITED)
@pytest.mark.parametrize("character", ["a", "1", " ", "\u0301", "\u200b"])
def test_a_value_is_refused_by_its_length_before_anything_else(
    script: Script, today: date, question: str, character: str
) -> None:
    most = script.questions[question].limits.max_length or 0

    def is_too_long(length: int) -> bool:
        try:
            validate_answer(script.questions, question, character * length, today=today)
        except InvalidArgument as refusal:
            return refusal.violations[0].description == f"is longer than {most} characters"
        return False

    assert is_too_long(most + 1)
    assert not is_too_long(most)


def test_the_limits_that_clients_are_told_are_those_that_are_held(script: Script, today: date) -> None:
    for question in script.questions.values():
        limits = question.limits
        if limits.maximum is not None:
            over = float(limits.maximum) + 1
            given = over if limits.max_length is None else f"{over:.2f}"
            with pytest.raises(InvalidArgument):
                validate_answer(script.questions, question.id, given, today=today)
        if limits.max_entries is not None:
            entry = {} if question.fields else "a"
            value: Any = [entry] * (limits.max_entries + 1)
            is_list = bool(question.fields or question.choices)
            with pytest.raises(InvalidArgument, match=question.id) as refusal:
                validate_answer(
                    script.questions,
                    question.id,
                    value if is_list else {"lines": value, "postcode": "LS1 4AP"},
                    today=today,
                )
            assert str(limits.max_entries) in refusal.value.violations[0].description


SEPARATORS = " \u00a0\t\u2009\u200b\u2060\u202c-\u2010\u2011\u2013\u2014\u2212./\u2044"


def spread(text: str) -> st.SearchStrategy[str]:
    """The text with separators of any kind between its characters."""
    gaps = st.lists(st.text(SEPARATORS, max_size=2), min_size=len(text), max_size=len(text))
    return gaps.map(lambda between: "".join(a + b for a, b in zip(text, between, strict=True))[: values.MAXIMUM_CODE])


@given(data=st.data(), question=st.sampled_from(["nino", "sort_code", "account_number", "telephone", "date_of_birth"]))
def test_the_digits_that_go_in_come_out(data: Any, question: str, script: Script, today: date) -> None:
    shapes = {
        "nino": "[A-Za-z]{2}[0-9]{6}[A-Da-d]",
        "sort_code": "[0-9]{6}",
        "account_number": "[0-9]{8}",
        "telephone": r"(0|\+44|0044|44|\+44 ?\(0\)|\+[1-9][0-9]|)[1-9][0-9]{2,10}",
        "date_of_birth": "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}",
    }
    given_text = data.draw(st.from_regex(shapes[question], fullmatch=True).flatmap(spread))
    try:
        canonical = str(validate_answer(script.questions, question, given_text, today=today))
    except InvalidArgument:
        return

    before, after = digits(given_text), digits(canonical)
    if question == "telephone":
        national = after.removeprefix("44") if canonical.startswith("+44") else after
        assert before.removesuffix(national).strip("0") in ("", "44")
        assert before.endswith(national)
    else:
        assert before == after


@given(
    given_text=st.text(st.characters(codec="utf-8"), max_size=30), question=st.sampled_from(["telephone", "sort_code"])
)
@example(given_text="0113 496 099９", question="telephone")
def test_no_other_digit_or_letter_becomes_a_digit(given_text: str, question: str, script: Script, today: date) -> None:
    try:
        canonical = str(validate_answer(script.questions, question, given_text, today=today))
    except InvalidArgument:
        return

    assert not any(character.isalnum() and not "0" <= character <= "9" for character in given_text)
    assert digits(canonical).endswith(digits(given_text).lstrip("0").removeprefix("44").lstrip("0"))


@given(
    pounds=st.decimals(0, 9_999_999, places=2), written=st.sampled_from(["{:.2f}", "£{:.2f}", "{:,.2f}", "£ {:,.2f} "])
)
def test_an_amount_keeps_its_worth(pounds: Decimal, written: str, script: Script, today: date) -> None:
    assert Decimal(str(validate_answer(script.questions, "capital", written.format(pounds), today=today))) == pounds


def digits(text: str) -> str:
    return "".join(re.findall("[0-9]", text))


@given(data=st.data(), value=json_values)
def test_the_canonical_form_of_any_value_is_canonical(data: Any, value: Any, script: Script, today: date) -> None:
    question = data.draw(st.sampled_from(sorted(script.questions)))
    try:
        canonical = validate_answer(script.questions, question, value, today=today)
    except InvalidArgument:
        return

    assert validate_answer(script.questions, question, canonical, today=today) == canonical
    assert canonical is None or is_gap(canonical) or value is not None
