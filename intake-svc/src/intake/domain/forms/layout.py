"""A claim form: which questions of a script are on it, in which order and under which numbers.

Printing and reading share this. A form's numbers follow from the script alone, so that a catalogue's form stays the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from chassis.errors import Text
from intake.domain.rules import Rule
from intake.domain.script import AnsweredBy, Kind, Question, Script

FORM_VERSION = 1
"""Goes up when the names of a form's boxes change, and so what is read of an earlier form."""
ENTRIES_ABREAST = 3
"""Entries of a group that stand side by side in a table."""
_ENTRIES = {"children": 6}
"""Places for entries of a group in its own table; of other groups one table."""

CODES = {
    "INCOME_SUPPORT": "IS",
    "JOBSEEKERS_ALLOWANCE": "JSA",
    "INCAPACITY_BENEFIT": "IB",
    "CHILD_MAINTENANCE": "CM",
    "CRISIS_LOAN": "CL",
}
"""The schemes as a form's identity has them, in the order in which it names them."""
_SCHEMES = {code: scheme for scheme, code in CODES.items()}
_IDENTITY = re.compile(r"CMS3-([0-9]{1,4})-((?:[A-Z]{2,3}\.){0,4}[A-Z]{2,3})-(EN|CY)-([0-9]{1,4})")


@dataclass(frozen=True, kw_only=True)
class FormIdentity:
    """Which form it is: printed on each page, such as `CMS3-2-IS.JSA-CY-1`, and in a hidden field."""

    catalogue: int
    schemes: tuple[str, ...]
    language: str
    version: int = FORM_VERSION

    def __str__(self) -> str:
        codes = ".".join(code for scheme, code in CODES.items() if scheme in self.schemes)
        return f"CMS3-{self.catalogue}-{codes}-{self.language}-{self.version}"

    @classmethod
    def read(cls, text: str) -> "FormIdentity | None":
        """The identity in this text, blanks and small letters taken; None for anything else."""
        found = _IDENTITY.fullmatch(text.replace(" ", "").upper())
        if found is None or not set(found[2].split(".")) <= set(_SCHEMES):
            return None
        schemes = tuple(_SCHEMES[code] for code in found[2].split("."))
        identity = cls(catalogue=int(found[1]), schemes=schemes, language=found[3], version=int(found[4]))
        return identity if len(set(schemes)) == len(schemes) else None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A question on the form. `part` is the number of its part, `number` its own."""

    number: int
    part: int
    question: Question

    @property
    def id(self) -> str:
        """The question's id."""
        return self.question.id

    @cached_property
    def entries(self) -> int:
        """The number of places in a group's own table."""
        return min(_ENTRIES.get(self.id, ENTRIES_ABREAST), self.question.limits.max_entries or ENTRIES_ABREAST)

    @cached_property
    def more_entries(self) -> int:
        """The number of a group's places on the continuation sheet, one table at most."""
        return min(ENTRIES_ABREAST, (self.question.limits.max_entries or 0) - self.entries)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the form: a section of the interview."""

    number: int
    name: Text
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of one script."""

    script: Script
    parts: tuple[Part, ...]

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The questions in the form's order."""
        return tuple(entry for part in self.parts for entry in part.entries)

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """The questions on the form by id."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def by_number(self) -> dict[int, Entry]:
        """The questions on the form by their number."""
        return {entry.number: entry for entry in self.entries}


def form_of(script: Script) -> Form:
    """The form of a script: every question that a claimant can answer on paper."""
    parts: list[Part] = []
    count = 0
    for section in script.sections:
        printed = [question for question in script.questions.values() if _is_printed(script, section.id, question)]
        entries = [
            Entry(number=number, part=len(parts) + 1, question=question)
            for number, question in enumerate(printed, start=count + 1)
        ]
        if entries:
            parts.append(Part(number=len(parts) + 1, name=section.name, entries=tuple(entries)))
            count += len(entries)
    return Form(script=script, parts=tuple(parts))


def _is_printed(script: Script, section: str, question: Question) -> bool:
    return question.section == section and not (
        question.answered_by is AnsweredBy.OPERATOR
        or question.choices_from
        or _depends_on_a_place(script, question.relevant)
    )


def _depends_on_a_place(script: Script, rule: Rule | None) -> bool:
    """Whether the directory of postcodes decides: such a question is asked in the call that finishes the claim."""
    located = [name for name in (rule.names if rule else ()) if name in script.questions]
    return any(
        script.questions[name].located and re.search(rf"\b{name}\.(listed|councils)\b", rule.expression if rule else "")
        for name in located
    )


IDENTITY_BOX = "form"
"""The hidden box that holds the form's identity."""
GAP_BOX = "gap"
NONE_BOX = "none"
DATE_PARTS = ("day", "month", "year")
ADDRESS_LINES = 5
POSTCODE_BOX = "postcode"


def box(*parts: str | int) -> str:
    """The name of a box. A full stop would make a hierarchy of it."""
    return ":".join(str(part) for part in ("q", *parts))


def boxes_of(kind: Kind, name: str, codes: Sequence[str] = ()) -> list[str]:
    """The boxes into which one answer of this kind is written; `name` is that of the answer itself."""
    match kind:
        case Kind.DATE:
            return [f"{name}:{part}" for part in DATE_PARTS]
        case Kind.ADDRESS:
            return [*(f"{name}:{line}" for line in range(1, ADDRESS_LINES + 1)), f"{name}:{POSTCODE_BOX}"]
        case Kind.CHOICES:
            return [*(f"{name}:{code}" for code in codes), f"{name}:{NONE_BOX}"]
    return [name]


def letters() -> str:
    """The letters that stand for a group's choices on paper, in their order."""
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
