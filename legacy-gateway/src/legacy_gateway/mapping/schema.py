"""The shape of the files that say which answer supplies which field of a system's records."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

Rule = Annotated[str, Meta(pattern=r"^([A-Z]{2})?[0-9]{4}\Z")]
"""The code of an edit rule, or the number of one that several records have."""


class FieldSource(Struct, frozen=True, forbid_unknown_fields=True):
    """What supplies one field of a record. `question` is empty where the platform itself does."""

    form: str
    question: str = ""
    fact: str = ""
    facts: tuple[str, ...] = ()
    codes: Mapping[str, str | int] = {}
    absent: str | None = None
    required: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for codes without a code, or the other way round."""
        if bool(self.codes) != (self.form == "code"):
            raise ValueError("a code has a table of codes, and nothing else has")

    @property
    def from_facts(self) -> tuple[str, ...]:
        """Names of the facts that it is made of."""
        return self.facts or (self.fact or self.question,)


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """A record of the system: the dialogue that takes it, and its layout."""

    number: Annotated[int, Meta(ge=1)]
    dialogue: str
    record: str


class CapitalLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The most capital, in pounds, for dates of claim from this day on."""

    first_day: date = field(name="from")
    pounds: Decimal


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file: `fields` by record, those under `common` open every record; `refusals` are words of ours by rule."""

    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)] = field(name="phase")
    capital_limits: Annotated[tuple[CapitalLimit, ...], Meta(min_length=1)] = field(name="capital_limit")
    refusals: Mapping[Rule, str]
    fields: Mapping[str, Mapping[str, FieldSource]]

    def of_record(self, record: str) -> Mapping[str, FieldSource]:
        """The sources of every field of a record."""
        return {**self.fields["common"], **self.fields[record]}

    def refusal(self, code: str) -> str | None:
        """What a broken rule means; None for a rule that the file does not know."""
        return self.refusals.get(code) or self.refusals.get(code[2:])
