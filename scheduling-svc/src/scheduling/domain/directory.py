"""The offices and their assessors, and those offices that are near a place."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from math import hypot

from chassis.bank_holidays import Nation
from chassis.elsewhere import Elsewhere
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Text, Violation
from scheduling.domain.offices import (
    Assessor,
    NearOffice,
    Office,
    nearest_offices,
    within_reach,
)
from scheduling.domain.rotas import AssessorUnknown
from scheduling.domain.search import Wish
from scheduling.domain.slots import REACH_KM


class OfficeUnknown(NotFound):
    """No office has the code."""

    def __init__(self, *, field: str = "office_code") -> None:
        violation = Violation(field=field, description="is not in the list of offices")
        super().__init__("OFFICE_UNKNOWN", "no office has this code", violations=[violation])


class PostcodeUnknown(InvalidArgument):
    """No postcode in the directory begins with the letters of this one."""

    TOLD = Text(
        en="does not begin as any postcode of Great Britain does: check its first letters",
        cy="nid yw'n dechrau fel unrhyw god post ym Mhrydain Fawr: gwiriwch ei lythrennau cyntaf",
    )

    def __init__(self) -> None:
        super().__init__("POSTCODE_UNKNOWN", "invalid: postcode", violations=[Violation.of("postcode", self.TOLD)])


class LanguageNotSpoken(FailedPrecondition):
    """No assessor within reach speaks the language that was named."""

    def __init__(self) -> None:
        violation = Violation(field="language", description="is spoken by no assessor within reach")
        super().__init__(
            "LANGUAGE_NOT_SPOKEN",
            "no assessor within reach speaks the language: find slots without it, and book one by its slot_id with the "
            "language; the assessor then holds the interview with a telephone interpreter",
            violations=[violation],
        )


class NotServed(FailedPrecondition):
    """The postcode is outside Great Britain, where there is no office. The message says who to ask."""

    def __init__(self, place: Elsewhere) -> None:
        violation = Violation.of("postcode", place.told)
        super().__init__(place.reason, f"the postcode {place.told.en}", violations=[violation])


class Directory:
    """Offices and assessors, loaded at start."""

    def __init__(
        self, offices: Iterable[Office], assessors: Collection[Assessor], *, languages: frozenset[str] = frozenset()
    ) -> None:
        self.languages = languages
        """The languages in which an interview can be asked for, by their codes."""
        self._offices = {office.code: office for office in offices}
        self._skills_at: dict[str, list[frozenset[str]]] = {}
        for assessor in assessors:
            self._skills_at.setdefault(assessor.office_code, []).append(assessor.meets)
        self._assessors = {assessor.assessor_id: assessor for assessor in assessors}

    def office(self, code: str, *, field: str = "office_code") -> Office:
        """The office. Raises OfficeUnknown, naming the field in which the code was given."""
        if code not in self._offices:
            raise OfficeUnknown(field=field)
        return self._offices[code]

    def has(self, code: str) -> bool:
        """Whether an office has the code."""
        return code in self._offices

    @property
    def offices(self) -> Collection[Office]:
        """All of them."""
        return self._offices.values()

    @property
    def nations(self) -> frozenset[Nation]:
        """Those in which there are offices."""
        return frozenset(office.nation for office in self._offices.values())

    def near(self, *, easting: int, northing: int) -> list[NearOffice]:
        """Every office, the nearest to a point (metres, British National Grid) first."""
        return nearest_offices(self._offices.values(), easting=easting, northing=northing)

    def near_office(self, code: str) -> list[NearOffice]:
        """Offices within reach of this one, nearest first: itself. Raises OfficeUnknown."""
        office = self.office(code)
        metres = REACH_KM * 1000
        around = [
            other
            for other in self._offices.values()
            if abs(other.easting - office.easting) <= metres and abs(other.northing - office.northing) <= metres
        ]
        near = nearest_offices(around, easting=office.easting, northing=office.northing)
        return within_reach(near, reach_km=REACH_KM)

    def distance_km(self, code: str, other: str) -> float:
        """Kilometres as the crow flies between two offices. Raises OfficeUnknown."""
        one, two = self.office(code), self.office(other)
        return hypot(one.easting - two.easting, one.northing - two.northing) / 1000

    def way(self, code: str, travel: timedelta, *, other: str) -> timedelta | None:
        """The way of a home visit from another office, of one that takes `travel` from this office; None if too long.

        Where the claimant lives is not kept. So it is the longest that it can be: the way to the first office and from there.
        """
        if other == code:
            return travel
        rules = self.office(other).travel
        way = rules.time(self.distance_km(code, other)) + travel
        return way if rules.is_within_reach(way) else None

    def check_spoken(self, wishes: Iterable[Wish]) -> None:
        """Raises LanguageNotSpoken where no assessor of the offices of these wishes speaks the language that they name."""
        asked = [(near.office.code, wish.language) for wish in wishes for near in wish.offices if wish.language]
        if asked and not any(
            language in skills for code, language in asked for skills in self._skills_at.get(code, ())
        ):
            raise LanguageNotSpoken

    def can_meet(self, office: Office, wish: Wish) -> bool:
        """Whether the office, with one of its own assessors, meets the needs of the wish and knows its schemes."""
        left = wish.left_to_assessor(office)
        return any(left <= skills for skills in self._skills_at.get(office.code, ()))

    def home(self, wish: Wish) -> NearOffice:
        """The nearest office of the wish that can meet it; the nearest one where none can."""
        return next((near for near in wish.offices if self.can_meet(near.office, wish)), wish.offices[0])

    def assessor(self, assessor_id: str, *, field: str = "assessor_id") -> Assessor:
        """The assessor. Raises AssessorUnknown, naming the field in which the reference was given."""
        if assessor_id not in self._assessors:
            raise AssessorUnknown(field=field)
        return self._assessors[assessor_id]

    def has_assessor(self, assessor_id: str) -> bool:
        """Whether an assessor has the reference."""
        return assessor_id in self._assessors

    @property
    def assessors(self) -> Collection[Assessor]:
        """All of them."""
        return self._assessors.values()
