"""The schema of an application to CMS-COTS: it has the fields of the interface, and names what does not fit."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import legacy_gateway
from chassis import outside
from legacy_gateway.records import RecordError, check_document
from simulators.cots.application import problems
from simulators.cots.testing import good_application

SCHEMA = json.loads((Path(legacy_gateway.__file__).parent / "copybooks" / "cms-cots.schema.json").read_text())


def leaves(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if "properties" in schema:
        for name, below in schema["properties"].items():
            yield from leaves(below, f"{path}.{name}")
    elif "properties" in schema.get("items", {}):
        yield from leaves(schema["items"], path)
    else:
        yield path


def test_schema_has_the_fields_of_the_interface_and_no_other() -> None:
    assert set(leaves(SCHEMA, "cots")) == set(outside.records()["cots"].fields)


def test_good_application_fits_and_the_package_takes_it() -> None:
    application = good_application()

    check_document("cots", application)

    assert problems(application, key=application["transfer_id"], received_on=date(2005, 7, 11)) == []


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good application with another value there; None takes it away."""
    whole = deepcopy(good_application())
    *above, last = path.split(".")
    within: Any = whole
    for part in above:
        within = within[int(part) if part.isdecimal() else part]
    if value is None:
        del within[last]
    else:
        within[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "field", "description"),
    [
        ("applicant.nino", "BG123456A", "cots.applicant.nino", "is not of the form that the system takes"),
        ("applicant.nino", None, "cots.applicant.nino", "is missing"),
        ("applicant.date_of_birth", "1980-02-30", "cots.applicant.date_of_birth", "is not a date"),
        ("applicant.surname", "", "cots.applicant.surname", "is empty"),
        ("applicant.address", [], "cots.applicant.address", "has no entry"),
        ("applicant.language", "FR", "cots.applicant.language", "is not one of the values that the system knows"),
        ("children.0.nights_per_year", 367, "cots.children.nights_per_year", "is more than the system takes"),
        ("children.0.nights_per_year", -1, "cots.children.nights_per_year", "is less than the system takes"),
        (
            "children.0.nights_per_year",
            1.5,
            "cots.children.nights_per_year",
            "is not of the kind that the system takes",
        ),
        ("children", [], "cots.children", "has no entry"),
        ("opening_arrears", 350, "cots.opening_arrears", "is not of the kind that the system takes"),
        ("bank.account_number", None, "cots.bank.account_number", "is missing"),
        ("claim_ref", "C" * 13, "cots.claim_ref", "is longer than the system takes"),
        ("applicant.shoe_size", "44", "cots.applicant", "has a field that the system does not know"),
    ],
)
def test_a_field_that_does_not_fit_is_named_without_its_value(
    path: str, value: Any, field: str, description: str
) -> None:
    with pytest.raises(RecordError) as raised:
        check_document("cots", changed(path, value))

    assert [(one.field, one.description) for one in raised.value.violations] == [(field, description)]
    assert "BG123456A" not in str(raised.value)


def test_every_fault_is_told() -> None:
    application = changed("applicant.nino", "x") | {"role": "FATHER", "children": [{"name": "Ann"}]}

    with pytest.raises(RecordError) as raised:
        check_document("cots", application)

    assert {one.field for one in raised.value.violations} == {
        "cots.applicant.nino",
        "cots.role",
        "cots.children.date_of_birth",
        "cots.children.nights_per_year",
    }
