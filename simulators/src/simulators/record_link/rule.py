"""An edit rule and a dated limit, as the files of rules have them."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from simulators.record_link.link import Message


class Limit(BaseModel):
    """The most, in pounds, for dates of claim from this day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    first_day: date = Field(alias="from")
    pounds: Decimal


class EditRule(BaseModel):
    """One edit rule. `text` goes to the sender; the fields after `check` belong to the checks that need them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = Field(pattern=r"^\d{4}$")
    field: str
    dialogues: tuple[str, ...] = ()
    """Those that it is for; all of them where none is named."""
    when: Mapping[str, tuple[str, ...]] = {}
    """The rule applies where each of these fields has one of these values,"""
    unless: Mapping[str, tuple[str, ...]] = {}
    """and none of these fields one of these."""
    check: str
    pattern: re.Pattern[str] | None = None
    values: tuple[str, ...] = ()
    limit: str = ""
    number_of_rule: Decimal | None = Field(default=None, alias="under")
    needed: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    text: str = Field(max_length=40)

    def applies(self, text: Callable[[str], str]) -> bool:
        """Whether the record is one that the rule is for; `text` gives a field of it."""
        wanted = all(text(field) in values for field, values in self.when.items())
        return wanted and not any(text(field) in values for field, values in self.unless.items())

    def message(self, dialogue: str) -> Message:
        """The message that the sender gets."""
        return Message(code=dialogue[:2] + self.number, field=self.field, text=self.text)
