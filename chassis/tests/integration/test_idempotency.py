"""One effect for each request_id: twins and retries get the first answer."""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag

from chassis import call
from chassis.call import Call
from chassis.database import Connection, Database
from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from chassis.idempotency import Rebuildable, first_answer, run_once
from chassis.identity import Identity
from chassis.testing import eventually
from chassis.vault import Vault
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2

METHOD = "/cms.scheduling.v1.SchedulingService/BookAppointment"
Ask = Callable[..., str]


class Bookings:
    """A method that books, once for each request; counts how often it did."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.vault = vault
        self.made = 0
        self.prefix = "A"
        self.within: Callable[[], None] = lambda: None

    def book(self, conn: Connection) -> str:
        self.made += 1
        number = f"{self.prefix}{self.made}"
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), %s)", [number])
        self.within()
        return number

    def ask(self, request_id: str, claim_ref: str = "C", subject: str = "OP1", **how: Any) -> str:
        """Makes the call; gives the appointment_id answered."""
        request = scheduling_pb2.BookAppointmentRequest(claim_ref=claim_ref, request_id=request_id)
        with call.entered(self._call(subject)):
            response = run_once(request, self.book, self._response, **how)
        return response.appointment.appointment_id

    def first(self, request_id: str, claim_ref: str = "C", subject: str = "OP1") -> bytes | None:
        """The stored answer to this request."""
        request = scheduling_pb2.BookAppointmentRequest(claim_ref=claim_ref, request_id=request_id)
        with call.entered(self._call(subject)), self.database.transaction() as conn:
            return first_answer(conn, request)

    def _call(self, subject: str) -> Call:
        return Call(
            method=METHOD,
            response=scheduling_pb2.BookAppointmentResponse,
            identity=Identity(subject=subject, roles=frozenset({"OPERATOR"})),
            database=self.database,
            vault=self.vault,
            deadline=time.monotonic() + 5,
        )

    @staticmethod
    def _response(number: str) -> scheduling_pb2.BookAppointmentResponse:
        return scheduling_pb2.BookAppointmentResponse(appointment=appointments_pb2.Appointment(appointment_id=number))

    def effects(self) -> int:
        with self.database.transaction() as conn:
            row = conn.execute("SELECT count(*) AS count FROM inbox").fetchone()
        return int(row["count"]) if row else 0


@pytest.fixture
def bookings(database: Database, vault: Vault) -> Bookings:
    return Bookings(database, vault)


def test_a_retry_gets_the_first_answer_and_has_no_effect(bookings: Bookings) -> None:
    request_id = str(uuid4())

    assert [bookings.ask(request_id), bookings.ask(request_id.upper())] == ["A1", "A1"]
    assert bookings.effects() == 1


def test_a_large_response_is_kept_compressed(bookings: Bookings) -> None:
    request_id, bookings.prefix = str(uuid4()), "A long answer. " * 100

    first = bookings.ask(request_id)

    assert bookings.ask(request_id) == first
    assert kept_bytes(bookings.database) < len(first) / 5


def kept_bytes(database: Database) -> int:
    with database.transaction() as conn:
        row = conn.execute("SELECT length(response) AS length FROM requests").fetchone()
    return int(row["length"]) if row else 0


def test_request_ids_are_kept_apart_by_subject(bookings: Bookings) -> None:
    request_id = str(uuid4())

    assert bookings.ask(request_id) == "A1"
    assert bookings.ask(str(uuid4())) == "A2"
    assert bookings.ask(request_id, subject="OP2") == "A3"


def test_the_second_of_two_twins_waits_and_gets_the_first_answer(bookings: Bookings) -> None:
    request_id = str(uuid4())
    inside, may_end = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        assert may_end.wait(5)

    bookings.within = wait
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(bookings.ask, request_id)
        assert inside.wait(5)
        second = callers.submit(bookings.ask, request_id)
        eventually(lambda: waits_for_a_lock(bookings.database), what="the twin waiting for the first")
        assert not second.done()
        may_end.set()

        assert (first.result(), second.result()) == ("A1", "A1")
    assert bookings.effects() == 1


def waits_for_a_lock(database: Database) -> bool:
    with database.transaction() as conn:
        row = conn.execute(
            "SELECT count(*) AS count FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return bool(row and row["count"])


def test_the_second_twin_runs_when_the_first_fails(bookings: Bookings) -> None:
    request_id = str(uuid4())
    inside, may_end = threading.Event(), threading.Event()

    def fail_once() -> None:
        if bookings.made == 1:
            inside.set()
            assert may_end.wait(5)
            raise FailedPrecondition("NOT_SO", "not so")

    bookings.within = fail_once
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(bookings.ask, request_id)
        assert inside.wait(5)
        second = callers.submit(bookings.ask, request_id)
        eventually(lambda: waits_for_a_lock(bookings.database))
        may_end.set()

        assert isinstance(first.exception(), FailedPrecondition)
        assert second.result() == "A2"
    assert bookings.effects() == 1


def test_a_repeat_never_runs_the_use_case(bookings: Bookings) -> None:
    request_id = str(uuid4())
    bookings.ask(request_id)

    def pass_over(conn: Connection) -> str:
        with contextlib.suppress(Exception):
            conn.execute("SELECT 1")
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), 'again')")
        return "again"

    bookings.book = pass_over  # type: ignore[method-assign]

    assert bookings.ask(request_id) == "A1"
    assert bookings.effects() == 1


def test_errors_are_not_kept(bookings: Bookings) -> None:
    request_id = str(uuid4())

    def refuse() -> None:
        raise FailedPrecondition("NOT_SO", "not so")

    bookings.within = refuse
    with pytest.raises(FailedPrecondition):
        bookings.ask(request_id)
    assert bookings.effects() == 0

    bookings.within = lambda: None
    assert bookings.ask(request_id) == "A2"


def test_another_body_under_the_same_request_id_is_refused(bookings: Bookings) -> None:
    request_id = str(uuid4())
    bookings.ask(request_id, claim_ref="C")

    with pytest.raises(AlreadyExists) as refused:
        bookings.ask(request_id, claim_ref="D")

    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert bookings.effects() == 1


@pytest.mark.parametrize("request_id", ["", "x", "1234", "40392b79-da71-496f-824d-38ed11f0db1"])
def test_a_request_id_must_be_a_uuid(bookings: Bookings, request_id: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        bookings.ask(request_id)

    assert [violation.field for violation in refused.value.violations] == ["request_id"]


def test_a_large_answer_is_rebuilt_for_a_repeat(bookings: Bookings) -> None:
    kept = Rebuildable[str](
        keep=lambda number: {"number": number},
        rebuild=lambda conn, plain: f"{plain['number']} again, in {conn.info.transaction_status.name}",
    )
    request_id = str(uuid4())

    assert bookings.ask(request_id, rebuildable=kept) == "A1"
    assert bookings.ask(request_id, rebuildable=kept) == "A1 again, in INTRANS"
    assert bookings.effects() == 1


def test_kept_requests_are_not_readable_in_the_database(bookings: Bookings) -> None:
    bookings.ask(str(uuid4()), claim_ref="CANARY")

    with bookings.database.transaction() as conn:
        row = conn.execute("SELECT * FROM requests").fetchone()

    assert row
    assert b"A1" not in row["response"]
    assert b"CANARY" not in row["body_hmac"]


def test_a_kept_answer_does_not_open_for_another_request(bookings: Bookings) -> None:
    mine, other = str(uuid4()), str(uuid4())
    bookings.ask(mine)
    bookings.ask(other)
    with bookings.database.transaction() as conn:
        conn.execute(
            "UPDATE requests SET response = (SELECT response FROM requests WHERE request_id = %s)"
            " WHERE request_id = %s",
            [mine, other],
        )

    with pytest.raises(InvalidTag):
        bookings.ask(other)


def test_the_first_answer_can_be_looked_up(bookings: Bookings) -> None:
    request_id = str(uuid4())
    assert bookings.first(request_id) is None

    bookings.ask(request_id)

    kept = bookings.first(request_id)
    assert kept is not None
    assert scheduling_pb2.BookAppointmentResponse.FromString(kept).appointment.appointment_id == "A1"
    assert bookings.first(request_id, subject="OP2") is None
    assert bookings.first(str(uuid4())) is None
    assert bookings.effects() == 1


def test_a_caller_who_lost_the_right_is_not_shown_the_answer_again(bookings: Bookings) -> None:
    request_id = str(uuid4())

    def refuse(_conn: Connection) -> None:
        raise FailedPrecondition("NOT_SO", "not so")

    assert bookings.ask(request_id, show_again=refuse) == "A1"
    with pytest.raises(FailedPrecondition):
        bookings.ask(request_id, show_again=refuse)


def test_showing_an_answer_again_is_committed_first(bookings: Bookings) -> None:
    request_id = str(uuid4())

    def note(conn: Connection) -> None:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), %s)", ["shown again"])

    assert bookings.ask(request_id, show_again=note) == "A1"
    assert bookings.effects() == 1
    assert bookings.ask(request_id, show_again=note) == "A1"
    assert bookings.effects() == 2


def test_looking_up_a_large_answer_gives_what_was_kept(bookings: Bookings) -> None:
    request_id = str(uuid4())
    bookings.ask(
        request_id,
        rebuildable=Rebuildable[str](keep=lambda number: {"number": number}, rebuild=lambda _conn, _kept: ""),
    )

    assert bookings.first(request_id) == b'{"number":"A1"}'


def test_looking_up_refuses_another_body(bookings: Bookings) -> None:
    request_id = str(uuid4())
    bookings.ask(request_id, claim_ref="C")

    with pytest.raises(AlreadyExists) as refused:
        bookings.first(request_id, claim_ref="D")

    assert refused.value.reason == "REQUEST_ID_REUSED"


def test_looking_up_does_not_wait_for_a_twin_under_way(bookings: Bookings) -> None:
    request_id = str(uuid4())
    seen: list[bytes | None] = []
    bookings.within = lambda: seen.append(bookings.first(request_id))

    bookings.ask(request_id)

    assert seen == [None]
    assert bookings.first(request_id) is not None


def test_a_request_that_was_rolled_back_has_no_answer(bookings: Bookings) -> None:
    request_id = str(uuid4())

    def refuse() -> None:
        raise FailedPrecondition("NOT_SO", "not so")

    bookings.within = refuse
    with pytest.raises(FailedPrecondition):
        bookings.ask(request_id)

    assert bookings.first(request_id) is None
    assert bookings.first(request_id, claim_ref="D") is None


def test_looking_up_refuses_a_request_id_that_is_no_uuid(bookings: Bookings) -> None:
    with pytest.raises(InvalidArgument) as refused:
        bookings.first("1234")

    assert [violation.field for violation in refused.value.violations] == ["request_id"]
