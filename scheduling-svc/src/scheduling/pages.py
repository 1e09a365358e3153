"""The page of a diary link: an assessor's interviews as iCalendar (RFC 5545), for ordinary calendar programs."""

from datetime import timedelta

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
        shown.add_component(_event(entry, calendar))
    written: bytes = shown.to_ical()
    return written


def _event(entry: CalendarEntry, calendar: Calendar) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", str(entry.appointment_id))
    event.add("sequence", entry.version)
    event.add("dtstamp", calendar.made_time)
    event.add("dtstart", entry.start_time)
    event.add("dtend", entry.end_time)
    event.add("summary", _SUMMARIES[entry.channel])
    event.add("description", f"Claim {entry.claim_ref}")
    if entry.place:
        event.add("location", entry.place)
    event.add("status", "CONFIRMED")
    event.add("class", "PRIVATE")
    return event
