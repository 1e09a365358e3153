"""The deadlines for booking an interview, and for one that nobody is there to hold; docs/states.md has the reasons."""

from datetime import timedelta

from chassis.deadlines import Deadline, within

DEADLINES = (
    Deadline(
        state="FIRST_CONTACT",
        owner="OPERATOR",
        cut_off=within(timedelta(hours=2)),
        query="""
            SELECT claim_ref AS reference, coalesce(waits_since, first_contact_time) AS since FROM first_contacts
            WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL
        """,
    ),
    Deadline(
        state="DISPLACED",
        owner="SERVICE_MANAGER",
        cut_off=within(timedelta(hours=1)),
        query="SELECT claim_ref AS reference, since FROM displaced JOIN appointments USING (appointment_id)",
    ),
)
