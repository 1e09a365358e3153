"""A written record is read back, whatever the copybook's pictures; on any bytes the reader fails only by its own error."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_gateway.records import (
    FILLER,
    Field,
    Kind,
    Record,
    RecordError,
    decode,
    encode,
    layout,
    layouts,
    read_copybook,
)

WRITABLE = "ABCXYZ0189 '-,./&()£!~¬Âéß"
PICTURES = st.one_of(
    st.integers(1, 40).map(lambda length: f"X({length})"),
    st.integers(1, 3).map(lambda length: "X" * length),
    st.integers(1, 18).map(lambda digits: f"9({digits})"),
    st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda two: f"9({two[0]})V9({two[1]})"),
    st.integers(1, 4).map(lambda digits: f"{'9' * digits}V9"),
    st.integers(1, 18).map(lambda digits: f"S9({digits}) COMP-3"),
    st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda two: f"S9({two[0]})V9({two[1]}) COMP-3"),
)
OCCURS = st.sampled_from(["", "", " OCCURS 3 TIMES"])
ITEMS = st.lists(
    st.one_of(
        st.tuples(PICTURES, OCCURS).map(lambda two: ("", [], f"PIC {two[0]}{two[1]}")),
        st.tuples(OCCURS, st.lists(PICTURES, min_size=1, max_size=3)).map(lambda two: ("group", two[1], two[0])),
    ),
    min_size=1,
    max_size=5,
)


def copybook(items: list[tuple[str, list[str], str]]) -> str:
    lines = ["01 ANY-RECORD."]
    for number, (group, pictures, rest) in enumerate(items):
        lines.append(f"   05 F{number} {rest.strip()}.".replace(" .", "."))
        lines += [f"      10 F{number}-{part} PIC {picture}." for part, picture in enumerate(pictures) if group]
    return "\n".join([*lines, "   05 FILLER PIC X(2).", ""])


def values_of(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    named: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields:
        if field.kind is Kind.GROUP and field.occurs is None:
            named |= {below.name: one_of(below) for below in field.fields}
        elif field.name != FILLER:
            named[field.name] = one_of(field)
    return st.fixed_dictionaries(named)


def one_of(field: Field) -> st.SearchStrategy[Any]:
    one = entry_of(field)
    return st.lists(one, min_size=field.occurs, max_size=field.occurs) if field.occurs else one


def entry_of(field: Field) -> st.SearchStrategy[Any]:
    if field.kind is Kind.GROUP:
        return values_of(field.fields)
    if field.kind is Kind.TEXT:
        return st.text(WRITABLE, max_size=field.length).map(lambda text: text.rstrip(" "))
    greatest = 10**field.digits - 1
    whole = st.integers(-greatest if field.kind is Kind.PACKED else 0, greatest)
    return whole.map(lambda number: Decimal(number).scaleb(-field.scale)) if field.scale else whole


@settings(max_examples=80, deadline=None)
@given(items=ITEMS, data=st.data())
def test_values_of_any_pictures_are_read_as_they_were_written(
    items: list[tuple[str, list[str], str]], data: st.DataObject, *, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("copybook") / "any.cpy"
    path.write_text(copybook(items))
    record = read_copybook(path)["ANY-RECORD"]
    values = data.draw(values_of(record.fields))

    encoded = encode(record, values)

    assert len(encoded) == record.length
    assert decode(record, encoded) == values


def random_bytes(record: Record) -> st.SearchStrategy[bytes]:
    """Bytes of the record's length: any at all, or a sound record with some of them changed."""
    sound = encode(record, {})
    changes = st.lists(st.tuples(st.integers(0, record.length - 1), st.integers(0, 255)), max_size=6)
    return st.binary(min_size=record.length, max_size=record.length) | changes.map(lambda made: changed(sound, made))


def changed(sound: bytes, changes: list[tuple[int, int]]) -> bytes:
    made = bytearray(sound)
    for position, byte in changes:
        made[position] = byte
    return bytes(made)


@pytest.mark.parametrize("name", sorted(layouts()))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_bytes_are_read_back_as_they_are_or_refused(name: str, data: st.DataObject) -> None:
    record = layout(name)

    values, faulty = read(record, data.draw(random_bytes(record)))

    assert faulty <= {field.name for field in record.walk()}
    assert faulty or decode(record, encode(record, values)) == values


def read(record: Record, encoded: bytes) -> tuple[dict[str, Any], set[str]]:
    """The values, or the names of the fields that cannot be read."""
    try:
        return decode(record, encoded), set()
    except RecordError as error:
        return {}, {fault.field for fault in error.violations}


@given(data=st.binary(max_size=1_200))
def test_bytes_of_another_length_are_refused_by_the_records_name(data: bytes) -> None:
    record = layout("ISCS-CLAIM")
    if len(data) == record.length:
        return

    with pytest.raises(RecordError) as refused:
        decode(record, data)

    assert [fault.field for fault in refused.value.violations] == ["ISCS-CLAIM"]


def too_wide(field: Field) -> Any:
    """A value that is wider than the field by one character or digit."""
    if field.kind is Kind.TEXT:
        return "A" * (field.length + 1)
    return Decimal(10**field.digits).scaleb(-field.scale) if field.scale else 10**field.digits


@pytest.mark.parametrize("name", sorted(layouts()))
def test_a_value_too_wide_is_an_error_that_names_its_field(name: str) -> None:
    record: Record = layout(name)
    tables = {below.name: field.name for field in record.walk() if field.occurs for below in field.fields}
    plain = [field for field in record.walk() if field.kind is not Kind.GROUP and field.name != FILLER]

    for field in plain:
        wide: Any = too_wide(field)
        value = {field.name: [wide] if field.occurs else wide}
        values = {tables[field.name]: [value]} if field.name in tables else value
        with pytest.raises(RecordError) as refused:
            encode(record, values)
        assert [fault.field for fault in refused.value.violations] == [field.name]


def test_every_copybook_of_the_interfaces_is_read(copybooks: Path) -> None:
    read = {name for path in copybooks.glob("*.cpy") if path.stem != "common" for name in read_copybook(path)}

    assert read == layouts().keys()


@pytest.fixture
def copybooks() -> Path:
    return Path(__file__).parents[2] / "src" / "legacy_gateway" / "copybooks"
