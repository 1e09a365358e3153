"""The outside records as data have every field of the copybooks, and none besides."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import legacy_gateway
from chassis import outside
from cms.common.v1 import common_pb2
from legacy_gateway.records import FILLER, Kind, layout

DOCUMENTS = Path(__file__).parents[3] / "docs" / "interfaces"
IN_COPYBOOKS = sorted(name for name in outside.records() if name.isupper() and name != "CLMCOMN")
_SCHEMES = common_pb2.Scheme.DESCRIPTOR.values_by_name


@pytest.mark.parametrize("name", IN_COPYBOOKS)
def test_a_record_has_every_field_of_its_copybook_and_none_besides(name: str) -> None:
    fields = {field.name for field in layout(name).walk() if field.kind is not Kind.GROUP and field.name != FILLER}

    assert outside.records()[name].fields.keys() == fields


@pytest.mark.parametrize("name", IN_COPYBOOKS)
def test_a_record_names_the_tables_of_its_copybook(name: str) -> None:
    within = {
        field.name: group.name
        for group in layout(name).walk()
        if group.occurs and group.fields
        for field in group.fields
    }

    assert {name: field.table for name, field in outside.records()[name].fields.items() if field.table} == within


def test_every_record_that_carries_a_claim_is_there() -> None:
    assert {"ISCS-CLAIM", "JSAPS-ES", "JSAPS-BA", "PSCS-DETAIL", "SFCS-LOAN"} <= set(IN_COPYBOOKS)


def paths(document: str, prefix: str) -> set[str]:
    """The paths of fields in the notation of the interface documents: `a, b{c, d[]}, e[{f}]`."""
    found: set[str] = set()
    within: list[str] = []
    for name, closing in re.findall(r"([a-z_]+)|([{}])", re.sub(r"\([^)]*\)", "", document)):
        if name:
            last = ".".join([prefix, *within, name])
            found.add(last)
        elif closing == "{":
            found.discard(last)
            within.append(last.rsplit(".", 1)[-1])
        else:
            within.pop()
    return found


def test_the_application_for_child_maintenance_has_the_fields_of_the_document() -> None:
    text = (DOCUMENTS / "legacy.md").read_text(encoding="utf-8")
    fields = re.search(r"JSON fields: `([^`]+)`", text)

    assert fields is not None
    assert outside.records()["cots"].fields.keys() == paths(fields[1], "cots")


def test_the_application_has_the_fields_of_its_schema() -> None:
    schema = json.loads((Path(legacy_gateway.__file__).parent / "copybooks" / "cms-cots.schema.json").read_text())

    assert outside.records()["cots"].fields.keys() == set(of_schema(schema, "cots"))


def of_schema(schema: dict[str, Any], path: str) -> Iterator[str]:
    """The paths of everything in a JSON schema that holds a value or a list of values."""
    below = schema.get("properties") or schema.get("items", {}).get("properties")
    if below is None:
        yield path
    else:
        for name, one in below.items():
            yield from of_schema(one, f"{path}.{name}")


def test_the_notice_has_the_fields_of_the_document() -> None:
    text = (DOCUMENTS / "local-authority.md").read_text(encoding="utf-8")
    fields = re.search(r"Fields \(JSON\): `([^`]+)`", text)

    assert fields is not None
    whole = re.sub(r"partner\?", "partner{nino?,surname,forenames,date_of_birth}", fields[1])
    assert outside.records()["notice"].fields.keys() == paths(whole, "notice")


def test_every_edit_rule_of_the_document_is_there_with_its_fields() -> None:
    rows = re.findall(
        r"^\| ((?:\.\.|[A-Z]{2})[0-9]{4}) \| ([A-Z*, -]+) \|",
        (DOCUMENTS / "legacy.md").read_text(encoding="utf-8"),
        re.M,
    )
    rules = {rule.code: rule for rule in outside.edit_rules().rules}

    assert len(rows) == 27
    for code, fields in rows:
        for name in fields.split(", "):
            pattern = name.replace("*", ".*")
            assert any(re.fullmatch(pattern, field) for field in rules[code].fields), f"{code} lacks {name}"


def test_every_rule_of_a_record_names_a_field_of_it() -> None:
    for record in outside.records().values():
        for rule in outside.edit_rules().rules:
            if record.part and rule.concerns(record.part) and rule.code != "ES0030":
                assert record.fields.keys() & set(rule.fields), f"{rule.code} names no field of {record.name}"


def test_limits_change_on_their_day() -> None:
    limit = outside.edit_rules().limit("capital_limit")
    first, second = limit.rows

    assert limit.on(second.first_day) == second.value
    assert limit.on(second.first_day.replace(day=second.first_day.day - 1)) == first.value


def test_schemes_are_those_of_the_contract() -> None:
    known = {name.removeprefix("SCHEME_") for name in _SCHEMES}
    assert {scheme for record in outside.records().values() for scheme in record.schemes} <= known
