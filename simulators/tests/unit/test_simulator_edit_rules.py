"""Each edit rule of the mainframes, kept and broken."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from simulators.errors import ConfigurationError
from simulators.iscs import ISCS
from simulators.jsaps import JSAPS
from simulators.record_link.edit_rules import load_rule_book, rules_of
from simulators.record_link.link import Link
from simulators.record_link.record import Value, decode
from simulators.sfcs import SFCS
from simulators.testing import (
    crisis_loan_values,
    encode_record,
    first_phase_values,
    income_support_values,
    second_phase_values,
)

DAY = date(2006, 5, 31)
RULES = rules_of(JSAPS)
GOOD = {
    "ES504": (JSAPS, first_phase_values(DAY)),
    "BA504": (JSAPS, second_phase_values(DAY, "JS0000000001")),
    "IS001": (ISCS, income_support_values(DAY)),
    "SF001": (SFCS, crisis_loan_values(DAY)),
}


@pytest.fixture(scope="session")
def links(copybooks: Path) -> Mapping[str, Link]:
    """The link of the system that has a dialogue."""
    return {dialogue: Link(mainframe, copybooks) for dialogue, (mainframe, _) in GOOD.items()}


def broken(links: Mapping[str, Link], dialogue: str, **changes: Value) -> list[tuple[str, str]]:
    """The codes and fields that a good record with these changes is refused for."""
    mainframe, good = GOOD[dialogue]
    values = good | {name.replace("_", "-"): value for name, value in changes.items()}
    layout = links[dialogue].record_of(dialogue)
    record = decode(layout, encode_record(layout, values))
    return [(found.code, found.field) for found in rules_of(mainframe).messages(dialogue, record, received_on=DAY)]


PARTNER: dict[str, Value] = {
    "CM_PARTNER_FLAG": "Y",
    "CM_PARTNER_SURNAME": "SMITH",
    "CM_PARTNER_DOB": 19800101,
}

COMMON = [
    ("0001", "CM-NINO", {"CM_NINO": "QQ123456C"}),
    ("0001", "CM-NINO", {"CM_NINO": "AO123456C"}),
    ("0001", "CM-NINO", {"CM_NINO": "BG123456C"}),
    ("0001", "CM-NINO", {"CM_NINO": "AB123456E"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "O`BRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "'OBRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "O'-BRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "O' BRIEN"}),
    ("0002", "CM-SURNAME", {"CM_SURNAME": "VAN  DYKE"}),
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


@pytest.mark.parametrize("dialogue", GOOD)
def test_a_good_record_breaks_no_rule(links: Mapping[str, Link], dialogue: str) -> None:
    assert broken(links, dialogue) == []


@pytest.mark.parametrize("dialogue", GOOD)
@pytest.mark.parametrize(("number", "field", "changes"), COMMON)
def test_a_rule_of_every_record_refuses_under_the_dialogues_own_prefix(
    links: Mapping[str, Link], dialogue: str, number: str, field: str, changes: dict[str, Value]
) -> None:
    changes = {name: value for name, value in changes.items() if dialogue == "BA504" or not name.startswith("JB")}
    signing_day = {"JB-SIGNING-DAY"} if dialogue == "BA504" else set()

    found = [pair for pair in broken(links, dialogue, **changes) if pair[1] not in signing_day]

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
        ("IS001", "IS0020", "IS-CAPITAL", {"IS_CAPITAL": Decimal("16000.01")}),
        ("IS001", "IS0020", "IS-CAPITAL", {"IS_CAPITAL": Decimal("8000.01"), "CM_DATE_OF_CLAIM": 20060409}),
        ("IS001", "IS0021", "IS-HOURS-WORKED", {"IS_HOURS_WORKED": Decimal("16.0")}),
        ("IS001", "IS0021", "CM-PARTNER-HOURS", PARTNER | {"CM_PARTNER_HOURS": Decimal("24.0")}),
        ("IS001", "IS0022", "IS-EXPECTED-BIRTH", {"IS_GROUP": "PR"}),
        ("IS001", "IS0023", "IS-CHILD-COUNT", {"IS_CHILD_COUNT": 1}),
        ("IS001", "IS0023", "IS-CHILD-COUNT", {"IS_CHILD_COUNT": 3}),
        ("IS001", "IS0023", "IS-CHILD-COUNT", {"IS_CHILD_COUNT": 11}),
        ("IS001", "IS0023", "IS-CHILD-COUNT", {"IS_CHILD_DISABLED": ["N", "N", "N"]}),
        ("IS001", "IS0023", "IS-INCOME-COUNT", {"IS_INCOME_COUNT": 0}),
        ("IS001", "IS0023", "IS-INCOME-COUNT", {"IS_INC_PERIOD": [""]}),
        ("SF001", "SF0020", "SF-AMOUNT", {"SF_AMOUNT": Decimal("0.00")}),
        ("SF001", "SF0020", "SF-AMOUNT", {"SF_AMOUNT": Decimal("560.01")}),
        ("SF001", "SF0020", "SF-AMOUNT", {"SF_AMOUNT": Decimal("60.01"), "CM_DATE_OF_CLAIM": 20060402}),
        ("SF001", "SF0021", "SF-INTERIM-CONSIDERED", {"SF_INTERIM_CONSIDERED": "N"}),
    ],
)
def test_a_rule_of_one_dialogue_refuses(
    links: Mapping[str, Link], dialogue: str, code: str, field: str, changes: dict[str, Value]
) -> None:
    assert broken(links, dialogue, **changes) == [(code, field)]


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
        ("IS001", {"IS_GROUP": "PR", "IS_EXPECTED_BIRTH": 20060801}),
        ("IS001", {"IS_GROUP": "XX", "IS_INC_KIND": ["XYZ"], "CM_BENEFIT": "JSA", "IS_MORTGAGE": "?"}),
        ("IS001", {"IS_CHILD_COUNT": 0, "IS_CHILD_NAME": [], "IS_CHILD_DOB": [], "IS_CHILD_DISABLED": []}),
        ("IS001", PARTNER | {"CM_PARTNER_HOURS": Decimal("23.9")}),
        ("SF001", {"SF_AMOUNT": Decimal("60.00"), "CM_DATE_OF_CLAIM": 20060402}),
        ("SF001", {"SF_AMOUNT": Decimal("560.00"), "CM_DATE_OF_CLAIM": 20060403}),
        ("SF001", {"SF_REASON": "LM", "SF_INTERIM_CONSIDERED": "N"}),
    ],
)
def test_a_value_that_a_rule_allows_passes(links: Mapping[str, Link], dialogue: str, changes: dict[str, Value]) -> None:
    assert broken(links, dialogue, **changes) == []


def test_text_that_cannot_be_read_is_refused_under_its_own_rule_or_the_links(link: Link) -> None:
    layout = link.layout("JSAPS-ES")
    data = bytearray(encode_record(layout, first_phase_values(DAY)))
    for name in ("CM-SURNAME", "CM-TELEPHONE"):
        data[layout.fields[name].offset] = 0x15

    messages = RULES.messages("ES504", decode(layout, bytes(data)), received_on=DAY)

    assert [message.code for message in messages] == ["ES0002", "LK0004"]


@pytest.mark.parametrize("dialogue", GOOD)
def test_every_rule_names_fields_of_the_record_it_looks_at(links: Mapping[str, Link], dialogue: str) -> None:
    mainframe, _ = GOOD[dialogue]
    fields = links[dialogue].record_of(dialogue).fields
    for rule in rules_of(mainframe).rules:
        if not rule.dialogues or dialogue in rule.dialogues:
            assert {rule.field, *rule.when, *rule.unless, *rule.needed, *rule.besides} <= fields.keys()


@pytest.mark.parametrize("wrong", ['check = "guess"', 'check = "pattern"', 'check = "loan"\nlimit = "none"'])
def test_a_rule_file_with_an_unknown_check_or_limit_is_refused(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f'[[rule]]\nnumber = "0001"\nfield = "CM-NINO"\n{wrong}\ntext = "NO"\n')

    with pytest.raises(ConfigurationError, match=r"rules\.toml"):
        load_rule_book(path)
