"""A bus that hangs or is full: the service says so in time, and takes it up again when it is well."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from chassis import embedded
from chassis.bus import Bus
from chassis.testing import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[embedded.Valkey]:
    started = embedded.start_valkey(tmp_path / "bus", port=free_port(), durable=False)
    yield started
    started.stop()


@pytest.fixture
def bus(server: embedded.Valkey) -> Iterator[Bus]:
    opened = Bus(server.url)
    yield opened
    opened.close()


def test_a_hanging_bus_is_reported_unusable_within_seconds(server: embedded.Valkey, bus: Bus) -> None:
    assert bus.is_usable()

    os.kill(server.pid, signal.SIGSTOP)
    asked = time.monotonic()
    usable = bus.is_usable()
    answered = time.monotonic()
    os.kill(server.pid, signal.SIGCONT)

    assert not usable
    assert answered - asked < 1.8
    assert bus.is_usable()


def test_a_full_bus_is_reported_unusable(server: embedded.Valkey, bus: Bus) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)

        bus.ping()
        assert not bus.is_usable()

        client.config_set("maxmemory", 0)
    assert bus.is_usable()
