"""Checks a notice against the interface's fields, which are data in `notice_fields.toml`."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeGuard

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from simulators.errors import ConfigurationError

FIELDS_FILE = Path(__file__).with_name("notice_fields.toml")
_MONEY = re.compile(r"[0-9]{1,9}(\.[0-9]{2})?")

Problem = tuple[str, str]
"""A field's path and what is wrong with it; never its value."""


class FieldRule(BaseModel):
    """The rule for one field. An empty `needed` leaves it to the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["text", "date", "money", "number", "flag", "object", "list"]
    needed: frozenset[Literal["ALL", "INTENTION", "CLAIM", "CHANGE", "AWARD", "WITHDRAWN"]] = frozenset()
    choices: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    def fault(self, value: object) -> str | None:
        """The fault of a value by itself."""
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

    def leaves(self) -> list[str]:
        """The paths of the fields that hold no further field by name, in the order of the interface: a file's columns."""
        return [path for path, rule in self._rules.items() if rule.type != "object" and "[]" not in path]

    def type_of(self, path: str) -> str:
        """The type of a field."""
        return self._rules[path].type

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
            if name in value:
                yield from self._field(child, value[name], kind, place=place + name)
            elif self._rules[child].needed & {"ALL", kind}:
                yield place + name, "is missing"

    def _field(self, path: str, value: object, kind: str, *, place: str) -> Iterator[Problem]:
        rule = self._rules[path]
        if value is None:
            yield place, "is null, and what is not known is absent"
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
    """`supersedes` is the number before; it is absent in the first version."""
    version, before = notice.get("version"), notice.get("supersedes")
    if not _is_number(version) or version < 1 or not (before is None or _is_number(before)):
        return []
    right = before == version - 1 if version > 1 else "supersedes" not in notice
    return [] if right else [("supersedes", "is not the version before, or not absent in the first")]


def _is_number(value: object) -> TypeGuard[int]:
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
