"""Several records on one connection without their replies: each thread gets its own, and all fail together."""

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest

from legacy_gateway.link import Fault, LinkPool, NothingSent, OutcomeUnknown, Reply

SENT_AT = datetime(2026, 6, 30, 23, 5, 9, tzinfo=UTC)
LIMIT = 5.0
TRANSFERS = [f"01J00000000000000000000{number:03}" for number in range(4)]


def reply_to(transfer_id: str) -> bytes:
    body = f"RPLY{transfer_id}A{'IS0000000001':<12}0000000{'':350}{'':2}".encode("cp285")
    return struct.pack(">I", len(body)) + body


class SlowSystem:
    """A system that takes records in and answers when the test says so; it counts its connections."""

    def __init__(self) -> None:
        self.lines: list[socket.socket] = []
        self.taken: list[str] = []
        self.changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.taken) >= count, LIMIT)

    def answer(self, *transfers: str) -> None:
        self.lines[-1].sendall(b"".join(reply_to(transfer_id) for transfer_id in transfers))

    def stop(self) -> None:
        for line in [self._listener, *self.lines]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
        for line in [self._listener, *self.lines]:
            line.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                line, _ = self._listener.accept()
                self.lines.append(line)
                self._threads.append(threading.Thread(target=self._take, args=(line,)))
                self._threads[-1].start()

    def _take(self, line: socket.socket) -> None:
        with line.makefile("rb") as frames, suppress(OSError):
            while head := frames.read(4):
                body = frames.read(int.from_bytes(head, "big"))
                with self.changed:
                    self.taken.append(body[19:45].decode("cp285"))
                    self.changed.notify_all()


@pytest.fixture
def system() -> Iterator[SlowSystem]:
    started = SlowSystem()
    yield started
    started.stop()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def send(pool: LinkPool, transfer_id: str) -> Reply:
    return pool.call("IS001", transfer_id, b"123456789", sent_at=SENT_AT)


def in_flight(threads: ThreadPoolExecutor, pool: LinkPool, system: SlowSystem) -> list[Future[Reply]]:
    """Four records that were taken in, in this order, and not answered."""
    sent = []
    for number, transfer_id in enumerate(TRANSFERS, start=1):
        sent.append(threads.submit(send, pool, transfer_id))
        system.wait_for(number)
    return sent


def fault_of(future: Future[Reply]) -> Fault:
    with pytest.raises(OutcomeUnknown) as raised:
        future.result(LIMIT)
    return raised.value.fault


def pool_to(system: SlowSystem, *, timeout: float = LIMIT, in_flight: int = 4) -> LinkPool:
    return LinkPool("127.0.0.1", system.port, size=1, timeout=timeout, in_flight=in_flight)


def test_records_go_out_before_earlier_ones_are_answered_and_each_gets_its_own_reply(
    system: SlowSystem, threads: ThreadPoolExecutor
) -> None:
    with closing(pool_to(system)) as pool:
        sent = in_flight(threads, pool, system)
        system.answer(*TRANSFERS)

        replies = [future.result(LIMIT) for future in sent]

    assert [reply.transfer_id for reply in replies] == system.taken == TRANSFERS
    assert len(system.lines) == 1


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        (lambda system: system.lines[-1].shutdown(socket.SHUT_RDWR), Fault.CONNECTION_LOST),
        (lambda system: system.lines[-1].sendall(reply_to(TRANSFERS[1])[:50]), Fault.TIMED_OUT),
        (lambda system: system.answer(TRANSFERS[2]), Fault.OTHER_TRANSFER),
        (lambda system: system.lines[-1].sendall(struct.pack(">I", 2**31)), Fault.UNREADABLE),
        (lambda _: None, Fault.TIMED_OUT),
    ],
    ids=["lost", "cut", "another's reply", "2 GB announced", "silent"],
)
def test_a_connection_that_fails_makes_every_record_in_flight_unknown(
    system: SlowSystem, threads: ThreadPoolExecutor, end: object, fault: Fault
) -> None:
    with closing(pool_to(system, timeout=1.0)) as pool:
        sent = in_flight(threads, pool, system)
        end(system)  # type: ignore[operator]
        faults = [fault_of(future) for future in sent]
        again = threads.submit(send, pool, TRANSFERS[0])
        system.wait_for(5)
        system.answer(TRANSFERS[0])

        assert again.result(LIMIT).transfer_id == TRANSFERS[0]
    assert faults == [fault] * 4
    assert len(system.lines) == 2


def test_answers_before_the_connection_failed_are_known(system: SlowSystem, threads: ThreadPoolExecutor) -> None:
    with closing(pool_to(system)) as pool:
        sent = in_flight(threads, pool, system)
        system.answer(*TRANSFERS[:2])
        known = [future.result(LIMIT).transfer_id for future in sent[:2]]
        system.lines[-1].shutdown(socket.SHUT_RDWR)

        assert [fault_of(future) for future in sent[2:]] == [Fault.CONNECTION_LOST] * 2
    assert known == TRANSFERS[:2]


def test_no_more_are_in_flight_than_the_system_takes(system: SlowSystem, threads: ThreadPoolExecutor) -> None:
    with closing(pool_to(system, timeout=0.2, in_flight=1)) as pool:
        first = threads.submit(send, pool, TRANSFERS[0])
        system.wait_for(1)
        with pytest.raises((NothingSent, OutcomeUnknown)):
            send(pool, TRANSFERS[1])

        assert fault_of(first) is Fault.TIMED_OUT
    assert TRANSFERS[1] not in system.taken[:1]


def test_a_reset_ends_every_call_under_way(system: SlowSystem, threads: ThreadPoolExecutor) -> None:
    with closing(pool_to(system)) as pool:
        sent = in_flight(threads, pool, system)

        pool.reset()

        assert [fault_of(future) for future in sent] == [Fault.CONNECTION_LOST] * 4
