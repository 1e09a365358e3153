"""The claim reference: `C` and 11 characters of Crockford's base 32, the last a check character (Luhn mod 32).

canonical("c000-0000 oo1y")         # "C0000000001Y": as people write and read it out, in groups and in lower case
is_claim_reference("C0000000001Y")  # its form and its check character
has_form(text)                      # its form alone: what an error or a log line may show
"""

import re

from chassis import cleaning

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE = len(ALPHABET)
_READ_AS = str.maketrans("ILO", "110")
"""Letters that Crockford's base 32 leaves out because they are taken for digits, and reads as those."""
LONGEST = 40
"""Characters of a reference as it is typed, with what stands between its groups."""
_FORM = re.compile(f"C[{ALPHABET}]{{11}}")


def canonical(text: str) -> str | None:
    """Returns the reference that a text stands for: in capitals, in one group, I and L read as 1, O as 0.

    None where the text has not the form of a reference. The check character is not looked at.
    """
    if len(text) > LONGEST:
        return None
    found = cleaning.compact(text).translate(_READ_AS)
    return found if has_form(found) else None


def has_form(text: str) -> bool:
    """Whether the text has a reference's form."""
    return _FORM.fullmatch(text) is not None


def is_claim_reference(text: str) -> bool:
    """Whether the text has a reference's form and the right check character."""
    return has_form(text) and text[-1] == check_character(text[1:-1])


def check_character(body: str) -> str:
    """The check character of some characters of ALPHABET.

    It reveals every wrong character and nearly every exchange of two neighbours.
    """
    total = 0
    for place, character in enumerate(reversed(body)):
        doubled = ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += doubled // _BASE + doubled % _BASE
    return ALPHABET[-total % _BASE]
