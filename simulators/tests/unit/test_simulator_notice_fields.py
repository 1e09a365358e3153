"""A notice against the fields of the interface."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from simulators.councils.notice_fields import load_notice_fields
from simulators.errors import ConfigurationError
from simulators.testing import good_notice

DAY = date(2026, 11, 23)
FIELDS = load_notice_fields()
CLAIM = {
    "kind": "CLAIM",
    "version": 2,
    "supersedes": 1,
    "claim_on": "2026-11-24",
    "proof_due_on": "2026-12-24",
    "household": [{"relationship": "SON", "date_of_birth": "2010-01-31", "non_dependant": False}],
    "income": [{"kind": "EMP", "amount": "12.50", "period": "W"}],
    "capital_band": "UNDER_6000",
}


def faults(**changes: Any) -> list[str]:
    return [field for field, _ in FIELDS.problems(good_notice(DAY, **changes))]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"claimant": {"surname": "Siân", "forenames": "李", "date_of_birth": "2000-02-29"}},
        {"partner": {"surname": "Smith", "forenames": "Ann", "date_of_birth": "1990-01-01"}},
        CLAIM,
        CLAIM | {"household": [], "income": []},
        {"kind": "AWARD", "award": {"benefit": "JSA_IB", "outcome": "AWARDED", "from": "2026-11-20"}},
        {"kind": "WITHDRAWN", "claimant": None, "address": None, "tenancy": None, "benefit": None},
        {"version": 4, "supersedes": 3},
    ],
)
def test_a_notice_that_is_right_is_taken(changes: dict[str, Any]) -> None:
    assert faults(**changes) == []


@pytest.mark.parametrize("kind", ["INTENTION", "CLAIM", "CHANGE"])
@pytest.mark.parametrize("field", ["claim_ref", "benefit", "seeks", "first_contact_on", "claim_due_on", "address"])
def test_a_missing_field_is_named(kind: str, field: str) -> None:
    assert faults(**(CLAIM | {"kind": kind, field: None})) == [field]


@pytest.mark.parametrize("field", ["claim_on", "proof_due_on", "household", "income", "capital_band"])
def test_a_claim_has_the_full_particulars(field: str) -> None:
    assert faults(**(CLAIM | {field: None})) == [field]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "RUMOUR"}),
        ("benefit", {"benefit": "UC"}),
        ("seeks", {"seeks": "ALL"}),
        ("version", {"version": 0}),
        ("version", {"version": True, "supersedes": 0}),
        ("supersedes", {"version": 3, "supersedes": 1}),
        ("supersedes", {"version": 2}),
        ("supersedes", {"supersedes": "0"}),
        ("claimant.nino", {"claimant": good_notice(DAY)["claimant"] | {"nino": None}}),
        ("partner.forenames", {"partner": {"surname": "Smith", "date_of_birth": "1990-01-01"}}),
        ("partner.title", {"partner": good_notice(DAY)["claimant"] | {"title": "MS"}}),
        ("first_contact_on", {"first_contact_on": "2026-02-31"}),
        ("first_contact_on", {"first_contact_on": "20261123"}),
        ("claim_ref", {"claim_ref": "C0123456789I"}),
        ("address.postcode", {"address": {"lines": ["1"], "postcode": "LEEDS"}}),
        ("address.lines[1]", {"address": {"lines": ["1", 2], "postcode": "LS1 4AP"}}),
        ("tenancy.rent_amount", {"tenancy": {"kind": "PRIVATE", "rent_amount": 85.5}}),
        ("claimant.surname", {"claimant": {"forenames": "A", "date_of_birth": "1980-01-01"}}),
        ("income[0].amount", {"income": [{"kind": "EMP", "amount": "1.234", "period": "W"}]}),
        ("household[0]", {"household": ["SON"]}),
        ("tenancy", {"tenancy": []}),
        ("bank", {"bank": {"sort_code": "123456"}}),
        ("claimant.account_number", {"claimant": good_notice(DAY)["claimant"] | {"account_number": "1"}}),
        ("incapacity", {"incapacity": "back"}),
        ("household[0].illness", {"household": [{"relationship": "SON", "non_dependant": False, "illness": "x"}]}),
    ],
)
def test_a_broken_or_foreign_field_is_named_by_its_path(field: str, changes: dict[str, Any]) -> None:
    assert faults(**changes) == [field]


@pytest.mark.parametrize("body", [None, [], "notice", 3])
def test_a_body_that_is_no_object_is_no_notice(body: object) -> None:
    assert len(FIELDS.problems(body)) == 1


def test_a_fault_never_tells_the_value() -> None:
    found = FIELDS.problems(good_notice(DAY, benefit="CANARY", first_contact_on="CANARY", claim_ref="CANARY"))

    assert len(found) == 3
    assert "CANARY" not in str(found)


def test_a_fields_file_that_breaks_the_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fields.toml"
    path.write_text('[kind]\ntype = "colour"\n')

    with pytest.raises(ConfigurationError, match=r"fields\.toml"):
        load_notice_fields(path)
