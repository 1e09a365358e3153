"""New claim references, in the form that `chassis.check_digit` describes."""

import random

from chassis.check_digit import ALPHABET, check_character

_RANDOM_CHARACTERS = 10


def new_claim_reference(random_source: random.Random) -> str:
    """A new reference: 50 bits from the source, so that a number given on the phone cannot be guessed from another."""
    body = "".join(random_source.choices(ALPHABET, k=_RANDOM_CHARACTERS))
    return f"C{body}{check_character(body)}"
