"""A second process of the gateway beside the platform's own, on the same ledger."""

from collections.abc import Iterator

import pytest

from cms_local import environment, processes
from cms_local.layout import MODULES
from cms_local.processes import Running
from tests.support.platforms import PlatformUnderTest

GATEWAY = "legacy-gateway"
QUICK = {"CMS_REPLY_SECONDS": "2"}
"""A lease lasts six seconds longer than the limit for a reply."""


class Second:
    """A second process of the gateway with its own ports."""

    def __init__(self, platform: PlatformUnderTest) -> None:
        self._platform = platform
        self.running: Running | None = None

    def start(self) -> None:
        """Starts it, unless it runs already."""
        layout = self._platform.layout
        settings = environment.of(layout, GATEWAY, time_scale=self._platform.running.time_scale)
        ports = {"CMS_GRPC_PORT": "0", "CMS_HTTP_PORT": "0", "CMS_OPERATIONS_PORT": "0"}
        log = layout.log(GATEWAY).with_name("second-gateway.log")
        self.running = processes.start_module(
            GATEWAY, MODULES[GATEWAY], environment={**settings, **QUICK, **ports}, log=log
        )

    def stop(self) -> None:
        """Ends it."""
        if self.running is not None:
            processes.stop(self.running)


@pytest.fixture
def second(platform_under_test: PlatformUnderTest) -> Iterator[Second]:
    """Gives the platform's gateway short limits while the test runs; the test starts the second one."""
    platform = platform_under_test.running
    platform.stop(GATEWAY)
    platform.start(GATEWAY, extra=QUICK)
    platform.wait_until_ready(names=(GATEWAY,))
    beside = Second(platform_under_test)
    yield beside
    beside.stop()
    platform.stop(GATEWAY)
    platform.start(GATEWAY)
    platform.wait_until_ready(names=(GATEWAY,))
