"""The JSON documents of the outside systems, held against the schemas that lie beside the copybooks."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from chassis.errors import Violation

from .codec import RecordError
from .layouts import FOLDER

_SCHEMAS: Mapping[str, str] = {"cots": "cms-cots.schema.json"}
_FORMATS = FormatChecker(["date"])


def check_document(name: str, document: Mapping[str, Any]) -> None:
    """Raises RecordError with everything in a document that its schema does not allow; KeyError for an unknown name.

    Each violation names the field by its path after the document's name, without the places in lists, and never its value.
    """
    faults = tuple(
        dict.fromkeys(fault for error in _validator(name).iter_errors(document) for fault in _faults(name, error))
    )
    if faults:
        raise RecordError.over(name, faults)


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = msgspec.json.decode((FOLDER / _SCHEMAS[name]).read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=_FORMATS)


def _faults(name: str, error: ValidationError) -> Iterator[Violation]:
    path = [name, *(str(part) for part in error.absolute_path if isinstance(part, str))]
    if error.validator == "required":
        missing = [field for field in error.validator_value if field not in error.instance]
        yield from (Violation(field=".".join([*path, field]), description="is missing") for field in missing)
    else:
        description = _WORDS.get(str(error.validator), "is not what the system takes")
        yield Violation(field=".".join(path), description=description)


_WORDS: Mapping[str, str] = {
    "additionalProperties": "has a field that the system does not know",
    "enum": "is not one of the values that the system knows",
    "format": "is not a date",
    "maximum": "is more than the system takes",
    "minimum": "is less than the system takes",
    "maxLength": "is longer than the system takes",
    "minItems": "has no entry",
    "minLength": "is empty",
    "pattern": "is not of the form that the system takes",
    "type": "is not of the kind that the system takes",
}
