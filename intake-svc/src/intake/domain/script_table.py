"""A table of a script's file. Values are checked as they are taken; keys left over are an error."""

import re
from typing import Any

from chassis.errors import CmsError

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class ScriptError(CmsError):
    """A script that cannot be used. The message names the file, the place in it and what is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__("BAD_SCRIPT", message)


class Table:
    """One table; `place` says where it is, for messages. Every method raises ScriptError."""

    def __init__(self, place: str, data: object) -> None:
        if not isinstance(data, dict):
            raise ScriptError(f"{place}: must be a table")
        self.place = place
        self._data = data
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._data

    def text(self, key: str) -> str:
        """A string that is not blank."""
        value = self._take(key, str)
        if not value.strip():
            raise self._fault(key, "is blank")
        return str(value)

    def name(self, key: str) -> str:
        """A name in lower_snake_case."""
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self._fault(key, "must be a name in lower_snake_case")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty where it is absent."""
        values = self._take(key, list) if self.has(key) else []
        if not all(isinstance(value, str) and value.strip() for value in values):
            raise self._fault(key, "must be a list of strings that are not blank")
        return tuple(values)

    def number(self, key: str) -> int:
        """A whole number, not negative."""
        value = self._take(key, int)
        if isinstance(value, bool) or value < 0:
            raise self._fault(key, "must be a whole number, not negative")
        return int(value)

    def flag(self, key: str) -> bool:
        """True or false; false where it is absent."""
        return bool(self._take(key, bool)) if self.has(key) else False

    def flag_or_text(self, key: str, *, default: bool) -> bool | str:
        """True, false or a string."""
        if not self.has(key):
            return default
        return self.flag(key) if isinstance(self._data[key], bool) else self.text(key)

    def table(self, key: str) -> "Table":
        """The table under the key."""
        return Table(f"{self.place}.{key}", self._take(key, dict))

    def tables(self, key: str) -> list["Table"]:
        """The list of tables under the key, each placed by its id where it has one; empty where it is absent."""
        rows: list[Any] = self._take(key, list) if self.has(key) else []
        return [Table(f"{self.place}.{key}[{_label(row, at)}]", row) for at, row in enumerate(rows)]

    def close(self) -> None:
        """Raises ScriptError for keys that were not taken."""
        left = sorted(self._data.keys() - self._taken)
        if left:
            raise ScriptError(f"{self.place}: unknown: {', '.join(left)}")

    def _take(self, key: str, kind: type) -> Any:
        if key not in self._data:
            raise self._fault(key, "is missing")
        self._taken.add(key)
        value = self._data[key]
        if not isinstance(value, kind):
            raise self._fault(key, f"must be a {kind.__name__}")
        return value

    def _fault(self, key: str, problem: str) -> ScriptError:
        return ScriptError(f"{self.place}: {key} {problem}")


def _label(row: object, at: int) -> object:
    return row.get("id", at) if isinstance(row, dict) else at
