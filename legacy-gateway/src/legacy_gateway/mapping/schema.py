"""The shape of the files that say which answer supplies which field of a system's records."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Rule = Annotated[str, Field(pattern="^([A-Z]{2})?[0-9]{4}$")]
"""The code of an edit rule, or the number of one that several records have."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSource(_Row):
    """What supplies one field of a record. `question` is empty where the platform itself does."""

    form: str
    question: str = ""
    fact: str = ""
    facts: tuple[str, ...] = ()
    codes: Mapping[str, str | int] = Field(default_factory=dict)
    absent: str | None = None
    required: bool = False

    @model_validator(mode="after")
    def _codes_belong_to_a_code(self) -> "FieldSource":
        if bool(self.codes) != (self.form == "code"):
            raise ValueError("a code has a table of codes, and nothing else has")
        return self

    @property
    def from_facts(self) -> tuple[str, ...]:
        """Names of the facts that it is made of."""
        return self.facts or (self.fact or self.question,)


class Phase(_Row):
    """A record of the system: the dialogue that takes it, and its layout."""

    number: int = Field(ge=1)
    dialogue: str
    record: str


class CapitalLimit(_Row):
    """The most capital, in pounds, for dates of claim from this day on."""

    first_day: date = Field(alias="from")
    pounds: Decimal


class Sources(_Row):
    """A whole file: `fields` by record, those under `common` open every record; `refusals` are words of ours by rule."""

    phases: tuple[Phase, ...] = Field(alias="phase", min_length=1)
    capital_limits: tuple[CapitalLimit, ...] = Field(alias="capital_limit", min_length=1)
    refusals: Mapping[Rule, str]
    fields: Mapping[str, Mapping[str, FieldSource]]

    def of_record(self, record: str) -> Mapping[str, FieldSource]:
        """The sources of every field of a record."""
        return {**self.fields["common"], **self.fields[record]}

    def refusal(self, code: str) -> str | None:
        """What a broken rule means; None for a rule that the file does not know."""
        return self.refusals.get(code) or self.refusals.get(code[2:])
