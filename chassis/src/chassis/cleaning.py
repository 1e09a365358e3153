"""How every service reads what people type: blanks, separators, characters that nobody sees, postcodes. Pure.

    compact("ab 12–34.56/c")    # "AB123456C": a code, without what stands between its groups
    line("Siân\u00a0 \u200bHughes")   # "Siân Hughes": one line of text
    postcode("ls1-4ap")         # "LS1 4AP"

No digit is ever added, dropped or changed. Only 0 to 9 are digits of a code: other digits (full-width, Arabic-Indic, raised,
circled) stay as they are, so that the reader of the code refuses them, since nobody can tell which was meant. See ADR 34.
"""

import re
import unicodedata

BLANKS = r"\s\u2800"
"""Inside a character class: every blank of Unicode, and the Braille pattern without a dot."""
SEPARATORS = (
    rf"{BLANKS}./\u00b7\u2024\u2044\u2215\uff0e\uff0f"
    r"\-\u02d7\u058a\u05be\u1400\u1806\u2010-\u2015\u2043\u2212\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0"
    r"\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead"
)
"""Inside a character class: what may stand between the groups of a code. Blanks, dots, slashes and every dash."""

_SEPARATORS = re.compile(f"[{SEPARATORS}]+")
_BLANKS = re.compile(f"[{BLANKS}]+")
# Unicode's Default_Ignorable_Code_Point, and the interlinear annotations: bidirectional controls are among them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = "\u200c\u200d"
_VIRAMA = 9
"""The combining class of the signs after which the scripts of India use joiners."""
_JOINING = ("AL", "R")
"""The bidirectional classes of the scripts whose letters join, such as Arabic."""

# NPT and GIR are the two outward codes without a digit that were ever used.
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?|NPT|GIR)([0-9][A-Z]{2})")
LONGEST_CODE = 30
"""Characters of a code as it is typed: the longest has nine of its own, and the rest stands between them."""


def compact(text: str) -> str:
    """A code in capitals, without the separators between its groups and without what nobody sees.

    Capitals are made only of a to z: other letters may become several (a sharp s).
    """
    code = _SEPARATORS.sub("", _INVISIBLE.sub("", text))
    return code.upper() if code.isascii() else code


def line(text: str) -> str:
    """A line of text in Unicode's NFC form: blanks of any kind as one space between words, nothing that nobody sees.

    A joiner stays where a script needs it, and so does a mark that chooses the form of a Chinese or Mongolian character.
    """
    seen = _INVISIBLE.sub(lambda found: found[0] if _is_needed(text, found.start()) else "", text)
    return unicodedata.normalize("NFC", _BLANKS.sub(" ", seen).strip())


def postcode(text: str) -> str | None:
    """A postcode in capitals with one space before its inward part; None where the text has not the form of one.

    Whether the postcode exists is for the directory to say (`chassis.postcodes`).
    """
    found = _POSTCODE.fullmatch(compact(text)) if len(text) <= LONGEST_CODE else None
    return f"{found[1]} {found[2]}" if found else None


def _is_needed(text: str, at: int) -> bool:
    before = _before(text, at)
    if text[at] in _JOINERS:
        after = text[at + 1 : at + 2]
        return _joins(before, after) or any(unicodedata.combining(mark) == _VIRAMA for mark in before[1:] + after)
    is_variation = unicodedata.name(text[at], "").startswith(("VARIATION SELECTOR", "MONGOLIAN"))
    return is_variation and bool(before) and unicodedata.category(before[0]) == "Lo"


def _before(text: str, at: int) -> str:
    """The character before a place, with the marks that belong to it."""
    start = at
    while start > 0 and at - start < 30:
        start -= 1
        if not unicodedata.category(text[start]).startswith("M") or _INVISIBLE.match(text[start]):
            break
    return text[start:at]


def _joins(before: str, after: str) -> bool:
    return bool(before and after) and all(unicodedata.bidirectional(part[0]) in _JOINING for part in (before, after))
