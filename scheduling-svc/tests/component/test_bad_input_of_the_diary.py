"""Bad input of the diary: each fault has its reason and its field, and nothing of the request is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.testing import DatabaseUrls, Tokens
from scheduling.domain.working_time import working_days

CLAIM, BOOKED_CLAIM = "C0000000000A", "C00000000010"
LEEDS, CARDIFF, ASSESSOR = "600021", "600111", "ALE02001"
HOUR = timedelta(hours=1)
TABLES = (
    "absences", "appointments", "closures", "data_keys", "diary", "diary_links", "displaced", "first_contacts", "requests",
    "waiting_list",
)  # fmt: skip

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Diary:
    """A slot in Cardiff while that office is closed, an interview in Leeds, and a token of every right."""

    door: Any
    token: str
    closed: str
    appointment: Body
    urls: DatabaseUrls

    def call(self, method: str, body: Body) -> Any:
        return self.door(method, body, self.token)

    def rows(self) -> Mapping[str, Any]:
        """Everything that is stored of the diary."""
        with psycopg.connect(self.urls.owner) as conn:
            told = conn.execute("SELECT event_id FROM outbox ORDER BY 1").fetchall()  # the relay changes the rest
            rows = {table: conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}  # noqa: S608
            far = conn.execute(
                "SELECT * FROM shifts WHERE start_time > now() + interval '40 days' ORDER BY 1, 2"
            ).fetchall()
            return rows | {"outbox": told, "shifts": far}  # nearer ones are published meanwhile


@pytest.fixture
def diary(http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls) -> Diary:
    token = tokens.issue("OPERATOR", "SERVICE_MANAGER", subject="SM000001")
    for claim_ref in (CLAIM, BOOKED_CLAIM):
        intake.open(claim_ref)
    slots = {
        office: http("FindSlots", {"officeCode": office, "pageSize": 1}, token).body["slots"]
        for office in (LEEDS, CARDIFF)
    }
    booking = {"claimRef": BOOKED_CLAIM, "slotId": slots[LEEDS][0]["slotId"], "requestId": str(uuid4())}
    appointment = http("BookAppointment", booking, token).body["appointment"]
    there = slots[CARDIFF][0]
    closure = {"officeCode": CARDIFF, "from": there["startTime"], "until": there["endTime"], "reason": "flooded"}
    assert http("CloseOffice", closure | {"requestId": str(uuid4())}, token).code == "ok"
    return Diary(
        door=http,
        token=token,
        closed=there["slotId"],
        appointment=appointment,
        urls=database_urls,
    )


def worked(weeks: int = 6) -> datetime:
    """Nine o'clock of the first working day so many weeks ahead."""
    day = working_days(clock.today() + timedelta(weeks=weeks), Nation.ENGLAND, number=1)[0]
    return datetime.combine(day, time(9), tzinfo=UTC)


def shift(start: datetime, *, hours: int = 3) -> Body:
    return {"start": start.isoformat(), "end": (start + hours * HOUR).isoformat(), "channel": "CHANNEL_OFFICE"}


def rota(*shifts: Body, assessor: str = ASSESSOR) -> Body:
    return {"assessorId": assessor, "officeCode": LEEDS, "shifts": list(shifts)}


def sunday() -> datetime:
    return worked() + timedelta(days=6 - worked().weekday())


def away(begins: datetime, hours: int, **of: str) -> Body:
    return of | {"from": begins.isoformat(), "until": (begins + hours * HOUR).isoformat(), "reason": "SECRET1"}


def book(slot: str) -> Body:
    return {"claimRef": CLAIM, "slotId": slot}


def book_near(postcode: str) -> Body:
    return {"claimRef": CLAIM, "earliest": True, "postcode": postcode}


def offer(**more: Any) -> Body:
    return {"claimRef": CLAIM, "postcode": "LS1 3AB"} | more


def day_of(moment: datetime) -> Body:
    return {"year": moment.year, "month": moment.month, "day": moment.day}


def move(diary: Diary, slot: str) -> Body:
    return {"appointmentId": diary.appointment["appointmentId"], "version": 1, "slotId": slot}


def past(diary: Diary) -> str:
    """A slot of this morning of a week ago, of the same assessor; the rota of that time is still known."""
    with psycopg.connect(diary.urls.owner) as conn:
        begins = clock.now().replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=7)
        conn.execute(
            """INSERT INTO shifts (assessor_id, office_code, start_time, end_time, channel)
            VALUES (%s, %s, %s, %s, 'OFFICE')""",
            [ASSESSOR, LEEDS, begins, begins + 3 * HOUR],
        )
    return f"{ASSESSOR}-{begins:%Y%m%dT%H%MZ}"


def page_of_another_query(diary: Diary) -> str:
    token: str = diary.call("FindSlots", {"officeCode": LEEDS, "pageSize": 1}).body["nextPageToken"]
    return token


FAULTS: dict[str, tuple[str, Callable[[Diary], Body], str, set[str]]] = {
    "a slot in the past": ("BookAppointment", lambda diary: book(past(diary)), "SLOT_PASSED", {"slot_id"}),
    "a move into the past": ("MoveAppointment", lambda diary: move(diary, past(diary)), "SLOT_PASSED", {"slot_id"}),
    "a slot that is taken": (
        "BookAppointment",
        lambda diary: book(f"{diary.appointment['assessorId']}-{written(diary.appointment['startTime'])}"),
        "SLOT_TAKEN",
        {"slot_id"},
    ),
    "a slot of no rota": ("BookAppointment", lambda _: book("ALE02001-20200101T0900Z"), "SLOT_UNKNOWN", {"slot_id"}),
    "what is no slot": ("BookAppointment", lambda _: book("SECRET1"), "INVALID_FIELDS", {"slot_id"}),
    "a slot of a closed office": ("BookAppointment", lambda diary: book(diary.closed), "OFFICE_CLOSED", {"slot_id"}),
    "a move to a closed office": (
        "MoveAppointment", lambda diary: move(diary, diary.closed), "OFFICE_CLOSED", {"slot_id"},
    ),
    "a postcode that does not exist": (
        "BookAppointment", lambda _: book_near("ZZ1 9ZZ"), "POSTCODE_UNKNOWN", {"postcode"},
    ),
    "what is no postcode": ("BookAppointment", lambda _: book_near("SECRET1"), "MALFORMED_POSTCODE", {"postcode"}),
    "a postcode in Jersey": ("BookAppointment", lambda _: book_near("JE2 3AB"), "CHANNEL_ISLANDS", {"postcode"}),
    "an offer in Jersey": ("OfferSlots", lambda _: offer(postcode="JE2 3AB"), "CHANNEL_ISLANDS", {"postcode"}),
    "an offer instead of what is no slot": (
        "OfferSlots", lambda _: offer(declinedSlotIds=["SECRET1"]), "INVALID_FIELDS", {"declined_slot_ids[0]"},
    ),
    "an offer until before it begins": (
        "OfferSlots",
        lambda _: offer(**{"from": worked().isoformat(), "until": (worked() - HOUR).isoformat()}),
        "INVALID_FIELDS",
        {"until"},
    ),
    "the load of days in the wrong order": (
        "GetOfficeLoad",
        lambda _: {"from": day_of(worked(7)), "until": day_of(worked())},
        "INVALID_FIELDS",
        {"until"},
    ),
    "a search in Jersey": ("FindSlots", lambda _: {"postcode": "JE2 3AB"}, "CHANNEL_ISLANDS", {"postcode"}),
    "a search at no office": ("FindSlots", lambda _: {"officeCode": "699999"}, "OFFICE_UNKNOWN", {"office_code"}),
    "a page of another search": (
        "FindSlots",
        lambda diary: {"officeCode": CARDIFF, "pageToken": page_of_another_query(diary)},
        "INVALID_FIELDS",
        {"page_token"},
    ),
    "a page of another list": (
        "ListAppointments",
        lambda diary: {"office": LEEDS, "pageToken": page_of_another_query(diary)},
        "INVALID_FIELDS",
        {"page_token"},
    ),
    "a rota for an unknown assessor": (
        "PublishRota", lambda _: rota(shift(worked()), assessor="NOBODY01"), "ASSESSOR_UNKNOWN", {"assessor_id"},
    ),
    "overlapping shifts": (
        "PublishRota",
        lambda _: rota(shift(worked()), shift(worked() + 2 * HOUR)),
        "INVALID_FIELDS",
        {"shifts[1].start"},
    ),
    "a shift that ends before it starts": (
        "PublishRota", lambda _: rota(shift(worked(), hours=-1)), "INVALID_FIELDS", {"shifts[0].end"},
    ),
    "a shift in the past": (
        "PublishRota", lambda _: rota(shift(worked() - timedelta(weeks=60))), "INVALID_FIELDS", {"shifts[0].end"},
    ),
    "a shift beyond twelve weeks": (
        "PublishRota", lambda _: rota(shift(worked(20))), "INVALID_FIELDS", {"shifts[0].start"},
    ),
    "a shift on a day on which the office is closed": (
        "PublishRota", lambda _: rota(shift(worked()), shift(sunday())), "INVALID_FIELDS", {"shifts[1].start"},
    ),
    "an absence that ends before it starts": (
        "RecordAbsence", lambda _: away(worked(), -1, assessorId=ASSESSOR), "INVALID_FIELDS", {"until"},
    ),
    "an absence that is over": (
        "RecordAbsence",
        lambda _: away(clock.now() - 9 * HOUR, 8, assessorId=ASSESSOR),
        "INVALID_FIELDS",
        {"until"},
    ),
    "an absence of an unknown assessor": (
        "RecordAbsence", lambda _: away(worked(), 1, assessorId="NOBODY01"), "ASSESSOR_UNKNOWN", {"assessor_id"},
    ),
    "a closure that ends before it starts": (
        "CloseOffice", lambda _: away(worked(), -1, officeCode=LEEDS), "INVALID_FIELDS", {"until"},
    ),
    "a closure of no office": (
        "CloseOffice", lambda _: away(worked(), 1, officeCode="699999"), "OFFICE_UNKNOWN", {"office_code"},
    ),
}  # fmt: skip


def written(moment: str) -> str:
    """The time as the id of a slot has it."""
    return f"{datetime.fromisoformat(moment):%Y%m%dT%H%MZ}"


def test_each_fault_is_named_with_its_field_and_nothing_is_half_done(diary: Diary) -> None:
    for fault, (method, body_of, reason, fields) in FAULTS.items():
        body = body_of(diary)
        if method not in ("FindSlots", "ListAppointments", "GetOfficeLoad"):
            body |= {"requestId": str(uuid4())}
        before = diary.rows()

        answer = diary.call(method, body)

        assert (answer.reason, answer.fields) == (reason, fields), fault
        assert "SECRET1" not in answer.text, fault
        assert diary.rows() == before, fault
        with psycopg.connect(diary.urls.owner) as conn:
            conn.execute("DELETE FROM shifts WHERE end_time < now() - interval '1 day'")
