"""The bytes of one plain field: text, zoned digits, packed digits. A value that does not fit is refused, never cut."""

import unicodedata
from dataclasses import dataclass
from decimal import Context, Decimal

import ebcdic  # noqa: F401 - importing it makes the code page known to Python

from .copybook import MOST_DIGITS

CODE_PAGE = "cp285"
BLANK = b"\x40"
ZONED_DIGITS = bytes(range(0xF0, 0xFA))

_CONTROLS = bytes(
    number
    for number in range(256)
    if unicodedata.category(bytes([number]).decode(CODE_PAGE)) in {"Cc", "Cf"}  # Cf: the soft hyphen, which nobody sees
)
_EXACT = Context(prec=2 * MOST_DIGITS)


class FieldError(Exception):
    """The value does not fit the field, or the bytes are not a value. The message never holds the value."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """`PIC X(length)`: code page 285, left-justified, padded with X'40'."""

    length: int

    @property
    def blank(self) -> bytes:
        """The bytes of no value."""
        return BLANK * self.length

    def write(self, value: object) -> bytes:
        """The bytes of a `str`. Raises FieldError."""
        if not isinstance(value, str):
            raise FieldError("must be text")
        if len(value) > self.length:
            raise FieldError(f"has more than {self.length} characters")
        try:
            encoded = value.encode(CODE_PAGE)
        except UnicodeEncodeError:
            raise FieldError("has a character that is not in code page 285") from None
        _refuse_controls(encoded)
        return encoded.ljust(self.length, BLANK)

    def read(self, encoded: bytes) -> str:
        """The text without the blanks at its end. Raises FieldError."""
        _refuse_controls(encoded)
        return encoded.rstrip(BLANK).decode(CODE_PAGE)


@dataclass(frozen=True, kw_only=True)
class Zoned:
    """`PIC 9…V9…`: one EBCDIC digit a byte, zero-filled on the left, without a sign."""

    digits: int
    scale: int

    @property
    def length(self) -> int:
        """Bytes."""
        return self.digits

    @property
    def blank(self) -> bytes:
        """The bytes of no value."""
        return ZONED_DIGITS[:1] * self.length

    def write(self, value: object) -> bytes:
        """The bytes of an `int`, or with a scale of a `Decimal`. Raises FieldError."""
        number = _unscaled(value, digits=self.digits, scale=self.scale)
        if number < 0:
            raise FieldError("must not be negative")
        return str(number).rjust(self.digits, "0").encode(CODE_PAGE)

    def read(self, encoded: bytes) -> int | Decimal:
        """The number. Raises FieldError."""
        if encoded.strip(ZONED_DIGITS):
            raise FieldError("has a byte that is not a digit")
        return _scaled(int(encoded.decode(CODE_PAGE)), scale=self.scale)


@dataclass(frozen=True, kw_only=True)
class Packed:
    """`PIC S9…V9… COMP-3`: two digits a byte, the last half byte the sign, C (plus or zero) or D (minus)."""

    digits: int
    scale: int

    @property
    def length(self) -> int:
        """Bytes."""
        return self.digits // 2 + 1

    @property
    def blank(self) -> bytes:
        """The bytes of no value."""
        return b"\x0c".rjust(self.length, b"\x00")

    def write(self, value: object) -> bytes:
        """The bytes of an `int`, or with a scale of a `Decimal`. Raises FieldError."""
        number = _unscaled(value, digits=self.digits, scale=self.scale)
        half_bytes = f"{abs(number)}{'D' if number < 0 else 'C'}"
        return bytes.fromhex(half_bytes.rjust(2 * self.length, "0"))

    def read(self, encoded: bytes) -> int | Decimal:
        """The number. Raises FieldError, for a negative zero as well: the interface gives zero the sign C."""
        half_bytes = encoded.hex()
        figures, sign = half_bytes[:-1], half_bytes[-1]
        if not figures.isdecimal() or int(figures) >= 10**self.digits:
            raise FieldError("has a half byte that is not a digit")
        number = int(figures)
        if sign not in "cd" or (sign == "d" and number == 0):
            raise FieldError("has an invalid sign")
        return _scaled(-number if sign == "d" else number, scale=self.scale)


def _refuse_controls(encoded: bytes) -> None:
    if len(encoded.translate(None, _CONTROLS)) != len(encoded):
        raise FieldError("has a control character")


def _unscaled(value: object, *, digits: int, scale: int) -> int:
    """The value in units of its last decimal place: 1.23 with a scale of 2 is 123."""
    number = _whole(value) if scale == 0 else _decimal_units(value, digits=digits, scale=scale)
    if abs(number) >= 10**digits:
        raise FieldError(f"has more than {digits} digits")
    return number


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError("must be a whole number")
    return value


def _decimal_units(value: object, *, digits: int, scale: int) -> int:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise FieldError("must be a decimal number")
    if value.adjusted() >= digits - scale and value:  # before any arithmetic, which would round a number so long
        raise FieldError(f"has more than {digits - scale} digits before the point")
    rounded = value.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    if rounded != value:
        raise FieldError(f"has more than {scale} decimal places")
    return int(rounded.scaleb(scale, context=_EXACT))


def _scaled(number: int, *, scale: int) -> int | Decimal:
    return Decimal(number).scaleb(-scale, context=_EXACT) if scale else number
