"""Names of the contract's enumerations without their prefix (`ITEM_STATUS_CONFIRMED` is CONFIRMED), and back.

AssessmentState(name_of(pb.AssessmentState, request.state, field="state"))
pb.Assessment(state=number_of(pb.AssessmentState, assessment.state))
"""

from typing import Any, Protocol

from chassis.errors import InvalidArgument, Violation


class Enumeration(Protocol):
    """The wrapper that the generated code has for an enumeration."""

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
        raise InvalidArgument.of(Violation(field=field, description="is not a value of the enumeration"))
    return name.removeprefix(_prefix(enumeration))


def number_of(enumeration: Enumeration, name: str) -> Any:
    """Returns the number of a name, as the type that messages take. Raises ValueError if there is no such name."""
    return enumeration.Value(_prefix(enumeration) + name)


def _prefix(enumeration: Enumeration) -> str:
    return enumeration.Name(0).removesuffix("UNSPECIFIED")
