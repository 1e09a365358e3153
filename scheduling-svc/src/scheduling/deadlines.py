"""How long a claim may be without an interview, and who sees to it then. docs/states.md tells why."""

from datetime import timedelta

from chassis.deadlines import Deadline, within

DEADLINES = (
    Deadline(
        state="FIRST_CONTACT",
        owner="OPERATOR",
        cut_off=within(timedelta(hours=2)),
        query="""
            SELECT claim_ref AS reference, first_contact_time AS since FROM first_contacts
            WHERE NOT booked
        """,
    ),
)
