"""The form to propose of a text that a paying system's record cannot hold as it was given.

The rules are those of the legacy interface: text is upper case; names by edit rules ..0002 and ..0003, addresses and
account names by ..0005 and ..0012, other text by code page 285, which has the characters of Latin-1. A proposal is
never used before the claimant has agreed to it.

Numbers stay as they are: a form that would lose a digit or join two numbers into one is refused (see ADR 34).
"""

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from anyascii import anyascii

from intake.domain import faults
from intake.domain.faults import Fault, UnsoundValueError
from intake.domain.values import MAXIMUM_LINES, JsonValue


class Characters(StrEnum):
    """The characters that a field of the record can hold."""

    NAME = "name"
    """Words of A-Z, with one space, hyphen or apostrophe between two."""
    ADDRESS = "address"
    """A-Z 0-9 space and `, . ' - / & ( )`."""
    TEXT = "text"
    """The printable characters of code page 285."""


@dataclass(frozen=True, kw_only=True)
class RecordRule:
    """A field of the record: its characters, and how many it has (for an address: in a line)."""

    characters: Characters
    maximum: int


def strictest(rules: Sequence[RecordRule]) -> RecordRule | None:
    """The rule that fits the fields of all: the fewest characters (each kind has those of the one before it), and the
    shortest; None where there is none.
    """
    if not rules:
        return None
    order = list(Characters)
    fewest = min((rule.characters for rule in rules), key=order.index)
    return RecordRule(characters=fewest, maximum=min(rule.maximum for rule in rules))


_FITS = {
    Characters.NAME: re.compile(r"[A-Z]+(?:[ '-][A-Z]+)*"),
    Characters.ADDRESS: re.compile(r"(?=.*[A-Z0-9])[A-Z0-9 ,.'\-/&()]+"),
    Characters.TEXT: re.compile(r"(?=.*[^ ])[ -~\u00a1-\u00ac\u00ae-\u00ff]+"),
}
_FOREIGN = {
    Characters.NAME: re.compile(r"[^A-Z'-]+"),
    Characters.ADDRESS: re.compile(r"[^A-Z0-9,.'\-/&()]+"),
    Characters.TEXT: re.compile(r"[^!-~\u00a1-\u00ac\u00ae-\u00ff]+"),
}
_APOSTROPHES = str.maketrans(dict.fromkeys("´`′‵ˊˋ＇", "'"))
_DIGIT = re.compile("[0-9]")
_MARKS = re.compile(r"[ '-]+")
_KEPT_LETTERS = 4096
"""Characters whose letters are kept at hand: a save asks for those of one text several times."""


def record_form(value: JsonValue, rule: RecordRule) -> JsonValue:
    """The form to propose for a text or an address ({"lines", "postcode"}); None where the upper-cased value fits.

    Raises UnsoundValueError where no form can be made, for instance of a name that is all pictures, and where a form would
    not have the value's numbers.
    """
    form = _address_form(value, rule) if isinstance(value, dict) else _text_form(str(value), rule)
    if form is not None and numbers(_text_of(form)) != numbers(_text_of(value)):
        raise UnsoundValueError.of(faults.LOSES_A_NUMBER)
    return form


def numbers(text: str) -> list[str]:
    """The numbers in a text, each as its digits 0 to 9. What is no decimal digit (½, ², ①) is a number of its own."""
    return re.findall("[0-9]+", "".join(_numerals(character) for character in text))


def _text_form(text: str, rule: RecordRule) -> str | None:
    return None if _fits(text.upper(), rule) else _proposal(text, rule)


def _text_of(value: JsonValue) -> str:
    return "\n".join(_lines(value)) if isinstance(value, dict) else str(value)


def _numerals(character: str) -> str:
    """A character of a number in plain digits, set apart from its neighbours unless it is a decimal digit.

    A picture of a number, such as that of a day of the month, is one too.
    """
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in ("No", "Nl"):
        return f" {anyascii(character)} "
    if category == "So" and any(part.isdigit() for part in unicodedata.normalize("NFKD", character)):
        return f" {unicodedata.normalize('NFKD', character)} "
    return character


def _address_form(address: dict[str, JsonValue], rule: RecordRule) -> JsonValue:
    lines = _lines(address)
    if all(_fits(line.upper(), rule) for line in lines):
        return None
    return {**address, "lines": list(_address_lines(lines, rule))}


def _address_lines(lines: list[str], rule: RecordRule) -> list[str]:
    """Long lines run on into the next where the record has lines to spare; otherwise each is shortened.

    Raises UnsoundValueError naming each line that has no form.
    """
    written = [_written(line, rule.characters) for line in lines]
    wrapped = [part for line in written for part in textwrap.wrap(line, rule.maximum, break_on_hyphens=False)]
    if all(written) and len(wrapped) <= MAXIMUM_LINES and all(_fits(line, rule) for line in wrapped):
        return wrapped
    forms, found = list[str](), list[Fault]()
    for index, line in enumerate(lines):
        try:
            forms.append(str(record_form(line, rule) or line.upper()))
        except UnsoundValueError as error:
            found.extend(error.within(f".lines[{index}]"))
    faults.refuse(found)
    return forms


def _lines(address: dict[str, JsonValue]) -> list[str]:
    lines = address["lines"]
    return [str(line) for line in lines] if isinstance(lines, list) else []


def _fits(text: str, rule: RecordRule) -> bool:
    return len(text) <= rule.maximum and _FITS[rule.characters].fullmatch(text) is not None


def _proposal(text: str, rule: RecordRule) -> str:
    proposal = _shortened(_written(text, rule.characters), rule)
    if not _fits(proposal, rule):
        raise UnsoundValueError.of(faults.NO_FORM)
    return proposal


def _written(text: str, characters: Characters) -> str:
    """The text in the record's characters, of any length; empty where nothing of it can be written."""
    normal = unicodedata.normalize("NFC", text).translate(_APOSTROPHES)
    letters = "".join(_letters(character, characters) for character in normal).upper()
    known = _FOREIGN[characters].sub(" ", letters).strip()
    return _MARKS.sub(_one_mark, known).strip(" '-") if characters is Characters.NAME else known


@lru_cache(maxsize=_KEPT_LETTERS)
def _letters(character: str, characters: Characters) -> str:
    """Pictures are left out: the transliteration table would write their names ("slight smile").

    So are letters that it writes with digits, such as marks of tones.
    """
    if characters is Characters.TEXT and _FITS[characters].fullmatch(character.upper()):
        return character
    category = unicodedata.category(character)
    if category.startswith("N"):
        return _numerals(character)
    letters = " " if category == "So" else anyascii(character)
    return " " if _DIGIT.search(letters) else letters


def _one_mark(marks: re.Match[str]) -> str:
    return next(mark for mark in "-' " if mark in marks[0])


def _shortened(text: str, rule: RecordRule) -> str:
    """Cuts after a whole word if that fills at least half of the field, otherwise at the maximum."""
    if len(text) <= rule.maximum:
        return text
    words = text[: rule.maximum + 1].rfind(" ")
    return text[: words if words >= rule.maximum // 2 else rule.maximum].rstrip(" '-")
