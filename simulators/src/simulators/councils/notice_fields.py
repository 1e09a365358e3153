"""Checks a notice against the interface's fields, which are data in `notice_fields.toml`."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from simulators.errors import ConfigurationError

FIELDS_FILE = Path(__file__).with_name("notice_fields.toml")
_MONEY = re.compile(r"[0-9]{1,9}(\.[0-9]{2})?")

Problem = tuple[str, str]
"""A field's path and what is wrong with it; never its value."""


class FieldRule(BaseModel):
    """What one field must be. An empty `needed` leaves it to the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["text", "date", "money", "number", "flag", "object", "list"]
    needed: frozenset[Literal["ALL", "INTENTION", "CLAIM", "CHANGE", "AWARD", "WITHDRAWN"]] = frozenset()
    choices: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    def fault(self, value: object) -> str | None:
        """What is wrong with a value by itself."""
        if not _TYPES[self.type](value):
            return f"is not of type {self.type}"
        if self.choices and value not in self.choices:
            return "is none of the values allowed"
        if self.pattern and not self.pattern.fullmatch(str(value)):
            return "has not the form of this field"
        return None


class NoticeFields:
    """All rules, by path."""

    def __init__(self, rules: Mapping[str, FieldRule]) -> None:
        self._rules = rules
        self._children: dict[str, dict[str, str]] = {}
        for path in rules:
            if not path.endswith("[]"):
                parent, _, name = path.rpartition(".")
                self._children.setdefault(parent, {})[name] = path

    def problems(self, notice: object) -> list[Problem]:
        """Everything that is wrong with a notice."""
        if not isinstance(notice, dict):
            return [("", "is not an object")]
        return [*self._object("", notice, str(notice.get("kind")), place=""), *_supersedes(notice)]

    def _object(self, path: str, value: Mapping[str, Any], kind: str, *, place: str) -> Iterator[Problem]:
        known = self._children.get(path, {})
        for name in value.keys() - known.keys():
            yield place + name, "is not a field of this interface"
        for name, child in known.items():
            yield from self._field(child, value.get(name), kind, place=place + name)

    def _field(self, path: str, value: object, kind: str, *, place: str) -> Iterator[Problem]:
        rule = self._rules[path]
        if value is None:
            if rule.needed & {"ALL", kind}:
                yield place, "is missing"
        elif fault := rule.fault(value):
            yield place, fault
        elif isinstance(value, dict):
            yield from self._object(path, value, kind, place=place + ".")
        elif isinstance(value, list):
            for number, entry in enumerate(value):
                yield from self._field(path + "[]", entry, kind, place=f"{place}[{number}]")


def load_notice_fields(path: Path = FIELDS_FILE) -> NoticeFields:
    """The fields of a file. Raises ConfigurationError when it does not keep to the schema."""
    try:
        rules = TypeAdapter(dict[str, FieldRule]).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
    return NoticeFields(rules)


def _supersedes(notice: Mapping[str, Any]) -> list[Problem]:
    """`supersedes` is the number before; the first version has none."""
    version, before = notice.get("version"), notice.get("supersedes")
    if isinstance(version, int) and version > 0 and (before or 0) != version - 1:
        return [("supersedes", "is not the version before")]
    return []


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str) and bool(value.strip()),
    "date": _is_date,
    "money": lambda value: isinstance(value, str) and bool(_MONEY.fullmatch(value)),
    "number": _is_number,
    "flag": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
}
