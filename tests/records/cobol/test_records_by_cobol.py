"""The gateway's records equal those of a COBOL program that is compiled from the same copybooks."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cms_local.cases import load_cases, random_nino
from legacy_gateway import link, mapping
from legacy_gateway.domain import System
from legacy_gateway.mapping import writing
from legacy_gateway.records import Kind, Record, decode, encode, layout, layouts
from simulators.record_link.copybook import read_layouts

pytestmark = pytest.mark.needs("cobc")

LENGTHS = {
    "LINK-HEADER": 78,
    "LINK-REPLY": 402,
    "ISCS-CLAIM": 925,
    "JSAPS-ES": 726,
    "JSAPS-BA": 503,
    "SFCS-LOAN": 497,
    "ENQUIRY": 26,
    "RECON-REQUEST": 13,
    "RECON-PAGE": 3824,
    "PSCS-RECORD": 1000,
    "PSCS-HEADER": 1000,
    "PSCS-DETAIL": 1000,
    "PSCS-TRAILER": 1000,
    "PSCS-RSP-HEADER": 200,
    "PSCS-RSP-DETAIL": 200,
    "PSCS-RSP-TRAILER": 200,
}
"""Lengths in bytes, from docs/interfaces/legacy.md."""
RECORDS = sorted(LENGTHS)
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 '-,./&()£$!\"[]^~|¬@#ÂÊÎÔÛŴŶÉÖÜß¦"
"""Includes characters that code page 285 has in places of its own, and two that it lacks."""
WRITABLE = [character for character in CHARACTERS if character not in "ŴŶ"]


def test_every_layout_has_the_length_of_the_interface_document(cobol: Any) -> None:
    assert {name: record.length for name, record in layouts().items()} == LENGTHS
    assert {name: cobol.length(name) for name in layouts()} == LENGTHS


def test_every_field_lies_where_cobol_puts_it(cobol: Any, places: Any) -> None:
    for record in layouts().values():
        read = {place.reference: place.extent for place in places(record.fields)}
        told = {name: extent for name, extent in cobol.extents[record.name].items() if name != record.name}
        assert read == told, record.name


def test_the_stand_in_reads_every_field_where_cobol_puts_it(cobol: Any, copybooks: Path) -> None:
    names = [path.name for path in sorted(copybooks.glob("*.cpy")) if path.stem != "common"]
    for record in read_layouts(copybooks, *names).values():
        read = {
            f"{field.name}({number})" if field.occurs else field.name: (place.start, place.stop - place.start)
            for field in record.fields.values()
            for number, place in enumerate(field.places, start=1)
        }
        told = {name: (one.offset, one.length) for name, one in cobol.extents[record.name].items()}
        assert read | {record.name: (0, record.length)} == told, record.name


@pytest.mark.parametrize("name", RECORDS)
def test_generated_values_give_the_same_bytes_in_cobol(cobol: Any, name: str) -> None:
    source = random.Random(f"{name} 2005-07-18")
    values = [generated(source, layout(name)) for _ in range(60)]

    built = cobol.build(layout(name), values)

    assert [encode(layout(name), one) for one in values] == built
    assert [written(decode(layout(name), one), layout(name)) for one in built] == [
        written(one, layout(name)) for one in values
    ]


def generated(source: random.Random, record: Record) -> dict[str, Any]:
    """Makes values of every kind, with the least and the greatest; about one in eight is absent."""
    return {field.name: _value(source, field) for field in _named(record) if source.random() < 0.88}


def _named(record: Record) -> list[Any]:
    """Lists the items that a record's values name: fields, tables, and groups that are tables."""
    inside = {below.name for field in record.walk() if field.occurs for below in field.fields}
    return [
        field
        for field in record.walk()
        if field.name not in inside | {"FILLER"} and (field.kind is not Kind.GROUP or field.occurs)
    ]


def _value(source: random.Random, field: Any) -> Any:
    if field.occurs is None:
        return _entry(source, field)
    return [_entry(source, field) for _ in range(source.randrange(field.occurs + 1))]


def _entry(source: random.Random, field: Any) -> Any:
    if field.kind is Kind.GROUP:
        return {below.name: _entry(source, below) for below in field.fields}
    if field.kind is Kind.TEXT:
        length = source.choice([field.length, source.randrange(field.length + 1)])
        return "".join(source.choices(WRITABLE, k=length)).rstrip()
    greatest = 10**field.digits - 1
    number = source.choice([0, 1, greatest, source.randrange(greatest + 1)])
    signed = -number if field.kind is Kind.PACKED and source.random() < 0.5 else number
    return Decimal(signed).scaleb(-field.scale) if field.scale else signed


def written(values: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """Fills in blanks and zeros for absent values, as a record shows them."""
    return decode(record, encode(record, values))


Record_ = tuple[Record, Mapping[str, Any], bytes]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[Record_]:
    """Lists every record that the gateway encodes, with its values and its bytes."""
    seen: list[Record_] = []

    def recording(record: Record, values: Mapping[str, Any]) -> bytes:
        seen.append((record, values, encode(record, values)))
        return seen[-1][2]

    monkeypatch.setattr(writing, "encode", recording)
    monkeypatch.setattr(link.frames, "encode", recording)
    return seen


def test_records_of_every_demo_case_of_jsaps_equal_those_of_cobol(
    cobol: Any, encoded: list[Record_], interviews: Any, case_of: Callable[..., mapping.Case]
) -> None:
    sent_at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    cases = [case for case in load_cases(interviews.today) if case.schemes == ("JOBSEEKERS_ALLOWANCE",)]
    for number, case in enumerate(cases):
        said = {"nino": random_nino(random.Random(number)), "language": case.language, **case.answers}
        made = case_of(interviews.of_answers({**said, **case.amend_before, **case.correct}))
        for phase in (1, 2):
            payload = mapping.build(System.JSAPS, phase, made)
            dialogue, transfer_id = ("ES504", "BA504")[phase - 1], f"{number:025}{phase}"
            link.request_frame(dialogue, transfer_id, payload, sent_at=sent_at, sequence=number)

    for name in ("JSAPS-ES", "JSAPS-BA", "LINK-HEADER"):
        of_kind = [(values, payload) for record, values, payload in encoded if record.name == name]
        assert len(of_kind) >= 20
        assert cobol.build(layout(name), [values for values, _ in of_kind]) == [payload for _, payload in of_kind]


@pytest.mark.parametrize(
    "claimed", ["INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT", "CRISIS_LOAN"], indirect=True
)
def test_records_of_interviews_for_every_benefit_equal_those_of_cobol(
    cobol: Any, encoded: list[Record_], claimed: Any
) -> None:
    for seed in range(12):
        *_, answers = claimed.interviews.at_random(seed)
        for phase in mapping.sources(claimed.system).phases:
            with suppress(mapping.Unfit):  # a gap, or more than the record holds
                mapping.build(claimed.system, phase.number, claimed.case(answers))

    for phase in mapping.sources(claimed.system).phases:
        of_kind = [(values, payload) for record, values, payload in encoded if record.name == phase.record]
        assert len(of_kind) >= 5
        built = cobol.build(layout(phase.record), [values for values, _ in of_kind])
        assert built == [payload for _, payload in of_kind]


def test_a_reply_that_cobol_builds_is_read_correctly(cobol: Any) -> None:
    message = {"LR-MSG-CODE": "ES0020", "LR-MSG-FIELD": "JE-HOURS-AVAILABLE", "LR-MSG-TEXT": "UNDER 40.0"}
    values = {
        "LR-EYECATCHER": "RPLY",
        "LR-TRANSFER-ID": "0123456789ABCDEFGHIJKLMNOP",
        "LR-COMPLETION": "R",
        "LR-MESSAGE-COUNT": 1,
        "LR-MESSAGE": [message],
    }

    [built] = cobol.build(layout("LINK-REPLY"), [values])

    reply = link.read_reply(built)
    assert (reply.transfer_id, reply.completion, reply.legacy_ref) == (values["LR-TRANSFER-ID"], "R", "")
    assert reply.messages == (link.LinkMessage(code="ES0020", field="JE-HOURS-AVAILABLE", text="UNDER 40.0"),)
