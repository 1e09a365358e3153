"""The faults of a request while it is looked through, each with the path of its field: `answers[1].value`."""

from typing import TypeAlias

from chassis.errors import InvalidArgument, Text, Violation

_MOST_FAULTS = 500
NUL = Text(en="holds a NUL character", cy="mae'n cynnwys nod NUL")

Path: TypeAlias = "tuple[Path | None, str | int] | None"
"""The place of a value: its parent's place, and a field name or a list index. It becomes text only for a fault."""


class Faults:
    """Collects faults, so that one error names them all; it raises that error as soon as it could not name more."""

    def __init__(self, *, reason: str = "INVALID_FIELDS") -> None:
        self._found: list[Violation] = []
        self.reason = reason

    def add(self, path: Path, text: Text) -> None:
        """Adds a fault."""
        self._found.append(Violation.of(written(path), text))
        if len(self._found) == _MOST_FAULTS:
            self.refuse()

    def refuse(self) -> None:
        """Raises InvalidArgument if there is any fault."""
        if self._found:
            raise InvalidArgument.of(*self._found, reason=self.reason)


def written(path: Path) -> str:
    """Returns a path as the contract writes it: field names with dots between them, indexes from 0 in brackets."""
    parts: list[str] = []
    while path is not None:
        path, part = path
        parts.append(f"[{part}]" if isinstance(part, int) else f".{part}")
    return "".join(reversed(parts)).removeprefix(".")
