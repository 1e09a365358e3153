"""An interview in a named language."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling.data import load_assessors, load_languages, load_offices, parse_languages
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory, LanguageNotSpoken
from scheduling.domain.offices import Channel, NearOffice, Need
from scheduling.domain.search import Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, NoSlotFree
from scheduling.domain.working_time import TARGET, working_days
from scheduling.service import bookings
from scheduling.store import shifts

DAY = working_days(clock.today() + timedelta(days=1), Nation.ENGLAND, number=1)[0]
TEN = datetime(DAY.year, DAY.month, DAY.day, 10, tzinfo=UTC)
SPOKEN = {
    office.code: set[str]().union(*(one.skills for one in load_assessors() if one.office_code == office.code))
    & load_languages()
    for office in load_offices()
    if Need.INTERPRETER in office.features and office.nation is Nation.ENGLAND
}
OFFICE = next(code for code, languages in SPOKEN.items() if len(languages) > 1)
"""An office that has interpreters, and whose assessors speak several languages."""
CLAIM = Claim(claim_ref="C1", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now())


def wish(directory: Directory, language: str) -> Wish:
    near = NearOffice(office=directory.office(OFFICE), distance_km=1.0)
    needs = frozenset({Need.INTERPRETER})
    return Wish(offices=[near], channel=Channel.OFFICE, needs=needs, language=language)


@pytest.fixture(autouse=True)
def work(database: Database) -> list[Shift]:
    """The first assessor speaks nothing else, the second one a language of theirs, later in the day."""
    language = min(SPOKEN[OFFICE])
    work = [
        Shift(
            assessor_id=who,
            office_code=OFFICE,
            start_time=TEN + timedelta(hours=hours),
            end_time=TEN + timedelta(hours=hours) + SLOT_LENGTH,
            channel=Channel.OFFICE,
            skills=frozenset({"JOBSEEKERS_ALLOWANCE", *languages}),
        )
        for who, hours, languages in (("T1", 0, []), ("T2", 2, ["INTERPRETER", language]))
    ]
    with database.transaction() as conn:
        shifts.insert(conn, work)
    return work


def test_the_earliest_interview_is_with_an_assessor_who_speaks_the_language(
    database: Database, directory: Directory
) -> None:
    language = min(SPOKEN[OFFICE])

    with database.transaction() as conn:
        booked = bookings.book_earliest(conn, CLAIM, directory=directory, wish=wish(directory, language), target=TARGET)

    # The office has interpreters, but nobody knows for which languages.
    assert Need.INTERPRETER in directory.office(OFFICE).features
    assert (booked.assessor_id, booked.language) == ("T2", language)


def test_a_language_that_nobody_within_reach_speaks_is_refused(database: Database, directory: Directory) -> None:
    unspoken = min(load_languages() - SPOKEN[OFFICE])

    with pytest.raises(LanguageNotSpoken, match="telephone interpreter"), database.transaction() as conn:
        bookings.book_earliest(conn, CLAIM, directory=directory, wish=wish(directory, unspoken), target=TARGET)


def test_a_language_whose_speakers_have_no_time_has_no_slot(database: Database, directory: Directory) -> None:
    other = max(SPOKEN[OFFICE])

    with pytest.raises(NoSlotFree), database.transaction() as conn:
        bookings.book_earliest(conn, CLAIM, directory=directory, wish=wish(directory, other), target=TARGET)


def test_a_named_slot_is_booked_with_a_telephone_interpreter(
    database: Database, directory: Directory, work: list[Shift]
) -> None:
    unspoken = min(load_languages() - SPOKEN[OFFICE])
    slot = next(work[0].slots())

    with database.transaction() as conn:
        bookings.book_slot(conn, CLAIM, directory=directory, slot_id=slot.slot_id, target=TARGET, language=unspoken)
        kept = bookings.appointment_of_claim(conn, CLAIM.claim_ref)

    assert (kept.assessor_id, kept.language) == ("T1", unspoken)


@pytest.mark.parametrize("code", ["polish", "P", "WELSH", "CRISIS_LOAN"])
def test_the_list_of_languages_refuses_what_is_no_code_of_its_own(code: str) -> None:
    with pytest.raises(ValueError, match="languages"):
        parse_languages(f"language,name\n{code},Some\n")
