"""The stand-in's own reading of copybooks and records."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.errors import CopybookError
from simulators.record_link.copybook import Field, Kind, Layout, read_layouts
from simulators.record_link.link import Link
from simulators.record_link.record import Value, decode, encode
from simulators.testing import encode_record

LENGTHS = {"LINK-HEADER": 78, "LINK-REPLY": 402, "JSAPS-ES": 726, "JSAPS-BA": 503, "ENQUIRY": 26}
LENGTHS |= {"RECON-REQUEST": 13, "RECON-PAGE": 3824}


@pytest.mark.parametrize(("record", "length"), LENGTHS.items())
def test_a_record_has_the_length_that_the_interface_gives(link: Link, record: str, length: int) -> None:
    assert link.layout(record).length == length


def test_the_copied_particulars_take_462_bytes_before_the_records_own_fields(link: Link) -> None:
    assert link.layout("JSAPS-BA").fields["JB-ES-LEGACY-REF"].offset == 462
    assert link.layout("JSAPS-ES").fields["JE-OPERATOR"].offset == 462


def test_the_entries_of_a_table_of_groups_lie_a_group_apart(link: Link) -> None:
    codes = link.layout("LINK-REPLY").fields["LR-MSG-CODE"]

    assert [place.start for place in codes.places] == [50, 120, 190, 260, 330]


@pytest.mark.parametrize(
    "line",
    [
        "05 A PIC X(3) COMP-3.",
        "05 A PIC S9(3).",
        "05 A PIC 9(3) USAGE DISPLAY.",
        "05 A.",
        "05 A OCCURS 2 TIMES. 10 B PIC X OCCURS 2 TIMES.",
    ],
)
def test_an_unknown_clause_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "odd.cpy").write_text(f"01  ODD.\n    {line}\n")

    with pytest.raises(CopybookError):
        read_layouts(tmp_path, "odd.cpy")


def test_a_copybook_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CopybookError, match=r"none\.cpy"):
        read_layouts(tmp_path, "none.cpy")


SAMPLE = Layout(
    name="SAMPLE",
    length=13,
    fields={
        "TEXT": Field(name="TEXT", kind=Kind.TEXT, offset=0, length=4),
        "HOURS": Field(name="HOURS", kind=Kind.ZONED, offset=4, length=4, decimals=1),
        "CAPITAL": Field(name="CAPITAL", kind=Kind.PACKED, offset=8, length=5, decimals=2),
    },
)
GOOD = bytes.fromhex("5bc17d40f0f4f0f5001234567c")


def test_bytes_are_read_by_code_page_285_zoned_and_packed() -> None:
    assert decode(SAMPLE, GOOD).values == {"TEXT": "£A'", "HOURS": Decimal("40.5"), "CAPITAL": Decimal("12345.67")}


def test_sign_nibble_d_is_a_minus() -> None:
    assert decode(SAMPLE, GOOD[:-1] + b"\x7d").values["CAPITAL"] == Decimal("-12345.67")


@pytest.mark.parametrize(
    ("place", "byte", "field"),
    [(0, 0x15, "TEXT"), (4, 0x40, "HOURS"), (7, 0xC5, "HOURS"), (8, 0xA0, "CAPITAL"), (12, 0x7F, "CAPITAL")],
)
def test_bytes_that_the_picture_does_not_allow_name_their_field(place: int, byte: int, field: str) -> None:
    record = decode(SAMPLE, GOOD[:place] + bytes([byte]) + GOOD[place + 1 :])

    assert (record.unreadable or record.without_digits) == (field,)
    assert bool(record.unreadable) == (SAMPLE.fields[field].kind is Kind.TEXT)
    assert field not in record.values


@given(
    text=st.text("ABC '-0", max_size=4).map(lambda value: value.rstrip(" ")),
    hours=st.integers(0, 9999),
    pence=st.integers(-999_999_999, 999_999_999),
)
def test_every_value_comes_back_from_its_bytes(text: str, hours: int, pence: int) -> None:
    values: dict[str, Value] = {"TEXT": text, "HOURS": Decimal(hours) / 10, "CAPITAL": Decimal(pence) / 100}

    assert decode(SAMPLE, encode_record(SAMPLE, values)).values == values


def test_an_answer_that_does_not_fit_is_an_error_and_never_cut(link: Link) -> None:
    with pytest.raises(ValueError, match="LR-LEGACY-REF"):
        encode(link.layout("LINK-REPLY"), {"LR-LEGACY-REF": "1234567890123"})
