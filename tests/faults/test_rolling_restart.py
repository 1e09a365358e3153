"""Every service ended by SIGTERM and started again, one after the other, while claims flow: each drains, nothing is lost."""

from functools import partial

import pytest

from chassis.testing import eventually
from cms_local import processes
from cms_local.layout import SERVICES
from cms_local.processes import Running
from cms_local.siege import under_siege
from cms_local.testing import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")


def status_of(process: Running) -> int | None:
    """With which it ended. The last of its threads may outlive the first, and the status comes of the last."""
    status = partial(processes.exit_status, process)
    eventually(lambda: status() is not None, what=f"the end of {process.name}")
    return status()


def test_services_that_are_restarted_one_after_the_other_end_by_themselves_and_lose_nothing(
    platform_under_test: PlatformUnderTest,
) -> None:
    running = platform_under_test.running
    ended: dict[str, int | None] = {}

    with under_siege(platform_under_test) as siege:
        for service in SERVICES:
            siege.wait_for_calls(1)
            process = running.running[service]
            running.stop(service)
            ended[service] = status_of(process)
            running.start(service)
            running.wait_until_ready(names=(service,))

    assert ended == dict.fromkeys(SERVICES, 0)
