"""Certificates are renewed again and again while a claim goes through: no service misses a call, and none is restarted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chassis.certificate_authority import LIFETIME
from chassis.testing import HTTP, eventually
from cms_local import certificates
from cms_local.layout import SERVICES
from tests.support.platforms import PlatformUnderTest
from tests.support.siege import assert_all_came_through

pytestmark = pytest.mark.xdist_group("faults")

_PAUSE_SECONDS = 0.3


def metric(platform: PlatformUnderTest, service: str, name: str) -> float:
    """The sum of a service's series whose line begins like this."""
    shown = HTTP.get(f"http://127.0.0.1:{platform.layout.operations_port(service)}/metrics").text
    return sum(float(line.split()[-1]) for line in shown.splitlines() if line.startswith(name))


def broken_off(platform: PlatformUnderTest) -> int:
    """How often a service has logged that another did not answer."""
    logs = [platform.layout.log(service).read_text(errors="replace") for service in SERVICES]
    return sum(log.count('"UNAVAILABLE"') for log in logs)


def has_the_newest(platform: PlatformUnderTest, service: str) -> bool:
    """Whether a service uses the certificate that was written last."""
    written = certificates.files(platform.layout.keys(""), service).certificate.stat().st_mtime
    told = metric(platform, service, "chassis_certificate_expires_timestamp_seconds")
    return abs(written + LIFETIME.total_seconds() - told) < 2


def test_certificates_are_renewed_while_a_claim_goes_through(platform_under_test: PlatformUnderTest) -> None:
    platform, done = platform_under_test, threading.Event()
    folder = platform.layout.keys("")
    claim = platform.journey("lodger")
    before = broken_off(platform)

    def renew() -> int:
        times = 0
        while not done.wait(_PAUSE_SECONDS):
            certificates.renew(folder, older_than=0)
            times += 1
        return times

    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(renew)
        try:
            claim.take_call()
            claim.assess()
            claim.wait_for_outcome()
        finally:
            done.set()

    assert renewing.result() > 2
    assert broken_off(platform) == before
    assert_all_came_through(platform, [claim])
    for service in SERVICES:
        eventually(partial(has_the_newest, platform, service), seconds=20, what=f"the newest certificate at {service}")
