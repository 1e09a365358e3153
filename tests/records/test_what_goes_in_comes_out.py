"""An answer that an operator types comes out in the paying system's record and in the council's notice, digit for digit."""

from collections.abc import Mapping
from typing import Any

import pytest

from la_notifier.clients import facts_of
from la_notifier.data import disclosure
from la_notifier.domain.content import content_of
from legacy_gateway import mapping
from legacy_gateway.domain import System
from simulators.jsaps import JSAPS
from simulators.record_link.link import Link
from simulators.record_link.record import decode

CLAIM: dict[str, Any] = {
    "language": "EN",
    "surname": "O\u2019Neill\u200b-\u202aHughes\u202c",
    "forenames": "Sia\u0302n \u00a0Mair",
    "date_of_birth": "1980 / 02 / 29",
    "sex": "F",
    "nino": "ab\u201312\u00a034.56/c",
    "arrived_recently": False,
    "address": {"lines": ["12\u00bd Mill\u2003Lane", "Flat \u2461 14", "Leeds"], "postcode": "ls1\u20113ab"},
    "telephone": "+44 (0)113\u2013496\u00a00999",
    "has_partner": False,
    "children": [],
    "ever_worked": False,
    "part_time_hours": 0,
    "part_time_earnings": "0",
    "earlier_claim": "NONE",
    "wishes_backdating": False,
    "available_from": "2026.03.02",
    "actively_seeking": True,
    "hours_available": 40,
    "job_goal_1": "Shift 12\u00bd, line 3\u00b2",
    "education_hours": 0,
    "jury_service": False,
    "other_income": [{"kind": "OTHER", "amount": "\u00a31,050.5", "period": "MONTHLY"}],
    "capital": "\u00a3 1,234.5",
    "pension_weekly": "0",
    "has_account": True,
    "sort_code": "00\u201301.02",
    "account_number": "0000 0012",
    "account_name": "S\u00eean 007",
    "roll_number": "0012/34-5",
    "tenure": "PRIVATE_TENANT",
    "liable_for_rent": True,
    "liable_for_council_tax": True,
    "wishes_housing_benefit": True,
    "wishes_council_tax_benefit": False,
    "landlord": "\u0662\u0661 \u01e6ulf & S\u00f8n \u2460",
    "rent_amount": "\u00a31,250",
    "rent_period": "MONTHLY",
    "moved_in_on": "2020\u201302\u201301",
    "non_dependants": [],
    "declaration": True,
}


@pytest.fixture(scope="module")
def record(interviews: Any, case_of: Any, copybooks: Any) -> Mapping[str, Any]:
    """The records of both phases as the stand-in reads them."""
    case = case_of(interviews.of_answers(CLAIM | {"available_from": interviews.today.isoformat()}))
    link, found = Link(JSAPS, copybooks), dict[str, Any]()
    for phase, layout in ((1, "JSAPS-ES"), (2, "JSAPS-BA")):
        decoded = decode(link.layout(layout), mapping.build(System.JSAPS, phase, case))
        assert not decoded.unreadable
        found |= decoded.values
    return found


@pytest.fixture(scope="module")
def notice(interviews: Any) -> Mapping[str, Any]:
    facts = facts_of(interviews.facts(interviews.of_answers(CLAIM), "la-notifier"))
    return content_of(disclosure(), facts, authority_code="E08000035", intention_on=facts.first_contact_on)


@pytest.mark.parametrize(
    ("field", "held"),
    [
        ("CM-NINO", "AB123456C"),
        ("CM-SURNAME", "O'NEILL-HUGHES"),
        ("CM-FORENAMES", "SIAN MAIR"),
        ("CM-DATE-OF-BIRTH", 19800229),
        ("CM-ADDRESS-LINE", ["12 1/2 MILL LANE", "FLAT 2 14", "LEEDS", "", ""]),
        ("CM-POSTCODE", "LS1 3AB"),
        ("CM-TELEPHONE", "+441134960999"),
        ("CM-SORT-CODE", 102),
        ("CM-ACCOUNT-NUMBER", 12),
        ("CM-ACCOUNT-NAME", "SIAN 007"),
        ("CM-ROLL-NUMBER", "0012/34-5"),
    ],
)
def test_the_record_holds_what_was_typed(record: Mapping[str, Any], field: str, held: object) -> None:
    assert record[field] == held


def test_the_notice_tells_what_was_typed(notice: Mapping[str, Any]) -> None:
    assert notice["claimant"] == {
        "nino": "AB123456C",
        "surname": "O\u2019Neill-Hughes",
        "forenames": "Si\u00e2n Mair",
        "date_of_birth": "1980-02-29",
    }
    assert notice["address"] == {"lines": ["12\u00bd Mill Lane", "Flat \u2461 14", "Leeds"], "postcode": "LS1 3AB"}
    assert notice["tenancy"] == {
        "kind": "PRIVATE_TENANT",
        "landlord": "\u0662\u0661 \u01e6ulf & S\u00f8n \u2460",
        "rent_amount": "1250.00",
        "rent_period": "MONTHLY",
        "moved_in_on": "2020-02-01",
    }
    assert notice["income"] == [{"kind": "OTHER", "amount": "1050.50", "period": "MONTHLY"}]
