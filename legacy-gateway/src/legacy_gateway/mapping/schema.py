"""The schema of the files that say which answer supplies which field of a system's records."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

Codes = Mapping[str, str | int]
CONSTANT, COUNT = "constant", "count"
"""The forms of a field that is always the same, and of one that counts the rows of a table."""


class FieldSource(Struct, frozen=True, forbid_unknown_fields=True):
    """The source of one field of a record. `question` is empty if the platform itself supplies the field.

    `goes_by` are further facts on which the field depends. `codes` gives a code for each value, `divided` the number by which
    an amount is divided for a value of the second fact. `value` is that of a constant, `table` the one whose rows are counted.
    `withheld`: the field goes to the system and is shown to nobody.
    """

    form: str
    question: str = ""
    fact: str = ""
    facts: tuple[str, ...] = ()
    goes_by: tuple[str, ...] = ()
    codes: Codes = {}
    divided: Mapping[str, int] = {}
    value: str = ""
    table: str = ""
    absent: str | None = None
    required: bool = False
    withheld: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError where a form lacks what it needs, or has what belongs to another."""
        if bool(self.codes) != (self.form == "code"):
            raise ValueError("the form code, and no other form, needs a table of codes")
        if bool(self.value) != (self.form == CONSTANT):
            raise ValueError("the form constant, and no other form, needs a value")
        if bool(self.table) != (self.form == COUNT):
            raise ValueError("the form count, and no other form, needs a table")

    @property
    def from_facts(self) -> tuple[str, ...]:
        """The names of the facts that the field is made from; in a table, of the parts of an entry."""
        return self.facts or (self.fact or self.question,)

    @property
    def feeding(self) -> frozenset[str]:
        """The facts that make a difference to the field."""
        return frozenset((*self.from_facts, self.question, *self.goes_by)) - {""}


class Rows(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of a table of a record, from one question: a row for each entry of a group, or one for an amount over zero."""

    record: str
    table: str
    question: str
    fields: Mapping[str, FieldSource]
    goes_by: tuple[str, ...] = ()

    @property
    def feeding(self) -> frozenset[str]:
        """The facts that make a difference to the rows."""
        return frozenset((self.question, *self.goes_by))


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """A record of the system: its layout, and the dialogue that takes it where the system has dialogues."""

    number: Annotated[int, Meta(ge=1)]
    record: str
    dialogue: str = ""


class Sources(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole file: `fields` by record, the `rows` of their tables, and the first letters of the system's codes.

    The records of `begins_with`, a file beside it, have their fields first; a field of the record's own replaces one of them.
    """

    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)] = field(name="phase")
    code_parts: Annotated[tuple[str, ...], Meta(min_length=1)]
    begins_with: str = ""
    takes_changes: bool = True
    """Whether the system replaces what it holds by a record of a change; else a person makes the change there."""
    fields: Mapping[str, Mapping[str, FieldSource]]
    rows: tuple[Rows, ...] = ()

    def of_record(self, record: str) -> Mapping[str, FieldSource]:
        """The sources of every field of a record that stands outside its tables."""
        return self.fields[record]

    def rows_of(self, record: str) -> tuple[Rows, ...]:
        """The rows of every table of a record, in the order in which they are written."""
        return tuple(rows for rows in self.rows if rows.record == record)

    def feeding(self, record: str) -> frozenset[str]:
        """The facts that make a difference to a record."""
        parts: Iterator[Any] = iter((*self.of_record(record).values(), *self.rows_of(record)))
        return frozenset(fact for part in parts for fact in part.feeding)


class Beginning(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of fields with which every record of a system begins."""

    fields: Mapping[str, FieldSource]
