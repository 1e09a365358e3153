"""The search for free time: the shifts of offices, nearest first, with what is taken of them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

from chassis.database import Connection, Row
from scheduling.domain.diary import Stretch, WorkingTime
from scheduling.domain.offices import Channel
from scheduling.domain.search import OfficeSearched, Search
from scheduling.domain.shifts import LONGEST_SHIFT, Shift
from scheduling.domain.slots import SLOT_LENGTH
from scheduling.store.shifts import codes, shift_of

SHIFTS_AT_ONCE = 40
"""Of an office. A day of a large one is some twenty."""
_MOST_SHIFTS_AT_ONCE = 320
OFFICES_AT_ONCE = (1, 2, 4, 8, 16)
"""Most searches end at the nearest office; those that do not read more of them at a time, the last number again and again."""

_NEVER = datetime.max.replace(tzinfo=UTC)

# What takes an assessor's time in a stretch: appointments, slots that are held for another claim than this one, absences of
# the assessor and closures of the office. No entry of the diary is longer than a shift; those three hours before and after it
# count for the assessor's breaks.
TAKEN = """
    SELECT array_agg(taking.start_time) AS starts, array_agg(taking.end_time) AS ends, array_agg(taking.away) AS away,
        sum(least(taking.end_time, shift.end_time) - greatest(taking.start_time, shift.start_time)) FILTER (
            WHERE NOT taking.away AND taking.start_time < shift.end_time AND taking.end_time > shift.start_time
        ) AS booked
    FROM (
        SELECT entry.start_time, entry.end_time, false AS away FROM diary AS entry
        WHERE entry.assessor_id = shift.assessor_id
            AND entry.start_time < shift.end_time + interval '3 hours'
            AND entry.start_time > shift.start_time - %(longest)s
            AND entry.end_time > shift.start_time - interval '3 hours'
            AND (entry.held_until IS NULL OR (entry.held_until > now() AND entry.claim_ref <> %(claim_ref)s))
        UNION ALL
        SELECT absence.start_time, absence.end_time, true FROM absences AS absence
        WHERE absence.assessor_id = shift.assessor_id
            AND absence.end_time > shift.start_time AND absence.start_time < shift.end_time
        UNION ALL
        SELECT closure.start_time, closure.end_time, true FROM closures AS closure
        WHERE closure.office_code = shift.office_code
            AND closure.end_time > shift.start_time AND closure.start_time < shift.end_time
    ) AS taking
"""

# The first shifts of each office after a place, with what is taken of them: by office, nearest first, and by their starts. A
# shift is full where the diary leaves less than a slot's length of it (its entries do not overlap); no more is given of it.
# The server would think that few shifts have the skills, and read and sort all of an office's; of what is within `coalesce`
# it thinks nothing, and reads the index in order until it has enough.
WORKING_TIMES = f"""
    SELECT assessor_id, office_code, start_time, end_time, channel, emergency_slots, room, is_full,
        CASE WHEN NOT is_full THEN skills END AS skills, CASE WHEN NOT is_full THEN starts END AS starts,
        CASE WHEN NOT is_full THEN ends END AS ends, CASE WHEN NOT is_full THEN away END AS away
    FROM unnest(%(offices)s::text[], %(needs)s::text[]) WITH ORDINALITY AS near (code, needs, rank)
    CROSS JOIN LATERAL (
        SELECT assessor_id, office_code, start_time, end_time, channel, skills, emergency_slots, room
        FROM shifts
        WHERE office_code = near.code AND channel = %(channel)s AND start_time <= %(until)s
            AND (start_time, assessor_id) > (%(after_start)s, %(after_assessor)s)
            AND coalesce(end_time > %(since)s AND skills @> near.needs::text[], false)
        ORDER BY start_time, assessor_id
        LIMIT %(at_each)s
    ) AS shift
    CROSS JOIN LATERAL ({TAKEN}) AS taken
    CROSS JOIN LATERAL (SELECT coalesce(end_time - start_time - booked < %(slot)s, false) AS is_full) AS filled
    ORDER BY near.rank, start_time, assessor_id
"""  # noqa: S608 - of literals alone

# The first offices of a list at which somebody works in a channel from a moment on, in the order of the list. The order within
# makes the server look up each office in the index, where it would plan a join by the history; and it finds the last shift,
# which is the one that is still to come if any is.
WITH_ROTAS = """
    SELECT near.code FROM unnest(%(offices)s::text[]) WITH ORDINALITY AS near (code, rank)
    CROSS JOIN LATERAL (
        SELECT 1 FROM shifts
        WHERE office_code = near.code AND channel = %(channel)s AND start_time > %(since)s - %(longest)s
            AND end_time > %(since)s
        ORDER BY start_time DESC, assessor_id DESC LIMIT 1
    ) AS work
    ORDER BY near.rank LIMIT %(number)s
"""

# What is taken of the shift in which a slot starts.
OF_SLOT = f"""
    SELECT taken.* FROM (VALUES (%(assessor_id)s, %(office_code)s, %(start)s::timestamptz, %(end)s::timestamptz))
        AS shift (assessor_id, office_code, start_time, end_time)
    CROSS JOIN LATERAL ({TAKEN}) AS taken
"""  # noqa: S608 - of literals alone


def working_times(conn: Connection, search: Search) -> Iterator[WorkingTime]:
    """The working times of the search's offices that are not full, nearest first, and by their starts within an office.

    They are read a few at a time, and no more than are asked for.
    """
    for offices in _few_at_a_time(search.offices):
        found = conn.execute(WORKING_TIMES, search_parameters(search.at(offices)))
        for _, of_office in groupby(found, key=itemgetter("office_code")):
            yield from _of_office(conn, search, list(of_office))


def offices_with_rotas(
    conn: Connection, offices: Sequence[str], *, channel: Channel, since: datetime, number: int | None = None
) -> list[str]:
    """The first `number` of these offices, or all of them, at which somebody works in the channel from then on."""
    parameters = {
        "offices": list(offices),
        "channel": channel,
        "since": since,
        "longest": LONGEST_SHIFT,
        "number": number,
    }
    return [row["code"] for row in conn.execute(WITH_ROTAS, parameters)]


def taken_of(conn: Connection, shift: Shift, *, claim_ref: str) -> WorkingTime:
    """The shift with what is taken of it now for others than this claim."""
    parameters = {
        "assessor_id": shift.assessor_id,
        "office_code": shift.office_code,
        "start": shift.start_time,
        "end": shift.end_time,
        "longest": LONGEST_SHIFT,
        "claim_ref": claim_ref,
    }
    row = conn.execute(OF_SLOT, parameters).fetchone()
    return working_time(shift, row) if row else WorkingTime(shift=shift)


def search_parameters(search: Search, *, after: Row | None = None, number: int | None = None) -> Row:
    """The parameters of WORKING_TIMES: the first shifts of each office, or `number` after one that was seen."""
    return {
        "offices": [office.code for office in search.offices],
        "needs": [codes(office.needs) for office in search.offices],
        "channel": search.channel,
        "since": search.since,
        "until": search.until or _NEVER,
        "claim_ref": search.claim_ref,
        "longest": LONGEST_SHIFT,
        "after_start": after["start_time"] if after else search.since - LONGEST_SHIFT,
        "after_assessor": after["assessor_id"] if after else "",
        "at_each": number or SHIFTS_AT_ONCE,
        "slot": SLOT_LENGTH,
    }


def _of_office(conn: Connection, search: Search, found: Sequence[Row]) -> Iterator[WorkingTime]:
    """The working times of one office that are not full, of which the first are found. Of a full office it reads ever more."""
    number = SHIFTS_AT_ONCE
    while found:
        for row in found:
            if not row["is_full"]:
                yield working_time(shift_of(row), row)
        if len(found) < number:
            return
        last, number = found[-1], min(2 * number, _MOST_SHIFTS_AT_ONCE)
        here = [office for office in search.offices if office.code == last["office_code"]]
        found = conn.execute(WORKING_TIMES, search_parameters(search.at(here), after=last, number=number)).fetchall()


def working_time(shift: Shift, row: Row) -> WorkingTime:
    """The shift with what is taken of it, of a row with the columns of TAKEN."""
    taken, away = list[Stretch](), list[Stretch]()
    for start, end, is_away in zip(row["starts"] or (), row["ends"] or (), row["away"] or (), strict=True):
        (away if is_away else taken).append(Stretch(start_time=start, end_time=end))
    return WorkingTime(shift=shift, taken=tuple(taken), away=tuple(away))


def _few_at_a_time(offices: Sequence[OfficeSearched]) -> Iterator[Sequence[OfficeSearched]]:
    begin = 0
    for turn in range(len(offices)):
        number = OFFICES_AT_ONCE[min(turn, len(OFFICES_AT_ONCE) - 1)]
        if part := offices[begin : begin + number]:
            yield part
        begin += number
