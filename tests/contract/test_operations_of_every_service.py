"""Every service serves OperationsService on both its doors, beside its own contract."""

from typing import get_args

import httpx
import pytest

from cms.operations.v1 import operations_pb2, operations_pb2_grpc
from cms_local.journey import Journey
from cms_local.layout import SERVICES
from tests.support.callers import bearer, logged
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Door
from tests.support.tls import platform_channel

pytestmark = pytest.mark.xdist_group("platform")

OF_EVERY_SERVICE = {"EVENT_UNFINISHED", "DEAD_LETTER"}


def states(platform: PlatformUnderTest, service: str, door: Door, authorization: str) -> set[str]:
    """The states that the service counts."""
    if door == "json":
        url = f"http://127.0.0.1:{platform.layout.http_port(service)}/cms.operations.v1.OperationsService/ListOverdue"
        body = httpx.post(url, json={}, headers={"Authorization": authorization}).raise_for_status().json()
        return {count["state"] for count in body["counts"]}
    with platform_channel(platform.layout, service) as channel:
        listed = operations_pb2_grpc.OperationsServiceStub(channel).ListOverdue(
            operations_pb2.ListOverdueRequest(), metadata=(("authorization", authorization),), timeout=20
        )
    return {count.state for count in listed.counts}


@pytest.mark.parametrize("door", get_args(Door))
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_counts_its_own_states_and_those_of_every_service(
    platform_under_test: PlatformUnderTest, claim: Journey, service: str, door: Door
) -> None:
    found = states(platform_under_test, service, door, bearer(claim, "SUPPORT")["authorization"])

    assert found > OF_EVERY_SERVICE


@pytest.mark.parametrize("service", SERVICES)
def test_a_refused_replay_is_in_the_access_log_of_the_service(
    platform_under_test: PlatformUnderTest, claim: Journey, service: str
) -> None:
    url = f"http://127.0.0.1:{platform_under_test.layout.http_port(service)}/cms.operations.v1.OperationsService"
    before = logged(platform_under_test, service, "ReplayDeadLetter", "DENIED", "OP000099")

    refused = httpx.post(f"{url}/ReplayDeadLetter", json={}, headers=bearer(claim, "OPERATOR", "OP000099"))

    assert refused.status_code == 403
    assert logged(platform_under_test, service, "ReplayDeadLetter", "DENIED", "OP000099") == before + 1
