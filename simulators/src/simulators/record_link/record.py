"""From a record's bytes to values and back: code page 285, zoned and packed decimals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import ebcdic  # noqa: F401 -- importing it registers the code pages that Python lacks

from simulators.record_link.copybook import Field, Kind, Layout

CODE_PAGE = "cp285"
_PRINTED = bytes(range(0x40, 0xFF))
"""Every byte of text that is no control character."""
_DIGITS = bytes(range(0xF0, 0xFA))

Scalar = str | int | Decimal
Value = Scalar | list[Scalar]


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A record's values by field name.

    Where the bytes are not what the picture says, `unreadable` names the fields of text, `without_digits` those of
    numbers.
    """

    values: Mapping[str, Value]
    unreadable: tuple[str, ...]
    without_digits: tuple[str, ...]


def decode(layout: Layout, data: bytes) -> Decoded:
    """Read every field. Text loses its padding; a table is a list; numbers are int, or Decimal with decimals."""
    text = data.decode(CODE_PAGE)
    values: dict[str, Value] = {}
    wrong: list[Field] = []
    for field in layout.fields.values():
        reader = _READERS[field.kind]
        entries = [reader(field, data[place], text[place]) for place in field.places]
        if None in entries:
            wrong.append(field)
        else:
            values[field.name] = entries if field.occurs else entries[0]  # type: ignore[assignment]
    return Decoded(
        values=values,
        unreadable=tuple(field.name for field in wrong if field.kind is Kind.TEXT),
        without_digits=tuple(field.name for field in wrong if field.kind is not Kind.TEXT),
    )


def encode(layout: Layout, values: Mapping[str, Value]) -> bytes:
    """Write a record of text and zoned whole numbers, which is all that an answer holds. What is not named is blank.

    Raises ValueError when a value does not fit: nothing is cut short.
    """
    text = [" "] * layout.length
    for field in layout.fields.values():
        value = values.get(field.name, [] if field.occurs else _blank(field))
        entries = value if isinstance(value, list) else [value]
        places = field.places
        if len(entries) > len(places):
            raise ValueError(f"{field.name}: too many entries")
        blanks = [_blank(field)] * (len(places) - len(entries))
        for place, entry in zip(places, [*entries, *blanks], strict=True):
            text[place] = _written(field, entry)
    return "".join(text).encode(CODE_PAGE)


def _blank(field: Field) -> Scalar:
    return "" if field.kind is Kind.TEXT else 0


def _written(field: Field, value: Scalar) -> str:
    text = str(value).ljust(field.length) if field.kind is Kind.TEXT else str(value).zfill(field.length)
    if len(text) != field.length or field.kind is Kind.PACKED:
        raise ValueError(f"{field.name}: the value does not fit")
    return text


def _text(_: Field, data: bytes, text: str) -> str | None:
    return None if data.translate(None, _PRINTED) else text.rstrip(" ")


def _zoned(field: Field, data: bytes, text: str) -> int | Decimal | None:
    return None if data.translate(None, _DIGITS) else _scaled(int(text), field.decimals)


def _packed(field: Field, data: bytes, _: str) -> int | Decimal | None:
    digits, sign = data.hex()[:-1], data.hex()[-1]
    if not digits.isdecimal() or sign not in "cd":
        return None
    return _scaled(int(digits) * (-1 if sign == "d" else 1), field.decimals)


def _scaled(number: int, decimals: int) -> int | Decimal:
    return Decimal(number).scaleb(-decimals) if decimals else number


_READERS: Mapping[Kind, Callable[[Field, bytes, str], Scalar | None]] = {
    Kind.TEXT: _text,
    Kind.ZONED: _zoned,
    Kind.PACKED: _packed,
}
