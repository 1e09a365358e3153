"""Values: each function reads what a caller gave and returns its one canonical form.

Each raises `UnsoundValueError`, whose texts say which rule is broken and never hold the value. How long the value may be
is looked at before anything else is done with it. What a kind takes is said in docs/adr/0034.
"""

import math
import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import TypeAlias

import email_validator
import phonenumbers

from chassis import cleaning
from intake.domain import faults
from intake.domain.faults import Fault, UnsoundValueError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAXIMUM_TEXT = 500
MAXIMUM_NAME = 100
MAXIMUM_LINES = 5
MAXIMUM_CODE = cleaning.LONGEST_CODE
"""Characters of a code, a date or an amount as it is given, with what stands between its groups."""
MAXIMUM_PHONE = 40
"""Characters of a telephone number as it is given."""
MAXIMUM_EMAIL = 254
"""Characters of an e-mail address (RFC 5321, section 4.5.3.1, as RFC 3696's erratum 1690 reads it)."""
MAXIMUM_RECORD_PHONE = 16
"""Characters of CM-TELEPHONE, enough for every number of E.164."""
MAXIMUM_MONEY = Decimal("9999999.99")
"""The largest amount that a paying system's widest money field holds, in pounds."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters but the tab, line and paragraph separators, and halves of surrogate pairs (Cc, Zl, Zp and Cs)."""
_PRIVATE = re.compile(
    "[\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff"
    + "".join(chr(plane * 0x10000 + last) for plane in range(1, 15) for last in (0xFFFE, 0xFFFF))
    + "]"
)
"""Characters of private use (Co) and those that never will be characters."""
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PRSTW-Z][A-CEGHJ-NPRSTW-Z][0-9]{6}[A-D]")
_DATE = re.compile(rf"((?:19|20)[0-9]{{2}})[{cleaning.SEPARATORS}]+([0-9]{{2}})[{cleaning.SEPARATORS}]+([0-9]{{2}})")
_MONEY = re.compile(r"£? ?((?:[0-9]{1,12}|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]{1,2})?)")
_DIALLED = re.compile(r"(\+?)([0-9]+)")
_GREAT_BRITAIN = 44
_NATIONAL_DIGITS = 10
"""Digits of a British number after its 0; the few that are shorter are known to the library."""


def read_string(value: JsonValue, maximum: int) -> str:
    """The value, which must be a string of at most `maximum` characters, as it was given."""
    if not isinstance(value, str):
        raise UnsoundValueError.of(faults.NOT_A_STRING)
    if len(value) > maximum:
        raise UnsoundValueError.of(faults.TOO_LONG, most=maximum)
    return value


def read_text(value: JsonValue, maximum: int = MAXIMUM_TEXT) -> str:
    """One line of text of at most `maximum` characters, as given and in Unicode's NFC form, without needless blanks.

    What nobody sees is left out, but for joiners where a script needs them (`chassis.cleaning.line`). There is a letter or a
    digit at least: signs and dots alone say nothing.
    """
    given = read_string(value, maximum)
    if _CONTROL.search(given):
        raise UnsoundValueError.of(faults.CONTROL)
    if _PRIVATE.search(given):
        raise UnsoundValueError.of(faults.PRIVATE)
    text = cleaning.line(given)
    if not any(_is_seen(character) for character in text):
        raise UnsoundValueError.of(faults.BLANK)
    if not any(character.isalnum() for character in text):
        raise UnsoundValueError.of(faults.NO_CONTENT)
    return read_string(text, maximum)


def read_name(value: JsonValue) -> str:
    """A name as the person writes it, in any script, with at least one letter."""
    name = read_text(value, MAXIMUM_NAME)
    if not any(character.isalpha() for character in name):
        raise UnsoundValueError.of(faults.NO_LETTER)
    return name


def read_yes_no(value: JsonValue) -> bool:
    """True or false, and nothing else."""
    if not isinstance(value, bool):
        raise UnsoundValueError.of(faults.NOT_YES_NO)
    return value


def read_date(value: JsonValue) -> str:
    """A day that exists, from 1900 to 2099, as YYYY-MM-DD; given in this order with any separators between its parts."""
    parts = _DATE.fullmatch(cleaning.line(read_string(value, MAXIMUM_CODE)))
    if not parts:
        raise UnsoundValueError.of(faults.DATE_FORM)
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3])).isoformat()
    except ValueError:
        raise UnsoundValueError.of(faults.NOT_A_DAY) from None


def read_money(value: JsonValue, maximum: Decimal = MAXIMUM_MONEY) -> str:
    """Pounds and pence, not negative, as "1234.50"; given with or without £, commas at the thousands, and pence."""
    amount = _MONEY.fullmatch(cleaning.line(read_string(value, MAXIMUM_CODE)))
    if not amount:
        raise UnsoundValueError.of(faults.MONEY_FORM)
    pounds = Decimal(amount[1].replace(",", ""))
    if pounds > maximum:
        raise UnsoundValueError.of(faults.TOO_MUCH, most=maximum)
    return f"{pounds:.2f}"


def read_number(value: JsonValue, *, maximum: Decimal, decimals: int) -> int | float:
    """A number from 0 to `maximum` with at most `decimals` decimal places."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsoundValueError.of(faults.NOT_A_NUMBER)
    if isinstance(value, float) and not math.isfinite(value):
        raise UnsoundValueError.of(faults.NOT_FINITE)
    if not 0 <= value <= maximum:
        raise UnsoundValueError.of(faults.OUT_OF_RANGE, most=maximum)
    if Decimal(repr(value)) != round(Decimal(repr(value)), decimals):
        raise UnsoundValueError.of(faults.DECIMALS, most=decimals)
    return int(value) if value == int(value) else value


def read_nino(value: JsonValue) -> str:
    """A National Insurance number in nine characters (HMRC NIM39110): the example QQ123456C is not valid."""
    text = _code(value)
    if not _NINO.fullmatch(text):
        raise UnsoundValueError.of(faults.NINO)
    return text


def read_postcode(value: JsonValue) -> str:
    """A postcode with one space before its inward part; whether it exists is not checked here."""
    text = cleaning.postcode(read_string(value, MAXIMUM_CODE))
    if text is None:
        raise UnsoundValueError.of(faults.POSTCODE)
    return text


def read_sort_code(value: JsonValue) -> str:
    """A sort code in six digits; 00-00-00 is refused by every paying system."""
    return _digits(value, 6)


def read_account_number(value: JsonValue) -> str:
    """An account number in eight digits, not all zeros."""
    return _digits(value, 8)


def read_phone(value: JsonValue) -> str:
    """A telephone number in the international form (+44...), at most 16 characters; without + it is a British one.

    Every digit given is kept, but for the 0 before the area code and the 00 before a country's code. Its length is checked
    for its country, not its range: new ranges open more often than this is released.
    """
    given = read_text(value, MAXIMUM_PHONE)
    if any(character.isalpha() for character in given):
        raise UnsoundValueError.of(faults.PHONE_LETTERS)
    dialled = _DIALLED.fullmatch(cleaning.compact(re.sub(r"[()]", " ", given)))
    if not dialled:
        raise UnsoundValueError.of(faults.PHONE)
    try:
        number = phonenumbers.parse(dialled[0], "GB")
    except phonenumbers.NumberParseException:
        raise UnsoundValueError.of(faults.PHONE) from None
    if not _is_whole(number):
        raise UnsoundValueError.of(faults.PHONE_LENGTH)
    if not _keeps_digits(number, dialled[2], international=bool(dialled[1])):
        raise UnsoundValueError.of(faults.PHONE_DIGITS)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(written) > MAXIMUM_RECORD_PHONE:
        raise UnsoundValueError.of(faults.PHONE_TOO_LONG, most=MAXIMUM_RECORD_PHONE - 1)
    return written


def read_email(value: JsonValue) -> str:
    """An e-mail address in the form and of the length that the standards allow; nothing is looked up.

    Its domain is in small letters, in the script in which it was given.
    """
    given = read_text(value, MAXIMUM_EMAIL)
    try:
        found = email_validator.validate_email(given, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError:
        raise UnsoundValueError.of(faults.EMAIL) from None
    address = (found.ascii_email if given.isascii() else None) or found.normalized
    if any(character.isdigit() and character not in address for character in given):
        raise UnsoundValueError.of(faults.EMAIL)  # in a domain the library makes a plain 1 of ① and of a full-width 1
    return address


def read_address(value: JsonValue) -> dict[str, JsonValue]:
    """{"lines": two to five lines, "postcode": a postcode}; blank lines are left out."""
    if not isinstance(value, dict) or set(value) != {"lines", "postcode"}:
        raise UnsoundValueError.of(faults.NOT_AN_ADDRESS)
    found: list[Fault] = []
    lines, code = _lines(value["lines"], found), ""
    try:
        code = read_postcode(value["postcode"])
    except UnsoundValueError as error:
        found.extend(error.within(".postcode"))
    faults.refuse(found)
    return {"lines": lines, "postcode": code}


def _is_seen(character: str) -> bool:
    """Whether a character shows something by itself: a letter, a number, a sign; no mark, format or unassigned code."""
    return unicodedata.category(character)[0] in "LNPS"


def _lines(value: JsonValue, found: list[Fault]) -> list[JsonValue]:
    """The lines that are not blank; faults are added to `found`."""
    if not isinstance(value, list):
        found.append(Fault(text=faults.NOT_LINES, at=".lines"))
        return []
    lines: list[JsonValue] = []
    for index, line in enumerate(value[: MAXIMUM_LINES + 1]):
        try:
            if line is not None and not (
                isinstance(line, str) and len(line) <= MAXIMUM_NAME and not cleaning.line(line)
            ):
                lines.append(read_text(line, MAXIMUM_NAME))
        except UnsoundValueError as error:
            found.extend(error.within(f".lines[{index}]"))
            lines.append(None)
    if len(lines) < 2 or len(value) > MAXIMUM_LINES:
        found.append(Fault(text=faults.LINES.of(most=MAXIMUM_LINES), at=".lines"))
    return lines


def _code(value: JsonValue) -> str:
    """A code's own characters; only ASCII is taken, since some other letters upper-case to ASCII."""
    text = cleaning.compact(read_string(value, MAXIMUM_CODE))
    if not text.isascii():
        raise UnsoundValueError.of(faults.CODE_CHARACTERS)
    return text


def _digits(value: JsonValue, count: int) -> str:
    text = _code(value)
    if len(text) != count or not text.isdigit():
        raise UnsoundValueError.of(faults.DIGITS, count=count)
    if not text.strip("0"):
        raise UnsoundValueError.of(faults.ZEROS)
    return text


def _is_whole(number: phonenumbers.PhoneNumber) -> bool:
    """Whether the number has the length of its country's numbers, with the area code."""
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return False
    digits = phonenumbers.national_significant_number(number)
    if number.country_code == _GREAT_BRITAIN and len(digits) < _NATIONAL_DIGITS:
        return phonenumbers.is_valid_number(number)
    return True


def _keeps_digits(number: phonenumbers.PhoneNumber, given: str, *, international: bool) -> bool:
    """Whether the number's digits are those given: the library drops and turns some that it knows the use of."""
    digits = phonenumbers.national_significant_number(number)
    code = str(number.country_code)
    if international:
        heads = {code, f"{code}0"}
    else:
        heads = {f"00{code}", f"00{code}0"} | ({"", "0", code, f"{code}0"} if code == str(_GREAT_BRITAIN) else set())
    return given.endswith(digits) and given.removesuffix(digits) in heads
