"""Services drain: each is ended by SIGTERM and started again while claims flow.

No claim is lost, and no call breaks off.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from itertools import count

import pytest

from chassis.testing import eventually
from cms_local import processes
from cms_local.layout import SERVICES
from cms_local.processes import Running
from tests.support.platforms import PlatformUnderTest
from tests.support.siege import under_siege

pytestmark = pytest.mark.xdist_group("faults")


def status_of(process: Running) -> int | None:
    """Waits for the exit status. The last of its threads may outlive the first, and gives the status."""
    status = partial(processes.exit_status, process)
    eventually(lambda: status() is not None, what=f"the end of {process.name}")
    return status()


def ask_until_refused(port: int) -> int:
    """Makes one request after the other on a kept connection, none twice, until no connection can be opened."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as door:
        for answered in count():
            try:
                if door.sock is None:
                    door.connect()
            except ConnectionRefusedError:
                return answered
            door.request("GET", "/")
            answer = door.getresponse()
            assert (answer.status, bool(answer.read())) == (404, True)
    raise AssertionError("it counts without end")


def test_services_restarted_one_after_the_other_lose_nothing(
    platform_under_test: PlatformUnderTest,
) -> None:
    running = platform_under_test.running
    ended: dict[str, int | None] = {}

    with under_siege(platform_under_test) as siege, ThreadPoolExecutor(1) as callers:
        for service in SERVICES:
            siege.wait_for_calls(1)
            process = running.running[service]
            asking = callers.submit(ask_until_refused, platform_under_test.layout.http_port(service))
            siege.wait_for_calls(1)
            running.stop(service)
            assert asking.result() > 0
            ended[service] = status_of(process)
            running.start(service)
            running.wait_until_ready(names=(service,))

    assert ended == dict.fromkeys(SERVICES, 0)
