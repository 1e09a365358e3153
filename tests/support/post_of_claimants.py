"""Messages to claimants in tests: the owners of their subjects in memory, and the post as it stands."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from google.protobuf.message import Message as ProtoMessage
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.errors import NotFound, Unavailable
from chassis.testing import DatabaseUrls
from cms.scheduling.v1 import events_pb2 as scheduling_events
from la_notifier.messages.clients import Appointment, Claimant, Outstanding
from la_notifier.messages.domain.contact import contact_of
from simulators.notify.server import Notify
from simulators.testing import call

CLAIM = "C0123456789A"
APPOINTMENT = str(uuid4())
ADDRESS = {"lines": ["1 High Street", "Cardiff"], "postcode": "CF10 4ER"}
ANSWERS: dict[str, Any] = {
    "forenames": "Siân",
    "surname": "O’Brien",
    "language": "EN",
    "address": ADDRESS,
    "telephone": "+447700900123",
    "email": "sian@example.org",
    "messages_by": "TEXT",
    "messages_discreet": False,
}


class Owners:
    """The services that messages are asked of, as a test wants them."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.withdrawn = False
        self.is_away = False
        self.appointments: dict[str, Appointment] = {}
        self.awaited: tuple[str, ...] = ()
        self.is_draft = False
        self.needs: tuple[str, ...] = ()
        self.outcomes: dict[tuple[str, int], str] = {}

    def claimant(self, claim_ref: str) -> Claimant:
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        contact = contact_of(claim_ref, self.answers, withdrawn=self.withdrawn, language="EN")
        return Claimant(contact=contact, schemes=("INCOME_SUPPORT",))

    def appointment(self, appointment_id: str) -> Appointment:
        if appointment_id not in self.appointments:
            raise NotFound("APPOINTMENT_UNKNOWN", "there is no such appointment")
        return self.appointments[appointment_id]

    def outstanding(self, claim_ref: str, language: str) -> Outstanding:  # noqa: ARG002
        return Outstanding(documents=self.awaited, due_on=date(2026, 12, 30))

    def needed(self, claim_ref: str, language: str) -> tuple[str, ...]:  # noqa: ARG002
        if self.is_draft:
            raise NotFound("CLAIM_UNKNOWN", "the claim is not submitted")
        return self.needs

    def outcome(self, claim_ref: str, scheme: str, version: int) -> str:  # noqa: ARG002
        return self.outcomes.get((scheme, version), "")


class Post:
    """The rows of messages, and what the stand-in holds and was told to do."""

    def __init__(self, urls: DatabaseUrls, notify: Notify, publish: Any, owners: Owners) -> None:
        self._urls, self._notify, self._publish, self._owners = urls, notify, publish, owners

    def book(self, starts: datetime, *, version: int = 1, arranged_version: int = 0) -> None:
        """An appointment is booked, or moved with a later version; with an earlier `arranged_version` to a colleague alone."""
        arranged = arranged_version or version
        self._owners.appointments[APPOINTMENT] = Appointment(
            is_cancelled=False,
            starts=starts,
            version=version,
            arranged_version=arranged,
            channel="OFFICE",
            office="Cardiff",
        )
        start_time = Timestamp()
        start_time.FromDatetime(starts)
        booked = scheduling_events.AppointmentBooked(appointment_id=APPOINTMENT, start_time=start_time)
        moved = scheduling_events.AppointmentMoved(
            appointment_id=APPOINTMENT, start_time=start_time, arranged_version=arranged
        )
        self.hear(booked if version == 1 else moved, version=version)

    def cancel(self, *, version: int) -> None:
        """The appointment is cancelled."""
        found = replace(self._owners.appointments[APPOINTMENT], is_cancelled=True, version=version)
        self._owners.appointments[APPOINTMENT] = found
        start_time = Timestamp()
        start_time.FromDatetime(found.starts)
        event = scheduling_events.AppointmentCancelled(appointment_id=APPOINTMENT, start_time=start_time)
        self.hear(event, version=version)

    def hear(self, event: ProtoMessage, *, version: int) -> None:
        self._publish(event, version=version)

    def rows(self) -> dict[str, tuple[str, str | None, str | None]]:
        """State, medium and reason of the messages, by kind; of several of one kind the last."""
        with psycopg.connect(self._urls.owner) as conn:
            found = conn.execute(
                "SELECT kind, state, medium, reason FROM messages ORDER BY created, due_time"
            ).fetchall()
        return {kind: (state, medium, reason) for kind, state, medium, reason in found}

    def states(self) -> dict[str, str]:
        return {kind: state for kind, (state, _, _) in self.rows().items()}

    def letters(self) -> list[tuple[str, str, str]]:
        """Recipient, matter and state of what is in the print queue."""
        with psycopg.connect(self._urls.owner) as conn:
            return conn.execute("SELECT recipient, about, state FROM letters").fetchall()

    def said(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = call(self._notify.control_port, "GET", "/messages").body["messages"]
        return found

    def duplicates(self) -> int:
        count: int = call(self._notify.control_port, "GET", "/ledger").body["duplicates"]
        return count

    def order(self, failure: str, **rule: Any) -> None:
        body = {"failure": failure, **rule}
        assert call(self._notify.control_port, "POST", "/failures", body=body).status == 200


def in_days(days: int) -> datetime:
    return (clock.now() + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)


def due_hour(urls: DatabaseUrls, kind: str) -> int:
    with psycopg.connect(urls.owner) as conn:
        found = conn.execute("SELECT due_time FROM messages WHERE kind = %s", [kind]).fetchone()
    assert found is not None
    return int(found[0].astimezone(clock.LONDON).hour)
