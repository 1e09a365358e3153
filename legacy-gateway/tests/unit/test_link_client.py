"""The record link against a real server: records sent, replies, and unknown outcomes."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest

from chassis.errors import InvalidArgument
from legacy_gateway.link import (
    Completion,
    Fault,
    LinkConnection,
    LinkPool,
    NothingSent,
    OutcomeUnknown,
    Reply,
    ask,
    request_frame,
)
from legacy_gateway.records import RecordError

TRANSFER = "01J000000000000000000000AA"
OTHER_TRANSFER = "01J000000000000000000000BB"
SENT_AT = datetime(2026, 6, 30, 23, 5, 9, tzinfo=UTC)
PAYLOAD = b"123456789"
LIMIT = 5.0
"""Seconds that no test should need; a call that is meant to time out has its own."""

Behaviour = Callable[[socket.socket, bytes], None]


def reply_bytes(transfer_id: str = TRANSFER, completion: str = "A", legacy_ref: str = "JS0000000001") -> bytes:
    text = f"RPLY{transfer_id}{completion}{legacy_ref:<12}0000000{'':350}{'':2}"
    return text.encode("cp285")


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def transfer_of(frame: bytes) -> str:
    return frame[19:45].decode("cp285")


def answers(body: bytes) -> Behaviour:
    """Answers with these bytes and keeps the connection."""
    return lambda line, _frame: line.sendall(body)


def accepts(line: socket.socket, frame: bytes) -> None:
    line.sendall(framed(reply_bytes(transfer_of(frame))))


def hangs_up(line: socket.socket, _frame: bytes) -> None:
    line.shutdown(socket.SHUT_RDWR)


class StandInSystem:
    """A system that treats the frames it gets by the given answers, one after the other, and then accepts all."""

    def __init__(self, *answers: Behaviour) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.connections = 0
        self._answers = list(answers)
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(LIMIT)
        for line in self._open:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                line, _ = self._listener.accept()
                self.connections += 1
                self._open.append(line)
                self._threads.append(threading.Thread(target=self._serve, args=(line, self.connections)))
                self._threads[-1].start()

    def _serve(self, line: socket.socket, connection: int) -> None:
        with line, line.makefile("rb") as frames, suppress(OSError):
            while head := frames.read(4):
                body = frames.read(int.from_bytes(head, "big"))
                self.frames.append((connection, body))
                answer = self._answers.pop(0) if self._answers else accepts
                answer(line, body)


Start = Callable[..., StandInSystem]


@pytest.fixture
def start() -> Iterator[Start]:
    systems: list[StandInSystem] = []

    def start_system(*answers: Behaviour) -> StandInSystem:
        systems.append(StandInSystem(*answers))
        return systems[-1]

    yield start_system
    for system in systems:
        system.stop()


def connection_to(system: StandInSystem, timeout: float = LIMIT) -> LinkConnection:
    return LinkConnection("127.0.0.1", system.port, timeout)


def send(link: LinkConnection | LinkPool, transfer_id: str = TRANSFER) -> Reply:
    return link.call("ES504", transfer_id, PAYLOAD, sent_at=SENT_AT)


def unknown(link: LinkConnection | LinkPool) -> OutcomeUnknown:
    with pytest.raises(OutcomeUnknown) as raised:
        send(link)
    return raised.value


def test_an_accepted_record_has_a_reference(start: Start) -> None:
    system = start()

    with closing(connection_to(system)) as connection:
        reply = send(connection)

    assert reply == Reply(
        transfer_id=TRANSFER,
        completion=Completion.ACCEPTED,
        legacy_ref="JS0000000001",
        retry_after_seconds=0,
        messages=(),
    )
    assert system.frames == [(1, request_frame("ES504", TRANSFER, PAYLOAD, sent_at=SENT_AT, sequence=1)[4:])]


def test_one_connection_carries_many_records_and_counts_them(start: Start) -> None:
    system = start()

    with closing(connection_to(system)) as connection:
        for _ in range(3):
            send(connection)

    assert [(number, frame[59:63].decode("cp285")) for number, frame in system.frames] == [
        (1, "0001"),
        (1, "0002"),
        (1, "0003"),
    ]


def test_an_enquiry_asks_about_the_transfer_in_header_and_payload(start: Start) -> None:
    system = start(answers(framed(reply_bytes(completion="N", legacy_ref=""))))

    with closing(connection_to(system)) as connection:
        reply = ask(connection, TRANSFER, sent_at=SENT_AT)

    ((_, frame),) = system.frames
    assert reply.completion is Completion.NOT_KNOWN
    assert frame[6:11] == "ENQ01".encode("cp285")
    assert transfer_of(frame) == TRANSFER
    assert frame[78:] == TRANSFER.encode("cp285")


def test_nothing_is_sent_if_the_connection_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port = listener.getsockname()[1]

    with pytest.raises(NothingSent) as raised:
        send(LinkConnection("127.0.0.1", free_port, LIMIT))

    assert raised.value.fault is Fault.NOT_CONNECTED
    assert raised.value.metadata == {"transfer_id": TRANSFER}


def test_a_record_too_long_for_a_frame_leaves_the_connection_open(start: Start) -> None:
    system = start()

    with closing(connection_to(system)) as connection:
        send(connection)
        with pytest.raises(RecordError):
            send(connection, "TOO-SHORT")
        send(connection)

    assert [(number, frame[59:63].decode("cp285")) for number, frame in system.frames] == [(1, "0001"), (1, "0002")]


def cut_short(line: socket.socket, frame: bytes) -> None:
    line.sendall(framed(reply_bytes())[:200])
    hangs_up(line, frame)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (hangs_up, Fault.CONNECTION_LOST),
        (cut_short, Fault.CUT_SHORT),
        (answers(framed(reply_bytes(OTHER_TRANSFER))), Fault.OTHER_TRANSFER),
        (answers(framed(b"\x00" * 402)), Fault.UNREADABLE),
        (answers(framed(reply_bytes(completion="Q"))), Fault.UNREADABLE),
        (answers(framed(reply_bytes()[:300])), Fault.UNREADABLE),
        (answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Fault.UNREADABLE),
    ],
)
def test_an_unreadable_reply_leaves_the_outcome_unknown_and_closes_the_connection(
    start: Start, answer: Behaviour, fault: Fault
) -> None:
    system = start(answer)

    with closing(connection_to(system)) as connection:
        before = time.time()
        outcome = unknown(connection)
        after = time.time()
        reply = send(connection)

    assert outcome.fault is fault
    assert before <= outcome.closed_at <= after
    assert reply.completion is Completion.ACCEPTED
    assert [(number, frame[59:63].decode("cp285")) for number, frame in system.frames] == [(1, "0001"), (2, "0001")]


def test_a_connection_closed_in_mid_frame_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as threads:

        def read_half_a_header() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(40)

        threads.submit(read_half_a_header)
        outcome = unknown(LinkConnection("127.0.0.1", listener.getsockname()[1], LIMIT))

    assert outcome.fault is Fault.CONNECTION_LOST


def test_a_late_reply_is_never_taken_for_the_next_records(start: Start) -> None:
    sender_gave_up = threading.Event()

    def answer_late(line: socket.socket, frame: bytes) -> None:
        sender_gave_up.wait(LIMIT)
        accepts(line, frame)

    system = start(answer_late)

    with closing(connection_to(system, timeout=0.1)) as connection:
        outcome = unknown(connection)
        sender_gave_up.set()
        reply = send(connection, OTHER_TRANSFER)

    assert outcome.fault is Fault.TIMED_OUT
    assert reply.transfer_id == OTHER_TRANSFER
    assert [number for number, _ in system.frames] == [1, 2]


def test_the_time_limit_is_for_the_whole_reply(start: Start) -> None:
    sender_gave_up = threading.Event()

    def answer_byte_by_byte(line: socket.socket, _frame: bytes) -> None:
        for byte in framed(reply_bytes()):
            if sender_gave_up.wait(0.02):
                return
            line.sendall(bytes([byte]))

    system = start(answer_byte_by_byte)

    with closing(connection_to(system, timeout=0.15)) as connection:
        started = time.monotonic()
        outcome = unknown(connection)
        took = time.monotonic() - started
        sender_gave_up.set()

    assert outcome.fault is Fault.TIMED_OUT
    assert 0.15 <= took < 2


def test_a_connection_closed_while_idle_is_opened_again_before_sending(
    start: Start,
) -> None:
    closed = threading.Event()

    def accept_and_close(line: socket.socket, frame: bytes) -> None:
        accepts(line, frame)
        hangs_up(line, frame)
        closed.set()

    system = start(accept_and_close)

    with closing(connection_to(system)) as connection:
        send(connection)
        assert closed.wait(LIMIT)
        reply = send(connection)

    assert reply.completion is Completion.ACCEPTED
    assert [number for number, _ in system.frames] == [1, 2]


def test_a_stray_reply_on_an_idle_connection_is_never_read(start: Start) -> None:
    replied_twice = threading.Event()

    def accept_twice(line: socket.socket, frame: bytes) -> None:
        accepts(line, frame)
        accepts(line, frame)
        replied_twice.set()

    system = start(accept_twice)

    with closing(connection_to(system)) as connection:
        send(connection)
        assert replied_twice.wait(LIMIT)
        reply = send(connection, OTHER_TRANSFER)

    assert reply.transfer_id == OTHER_TRANSFER
    assert [number for number, _ in system.frames] == [1, 2]


def test_threads_that_share_a_pool_get_their_own_replies(start: Start) -> None:
    system = start()
    transfers = [f"01J00000000000000000000{number:03}" for number in range(40)]

    with closing(LinkPool("127.0.0.1", system.port, size=2, timeout=LIMIT)) as pool, ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda transfer_id: send(pool, transfer_id), transfers))

    assert [reply.transfer_id for reply in replies] == transfers
    assert len(system.frames) == len(transfers)
    assert system.connections <= 2


def test_a_pool_opens_a_new_connection_after_an_unknown_outcome(start: Start) -> None:
    system = start(hangs_up)

    with closing(LinkPool("127.0.0.1", system.port, size=1, timeout=LIMIT)) as pool:
        unknown(pool)
        reply = send(pool)

    assert reply.completion is Completion.ACCEPTED
    assert [number for number, _ in system.frames] == [1, 2]


def test_a_pool_without_a_free_connection_sends_nothing(start: Start) -> None:
    system = start()
    pool = LinkPool("127.0.0.1", system.port, size=1, timeout=0.05)
    pool.close()

    with pytest.raises(NothingSent) as raised:
        send(pool)

    assert raised.value.fault is Fault.ALL_CONNECTIONS_BUSY
    assert system.connections == 0


def test_a_pool_that_is_reset_ends_the_calls_under_way_and_opens_connections_again(start: Start) -> None:
    arrived = threading.Event()
    system = start(lambda _line, _frame: arrived.set())
    with closing(LinkPool("127.0.0.1", system.port, size=2, timeout=LIMIT)) as pool, ThreadPoolExecutor(1) as caller:
        call = caller.submit(unknown, pool)
        assert arrived.wait(LIMIT)

        pool.reset()

        assert call.result().fault is Fault.CONNECTION_LOST
        assert send(pool).completion is Completion.ACCEPTED
    assert system.connections == 2


@pytest.mark.parametrize("size", [0, 17])
def test_a_pool_may_not_be_larger_than_the_system_allows(size: int) -> None:
    with pytest.raises(InvalidArgument, match="size"):
        LinkPool("127.0.0.1", 1, size=size, timeout=LIMIT)


def test_no_byte_leaves_after_send_by(start: Start) -> None:
    system = start()
    with closing(LinkConnection("127.0.0.1", system.port, LIMIT)) as link:
        with pytest.raises(NothingSent) as late:
            link.call("ES504", TRANSFER, PAYLOAD, sent_at=SENT_AT, send_by=time.monotonic())

        link.call("ES504", OTHER_TRANSFER, PAYLOAD, sent_at=SENT_AT, send_by=time.monotonic() + LIMIT)

    assert late.value.fault is Fault.NOT_SENT
    assert [transfer_of(frame) for _, frame in system.frames] == [OTHER_TRANSFER]
