"""The calendar that a diary link gives, read as an ordinary calendar program reads it."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event

from chassis.bank_holidays import Nation
from scheduling.domain.appointments import Appointment, AppointmentState
from scheduling.domain.diary_links import Calendar, CalendarEntry
from scheduling.domain.offices import Channel, Need, Office
from scheduling.domain.slots import SLOT_LENGTH
from scheduling.domain.travel import NO_TRAVEL
from scheduling.domain.working_time import LONDON
from scheduling.pages import as_icalendar

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
OFFICE = Office(
    code="600021",
    name="Leeds; Südost, Block 3",  # with the characters that the format escapes
    postcode="LS1 3AB",
    easting=430000,
    northing=433000,
    nation=Nation.ENGLAND,
    features=frozenset(),
)


def appointment(
    start: datetime = NOW, *, number: int = 1, channel: Channel = Channel.OFFICE, travel: timedelta = NO_TRAVEL
) -> Appointment:
    return Appointment(
        appointment_id=UUID(int=number),
        claim_ref="C0000000000A",
        office_code=OFFICE.code,
        assessor_id="ALE02001",
        start_time=start,
        end_time=start + SLOT_LENGTH,
        channel=channel,
        state=AppointmentState.BOOKED,
        first_contact_time=NOW,
        target_time=NOW,
        working_lead_time=timedelta(),
        version=3,
        needs=frozenset({Need.INTERPRETER}),
        travel=travel,
    )


def written(*appointments: Appointment) -> str:
    entries = [CalendarEntry.of(one, OFFICE) for one in appointments]
    return as_icalendar(Calendar(assessor_id="ALE02001", entries=entries, made_time=NOW)).decode()


def read(text: str) -> list[Event]:
    """The events, as the library reads them by which Home Assistant subscribes to calendars."""
    [calendar] = IcsCalendarStream.from_ics(text).calendars
    return calendar.events


def test_an_interview_is_an_event_at_its_office() -> None:
    [event] = read(written(appointment()))

    assert (event.uid, event.sequence, event.status) == (str(UUID(int=1)), 3, "CONFIRMED")
    assert (event.start, event.end) == (NOW, NOW + SLOT_LENGTH)
    assert event.summary == "Interview at the office"
    assert event.description == "Claim C0000000000A"
    assert event.location == "Leeds; Südost, Block 3, LS1 3AB"
    assert event.classification == "PRIVATE"


@pytest.mark.parametrize(
    ("channel", "summary"), [(Channel.TELEPHONE, "Interview by telephone"), (Channel.HOME_VISIT, "Home visit")]
)
def test_only_an_interview_at_the_office_has_a_place(channel: Channel, summary: str) -> None:
    [event] = read(written(appointment(channel=channel)))

    assert (event.summary, event.location) == (summary, None)


def test_the_ways_of_a_home_visit_are_events_before_and_after_it_without_a_place() -> None:
    way = timedelta(minutes=25)

    visit, there, back = read(written(appointment(channel=Channel.HOME_VISIT, travel=way)))

    assert (there.start, there.end, there.summary) == (NOW - way, NOW, "Way to a home visit")
    assert (visit.start, visit.end) == (NOW, NOW + SLOT_LENGTH)
    assert (back.start, back.end, back.summary) == (visit.end, visit.end + way, "Way back from a home visit")
    assert len({visit.uid, there.uid, back.uid}) == 3
    assert not any(event.location for event in (visit, there, back))


def test_an_empty_diary_is_a_calendar_without_events() -> None:
    assert read(written()) == []


def test_the_calendar_tells_no_need_of_the_claimant() -> None:
    text = written(appointment())

    assert not [need for need in Need if need.value.lower() in text.lower()]


def test_lines_are_folded_and_ended_as_the_format_has_it() -> None:
    lines = written(*(appointment(number=number) for number in range(1, 4))).encode().split(b"\r\n")

    assert max(len(line) for line in lines) <= 75
    assert not [line for line in lines if b"\n" in line]


@given(
    days=st.lists(
        st.sampled_from(
            [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 25), date(2028, 2, 29)]
        ),
        min_size=1,
        max_size=5,
    ),
    clock=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
)
def test_each_event_is_at_the_moment_of_its_interview_whatever_clocks_show(days: list[date], clock: time) -> None:
    starts = [datetime.combine(day, clock, tzinfo=LONDON).astimezone(UTC) for day in days]

    events = read(written(*(appointment(start, number=number) for number, start in enumerate(starts, 1))))

    assert [event.start for event in events] == starts
    assert {event.end - event.start for event in events} == {SLOT_LENGTH}
