"""Refusals are shown in our own words for the rule, and never in words that could quote the record."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import outside
from legacy_gateway import mapping
from legacy_gateway.domain import System
from legacy_gateway.records import layout

RULES = Path(__file__).parents[3] / "docs" / "interfaces" / "legacy.md"
PARTS = ("ES", "BA")
FIELDS = {
    field.name for name in ("LINK-HEADER", "ENQUIRY", "JSAPS-ES", "JSAPS-BA") for field in layout(name).walk()
} | {""}
WORDS = {*(rule.refusal for rule in outside.edit_rules().rules), mapping.UNKNOWN_RULE, mapping.NO_RULE_NAMED}


def rules_of_the_document() -> list[str]:
    """The codes that the interface document gives for JSAPS's two records."""
    rows = re.findall(r"^\| (\.\.|ES|BA)([0-9]{4}) \|", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    return [part + number for prefix, number in rows for part in (PARTS if prefix == ".." else (prefix,))]


@pytest.mark.parametrize("code", [*rules_of_the_document(), "ES0013", "BA0013", "ES0030", "ES0031", "LK0003"])
def test_every_rule_of_the_document_has_a_message(code: str) -> None:
    message = mapping.refusal_message(System.JSAPS, code=code, field="CM-SURNAME")

    assert (message.code, message.field, message.question_id) == (code, "CM-SURNAME", "surname")
    assert message.text not in {mapping.UNKNOWN_RULE, mapping.NO_RULE_NAMED}


def test_the_document_has_rules_for_both_records() -> None:
    assert {"ES0001", "BA0001", "ES0021", "BA0022"} <= set(rules_of_the_document())


def test_a_rule_that_only_the_system_knows_is_shown_by_its_code() -> None:
    message = mapping.refusal_message(System.JSAPS, code="ES0090", field="CM-TITLE")

    assert (message.code, message.field, message.question_id, message.text) == (
        "ES0090",
        "CM-TITLE",
        "title",
        mapping.UNKNOWN_RULE,
    )


@pytest.mark.parametrize("code", ["", "CANARY", "CA0001", "ES001", "ES00011", "ES٠٠٠١", "IS0020", "es0020", "GW0001"])
def test_a_code_that_is_not_a_rule_is_not_shown(code: str) -> None:
    message = mapping.refusal_message(System.JSAPS, code=code, field="FILLER")

    assert (message.code, message.field, message.text) == ("GW0003", "", mapping.NO_RULE_NAMED)


@given(code=st.text(max_size=6) | st.from_regex("[A-Z]{2}[0-9]{4}", fullmatch=True), field=st.text(max_size=24))
def test_messages_come_from_closed_lists(code: str, field: str) -> None:
    message = mapping.refusal_message(System.JSAPS, code=code, field=field)

    assert re.fullmatch("(ES|BA|LK|GW)[0-9]{4}", message.code)
    assert message.field in FIELDS
    assert message.text in WORDS
