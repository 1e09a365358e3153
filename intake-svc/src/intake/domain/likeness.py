"""Names that are alike: one person may be written Müller, Mueller or Muller, Smith or Smyth, Siôn or Shaun."""

from collections.abc import Iterator

import jellyfish
from anyascii import anyascii

_SPELLED_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "ø": "oe", "ß": "ss", "ŵ": "w", "ŷ": "y"}
)
"""German and Scandinavian letters as their own speakers write them without accents; English writers leave the accent out."""


def sounds(surname: str) -> frozenset[str]:
    """The sounds of a surname: two surnames are alike where they have one in common.

    Each spelling has its metaphone and its soundex. A name of several parts (Price-Jones) has those of each part too, since
    people give one of them alone. Letters of other scripts are read as `anyascii` writes them.
    """
    return frozenset(sound for spelling in _spellings(surname) for sound in _sounds(spelling))


def _spellings(surname: str) -> Iterator[str]:
    lower = surname.casefold()
    for text in {anyascii(lower), anyascii(lower.translate(_SPELLED_OUT))}:
        parts = "".join(letter if letter.isalpha() else " " for letter in text.replace("'", "").casefold()).split()
        yield "".join(parts)
        yield from (part for part in parts if len(part) > 2)


def _sounds(spelling: str) -> Iterator[str]:
    for kind, sound in (("M", jellyfish.metaphone(spelling)), ("S", jellyfish.soundex(spelling))):
        if sound:
            yield f"{kind}:{sound}"
