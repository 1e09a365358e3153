"""The claim reference: `C` and 11 characters of Crockford's base 32, the last a check character."""

import random
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
_BASE = len(ALPHABET)


def new_claim_reference(random_source: random.Random) -> str:
    """A new reference: 50 bits from the source, so that a number given on the phone cannot be guessed from another."""
    body = "".join(random_source.choices(ALPHABET, k=_LENGTH - 2))
    return f"C{body}{_check_character(body)}"


def is_claim_reference(text: str) -> bool:
    """Whether the text has a reference's form, and its check character is right."""
    return len(text) == _LENGTH and _is_sound(text)


@lru_cache(4096)
def _is_sound(text: str) -> bool:
    body = text[1:-1]
    return text[0] == "C" and all(character in ALPHABET for character in text) and text[-1] == _check_character(body)


def _check_character(body: str) -> str:
    """Luhn mod 32: it finds every single slip and nearly every exchange of two neighbours."""
    total = 0
    for place, character in enumerate(reversed(body)):
        doubled = ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += doubled // _BASE + doubled % _BASE
    return ALPHABET[-total % _BASE]
