"""Fills scheduling-svc's tables with a diary of national size, by COPY."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import psycopg

from scheduling.domain.slots import Slot
from tests.growth.subject import indexes_built_afterwards
from tests.schedule.national import Country, work

_TARGET = timedelta(hours=48)


def fill(conn: psycopg.Connection, country: Country, monday: date) -> tuple[int, int]:
    """Writes shifts, appointments and their entries in the diary; gives how many shifts and appointments.

    `conn` is a superuser's, in autocommit: foreign keys are not checked, which would take longer than all the rest.
    """
    conn.execute("SET session_replication_role = replica")
    every = list(work(country, monday))
    booked = list(_booked(slot for one in every for slot in one.booked))
    with indexes_built_afterwards(conn):
        with conn.cursor().copy(
            "COPY shifts (assessor_id, office_code, start_time, end_time, channel, skills) FROM STDIN"
        ) as rows:
            for shift in (one.shift for one in every):
                rows.write_row(
                    (
                        shift.assessor_id,
                        shift.office_code,
                        shift.start_time,
                        shift.end_time,
                        shift.channel.value,
                        sorted(shift.skills),
                    )
                )
        with conn.cursor().copy(
            "COPY appointments (appointment_id, claim_ref, office_code, assessor_id, start_time, end_time, channel, state,"
            " first_contact_time, target_time, working_lead_time, version, booked_time, within_target) FROM STDIN"
        ) as rows:
            for appointment_id, claim_ref, slot, first_contact in booked:
                rows.write_row(
                    (
                        appointment_id,
                        claim_ref,
                        slot.office_code,
                        slot.assessor_id,
                        slot.start_time,
                        slot.end_time,
                        slot.channel.value,
                        "BOOKED",
                        first_contact,
                        first_contact + _TARGET,
                        slot.start_time - first_contact,
                        1,
                        first_contact,
                        slot.start_time <= first_contact + _TARGET,
                    )
                )
        with conn.cursor().copy(
            "COPY diary (assessor_id, claim_ref, start_time, end_time, appointment_id) FROM STDIN"
        ) as rows:
            for appointment_id, claim_ref, slot, _ in booked:
                rows.write_row((slot.assessor_id, claim_ref, slot.start_time, slot.end_time, appointment_id))
    conn.execute("SET session_replication_role = DEFAULT")
    return len(every), len(booked)


# Bookings of every office on every working day of a year, about as many as it has assessors.
_HISTORY = """
    INSERT INTO demand_days (day, office_code, channel, booked, within_target, elapsed_seconds, working_seconds)
    SELECT day, office, channel, 1 + (random() * 9)::integer, 1, 86400, 50000
    FROM unnest(%s::text[]) AS office, unnest(ARRAY['OFFICE', 'TELEPHONE']) AS channel,
        generate_series(%s::date - 364, %s::date - 1, interval '1 day') AS day
    WHERE extract(isodow FROM day) < 6
"""


def fill_history(conn: psycopg.Connection, country: Country, today: date) -> None:
    """A year of demand by office and channel."""
    conn.execute(_HISTORY, [[office.code for office in country.offices], today, today])
    conn.execute("INSERT INTO counted_days SELECT DISTINCT day FROM demand_days")


def _booked(slots: Iterator[Slot]) -> Iterator[tuple[UUID, str, Slot, datetime]]:
    """Each slot with an appointment's id, a claim's reference, and a first contact up to five days before."""
    chance = random.Random(5)
    for number, slot in enumerate(slots, start=1):
        first_contact = slot.start_time - chance.random() * timedelta(days=5)
        yield UUID(int=number), f"CN{number:010}", slot, first_contact
