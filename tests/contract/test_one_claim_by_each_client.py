"""Every client that a frontend may take carries one claim from the call to its outcome: the examples of clients/."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cms_local import acknowledged
from cms_local.cases import random_nino
from tests.support.foreign_clients import PYTHON_EXAMPLE, grpc_addresses, http_addresses, npm, run_script
from tests.support.platforms import PlatformUnderTest
from tests.support.tls import certificate_files

pytestmark = pytest.mark.xdist_group("platform")

Step = Callable[..., Any]
"""Takes one step of the example: step(name, token, …)."""


def carry(platform: PlatformUnderTest, step: Step) -> None:
    """Takes a claim, confirms it and waits for its outcome, each with the token of the person who would."""
    people = platform.journey("single, council tenant")
    answers = {name: value for name, value in people.case.answers.items() if name != "nino"}
    claimant = {"nino": random_nino(people.random), "answers": answers, "postcode": people.case.postcode}

    taken = step("take", people.operator, claimant=claimant)
    people.claim_ref = taken["claimRef"]
    noted, schemes = people.acknowledged_file, people.case.schemes
    acknowledged.note(noted, people.claim_ref, "SUBMITTED", schemes=schemes, wants_notice=people.case.wants_notice)
    assessor = people.issue("ASSESSOR", subject=taken["assessor"], office=taken["office"])
    step("confirm", assessor, claimRef=people.claim_ref)
    acknowledged.note(noted, people.claim_ref, "CONFIRMED", schemes=schemes)
    outcome = step("outcome", people.issue("SUPPORT", subject="SU000001"), claimRef=people.claim_ref)

    assert outcome == {"systems": ["JSAPS"], "councils": ["E08000021"]}
    assert platform.settled_audit(people).accepted == 1


def step_by(program: tuple[str | Path, ...], addresses: dict[str, str], name: str, token: str, **given: Any) -> Any:
    """Takes a step by a program that reads it as JSON."""
    return run_script(*program, given={"addresses": addresses, "step": name, "token": token, **given})


def long(protocol: str) -> object:
    """A protocol that only the long form of the tests takes."""
    return pytest.param(protocol, marks=pytest.mark.long)


@pytest.mark.needs("npm")
@pytest.mark.needs("node")
@pytest.mark.parametrize(
    "protocol",
    ["connect-json", "connect-binary", "connect-gzip", "grpc", *map(long, ("connect-get", "grpc-gzip", "grpc-web"))],
)
def test_the_typescript_client_carries_a_claim_through_in_node(
    platform_under_test: PlatformUnderTest, typescript: Path, protocol: str
) -> None:
    layout = platform_under_test.layout
    addresses = grpc_addresses(layout, "https://") if protocol in {"grpc", "grpc-gzip"} else http_addresses(layout)
    by_node = partial(step_by, ("node", typescript / "build" / "node.mjs"), addresses)

    carry(platform_under_test, partial(by_node, protocol=protocol, certificate=certificate_files(layout)))


@pytest.mark.needs("npm")
@pytest.mark.needs("node")
def test_the_typescript_client_passes_tests_of_its_own_and_builds(typescript: Path) -> None:
    npm(typescript, "test")
    npm(typescript, "run", "build")

    assert {"index.js", "index.d.ts"} <= {path.name for path in (typescript / "dist").iterdir()}


def test_the_python_client_carries_a_claim_through(platform_under_test: PlatformUnderTest) -> None:
    layout = platform_under_test.layout
    by_python = partial(step_by, (sys.executable, PYTHON_EXAMPLE), grpc_addresses(layout))

    carry(platform_under_test, partial(by_python, certificate=certificate_files(layout)))
