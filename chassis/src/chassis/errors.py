"""The one tree of errors. The domain raises them, the chain translates them to both doors.

A message names fields and references, never a claimant's value: it leaves the platform and is logged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

LONGEST_LIST = 4000
"""Characters of fields at fault in one error: gRPC carries it in a header of 8 KiB, in base64."""
MOST_CHANGES = 50
"""Changes that a stale version names, for the same reason."""


WELSH = "CY"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text in both languages of the platform. Names in braces stand for values that `of` puts in."""

    en: str
    cy: str

    def spoken(self, language: str) -> str:
        """The text in Welsh for "CY", otherwise in English."""
        return self.cy if language == WELSH else self.en

    def of(self, **values: object) -> "Text":
        """The text with these values, which are never the claimant's."""
        return Text(en=self.en.format(**values), cy=self.cy.format(**values))


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One field at fault. `field` is a path of the request, or a question's id with the place in its answer.

    Neither `description` nor `welsh` ever holds the value; `welsh` is empty where no call can be in Welsh.
    """

    field: str
    description: str
    welsh: str = ""

    @classmethod
    def of(cls, field: str, text: Text) -> "Violation":
        """A violation that can be told in both languages."""
        return cls(field=field, description=text.en, welsh=text.cy)

    def in_welsh(self) -> "Violation":
        """The violation as it is told in a Welsh call."""
        return replace(self, description=self.welsh or self.description)


class CmsError(Exception):
    """An error for the caller. `reason` is UPPER_SNAKE and stable; `violations` name fields; `metadata` holds references."""

    code: ClassVar[str] = "INTERNAL"
    will_pass: ClassVar[bool] = False
    """Whether the same thing may succeed later without anybody changing it (a consumer then tries again for ever)."""
    request: object = None
    """The request, or as much of it as could be read: it may say in which language the fields at fault are to be told."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        violations: Iterable[Violation] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})

    def tell_in_welsh(self) -> None:
        """Describes the fields at fault in Welsh."""
        self.violations = tuple(violation.in_welsh() for violation in self.violations)


class InvalidArgument(CmsError):
    """Malformed or bad input; every field at fault is named."""

    code = "INVALID_ARGUMENT"

    @classmethod
    def of(cls, *violations: Violation, reason: str = "INVALID_FIELDS") -> "InvalidArgument":
        """Returns the error for these fields; as many as one answer can carry, in their order."""
        named = as_many_as_fit(violations)
        names = sorted({violation.field for violation in named})
        more = " and more" if len(named) < len(violations) else ""
        return cls(reason, f"invalid: {', '.join(names)}{more}", violations=named)


def as_many_as_fit(violations: Sequence[Violation]) -> Sequence[Violation]:
    """The first of them, as many as the details of one answer can carry by gRPC; at least one, where there is one."""
    length = 0
    for count, violation in enumerate(violations):
        length += 2 * len(violation.field) + len(violation.description)  # the message names the field again
        if count and length > LONGEST_LIST:
            return violations[:count]
    return violations


class Unauthenticated(CmsError):
    """No token, or an invalid one."""

    code = "UNAUTHENTICATED"


class PermissionDenied(CmsError):
    """The caller is known and may not do this."""

    code = "PERMISSION_DENIED"


class NotFound(CmsError):
    """No such record."""

    code = "NOT_FOUND"


class AlreadyExists(CmsError):
    """The record exists already, or the request_id was used with another body."""

    code = "ALREADY_EXISTS"


class FailedPrecondition(CmsError):
    """The record is in a state that does not allow this transition."""

    code = "FAILED_PRECONDITION"


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """The last change of one field of a record: who made it, in which roles, and when. It holds no value."""

    field: str
    by: str
    roles: Sequence[str]
    at: datetime
    version: int


class StaleVersion(CmsError):
    """Somebody changed the record since the caller read it: read it again. `changes` name what changed, where that is known."""

    code = "ABORTED"

    def __init__(self, *, given: int, current: int, changes: Iterable[FieldChange] = ()) -> None:
        super().__init__(
            "STALE_VERSION",
            f"version {given} was given, the record is at {current}: read it again",
            metadata={"given_version": str(given), "current_version": str(current)},
        )
        self.changes = tuple(changes)


class ResourceExhausted(CmsError):
    """Too large, or too many at once."""

    code = "RESOURCE_EXHAUSTED"
    will_pass = True


class DeadlineExceeded(CmsError):
    """The caller's deadline passed."""

    code = "DEADLINE_EXCEEDED"
    will_pass = True


class Unavailable(CmsError):
    """A service, database or system that this one needs is away."""

    code = "UNAVAILABLE"
    will_pass = True


class Unimplemented(CmsError):
    """No such method."""

    code = "UNIMPLEMENTED"


class Internal(CmsError):
    """A defect of ours. The cause is in the log under the trace id, never in the message."""

    code = "INTERNAL"
    will_pass = True
