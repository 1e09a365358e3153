"""Values: each function reads what a caller gave and returns its one canonical form.

Each raises `UnsoundValueError`, whose message says which rule is broken and never holds the value.
"""

import math
import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import TypeAlias

import email_validator
import phonenumbers

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAXIMUM_TEXT = 500
MAXIMUM_NAME = 100
MAXIMUM_LINES = 5
MAXIMUM_PHONE = 16
"""Characters of CM-TELEPHONE, enough for every number of E.164."""
MAXIMUM_MONEY = Decimal("9999999.99")
"""The largest amount that a paying system's widest money field holds, in pounds."""

_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line and paragraph separators, and halves of surrogate pairs (Unicode's Cc, Zl, Zp and Cs)."""
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PRSTW-Z][A-CEGHJ-NPRSTW-Z][0-9]{6}[A-D]")
_POSTCODE = re.compile(
    r"(GIR|[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9](?:[0-9]|[ABEHMNPRV-Y])?|[0-9][A-HJKPS-UW]))([0-9][ABD-HJLNP-UW-Z]{2})"
)
_DATE = re.compile(r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_MONEY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{2})?")


class UnsoundValueError(ValueError):
    """The value breaks a rule of its kind."""


def read_string(value: JsonValue) -> str:
    """The value, which must be a string."""
    if not isinstance(value, str):
        raise UnsoundValueError("must be a string")
    return value


def read_text(value: JsonValue, maximum: int = MAXIMUM_TEXT) -> str:
    """One line of text of at most `maximum` characters, in Unicode's NFC form, without blanks at its ends."""
    given = read_string(value)
    if _NOT_TEXT.search(given):
        raise UnsoundValueError("contains a control character or a line break")
    text = unicodedata.normalize("NFC", given).strip()
    if not text:
        raise UnsoundValueError("is blank; null clears an answer")
    if len(text) > maximum:
        raise UnsoundValueError(f"is longer than {maximum} characters")
    return text


def read_name(value: JsonValue) -> str:
    """A name as the person writes it, in any script, with at least one letter."""
    name = read_text(value, MAXIMUM_NAME)
    if not any(character.isalpha() for character in name):
        raise UnsoundValueError("contains no letter")
    return name


def read_yes_no(value: JsonValue) -> bool:
    """True or false, and nothing else."""
    if not isinstance(value, bool):
        raise UnsoundValueError("must be true or false")
    return value


def read_date(value: JsonValue) -> str:
    """A day that exists, from 1900 to 2099, as YYYY-MM-DD."""
    text = read_string(value)
    if not _DATE.fullmatch(text):
        raise UnsoundValueError("must be a date in the form YYYY-MM-DD, from 1900 to 2099")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UnsoundValueError("is not a calendar date") from None


def read_money(value: JsonValue) -> str:
    """Pounds and pence, not negative, as "1234.50"."""
    text = read_string(value)
    if not _MONEY.fullmatch(text):
        raise UnsoundValueError("must be an amount in pounds such as 12.34, not negative")
    amount = Decimal(text)
    if amount > MAXIMUM_MONEY:
        raise UnsoundValueError(f"is more than {MAXIMUM_MONEY}")
    return f"{amount:.2f}"


def read_number(value: JsonValue, *, maximum: int, decimals: int) -> int | float:
    """A number from 0 to `maximum` with at most `decimals` decimal places."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsoundValueError("must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise UnsoundValueError("must be a finite number")
    if not 0 <= value <= maximum:
        raise UnsoundValueError(f"must be from 0 to {maximum}")
    if Decimal(repr(value)) != round(Decimal(repr(value)), decimals):
        raise UnsoundValueError(f"has more than {decimals} decimal places")
    return int(value) if value == int(value) else value


def read_nino(value: JsonValue) -> str:
    """A National Insurance number in nine characters (HMRC NIM39110): the example QQ123456C is not valid."""
    text = _compact(value)
    if not _NINO.fullmatch(text):
        raise UnsoundValueError("is not a valid National Insurance number")
    return text


def read_postcode(value: JsonValue) -> str:
    """A postcode with one space before its inward part; whether it exists is not checked here."""
    parts = _POSTCODE.fullmatch(_compact(value))
    if not parts:
        raise UnsoundValueError("does not have the form of a postcode")
    return f"{parts[1]} {parts[2]}"


def read_sort_code(value: JsonValue) -> str:
    """A sort code in six digits; 00-00-00 is refused by every paying system."""
    return _digits(value, 6)


def read_account_number(value: JsonValue) -> str:
    """An account number in eight digits, not all zeros."""
    return _digits(value, 8)


def read_phone(value: JsonValue) -> str:
    """A telephone number in the international form (+44...), at most 16 characters; without + it is a British one.

    Its length is checked for its country, not its range: new ranges open more often than this is released.
    """
    text = read_text(value, 40)
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        raise UnsoundValueError("is not a telephone number") from None
    if number.extension:
        raise UnsoundValueError("has an extension, which the record cannot hold")
    if not phonenumbers.is_possible_number(number):
        raise UnsoundValueError("is not a valid telephone number for its country")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(written) > MAXIMUM_PHONE:
        raise UnsoundValueError(f"has more than {MAXIMUM_PHONE - 1} digits in the international form")
    return written


def read_email(value: JsonValue) -> str:
    """An e-mail address in the form the standards allow; nothing is looked up."""
    try:
        return email_validator.validate_email(read_text(value, 254), check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        raise UnsoundValueError("is not an e-mail address") from None


def read_address(value: JsonValue) -> dict[str, JsonValue]:
    """{"lines": two to five lines, "postcode": a postcode}; blank lines are left out."""
    if not isinstance(value, dict) or set(value) != {"lines", "postcode"}:
        raise UnsoundValueError("must be an object of lines and postcode")
    lines = value["lines"]
    if not isinstance(lines, list):
        raise UnsoundValueError("must have a list of lines")
    filled: list[JsonValue] = [read_text(line, MAXIMUM_NAME) for line in lines if line not in ("", None)]
    if not 2 <= len(filled) <= MAXIMUM_LINES:
        raise UnsoundValueError(f"must have 2 to {MAXIMUM_LINES} lines that are not blank")
    return {"lines": filled, "postcode": read_postcode(value["postcode"])}


def _compact(value: JsonValue) -> str:
    """Upper case without spaces and hyphens; only ASCII is taken, since some other letters upper-case to ASCII."""
    text = read_string(value)
    if not text.isascii():
        raise UnsoundValueError("contains a character other than A to Z and 0 to 9")
    return re.sub(r"[ -]", "", text).upper()


def _digits(value: JsonValue, count: int) -> str:
    text = _compact(value)
    if len(text) != count or not text.isdigit():
        raise UnsoundValueError(f"must have {count} digits")
    if not text.strip("0"):
        raise UnsoundValueError("must not be all zeros")
    return text
