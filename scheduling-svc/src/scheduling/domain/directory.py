"""The offices and their assessors: those near a place, and those who meet a claimant's needs."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from chassis.bank_holidays import Nation
from chassis.elsewhere import Elsewhere
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Text, Violation
from scheduling.domain.offices import (
    Assessor,
    Channel,
    NearOffice,
    Need,
    Office,
    meets_needs,
    nearest_offices,
    within_reach,
)
from scheduling.domain.slots import REACH_KM, Slot, slots_of
from scheduling.domain.working_time import working_days

OPEN_WEEKS = 4
"""Rotas are opened for booking this many weeks ahead, of WEEK working days each."""
WEEK = 5


class OfficeUnknown(NotFound):
    """No office has the code."""

    def __init__(self) -> None:
        super().__init__("OFFICE_UNKNOWN", "no office has this office_code")


class PostcodeUnknown(InvalidArgument):
    """No postcode in the directory begins with the letters of this one."""

    TOLD = Text(
        en="does not begin as any postcode of Great Britain does: check its first letters",
        cy="nid yw'n dechrau fel unrhyw god post ym Mhrydain Fawr: gwiriwch ei lythrennau cyntaf",
    )

    def __init__(self) -> None:
        super().__init__("POSTCODE_UNKNOWN", "invalid: postcode", violations=[Violation.of("postcode", self.TOLD)])


class NotServed(FailedPrecondition):
    """The postcode is outside Great Britain, where there is no office. The message says who to ask."""

    def __init__(self, place: Elsewhere) -> None:
        violation = Violation.of("postcode", place.told)
        super().__init__(place.reason, f"the postcode {place.told.en}", violations=[violation])


class Directory:
    """Offices and assessors, loaded at start."""

    def __init__(self, offices: Iterable[Office], assessors: Iterable[Assessor]) -> None:
        self._offices = {office.code: office for office in offices}
        self._assessors_of: dict[str, list[Assessor]] = {code: [] for code in self._offices}
        for assessor in assessors:
            self._assessors_of[assessor.office_code].append(assessor)

    def office(self, code: str) -> Office:
        """The office. Raises OfficeUnknown."""
        if code not in self._offices:
            raise OfficeUnknown
        return self._offices[code]

    @property
    def nations(self) -> frozenset[Nation]:
        """Those in which there are offices."""
        return frozenset(office.nation for office in self._offices.values())

    def near(self, *, easting: int, northing: int) -> list[NearOffice]:
        """Offices within reach of a point (metres, British National Grid), nearest first, or the nearest office alone."""
        nearest = nearest_offices(self._offices.values(), easting=easting, northing=northing)
        return within_reach(nearest, reach_km=REACH_KM)

    def assessors_for(self, needs: Collection[Need], channel: Channel, *, offices: Iterable[Office]) -> list[str]:
        """References of the assessors at these offices who can hold such an interview for a claimant with these needs."""
        return [
            assessor.assessor_id
            for office in offices
            for assessor in self._assessors_of[office.code]
            if meets_needs(needs, office=office, assessor=assessor, channel=channel)
        ]

    def slots_of_week(self, today: date, week: int) -> Iterator[Slot]:
        """The slots of every rota for one of the OPEN_WEEKS; week 0 begins with `today`, or the next working day."""
        days = {nation: working_days(today, nation, number=WEEK * (week + 1))[WEEK * week :] for nation in self.nations}
        for office in self._offices.values():
            for assessor in self._assessors_of[office.code]:
                for day in days[office.nation]:
                    yield from slots_of(assessor, day, nation=office.nation)
