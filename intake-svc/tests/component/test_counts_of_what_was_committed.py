"""What is measured of calls and claims is measured once it is committed: what PostgreSQL refused never happened."""

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


def test_a_submission_that_was_not_committed_is_not_counted_and_its_repeat_is_once(
    desk: Any, refused: Any, single_tenant: Any, database_urls: DatabaseUrls, measured: Any
) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    rest = {name: value for name, value in single_tenant.items() if name not in ("nino", "language")}
    version = operator.record(claim["claimRef"], claim["version"], **rest)["version"]
    request = {"claimRef": claim["claimRef"], "version": version, "requestId": str(uuid4())}

    with commits_fail(database_urls, "claims"), pytest.raises(refused):
        operator.call("SubmitClaim", **request)
    assert measured() == (0, 0)

    for _ in range(2):
        operator.call("SubmitClaim", **request)

    assert measured() == (0, 1)


def test_the_end_of_a_call_that_was_not_committed_is_not_counted(
    desk: Any, refused: Any, database_urls: DatabaseUrls, measured: Any
) -> None:
    operator = desk()
    call_id = operator.start()["call"]["callId"]

    with commits_fail(database_urls, "calls"), pytest.raises(refused):
        operator.once("EndCall", callId=call_id, outcome="CALL_OUTCOME_COMPLETED")
    assert measured() == (0, 0)

    operator.once("EndCall", callId=call_id, outcome="CALL_OUTCOME_COMPLETED")

    assert measured() == (1, 0)
