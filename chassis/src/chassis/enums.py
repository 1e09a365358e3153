"""Names of the contract's enumerations without their prefix (`ITEM_STATUS_CONFIRMED` is CONFIRMED), and back.

AssessmentState(name_of(pb.AssessmentState, request.state, field="state"))
pb.Assessment(state=number_of(pb.AssessmentState, assessment.state))
"""

from typing import Any, Protocol

from google.protobuf.descriptor import EnumDescriptor

from chassis.errors import InvalidArgument, Text, Violation

_ONE_OF = Text(en="must be one of {names}", cy="rhaid iddo fod yn un o {names}")


class Enumeration(Protocol):
    """The wrapper that the generated code has for an enumeration."""

    DESCRIPTOR: EnumDescriptor

    def Name(self, number: Any) -> str:  # noqa: N802 - the generated code's name
        """The whole name of a number."""

    def Value(self, name: str) -> Any:  # noqa: N802 - the generated code's name
        """The number of a whole name."""


def name_of(enumeration: Enumeration, number: int, *, field: str) -> str:
    """Returns the name of a number. Raises InvalidArgument naming `field` for 0 and for an unknown number."""
    try:
        name = enumeration.Name(number)
    except ValueError:
        name = ""
    if not number or not name:
        raise InvalidArgument.of(Violation.of(field, permitted(enumeration.DESCRIPTOR)))
    return name.removeprefix(_prefix(enumeration))


def permitted(enumeration: EnumDescriptor) -> Text:
    """Returns the text that names the values of an enumeration: all but the one that stands for no value."""
    names = ", ".join(value.name for value in enumeration.values if value.number)
    return _ONE_OF.of(names=names)


def number_of(enumeration: Enumeration, name: str) -> Any:
    """Returns the number of a name, as the type that messages take. Raises ValueError if there is no such name."""
    return enumeration.Value(_prefix(enumeration) + name)


def _prefix(enumeration: Enumeration) -> str:
    return enumeration.Name(0).removesuffix("UNSPECIFIED")
