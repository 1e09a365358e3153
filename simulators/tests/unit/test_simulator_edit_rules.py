"""Each edit rule of ES504 and BA504, kept and broken."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from simulators.errors import ConfigurationError
from simulators.jsaps.edit_rules import load_rule_book
from simulators.jsaps.link import RECORDS, Link
from simulators.jsaps.record import Value, decode
from simulators.testing import encode_record, first_phase_values, second_phase_values

DAY = date(2006, 5, 31)
RULES = load_rule_book()


def broken(link: Link, dialogue: str, **changes: Value) -> list[tuple[str, str]]:
    """The codes and fields that a good record with these changes is refused for."""
    good = first_phase_values(DAY) if dialogue == "ES504" else second_phase_values(DAY, "JS0000000001")
    values = good | {name.replace("_", "-"): value for name, value in changes.items()}
    layout = link.layout(RECORDS[dialogue])
    record = decode(layout, encode_record(layout, values))
    return [(found.code, found.field) for found in RULES.messages(dialogue, record, received_on=DAY)]


COMMON = [
    ("0001", "CM-NINO", {"CM_NINO": "QQ123456C"}),
    ("0001", "CM-NINO", {"CM_NINO": "AO123456C"}),
    ("0001", "CM-NINO", {"CM_NINO": "BG123456C"}),
    ("0001", "CM-NINO", {"CM_NINO": "AB123456E"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "O`BRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "'OBRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "O'-BRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": ""}),
    ("0002", "CM-PARTNER-SURNAME", {"CM_PARTNER_FLAG": "Y", "CM_PARTNER_SURNAME": "1", "CM_PARTNER_DOB": 19800101}),
    ("0003", "CM-FORENAMES", {"CM_FORENAMES": "MARY2"}),
    ("0004", "CM-DATE-OF-BIRTH", {"CM_DATE_OF_BIRTH": 19810229}),
    ("0004", "CM-DATE-OF-BIRTH", {"CM_DATE_OF_BIRTH": 19900601}),
    ("0004", "CM-DATE-OF-BIRTH", {"CM_DATE_OF_BIRTH": 18860531}),
    ("0005", "CM-ADDRESS-LINE", {"CM_ADDRESS_LINE": ["1 HIGH ST"]}),
    ("0005", "CM-ADDRESS-LINE", {"CM_ADDRESS_LINE": ["1 HIGH ST", "LEEDS", "A*B"]}),
    ("0006", "CM-POSTCODE", {"CM_POSTCODE": "LS14AP"}),
    ("0006", "CM-POSTCODE", {"CM_POSTCODE": "LS1  4AP"}),
    ("0007", "CM-LA-CODE", {"CM_LA_CODE": "E05000035"}),
    ("0008", "CM-ACCOUNT-NUMBER", {"CM_ACCOUNT_NUMBER": 0}),
    ("0008", "CM-ACCOUNT-NUMBER", {"CM_SORT_CODE": 0}),
    ("0009", "CM-DATE-OF-CLAIM", {"CM_DATE_OF_CLAIM": 20060601, "CM_DATE_OF_CONTACT": 20060601}),
    ("0009", "CM-DATE-OF-CLAIM", {"CM_DATE_OF_CLAIM": 20060227, "JB_CAPITAL": 0}),
    ("0009", "CM-DATE-OF-CLAIM", {"CM_DATE_OF_CLAIM": 20060431}),
    ("0010", "CM-PARTNER-FLAG", {"CM_PARTNER_FLAG": "Y"}),
    ("0010", "CM-PARTNER-FLAG", {"CM_PARTNER_FLAG": "Y", "CM_PARTNER_SURNAME": "SMITH"}),
    ("0010", "CM-PARTNER-FLAG", {"CM_PARTNER_FLAG": "N", "CM_PARTNER_HOURS": Decimal("1.0")}),
    ("0010", "CM-PARTNER-FLAG", {"CM_PARTNER_FLAG": ""}),
    ("0011", "CM-OFFICE-CODE", {"CM_OFFICE_CODE": "12345"}),
    ("0012", "CM-ACCOUNT-NAME", {"CM_ACCOUNT_NAME": ""}),
    ("0012", "CM-ACCOUNT-NAME", {"CM_ACCOUNT_NAME": "A+B"}),
]


@pytest.mark.parametrize("dialogue", ["ES504", "BA504"])
def test_a_good_record_breaks_no_rule(link: Link, dialogue: str) -> None:
    assert broken(link, dialogue) == []


@pytest.mark.parametrize("dialogue", ["ES504", "BA504"])
@pytest.mark.parametrize(("number", "field", "changes"), COMMON)
def test_a_rule_of_both_phases_refuses_under_the_phases_own_prefix(
    link: Link, dialogue: str, number: str, field: str, changes: dict[str, Value]
) -> None:
    changes = {name: value for name, value in changes.items() if dialogue == "BA504" or not name.startswith("JB")}
    signing_day = {"JB-SIGNING-DAY"} if dialogue == "BA504" else set()

    found = [pair for pair in broken(link, dialogue, **changes) if pair[1] not in signing_day]

    assert found == [(dialogue[:2] + number, field)]


@pytest.mark.parametrize(
    ("dialogue", "code", "field", "changes"),
    [
        ("ES504", "ES0020", "JE-HOURS-AVAILABLE", {"JE_HOURS_AVAILABLE": Decimal("39.9")}),
        ("ES504", "ES0021", "JE-LAST-JOB-ENDED", {"JE_LAST_JOB_ENDED": 0}),
        ("BA504", "BA0020", "JB-SIGNING-DAY", {"JB_SIGNING_DAY": 4}),
        ("BA504", "BA0021", "JB-WAITING-DAYS", {"JB_WAITING_DAYS": 0}),
        ("BA504", "BA0021", "JB-WAITING-DAYS", {"JB_RAPID_RECLAIM": "L"}),
        ("BA504", "BA0022", "JB-CAPITAL", {"JB_CAPITAL": Decimal("16000.01")}),
        ("BA504", "BA0022", "JB-CAPITAL", {"JB_CAPITAL": Decimal("-0.01"), "JB_BASIS": "B"}),
        ("BA504", "BA0022", "JB-CAPITAL", {"JB_CAPITAL": Decimal("8000.01"), "CM_DATE_OF_CLAIM": 20060409}),
    ],
)
def test_a_rule_of_one_phase_refuses(
    link: Link, dialogue: str, code: str, field: str, changes: dict[str, Value]
) -> None:
    assert broken(link, dialogue, **changes) == [(code, field)]


@pytest.mark.parametrize(
    ("dialogue", "changes"),
    [
        ("ES504", {"JE_HOURS_AVAILABLE": 20, "JE_RESTRICTIONS": "CARES FOR A CHILD"}),
        ("ES504", {"JE_LAST_JOB_ENDED": 0, "JE_LAST_JOB_REASON": "NW"}),
        ("ES504", {"CM_SORT_CODE": 0, "CM_ACCOUNT_NUMBER": 0, "CM_ACCOUNT_NAME": ""}),
        ("ES504", {"CM_DATE_OF_BIRTH": 19900531}),
        ("ES504", {"CM_DATE_OF_BIRTH": 18860601}),
        ("ES504", {"CM_DATE_OF_CLAIM": 20060228}),
        ("ES504", {"CM_PARTNER_FLAG": "Y", "CM_PARTNER_SURNAME": "SMITH", "CM_PARTNER_DOB": 19800101}),
        ("BA504", {"JB_RAPID_RECLAIM": "Y", "JB_WAITING_DAYS": 0}),
        ("BA504", {"JB_BASIS": "C", "JB_CAPITAL": Decimal("99999.99")}),
        ("BA504", {"JB_CAPITAL": Decimal("8000.00"), "CM_DATE_OF_CLAIM": 20060409}),
        ("BA504", {"CM_NINO": "AB123400C", "JB_SIGNING_DAY": 1}),
        ("BA504", {"CM_NINO": "AB123480C", "JB_SIGNING_DAY": 5}),
    ],
)
def test_what_a_rule_allows_passes(link: Link, dialogue: str, changes: dict[str, Value]) -> None:
    assert broken(link, dialogue, **changes) == []


def test_a_field_that_cannot_be_read_is_refused_under_its_own_rule_or_the_links(link: Link) -> None:
    layout = link.layout("JSAPS-ES")
    data = bytearray(encode_record(layout, first_phase_values(DAY)))
    for name in ("CM-DATE-OF-BIRTH", "CM-EVIDENCE-COMPLETE"):
        data[layout.fields[name].places()[0]] = b"\x40" * 8

    messages = RULES.messages("ES504", decode(layout, bytes(data)), received_on=DAY)

    assert [message.code for message in messages] == ["ES0004", "LK0004"]


def test_every_rule_names_a_field_of_the_record_it_looks_at(link: Link) -> None:
    for rule in RULES.rules:
        for dialogue in rule.dialogues:
            assert rule.field in link.layout(RECORDS[dialogue]).fields


def test_a_rule_file_with_an_unknown_check_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nnumber = "0001"\nfield = "CM-NINO"\ncheck = "guess"\ntext = "NO"\n')

    with pytest.raises(ConfigurationError, match=r"rules\.toml"):
        load_rule_book(path)
