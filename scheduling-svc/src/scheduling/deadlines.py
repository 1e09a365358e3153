"""The deadline for booking an interview, and its owner; docs/states.md has the reasons."""

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
)
