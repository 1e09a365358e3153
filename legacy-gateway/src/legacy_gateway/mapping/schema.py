"""The schema of the files that say which answer supplies which field of a system's records."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

Rule = Annotated[str, Meta(pattern=r"^([A-Z]{2})?[0-9]{4}\Z")]
"""The code of an edit rule, or only its number if several records share the rule."""


class FieldSource(Struct, frozen=True, forbid_unknown_fields=True):
    """The source of one field of a record. `question` is empty if the platform itself supplies the field."""

    form: str
    question: str = ""
    fact: str = ""
    facts: tuple[str, ...] = ()
    codes: Mapping[str, str | int] = {}
    absent: str | None = None
    required: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError unless the form `code`, and no other form, has a table of codes."""
        if bool(self.codes) != (self.form == "code"):
            raise ValueError("the form code, and no other form, needs a table of codes")

    @property
    def from_facts(self) -> tuple[str, ...]:
        """The names of the facts that the field is made from."""
        return self.facts or (self.fact or self.question,)


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """A record of the system: the dialogue that takes it, and its layout."""

    number: Annotated[int, Meta(ge=1)]
    dialogue: str
    record: str


class CapitalLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The highest capital, in pounds, for dates of claim from this day on."""

    first_day: date = field(name="from")
    pounds: Decimal


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file: `fields` by record (every record begins with those under `common`), `refusals` in our words by rule."""

    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)] = field(name="phase")
    capital_limits: Annotated[tuple[CapitalLimit, ...], Meta(min_length=1)] = field(name="capital_limit")
    refusals: Mapping[Rule, str]
    fields: Mapping[str, Mapping[str, FieldSource]]

    def of_record(self, record: str) -> Mapping[str, FieldSource]:
        """The sources of every field of a record."""
        return {**self.fields["common"], **self.fields[record]}

    def refusal(self, code: str) -> str | None:
        """Our words for a broken rule; None if the file does not know it."""
        return self.refusals.get(code) or self.refusals.get(code[2:])
