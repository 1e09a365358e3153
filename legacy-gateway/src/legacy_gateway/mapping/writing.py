"""Writes the values of a record as its system takes them: by a copybook's layout, or as JSON by a schema."""

from collections.abc import Mapping
from typing import Any

import msgspec

from legacy_gateway.records import check_document, encode, layout, layouts


def write(record: str, values: Mapping[str, Any]) -> bytes:
    """The bytes of a record, the same for the same values. Raises RecordError with every value that does not fit."""
    return encode(layout(record), values) if record in layouts() else _json(record, values)


def _json(record: str, values: Mapping[str, Any]) -> bytes:
    """An object as UTF-8. A dot in a name leads into an object below; what has no value is left out."""
    whole: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        *above, last = name.removeprefix(f"{record}.").split(".")
        within = whole
        for part in above:
            within = within.setdefault(part, {})
        within[last] = [_row(entry) for entry in value] if isinstance(value, tuple) else value
    check_document(record, whole)
    return msgspec.json.encode(whole, order="sorted")


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a list: the names lead to it, so that their last part is enough."""
    return {name.rpartition(".")[2]: value for name, value in entry.items() if value is not None}
