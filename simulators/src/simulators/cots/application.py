"""An application as CMS-COTS takes it: the fields of the interface document, and the rules that each must keep."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

MOST_PROBLEMS = 20
YOUNGEST_APPLICANT, OLDEST = 12, 120
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}")

# The interface document gives no lengths.
LONGEST_TEXT = 500
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_TEXT)]
Line = Annotated[str, StringConstraints(strict=True, max_length=LONGEST_TEXT)]
Money = Annotated[str, StringConstraints(strict=True, pattern=r"^\d{1,9}\.\d{2}$")]


def _iso(value: object) -> object:
    """Dates are text of the form YYYY-MM-DD and nothing else."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("not a date of the form YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_iso)]


class Problem(NamedTuple):
    """A rule that is broken."""

    code: str
    field: str
    message: str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Applicant(_Part):
    """The person who applies."""

    nino: str
    title: Line
    surname: Text
    forenames: Text
    date_of_birth: Day
    address: list[Text] = Field(min_length=2, max_length=5)
    postcode: str
    telephone: Line
    language: Literal["EN", "CY"]


class OtherParent(_Part):
    """The other parent, as far as the applicant knows."""

    surname: Text
    forenames: Text
    date_of_birth: Day | None = None
    nino: str | None = None
    address: list[Text] | None = Field(default=None, max_length=5)
    employer: Text | None = None


class Child(_Part):
    """A child for whom maintenance is due."""

    name: Text
    date_of_birth: Day
    nights_per_year: int = Field(strict=True, ge=0, le=366)


class Bank(_Part):
    """The applicant's account."""

    sort_code: str = Field(pattern=r"^\d{6}$")
    account_number: str = Field(pattern=r"^\d{8}$")
    account_name: Text
    roll_number: Text | None = None


class Application(_Part):
    """The whole. `bank` is left out where there is no account."""

    transfer_id: str = Field(pattern=r"^[0-9A-Z]{26}$")
    claim_ref: str = Field(pattern=r"^[0-9A-Z]{1,12}$")
    applicant: Applicant
    other_parent: OtherParent
    role: Literal["PARENT_WITH_CARE", "NON_RESIDENT_PARENT"]
    children: list[Child] = Field(min_length=1, max_length=20)
    arrangement: Literal["NONE", "COURT_ORDER", "PRIVATE"]
    opening_arrears: Money
    arrears_as_at: Day
    safe_contact: bool = Field(strict=True)
    bank: Bank | None = None


def problems(body: Any, *, key: str, received_on: date) -> list[Problem]:
    """The problems of a body; none when it is an application."""
    try:
        application = Application.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]
        return [Problem("CC0099", ".".join(map(str, one["loc"])), one["msg"]) for one in found]
    return list(_broken(application, key=key, received_on=received_on))


def _broken(application: Application, *, key: str, received_on: date) -> Iterator[Problem]:
    applicant, other = application.applicant, application.other_parent
    if application.transfer_id != key:
        yield Problem("CC0017", "transfer_id", "is not the idempotency key")
    ninos: Mapping[str, str | None] = {"applicant.nino": applicant.nino, "other_parent.nino": other.nino}
    for field, nino in ninos.items():
        if nino is not None and not _NINO.fullmatch(nino):
            yield Problem("CC0001", field, "is not a valid NINO")
    if not _POSTCODE.fullmatch(applicant.postcode):
        yield Problem("CC0006", "applicant.postcode", "is not a postcode")
    if not YOUNGEST_APPLICANT <= _age(applicant.date_of_birth, received_on) < OLDEST:
        yield Problem("CC0024", "applicant.date_of_birth", "is no applicant's")
    born = {"other_parent.date_of_birth": other.date_of_birth} | {
        f"children.{place}.date_of_birth": child.date_of_birth for place, child in enumerate(application.children)
    }
    for field, day in born.items():
        if day is not None and day > received_on:
            yield Problem("CC0024", field, "has not come yet")
    if application.arrears_as_at > received_on and Decimal(application.opening_arrears):
        yield Problem("CC0022", "arrears_as_at", "has not come yet")


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
