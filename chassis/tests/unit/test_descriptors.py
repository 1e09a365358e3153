"""Open files are shared out among the doors."""

import resource

import pytest

from chassis import descriptors

WANTED = {"grpc": 4000, "http": 8000, "operations": 2000}


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limits of the process, the present ones last."""
    found = [(1024, 100_000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _which: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _which, given: found.append(given))
    return found


def test_the_limit_is_raised_to_what_the_doors_want(limits: list[tuple[int, int]]) -> None:
    assert descriptors.share(WANTED) == WANTED
    assert limits[-1] == (14_256, 100_000)


def test_a_limit_that_suffices_is_left(limits: list[tuple[int, int]]) -> None:
    limits.append((resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert descriptors.share(WANTED) == WANTED
    assert limits[-1] == (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def test_each_door_gets_its_part_of_a_limit_that_cannot_be_raised(limits: list[tuple[int, int]]) -> None:
    limits.append((1024, 1656))

    shares = descriptors.share(WANTED)

    assert shares == {"grpc": 400, "http": 800, "operations": 200}
