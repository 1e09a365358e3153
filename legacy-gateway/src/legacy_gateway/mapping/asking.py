"""The questions that staff ask the claimant about a refused record, before or after sending: by code, in both languages."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

_FILE = Path(__file__).with_name("asking.toml")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in English and in Welsh."""

    en: Annotated[str, msgspec.Meta(min_length=1)]
    cy: Annotated[str, msgspec.Meta(min_length=1)]


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words by code, and those for any other code, where the field has a question and where it has none."""

    rules: Mapping[str, Words]
    question: Words
    platform: Words


@cache
def asking() -> Asking:
    """The words, read once."""
    return msgspec.toml.decode(_FILE.read_bytes(), type=Asking)


def what_to_ask(*, code: str, question_id: str) -> Words:
    """The words in which to ask the claimant about a message. They say so where no question supplies the field."""
    known = asking()
    if not question_id:
        return known.platform
    return known.rules.get(code) or known.rules.get(f"..{code[2:]}") or known.question
