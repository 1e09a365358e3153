"""A worker outlives every error, and says when it last did well."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from chassis import metrics, workers
from chassis.testing import eventually
from chassis.workers import Turns, Worker


@contextmanager
def running(step: Callable[[], bool], *, pause_seconds: float = 0.0) -> Iterator[Worker]:
    worker = Worker("tested", step, pause_seconds=pause_seconds)
    worker.start()
    yield worker
    worker.stop()
    assert worker.join(5)


def sample(name: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, {"worker": "tested"}) or 0.0


def test_an_error_is_counted_and_the_worker_goes_on() -> None:
    rounds: list[int] = []
    before = sample("chassis_worker_failures_total")

    def step() -> bool:
        rounds.append(1)
        if len(rounds) == 1:
            raise RuntimeError("once")
        return False

    with running(step):
        eventually(lambda: len(rounds) > 3)

    assert sample("chassis_worker_failures_total") - before == 1


def test_only_a_successful_round_sets_the_heartbeat() -> None:
    failed, may_succeed = threading.Event(), threading.Event()

    def step() -> bool:
        if may_succeed.is_set():
            return False
        failed.set()
        raise RuntimeError("not yet")

    with running(step):
        assert failed.wait(5)
        assert sample("chassis_worker_last_success_timestamp_seconds") == 0

        may_succeed.set()

        eventually(lambda: sample("chassis_worker_last_success_timestamp_seconds") > 0)


def test_a_worker_survives_an_outage_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_LONGEST_PAUSE_AFTER_FAILURE", 0.0)
    rounds: list[int] = []

    def step() -> bool:
        rounds.append(1)
        if len(rounds) < 1_200:  # two to that power is no float
            raise RuntimeError("away")
        return False

    with running(step, pause_seconds=60):
        eventually(lambda: len(rounds) >= 1_200)
        eventually(lambda: sample("chassis_worker_last_success_timestamp_seconds") > 0)


def test_the_pause_after_failures_grows_to_ten_seconds() -> None:
    assert 0.1 < workers._pause_after(1) < 0.3
    assert 7 < workers._pause_after(1_000_000) < 13


@pytest.mark.parametrize(("last_round", "rounds"), [(False, 1), (True, 2)])
def test_a_stopped_worker_does_its_last_round(last_round: bool, rounds: int) -> None:  # noqa: FBT001
    done: list[int] = []

    def step() -> bool:
        done.append(1)
        return False

    worker = Worker("tested", step, pause_seconds=60, last_round=last_round)
    worker.start()
    eventually(lambda: done)

    worker.stop()

    assert worker.join(5)
    assert len(done) == rounds


def test_a_worker_that_failed_does_no_last_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_pause_after", lambda _failures: 60.0)
    done: list[int] = []

    def step() -> bool:
        done.append(1)
        raise RuntimeError("away")

    worker = Worker("tested", step, pause_seconds=60, last_round=True)
    worker.start()
    eventually(lambda: done)

    worker.stop()

    assert worker.join(5)
    assert len(done) == 1


def test_a_worker_with_more_to_do_does_not_pause() -> None:
    rounds: list[int] = []

    def step() -> bool:
        rounds.append(1)
        return len(rounds) < 50

    with running(step, pause_seconds=60):
        eventually(lambda: len(rounds) == 50)


def test_one_thread_of_a_crew_at_a_time_looks_for_work() -> None:
    turns, looks, at_once = Turns(pause_seconds=0.05), [], threading.Semaphore(1)

    def look() -> None:
        assert at_once.acquire(blocking=False)
        looks.append(time.monotonic())
        at_once.release()

    with running(lambda: turns.find(look) is not None), running(lambda: turns.find(look) is not None):
        eventually(lambda: len(looks) > 5)

    assert all(later - earlier > 0.045 for earlier, later in pairwise(looks))


def test_another_thread_looks_while_one_works() -> None:
    turns, done, looked = Turns(pause_seconds=0.5), threading.Event(), threading.Event()
    work = ["work"]

    def look() -> str | None:
        if work:
            return work.pop()
        looked.set()
        return None

    def step() -> bool:
        found = turns.find(look)
        if found:
            done.wait(5)
        return found is not None

    with running(step), running(step):
        assert looked.wait(5)
        done.set()


def test_a_failed_look_passes_the_turn_on() -> None:
    turns = Turns(pause_seconds=0.0)

    def fails() -> str:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        turns.find(fails)

    assert turns.find(lambda: "found") == "found"
