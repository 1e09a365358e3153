"""Fills scheduling-svc's tables with a diary of national size: a few statements over whole tables.

Who works when and what is booked is synthetic, and the same every time: a slot is booked where a number that is made of its
assessor and start is small enough. The rows lie in the order in which they would have come, shifts week by week and interviews
as they were booked: so those of a day lie on many pages.
"""

from datetime import date, timedelta

import psycopg

from tests.growth.subject import indexes_built_afterwards
from tests.schedule.national import HOURS, WEEKS, Country, share_booked, telephones

# The offices' assessors with their skills, the days on which each office works with the share of the slots that is booked, and
# the hours of a day.
_PLAN = """
    CREATE TEMP TABLE staff (assessor_id text, office_code text, skills text[], telephones boolean);
    CREATE TEMP TABLE worked (office_code text, day date, share double precision);
    CREATE TEMP TABLE hours (half integer, start time, until time);
"""

# Every eighth assessor of an office telephones in the mornings.
_SHIFTS = """
    INSERT INTO shifts (assessor_id, office_code, start_time, end_time, channel, skills)
    SELECT assessor_id, office_code, (day + start) AT TIME ZONE 'Europe/London', (day + until) AT TIME ZONE 'Europe/London',
        CASE WHEN telephones AND half = 0 THEN 'TELEPHONE' ELSE 'OFFICE' END, skills
    FROM staff JOIN worked USING (office_code) CROSS JOIN hours
    ORDER BY date_trunc('week', day), assessor_id, day, start
"""

# A slot is booked by chance, by a claim whose first contact was up to five days before.
_BOOKED = """
    CREATE TEMP TABLE booked AS
    SELECT row_number() OVER () AS number, shifts.assessor_id, shifts.office_code, shifts.channel, slot AS start_time,
        slot + interval '45 minutes' AS end_time, slot - chance(slot || shifts.assessor_id) * interval '5 days' AS first_contact
    FROM published AS shifts
    JOIN worked ON worked.office_code = shifts.office_code
        AND worked.day = (shifts.start_time AT TIME ZONE 'Europe/London')::date
    CROSS JOIN generate_series(shifts.start_time, shifts.end_time - interval '45 minutes', interval '45 minutes') AS slot
    WHERE chance(shifts.assessor_id || slot) < share
"""
_CHANCE = """
    CREATE FUNCTION pg_temp.chance(of text) RETURNS double precision IMMUTABLE LANGUAGE sql AS $$
        SELECT (hashtextextended(of, 14) & 1048575) / 1048576.0::double precision
    $$
"""

_APPOINTMENTS = """
    INSERT INTO appointments (appointment_id, claim_ref, office_code, assessor_id, start_time, end_time, channel, state,
        first_contact_time, target_time, working_lead_time, version, booked_time, within_target)
    SELECT lpad(to_hex(number), 32, '0')::uuid, 'CN' || lpad(number::text, 10, '0'), office_code, assessor_id, start_time,
        end_time, channel, 'BOOKED', first_contact, first_contact + interval '2 days', start_time - first_contact, 1,
        first_contact, start_time <= first_contact + interval '2 days'
    FROM booked ORDER BY first_contact
"""
_DIARY = """
    INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, appointment_id)
    SELECT assessor_id, 'CN' || lpad(number::text, 10, '0'), start_time, end_time, lpad(to_hex(number), 32, '0')::uuid
    FROM booked ORDER BY first_contact
"""

# Bookings of every office on every working day of a year, about as many as it has assessors.
_HISTORY = """
    INSERT INTO demand_days (day, office_code, channel, booked, within_target, elapsed_seconds, working_seconds)
    SELECT day, office, channel, 1 + (random() * 9)::integer, 1, 86400, 50000
    FROM unnest(%s::text[]) AS office, unnest(ARRAY['OFFICE', 'TELEPHONE']) AS channel,
        generate_series(%s::date - 364, %s::date - 1, interval '1 day') AS day
    WHERE extract(isodow FROM day) < 6
"""


def fill(conn: psycopg.Connection, country: Country, monday: date) -> tuple[int, int]:
    """Writes shifts, appointments and their entries in the diary; gives how many shifts and appointments.

    The server's planner knows of the tables then what it knows of a fresh database: nothing. `conn` is a superuser's, in
    autocommit: foreign keys are not checked, which would take longer than all the rest.
    """
    conn.execute("SET session_replication_role = replica")
    conn.execute(_PLAN)
    conn.execute(_CHANCE)
    _copy_plan(conn, country, monday)
    with indexes_built_afterwards(conn, analyse=False):
        shifts = conn.execute(_SHIFTS).rowcount
        conn.execute(
            "CREATE TEMP TABLE published AS SELECT assessor_id, office_code, channel, start_time, end_time FROM shifts"
        )
        conn.execute("ANALYZE published")
        booked = conn.execute(_BOOKED.replace("chance(", "pg_temp.chance(")).rowcount
        conn.execute(_APPOINTMENTS)
        conn.execute(_DIARY)
    conn.execute("SET session_replication_role = DEFAULT")
    return shifts, booked


def fill_history(conn: psycopg.Connection, country: Country, today: date) -> None:
    """A year of demand by office and channel."""
    conn.execute(_HISTORY, [[office.code for office in country.offices], today, today])
    conn.execute("INSERT INTO counted_days SELECT DISTINCT day FROM demand_days")


def _copy_plan(conn: psycopg.Connection, country: Country, monday: date) -> None:
    numbers: dict[str, int] = {}
    with conn.cursor().copy("COPY staff FROM STDIN") as rows:
        for one in country.assessors:
            number = numbers[one.office_code] = numbers.get(one.office_code, -1) + 1
            skills = sorted(str(skill) for skill in one.skills)
            rows.write_row((one.assessor_id, one.office_code, skills, telephones(number, half=0)))
    days = [monday + timedelta(days=7 * week + day) for week in range(WEEKS) for day in range(5)]
    with conn.cursor().copy("COPY worked FROM STDIN") as rows:
        for office in country.offices:
            for day in filter(office.hours_on, days):
                rows.write_row((office.code, day, share_booked((day - monday).days // 7)))
    with conn.cursor().copy("COPY hours FROM STDIN") as rows:
        for half, (start, until) in enumerate(HOURS):
            rows.write_row((half, start, until))
    conn.execute("ANALYZE staff, worked, hours")
