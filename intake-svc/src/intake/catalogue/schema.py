"""The schema of a catalogue's files. docs/adding-a-scheme.md explains them to authors."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from intake.domain.script import AnsweredBy, Kind, Sensitivity
from intake.domain.transliteration import Characters

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")]
"""A name in lower_snake_case."""
SchemeName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]+(_[A-Z]+)*\Z")]
"""A scheme's name in the contract."""
Words: TypeAlias = Annotated[str, Meta(pattern=r"\S")]
"""A text that is not blank."""
Count: TypeAlias = Annotated[int, Meta(ge=0)]


class Spoken(Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages."""

    en: Words
    cy: Words


class SectionOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A section, in the order of asking. Its questions are in `questions/<id>.toml`."""

    id: Name
    name: Spoken


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """The value of a dated table from a day on."""

    first_day: date = field(name="from")
    value: int | float | date


class TableOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A dated table; `source` says where the dates and values come from."""

    unit: Literal["PENCE", "NUMBER", "DATE"]
    source: Words
    rows: Annotated[tuple[Row, ...], Meta(min_length=1)]


class Top(Struct, frozen=True, forbid_unknown_fields=True):
    """`catalogue.toml`."""

    number: Annotated[int, Meta(ge=1)]
    released_on: date
    sections: Annotated[tuple[SectionOf, ...], Meta(min_length=1)]
    claim_date: Name | None = None
    decisions: Mapping[Name, Words] = {}
    tables: Mapping[Name, TableOf] = {}
    earlier: Mapping[Name, Annotated[int, Meta(ge=1)]] = {}


class ChoiceOf(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the answers that a question offers."""

    code: Words
    text: Spoken


class NumberOf(Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of a NUMBER."""

    maximum: Count
    decimals: Count


class RecordOf(Struct, frozen=True, forbid_unknown_fields=True):
    """The characters and the length that a record's field can hold."""

    characters: Characters
    max_length: Annotated[int, Meta(ge=1)]


class CheckOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A check of an answer; `field` of a group's entries."""

    rule: Words
    problem: Spoken
    field: Name | None = None


class FieldOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A field of a group's entries. Without `seen_by` it is seen by those who see the question."""

    id: Name
    kind: Kind
    text: Spoken
    choices: tuple[ChoiceOf, ...] = ()
    number: NumberOf | None = None
    maximum_pence: Count | None = None
    required: bool = False
    seen_by: tuple[Words, ...] | None = None
    needed_by: tuple[Words, ...] = ()


class QuestionOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A question of the bank."""

    id: Name
    kind: Kind
    text: Spoken
    seconds: Count
    help: Spoken | None = None
    choices: tuple[ChoiceOf, ...] = ()
    number: NumberOf | None = None
    maximum_pence: Count | None = None
    max_entries: Count | None = None
    fields: tuple[FieldOf, ...] = ()
    needed_by: tuple[Words, ...] = ()
    seen_by: tuple[Words, ...] = ()
    security: bool = False
    located: bool = False
    choices_from: Name | None = None
    gap_allowed: bool = False
    record: RecordOf | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    answered_by: AnsweredBy = AnsweredBy.CLAIMANT
    checks: tuple[CheckOf, ...] = ()


class SectionFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`questions/<section>.toml`."""

    questions: tuple[QuestionOf, ...]


class EntryOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A question that a scheme needs: its relevance, requirement and record rule."""

    relevant: Words | None = None
    required: bool | Words = True
    record: RecordOf | None = None


class CrossCheckOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A check of this scheme, made of a question's answer against others; of `entitlement`, if a true answer can break it."""

    question: Name
    rule: Words
    problem: Spoken
    entitlement: bool = False


class DerivedOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A fact that follows from answers."""

    id: Name
    rule: Words
    seen_by: tuple[Words, ...] = ()
    needed_by: tuple[Words, ...] = ()


class FactsOf(Struct, frozen=True, forbid_unknown_fields=True):
    """The questions that must be answered or not relevant."""

    facts: Annotated[tuple[Name, ...], Meta(min_length=1)]


class SchemeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`<scheme>.toml`, or without `scheme` a part that schemes include."""

    scheme: SchemeName | None = None
    claimed_from: date | None = None
    claimed_until: date | None = None
    includes: tuple[Name, ...] = ()
    questions: Mapping[Name, EntryOf] = {}
    checks: tuple[CrossCheckOf, ...] = ()
    derived: tuple[DerivedOf, ...] = ()
    first_contact: FactsOf | None = None
    request: FactsOf | None = None
