"""Descriptions of the JSON that a field of a request takes, for the refusal of anything else in its place."""

from collections.abc import Mapping

from google.protobuf.descriptor import FieldDescriptor

from chassis import enums
from chassis.errors import Text

A_LIST = Text(en="must be a list", cy="rhaid iddo fod yn rhestr")
_AN_OBJECT = Text(en="must be an object with {names}", cy="rhaid iddo fod yn wrthrych â {names}")
_A_TIME = Text(en="must be a time such as 2026-11-30T09:15:00Z", cy="rhaid iddo fod yn amser fel 2026-11-30T09:15:00Z")
_A_STRING = Text(en="must be a string", cy="rhaid iddo fod yn destun")
_A_NUMBER = Text(en="must be a number", cy="rhaid iddo fod yn rhif")
_OTHER = Text(en="is not of its type", cy="nid yw o'r math cywir")
_WHOLE = Text(
    en="must be a whole number of at most {bits} bits", cy="rhaid iddo fod yn rhif cyfan o {bits} did ar y mwyaf"
)
_BY_TYPE: Mapping[int, Text] = {
    FieldDescriptor.CPPTYPE_BOOL: Text(en="must be true or false", cy="rhaid iddo fod yn true neu'n false"),
    FieldDescriptor.CPPTYPE_INT32: _WHOLE.of(bits=32),
    FieldDescriptor.CPPTYPE_UINT32: _WHOLE.of(bits=32),
    FieldDescriptor.CPPTYPE_INT64: _WHOLE.of(bits=64),
    FieldDescriptor.CPPTYPE_UINT64: _WHOLE.of(bits=64),
    FieldDescriptor.CPPTYPE_DOUBLE: _A_NUMBER,
    FieldDescriptor.CPPTYPE_FLOAT: _A_NUMBER,
    FieldDescriptor.CPPTYPE_STRING: _A_STRING,
}


def expected(field: FieldDescriptor) -> Text:
    """Says what a value of the field must be; of a list, an entry."""
    if field.enum_type is not None:
        return enums.permitted(field.enum_type)
    if field.message_type is None:
        return _BY_TYPE.get(field.cpp_type, _OTHER)
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return _A_TIME
    if field.message_type.full_name.startswith("google.protobuf."):
        return _OTHER
    return _AN_OBJECT.of(names=", ".join(part.name for part in field.message_type.fields))
