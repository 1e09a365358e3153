"""Metrics of calls and claims count what was committed, and nothing that PostgreSQL refused."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chassis.metrics import REGISTRY
from chassis.testing import DatabaseUrls, commits_fail

ENDED = {"outcome": "COMPLETED"}
SCHEME = {"scheme": "JOBSEEKERS_ALLOWANCE"}


def count(name: str, labels: dict[str, str]) -> float:
    return REGISTRY.get_sample_value(f"{name}_count", labels) or 0.0


@pytest.fixture
def measured() -> Callable[[], tuple[float, float]]:
    """Calls completed and claims submitted since the test began."""

    def read() -> tuple[float, float]:
        return count("intake_call_duration_seconds", ENDED), count("intake_questions_asked", SCHEME)

    before = read()

    def since() -> tuple[float, float]:
        ended, submitted = (now - then for now, then in zip(read(), before, strict=True))
        return ended, submitted

    return since


def test_a_submission_is_counted_once_and_only_when_it_is_committed(
    desk: Any, rest: Any, database_urls: DatabaseUrls, measured: Any
) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, **rest)
    request = {"claimRef": claim_ref, "version": 2, "requestId": str(uuid4())}

    with commits_fail(database_urls, "claims"):
        assert operator.call("SubmitClaim", **request).code != "ok"
    assert measured() == (0, 0)

    for _ in range(2):
        operator.get("SubmitClaim", **request)

    assert measured() == (0, 1)


def test_the_end_of_a_call_is_counted_only_when_it_is_committed(
    desk: Any, database_urls: DatabaseUrls, measured: Any
) -> None:
    operator = desk()
    end = {"callId": operator.start()["call"]["callId"], "outcome": "CALL_OUTCOME_COMPLETED"}

    with commits_fail(database_urls, "calls"):
        assert operator.try_once("EndCall", **end).code != "ok"
    assert measured() == (0, 0)

    operator.once("EndCall", **end)

    assert measured() == (1, 0)
