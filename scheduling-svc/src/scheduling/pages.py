"""The page of a diary link: an assessor's interviews as iCalendar (RFC 5545), for ordinary calendar programs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import icalendar

from chassis.database import Database
from chassis.plain_pages import Document, Page
from scheduling.domain.diary_links import READS_COUNTED, Calendar, CalendarEntry, path_of
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel
from scheduling.service.diary_links import calendar_of_link

_REFRESH = timedelta(minutes=15)
_SUMMARIES = {
    Channel.OFFICE: "Interview at the office",
    Channel.TELEPHONE: "Interview by telephone",
    Channel.HOME_VISIT: "Home visit",
}


def diary_page(database: Database, directory: Directory) -> Page:
    """The page of the diary links."""

    def answer(token: str) -> Document:
        with database.transaction() as conn:
            calendar = calendar_of_link(conn, token, directory=directory)
        return Document(content_type="text/calendar; charset=utf-8", body=as_icalendar(calendar))

    return Page(path=path_of("<key>"), answer=answer, retry_after_seconds=int(READS_COUNTED.total_seconds()))


def as_icalendar(calendar: Calendar) -> bytes:
    """The calendar as iCalendar. Its times are UTC, so that it need not describe the time zone of its readers."""
    shown = icalendar.Calendar()
    shown.add("prodid", "-//CMS3//Diary//EN")
    shown.add("version", "2.0")
    shown.add("method", "PUBLISH")
    shown.add("x-wr-calname", f"Interviews of {calendar.assessor_id}")
    # RFC 7986, section 5.7; the second is the name by which older programs know it.
    shown.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    shown.add("x-published-ttl", "PT15M")
    for entry in calendar.entries:
        for event in _events(entry, calendar):
            shown.add_component(event)
    written: bytes = shown.to_ical()
    return written


def _events(entry: CalendarEntry, calendar: Calendar) -> Iterator[icalendar.Event]:
    """The interview; before and after a home visit the ways, in which the assessor's time is taken too."""
    name, start, end = str(entry.appointment_id), entry.start_time, entry.end_time
    interview = _event(entry, calendar, uid=name, start=start, end=end, summary=_SUMMARIES[entry.channel])
    if entry.place:
        interview.add("location", entry.place)
    yield interview
    if entry.travel:
        leave, back = start - entry.travel, end + entry.travel
        yield _event(entry, calendar, uid=f"{name}-way", start=leave, end=start, summary="Way to a home visit")
        yield _event(entry, calendar, uid=f"{name}-back", start=end, end=back, summary="Way back from a home visit")


def _event(
    entry: CalendarEntry, calendar: Calendar, *, uid: str, start: datetime, end: datetime, summary: str
) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", uid)
    event.add("sequence", entry.version)
    event.add("dtstamp", calendar.made_time)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", summary)
    event.add("description", f"Claim {entry.claim_ref}")
    event.add("status", "CONFIRMED")
    event.add("class", "PRIVATE")
    return event
