"""Copybooks are read as the interface document and GnuCOBOL read them, or refused with file and line."""

from pathlib import Path

import pytest

from legacy_gateway.records import Condition, CopybookError, Field, Kind, Record, layout, layouts, read_copybook

AGREED_LENGTHS = {
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


def read_text(folder: Path, text: str) -> Record:
    path = folder / "small.cpy"
    path.write_text(text)
    (record,) = read_copybook(path).values()
    return record


def field_of(record: Record, name: str) -> Field:
    (field,) = (field for field in record.walk() if field.name == name)
    return field


def test_every_layout_has_the_length_that_the_interface_document_gives() -> None:
    assert {name: record.length for name, record in layouts().items()} == AGREED_LENGTHS


def test_a_copied_file_replaces_its_copy_statement() -> None:
    detail = layout("PSCS-DETAIL")

    assert field_of(detail, "CM-NINO").offset == 33
    assert field_of(detail, "PD-SICK-FROM").offset == 33 + 462


def test_offsets_follow_tables_and_groups() -> None:
    claim = layout("ISCS-CLAIM")

    assert field_of(claim, "CM-ADDRESS-LINE") == Field(
        name="CM-ADDRESS-LINE", kind=Kind.TEXT, offset=108, length=35, occurs=5
    )
    assert field_of(claim, "CM-POSTCODE").offset == 108 + 5 * 35
    assert field_of(claim, "IS-INCOME").length == 3 + 4 + 1
    assert field_of(claim, "IS-INCOME").size == 48
    assert field_of(claim, "IS-INC-AMOUNT").offset == field_of(claim, "IS-INCOME").offset + 3


def test_a_packed_number_counts_its_digits_and_its_half_bytes() -> None:
    capital = field_of(layout("ISCS-CLAIM"), "IS-CAPITAL")

    assert (capital.kind, capital.digits, capital.scale, capital.length) == (Kind.PACKED, 9, 2, 5)


def test_an_88_level_names_a_value_of_the_field_above_it() -> None:
    language = field_of(layout("JSAPS-ES"), "CM-LANGUAGE")

    assert language.conditions == (
        Condition(name="CM-ENGLISH", value="E"),
        Condition(name="CM-WELSH", value="W"),
    )


def test_a_doubled_quote_in_a_literal_is_one_quote(tmp_path: Path) -> None:
    record = read_text(tmp_path, "01 A.\n 05 B PIC X(9).\n 88 C VALUE 'O''BRIEN'.\n")

    assert field_of(record, "B").conditions == (Condition(name="C", value="O'BRIEN"),)


def test_a_statement_may_span_lines_with_comments(tmp_path: Path) -> None:
    record = read_text(tmp_path, "01 A.\n 05 B *> what follows.\n   PIC S9(4)\n   COMP-3 OCCURS 3 TIMES.\n")

    assert record.length == 9
    assert field_of(record, "B").occurs == 3


def test_tables_may_stand_within_tables(tmp_path: Path) -> None:
    record = read_text(
        tmp_path, "01 A.\n 05 B OCCURS 2 TIMES.\n  10 C PIC X.\n  10 D PIC 99V9 OCCURS 4 TIMES.\n 05 E PIC X.\n"
    )

    assert field_of(record, "D").offset == 1
    assert field_of(record, "E").offset == 2 * (1 + 4 * 3)


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("01 A.\n 05 B PIC X REDEFINES C.\n", 2, "not understood: 05 B PIC X REDEFINES C"),
        ("01 A.\n 05 B PIC ZZ9.\n", 2, "the picture is not understood"),
        ("01 A.\n 05 B PIC X(0).\n", 2, "the picture is not understood"),
        ("01 A.\n 05 B PIC X COMP-3.\n", 2, "the picture is not understood"),
        ("01 A.\n 05 B PIC S9(3).\n", 2, "PIC S9 with COMP-3"),
        ("01 A.\n 05 B PIC 9(3) COMP-3.\n", 2, "PIC S9 with COMP-3"),
        ("01 A.\n 05 B PIC 9(17)V99.\n", 2, "more than 18 digits"),
        ("01 A.\n 05 B PIC X OCCURS 0 TIMES.\n", 2, "not understood"),
        ("01 A.\n 05 B PIC X VALUE 'Q'.\n", 2, "not understood"),
        ("01 A.\n 66 B RENAMES C.\n", 2, "not understood"),
        ("01 A.\n 05 B.\n 05 C PIC X.\n", 2, "B has neither a picture nor fields"),
        ("01 A.\n 05 B PIC X.\n  10 C PIC X.\n", 2, "both a picture and fields"),
        ("01 A.\n 05 B.\n  10 C PIC X.\n  07 D PIC X.\n", 4, "level 07 stands among fields of level 10"),
        ("01 A.\n 05 B PIC X.\n 05 B PIC X.\n", 1, "fields of one name: B"),
        ("01 A.\n 05 B PIC X.\n01 A.\n 05 B PIC X.\n", 3, "A is there twice"),
        ("01 A.\n", 1, "A has neither a picture nor fields"),
        ("01 A.\n 88 B VALUE 'X'.\n", 2, "an 88 level stands under a field with a picture"),
        ("01 A.\n 05 B PIC X.\n 88 C VALUE 'X' 'Y'.\n", 3, "not understood"),
        ("05 B PIC X.\n", 1, "begins with an 01 level"),
        ("01 A PIC X.\n", 1, "begins with an 01 level"),
        ("01 A.\n 05 B PIC X\n", 2, "the full stop is missing"),
        ("01 A.\n 05 B PIC X.\n 88 C VALUE 'X.\n", 3, "a literal is not closed"),
        ("01 A.\n 05 B PIC X.\n 88 C VALUE '£'.\n", 3, "a character that is not ASCII"),
        ("01 A.\n COPY 'none.cpy'.\n", 2, "there is no none.cpy beside this file"),
        ("01 A.\n COPY '../small.cpy'.\n", 2, "there is no ../small.cpy beside this file"),
        ("01 A.\n COPY 'small.cpy'.\n", 2, "small.cpy copies itself"),
    ],
)
def test_unknown_statements_are_refused_with_file_and_line(
    tmp_path: Path, text: str, line: int, complaint: str
) -> None:
    with pytest.raises(CopybookError) as refused:
        read_text(tmp_path, text)

    assert refused.value.message.startswith(f"small.cpy, line {line}: ")
    assert complaint in refused.value.message
