"""Records are written byte for byte as the interface document says, and never cut."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_gateway.records import (
    Field,
    Kind,
    Record,
    RecordError,
    date_number,
    decode,
    encode,
    layout,
    layouts,
    number_date,
    read_copybook,
)

SPECIMEN = """
01  SPECIMEN.
    05  S-NAME        PIC X(8).
    05  S-BANK.
        10  S-SORT    PIC 9(6).
        10  S-HOURS   PIC 9(3)V9.
    05  S-CAPITAL     PIC S9(7)V99 COMP-3.
    05  S-COUNT       PIC S9(4) COMP-3.
    05  S-LINE        PIC X(3) OCCURS 2 TIMES.
    05  S-INCOME      OCCURS 2 TIMES.
        10  S-KIND    PIC X(2).
        10  S-AMOUNT  PIC S9(3)V99 COMP-3.
    05  FILLER        PIC X(2).
"""
CARRIED = "".join(
    character for character in bytes(range(256)).decode("cp285") if character.isprintable() or character == "\xa0"
)


@pytest.fixture(scope="module")
def specimen(tmp_path_factory: pytest.TempPathFactory) -> Record:
    path = tmp_path_factory.mktemp("copybooks") / "specimen.cpy"
    path.write_text(SPECIMEN)
    return read_copybook(path)["SPECIMEN"]


def one_field(folder: Path, picture: str) -> Record:
    path = folder / "one.cpy"
    path.write_text(f"01 ONE.\n 05 F PIC {picture}.\n")
    return read_copybook(path)["ONE"]


def faults_of(error: RecordError) -> dict[str, str]:
    return {violation.field: violation.description for violation in error.violations}


@pytest.mark.parametrize(
    ("picture", "value", "expected"),
    [
        ("X(9)", "O'BRIEN", "D67DC2D9C9C5D54040"),
        ("X(3)", "£5", "5BF540"),
        ("X(1)", "", "40"),
        ("X(4)", "A-1&", "C160F150"),
        ("9(8)", 20050714, "F2F0F0F5F0F7F1F4"),
        ("9(4)", 7, "F0F0F0F7"),
        ("9(3)V9", Decimal("16.5"), "F0F1F6F5"),
        ("S9(7)V99 COMP-3", Decimal("-1.23"), "000000123D"),
        ("S9(7)V99 COMP-3", Decimal("16000.00"), "001600000C"),
        ("S9(7)V99 COMP-3", Decimal("-0.00"), "000000000C"),
        ("S9(5)V99 COMP-3", Decimal("99999.99"), "9999999C"),
        ("S9(4) COMP-3", -1234, "01234D"),
    ],
)
def test_a_value_has_the_bytes_of_the_interface(
    tmp_path: Path, picture: str, value: str | int | Decimal, expected: str
) -> None:
    record = one_field(tmp_path, picture)

    assert encode(record, {"F": value}) == bytes.fromhex(expected)
    assert decode(record, bytes.fromhex(expected)) == {"F": value}


def test_a_group_that_occurs_is_a_list_of_mappings(specimen: Record) -> None:
    encoded = encode(
        specimen,
        {
            "S-NAME": "ANN",
            "S-SORT": 90126,
            "S-HOURS": Decimal("7.5"),
            "S-LINE": ["A"],
            "S-INCOME": [{"S-KIND": "PE", "S-AMOUNT": Decimal("1.05")}],
        },
    )

    assert encoded == bytes.fromhex(
        "C1D5D54040404040 F0F9F0F1F2F6 F0F0F7F5 000000000C 00000C C14040 404040 D7C5 00105C 4040 00000C 4040"
    )


def test_missing_values_are_blanks_and_zeros(specimen: Record) -> None:
    nothing = encode(specimen, {})

    assert nothing == encode(specimen, {"S-NAME": None, "S-LINE": [None, ""], "S-INCOME": [{}, None], "S-COUNT": None})
    assert decode(specimen, nothing) == {
        "S-NAME": "",
        "S-SORT": 0,
        "S-HOURS": Decimal(0),
        "S-CAPITAL": Decimal(0),
        "S-COUNT": 0,
        "S-LINE": ["", ""],
        "S-INCOME": [{"S-KIND": "", "S-AMOUNT": Decimal(0)}, {"S-KIND": "", "S-AMOUNT": Decimal(0)}],
    }


@pytest.mark.parametrize(
    ("picture", "value", "complaint"),
    [
        ("X(3)", "FOUR", "more than 3 characters"),
        ("X(3)", "AB  ", "more than 3 characters"),
        ("X(3)", "Ł", "code page 285"),
        ("X(3)", "’", "code page 285"),
        ("X(3)", "李", "code page 285"),
        ("X(3)", "A\u0301", "code page 285"),
        ("X(3)", "A\nB", "control character"),
        ("X(3)", "\x00", "control character"),
        ("X(3)", "\x9f", "control character"),
        ("X(3)", "\xad", "control character"),
        ("X(3)", 123, "must be text"),
        ("9(3)", 1000, "more than 3 digits"),
        ("9(3)", -1, "must not be negative"),
        ("9(3)", True, "must be a whole number"),
        ("9(3)", "123", "must be a whole number"),
        ("9(3)", Decimal(1), "must be a whole number"),
        ("9(3)V9", 16, "must be a decimal number"),
        ("9(3)V9", 16.5, "must be a decimal number"),
        ("9(3)V9", Decimal("16.55"), "more than 1 decimal places"),
        ("9(3)V9", Decimal(1000), "more than 3 digits before the point"),
        ("9(3)V9", Decimal("-0.1"), "must not be negative"),
        ("S9(3)V99 COMP-3", Decimal("-1000"), "more than 3 digits before the point"),
        ("S9(3)V99 COMP-3", Decimal("999.999"), "more than 2 decimal places"),
        ("S9(3)V99 COMP-3", Decimal("1.00000000000000000000000000000000000001"), "more than 2 decimal places"),
        ("S9(3)V99 COMP-3", Decimal("1E-999999"), "more than 2 decimal places"),
        ("S9(3)V99 COMP-3", Decimal("1E+999999"), "more than 3 digits before the point"),
        ("S9(3)V99 COMP-3", Decimal("NaN"), "must be a decimal number"),
        ("S9(3)V99 COMP-3", Decimal("Infinity"), "must be a decimal number"),
        ("S9(3) COMP-3", -1000, "more than 3 digits"),
        ("X(3) OCCURS 2 TIMES", ["A", "B", "C"], "more than 2 entries"),
        ("X(3) OCCURS 2 TIMES", "AB", "must be a list"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path: Path, picture: str, value: object, complaint: str) -> None:
    with pytest.raises(RecordError) as refused:
        encode(one_field(tmp_path, picture), {"F": value})

    assert complaint in faults_of(refused.value)["F"]


def test_every_field_at_fault_is_named_without_its_value(specimen: Record) -> None:
    with pytest.raises(RecordError) as refused:
        encode(
            specimen,
            {
                "S-NAME": "CANARY-CANARY",
                "S-SORT": 87654321,
                "S-LINE": ["OK", "CANARY"],
                "S-INCOME": [{"S-KIND": "CANARY", "S-OTHER": 1}],
                "S-BANK": {},
                "FILLER": "ZZ",
            },
        )

    assert faults_of(refused.value) == {
        "FILLER": "is not a field of SPECIMEN",
        "S-BANK": "is not a field of SPECIMEN",
        "S-NAME": "has more than 8 characters",
        "S-SORT": "has more than 6 digits",
        "S-LINE": "(entry 2) has more than 3 characters",
        "S-OTHER": "(entry 1) is not a field of S-INCOME",
        "S-KIND": "(entry 1) has more than 2 characters",
    }
    assert "CANARY" not in refused.value.message
    assert "87654321" not in refused.value.message
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("entry", ["AB", ["AB"], 3])
def test_an_entry_of_a_table_of_groups_is_a_mapping(specimen: Record, entry: object) -> None:
    with pytest.raises(RecordError) as refused:
        encode(specimen, {"S-INCOME": [{}, entry]})

    assert faults_of(refused.value) == {"S-INCOME": "(entry 2) must be a mapping of field names"}


@pytest.mark.parametrize(
    ("picture", "encoded", "complaint"),
    [
        ("9(3)", "F1F2C3", "not a digit"),
        ("9(3)", "F14040", "not a digit"),
        ("9(3)", "313233", "not a digit"),
        ("9(3)", "F1FAF1", "not a digit"),
        ("S9(3) COMP-3", "123F", "sign"),
        ("S9(3) COMP-3", "1233", "sign"),
        ("S9(3) COMP-3", "000D", "sign"),
        ("S9(3) COMP-3", "1A3C", "not a digit"),
        ("S9(4) COMP-3", "11234C", "not a digit"),
        ("X(3)", "C100C1", "control character"),
        ("X(3)", "C115C1", "control character"),
        ("X(3)", "C1FFC1", "control character"),
    ],
)
def test_bytes_that_are_not_a_value_are_refused(tmp_path: Path, picture: str, encoded: str, complaint: str) -> None:
    with pytest.raises(RecordError) as refused:
        decode(one_field(tmp_path, picture), bytes.fromhex(encoded))

    assert complaint in faults_of(refused.value)["F"]


@pytest.mark.parametrize("length", [0, 725, 727])
def test_bytes_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(RecordError, match="JSAPS-ES must have 726 bytes"):
        decode(layout("JSAPS-ES"), b"\x40" * length)


@pytest.mark.parametrize("day", [None, date(2004, 2, 29), date(1899, 12, 31)])
def test_a_date_and_its_number_convert_to_each_other(day: date | None) -> None:
    assert number_date(date_number(day), field="CM-DATE-OF-CLAIM") == day


@pytest.mark.parametrize("number", [20050229, 20051301, 20050700, 1, 99999999])
def test_a_number_that_is_not_a_date_is_refused_with_its_field(number: int) -> None:
    with pytest.raises(RecordError, match="CM-DATE-OF-CLAIM is not a date"):
        number_date(number, field="CM-DATE-OF-CLAIM")


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Any value that the field can hold, as decoding gives it back."""
    if field.occurs is not None:
        one = values_of(Field(**{**vars(field), "occurs": None}))
        return st.lists(one, min_size=field.occurs, max_size=field.occurs)
    if field.kind is Kind.GROUP:
        return st.fixed_dictionaries(strategies_of(field.fields))
    if field.kind is Kind.TEXT:
        return st.text(CARRIED, max_size=field.length).map(lambda text: text.rstrip(" "))
    most = 10**field.digits - 1
    numbers = st.integers(-most if field.kind is Kind.PACKED else 0, most)
    return numbers.map(lambda number: Decimal(number).scaleb(-field.scale)) if field.scale else numbers


def strategies_of(fields: tuple[Field, ...]) -> dict[str, st.SearchStrategy[Any]]:
    strategies: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields:
        if field.kind is Kind.GROUP and field.occurs is None:
            strategies.update(strategies_of(field.fields))
        elif field.name != "FILLER":
            strategies[field.name] = values_of(field)
    return strategies


@given(st.data())
def test_every_value_is_read_as_it_was_written(specimen: Record, data: st.DataObject) -> None:
    values = data.draw(st.fixed_dictionaries(strategies_of(specimen.fields)))

    encoded = encode(specimen, values)

    assert len(encoded) == specimen.length
    assert decode(specimen, encoded) == values


@pytest.mark.parametrize("name", sorted(set(layouts()) - {"RECON-PAGE"}))
def test_the_largest_values_fit_and_larger_ones_are_refused(name: str) -> None:
    record = layout(name)
    fullest = fullest_values(record.fields)

    assert decode(record, encode(record, fullest)) == fullest
    for field in record.walk():
        if field.kind is Kind.TEXT and field.occurs is None and field.name in fullest:
            with pytest.raises(RecordError, match=field.name):
                encode(record, {field.name: "Q" * (field.length + 1)})


def fullest_values(fields: tuple[Field, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        if field.kind is Kind.GROUP and field.occurs is None:
            values.update(fullest_values(field.fields))
        elif field.name != "FILLER":
            values[field.name] = fullest_value(field)
    return values


def fullest_value(field: Field) -> object:
    one: object
    if field.kind is Kind.GROUP:
        one = fullest_values(field.fields)
    elif field.kind is Kind.TEXT:
        one = "Q" * field.length
    else:
        number = 10**field.digits - 1
        one = Decimal(number).scaleb(-field.scale) if field.scale else number
    return one if field.occurs is None else [one] * field.occurs


def written_or_faults(record: Record, values: dict[str, object]) -> bytes | list[str]:
    try:
        return encode(record, values)
    except RecordError as refused:
        return [violation.field for violation in refused.violations]


@given(st.text(max_size=12) | st.text(CARRIED, max_size=12))
def test_a_text_is_refused_or_kept_whole(specimen: Record, text: str) -> None:
    result = written_or_faults(specimen, {"S-NAME": text})

    if isinstance(result, bytes):
        assert decode(specimen, result)["S-NAME"] == text.rstrip(" ")
    else:
        assert result == ["S-NAME"]


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(-(10**7), 10**7, places=2))
def test_an_amount_is_refused_or_kept_to_the_penny(specimen: Record, amount: Decimal) -> None:
    result = written_or_faults(specimen, {"S-CAPITAL": amount})

    if isinstance(result, bytes):
        assert decode(specimen, result)["S-CAPITAL"] == amount
    else:
        assert result == ["S-CAPITAL"]


@given(position=st.integers(0, 41), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_read_back_as_the_same_bytes(specimen: Record, position: int, byte: int) -> None:
    changed = bytearray(encode(specimen, {"S-NAME": "ANN", "S-SORT": 90126, "S-CAPITAL": Decimal("-12.34")}))
    changed[position] = byte

    try:
        values = decode(specimen, bytes(changed))
    except RecordError:
        return

    assert encode(specimen, values) == changed
