"""The edit rules that look at a record by itself: data, those of every record and those of one mainframe."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulators.errors import ConfigurationError
from simulators.record_link.checks import CHECKS, Case
from simulators.record_link.link import Message
from simulators.record_link.mainframe import Mainframe
from simulators.record_link.record import Decoded
from simulators.record_link.rule import EditRule, Limit

COMMON_RULES = Path(__file__).with_name("edit_rules.toml")
MOST_MESSAGES = 5


class RuleBook(BaseModel):
    """All edit rules of a mainframe, in the order in which messages come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[EditRule, ...] = Field(alias="rule", default=())
    limits: tuple[Limit, ...] = Field(alias="limit", default=())

    @model_validator(mode="after")
    def _known_checks_and_limits(self) -> "RuleBook":
        limits = {"", *(limit.name for limit in self.limits)}
        for rule in self.rules:
            if rule.check not in CHECKS or (rule.check == "pattern") != (rule.pattern is not None):
                raise ValueError(f"{rule.number} on {rule.field}: no such check, or a pattern too many or too few")
            if rule.limit not in limits:
                raise ValueError(f"{rule.number} on {rule.field}: no such limit")
        return self

    @cached_property
    def _limits_by_name(self) -> Mapping[str, Sequence[Limit]]:
        return {limit.name: [other for other in self.limits if other.name == limit.name] for limit in self.limits}

    def messages(self, dialogue: str, record: Decoded, *, received_on: date) -> tuple[Message, ...]:
        """The faults of a record, one message a code and field; fields that cannot be read come alone."""
        rules = [rule for rule in self.rules if not rule.dialogues or dialogue in rule.dialogues]
        if record.unreadable:
            return tuple(_unreadable(rules, dialogue, name) for name in record.unreadable)
        case = Case(values=record.values, received_on=received_on, limits=self._limits_by_name)
        broken = [rule for rule in rules if rule.applies(case.text) and not CHECKS[rule.check](rule, case)]
        found = [rule.message(dialogue) for rule in broken]
        return tuple({(message.code, message.field): message for message in reversed(found)}.values())[::-1]


def rules_of(mainframe: Mainframe) -> RuleBook:
    """The rules of every record and those of this mainframe. Raises ConfigurationError."""
    return load_rule_book(COMMON_RULES, mainframe.rules)


def load_rule_book(*paths: Path) -> RuleBook:
    """The rules of these files together. Raises ConfigurationError when they do not keep to the schema."""
    raw: dict[str, list[Any]] = {"rule": [], "limit": []}
    for path in paths:
        try:
            read = tomllib.loads(path.read_text(encoding="utf-8"))
            RuleBook.model_validate(read)
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ConfigurationError(f"{path.name}: {error}") from error
        raw = {name: rows + read.get(name, []) for name, rows in raw.items()}
    return RuleBook.model_validate(raw)


def _unreadable(rules: Sequence[EditRule], dialogue: str, field: str) -> Message:
    """A text with control characters breaks its field's own rule; without one it is the link's affair."""
    own = next((rule for rule in rules if rule.field == field), None)
    return Message(code=own.message(dialogue).code if own else "LK0004", field=field, text="THE BYTES CANNOT BE READ")
