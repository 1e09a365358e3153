"""The gateway's edit rules find what a system's own find: both are written from the interface document, apart."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis import outside
from legacy_gateway.mapping.edit_rules import NOT_IN_A_RECORD, RULES, Examined, broken_rules
from legacy_gateway.records import Kind, Record, decode, encode, layout

RECORDS = ["ISCS-CLAIM", "JSAPS-ES", "JSAPS-BA", "SFCS-LOAN", "PSCS-DETAIL"]
SENT_ON = date(2006, 5, 1)
DATES = [0, 20050229, 18860501, 19000101, 19900409, 19900410, 19900502, 20060109, 20060110, 20060402, 20060403]
DATES += [20060409, 20060410, 20060430, 20060501, 20060502]
NAMES = ["", "SMITH", "O'BRIEN", "O' BRIEN", "-SMITH", "SMITH-", "A--B", "VAN DER BERG", "GROSS1", "SIÂN"]
LINES = ["", "1 HIGH STREET", "FLAT 2; REAR", "A,B.C'D-E/F&G(H)"]
TEXTS: Mapping[str, list[str]] = {
    "CM-NINO": ["AB123400C", "AB123419C", "AB123420C", "AB123499D", "GB123456A", "AO123456A", "QQ123456A", "AB12345A"],
    "CM-SURNAME": NAMES,
    "CM-FORENAMES": NAMES,
    "CM-PARTNER-SURNAME": NAMES,
    "CM-ADDRESS-LINE": LINES,
    "CM-ACCOUNT-NAME": LINES,
    "CM-POSTCODE": ["AL3 5SA", "EC1A 1AA", "ALBANS", "AL35SA", "AL3  5SA", ""],
    "CM-LA-CODE": ["E06000001", "N09000002", "K04000001", "E0600000", ""],
    "CM-OFFICE-CODE": ["100123", "10012A", ""],
    "CM-PARTNER-FLAG": ["Y", "N", "X", ""],
    "CM-PARTNER-NINO": ["", "AB123456C"],
    "IS-GROUP": ["LP", "PR"],
    "JE-RESTRICTIONS": ["", "CARING"],
    "JE-LAST-JOB-REASON": ["NW", "RD"],
    "JB-BASIS": ["C", "I", "B"],
    "JB-RAPID-RECLAIM": ["Y", "N", "L"],
    "PD-EMPLOYMENT": ["E", "U"],
    "PD-SSP-REASON": ["", "NE"],
    "SF-REASON": ["AF", "DI"],
    "SF-INTERIM-CONSIDERED": ["Y", "N", ""],
    "IS-CHILD-NAME": ["", "KYLE"],
    "IS-CHILD-DISABLED": ["", "N"],
    "IS-INC-KIND": ["", "EMP"],
    "IS-INC-PERIOD": ["", "W"],
}
MONEY = [
    "0.00",
    "0.01",
    "500.00",
    "999.99",
    "1000.00",
    "1500.00",
    "8000.00",
    "8000.01",
    "16000.00",
    "16000.01",
    "-0.01",
]
HOURS = ["0.0", "15.9", "16.0", "23.9", "24.0", "39.9", "40.0"]
NUMBERS = {"CM-SORT-CODE": [0, 200000], "CM-ACCOUNT-NUMBER": [0, 55779911], "JB-WAITING-DAYS": [0, 3, 5]}


def values_of(field: Any) -> st.SearchStrategy[Any]:
    """Values on both sides of the lines that the rules draw, within what the field can hold."""
    if field.kind is Kind.GROUP:
        entry = st.fixed_dictionaries({below.name: values_of(below) for below in field.fields})
        return st.lists(entry, max_size=3)
    if field.kind is Kind.TEXT:
        one: st.SearchStrategy[Any] = st.sampled_from(TEXTS.get(field.name, [""]))
        return st.lists(one, min_size=field.occurs, max_size=field.occurs) if field.occurs else one
    if field.digits == 8 and field.kind is Kind.ZONED and field.name not in NUMBERS:
        return st.sampled_from(DATES)
    if field.scale == 1:
        return st.sampled_from([Decimal(one) for one in HOURS])
    if field.scale:
        return st.sampled_from([Decimal(one) for one in MONEY if abs(Decimal(one)) < 10 ** (field.digits - 2)])
    return st.sampled_from(NUMBERS.get(field.name, [0, 1, 2, 3, 5, 9])[: 10**field.digits])


def records_of(record: Record) -> st.SearchStrategy[dict[str, Any]]:
    within = {below.name for field in record.walk() if field.occurs for below in field.fields}
    named = [
        field for field in record.walk() if field.name not in within | {"FILLER"} and (field.occurs or not field.fields)
    ]
    return st.fixed_dictionaries({field.name: values_of(field) for field in named})


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_gateway_finds_the_rules_that_a_system_finds_broken(
    name: str, data: st.DataObject, *, objections: Callable[[str, bytes, date], set[str]]
) -> None:
    payload = encode(layout(name), data.draw(records_of(layout(name))))

    examined = Examined(values=decode(layout(name), payload), sent_on=SENT_ON)
    found = list(broken_rules(outside.records()[name].part, examined))

    assert {broken.code for broken in found} == objections(name, payload, SENT_ON)
    assert {broken.field for broken in found} <= outside.records()[name].fields.keys()


def test_every_edit_rule_is_run_or_is_of_what_no_record_shows() -> None:
    assert RULES.keys() | NOT_IN_A_RECORD == {rule.code for rule in outside.edit_rules().rules}
    assert not RULES.keys() & NOT_IN_A_RECORD
