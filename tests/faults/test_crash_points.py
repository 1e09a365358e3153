"""No claim is lost, doubled or halved when a process dies between a commit and an effect outside the database.

Each service dies at one crash point after the other while claims flow, each with a claim of its own; it is started again
while their callers ask again with the same request_id. When all is quiet the outside ledgers are held against what was
acknowledged.
"""

import ast
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from chassis import contract
from chassis.testing import eventually
from cms_local.cases import Case
from cms_local.commands.demo import DEMO_DAY
from cms_local.doors import SERVICE_NAMES, Doors
from cms_local.journey import ASSESSMENT, GATEWAY, INTAKE, NOTIFIER, SCHEDULING, Journey
from cms_local.layout import ROOT, SERVICES
from tests.support.platforms import PlatformUnderTest, own_platform
from tests.support.raw_doors import methods

pytestmark = pytest.mark.xdist_group("faults")

HANDLING = ("inbox.before_commit", "inbox.after_commit", "inbox.after_receipt")
ANSWERING = ("request.before_commit", "request.after_commit")
TELLING = ("relay.after_claim", "relay.after_publish")
FINISHING = ("receipts.after_commit",)
BURYING = "inbox.after_burial"
"""Only an event that cannot be handled reaches this point, so it has a test of its own."""

SEALING = "access_log.before_commit"
"""Between the copy of the access log and its commit: a death there is in the chassis' own tests."""

REPAIRING = ("corrections.after_amendment", "bulk_act.before_commit")
FILE_EXCHANGE = (
    "batch.after_making",
    "batch.before_upload",
    "sftp.after_part",
    "batch.after_rename",
    "batch.after_response",
    "batch.after_storing",
)
"""From the making of a file until what its response says is stored. Only a claim to Incapacity Benefit reaches them."""

FILING: Mapping[str, str] = {
    "filing.after_lease": "BB11 3JL",
    "filing.after_making": "BN21 4UF",
    "filing.before_upload": "BB8 8RH",
    "sftp.after_part": "BN12 6JZ",
    "filing.after_upload": "CT15 6HY",
    "filing.after_storing": "CV22 6RF",
    "filing.after_acknowledgement": "DA1 5PZ",
    "filing.after_hearing": "DL2 2AT",
}
"""From an authority's turn to what its acknowledgement says, each with the postcode of an authority that takes files.

Whoever dies in an authority's turn leaves its lease, for as long as a turn may take: so each death has an authority of its own.
"""

POSTING = ("posting.after_lease", "posting.before_storing", "posting.after_storing", *ANSWERING)
"""From the making of a letter to its print and its receipt, which people record."""

ELSEWHERE: Mapping[str, Sequence[str]] = {
    GATEWAY: (*ANSWERING, *FILE_EXCHANGE, *REPAIRING),
    NOTIFIER: (*FILING, *POSTING, *FINISHING),
    ASSESSMENT: ("bundle.after_amendment",),
}
"""Points that no claim reaches on its way without somebody's act, only on a platform in another year, or only by a channel.

test_every_change_is_done_once has the gateway's changes by request, test_repairs_that_die those of the repair desk. A bundle
that is brought back has its death in assessment-svc's own tests; only a notice that is late has a receipt for the notifier.
"""

LONG: Mapping[str, Sequence[str]] = {
    INTAKE: (*HANDLING, *ANSWERING, *TELLING, *FINISHING),
    SCHEDULING: (*HANDLING, *ANSWERING, *TELLING, *FINISHING),
    ASSESSMENT: (*HANDLING, *ANSWERING, "correction.after_amendment", *TELLING, *FINISHING),
    GATEWAY: (
        *HANDLING,
        "transfer.after_storing",  # between the phases
        "transfer.after_storing",  # of the same claim: after the second
        *TELLING,
        *FINISHING,
        "transfer.after_facts",
        "transfer.before_first_byte",
        "link.after_send",
        "transfer.after_reply",
        "enquiry.after_answer",  # of one of those before
    ),
    NOTIFIER: (
        "review.after_lease",
        *HANDLING,
        "notice.before_sending",
        "notice.after_answer",
        "notice.after_storing",
        "asking.after_answer",
        "message.after_lease",
        "message.before_sending",
        "message.after_answer",
        "message.after_storing",
        *TELLING,
    ),
}
"""The crash points of each service, in the order of the test: those with the longest leases come first."""

SHORT: Mapping[str, Sequence[str]] = {
    GATEWAY: ("link.after_send", "inbox.before_commit", "transfer.after_storing"),
    INTAKE: ("request.after_commit", "relay.after_publish"),
    ASSESSMENT: ("inbox.after_commit", "request.before_commit"),
}

_PLAIN = "single, council tenant"
_IN_ISCS = "Income Support: a lone parent who rents"
_BY_SFTP = "council that takes files over SFTP"
_BY_POST = "council without a link: a letter in Welsh, printed, posted, and its receipt recorded"
_IN_PSCS = "Incapacity Benefit: out of work and ill"
_TITLES = {"correction.after_amendment": "assessor corrects the employer"}
_PATIENCE_SECONDS = 300.0
"""How long callers retry: longer than a service takes to die at all its points, one after the other."""
_UNFINISHED = "SELECT count(*) FROM outbox WHERE claim_ref = ANY(%s) AND finished_time IS NULL"
_TOLD = "SELECT event_id, unnest(heard_by) FROM outbox WHERE claim_ref = ANY(%s)"
_TELL_NONSENSE = """
    INSERT INTO outbox (event_id, type, claim_ref, version, payload, heard_by, occurred_time, traceparent)
    VALUES (%s, 'cms.intake.v1.Unheard', 'C00000000026', 1, '', '{la-notifier}', clock_timestamp(), '')
"""
_RECEIPTED = "SELECT finished_time IS NOT NULL, receipted FROM outbox WHERE event_id = %s"
_BURIED = "SELECT reason, tries FROM dead_letters WHERE event_id = %s"
_HANDLED = "SELECT count(*) FROM inbox WHERE event_id = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class RepeatingDoors(Doors):
    """Makes every change twice with the same request_id, and compares the two responses.

    assessment-svc shows the assessment as it is by then, which so soon is as it was.
    """

    def call(
        self, service: str, method: str, body: Mapping[str, Any], *, token: str, purpose: str = ""
    ) -> dict[str, Any]:
        first = super().call(service, method, body, token=token, purpose=purpose)
        if "requestId" in body:
            again = super().call(service, method, body, token=token, purpose=purpose)
            assert again == first, method
        return first


def carry(journey: Journey) -> None:
    journey.take_call()
    journey.assess()
    journey.wait_for_outcome(seconds=_PATIENCE_SECONDS)


def carried_through_deaths(
    platform: PlatformUnderTest,
    deaths: Mapping[str, Sequence[str]],
    *,
    title: str = _PLAIN,
    postcodes: Mapping[str, str] = MappingProxyType({}),
) -> list[Journey]:
    """Carries one claim for each death, all at the same time, until they have come through."""
    doors = RepeatingDoors(
        address=platform.doors.address, client=platform.doors.client, patience_seconds=_PATIENCE_SECONDS
    )
    asking = replace(platform, doors=doors)
    with ThreadPoolExecutor(sum(map(len, deaths.values()))) as callers:
        under_way = []
        for service, points in deaths.items():
            try:
                for point in points:
                    platform.start_to_die(service, point)
                    journey = asking.journey(_TITLES.get(point, title))
                    if point in postcodes:
                        journey.case = moved(journey.case, postcodes[point])
                    under_way.append((journey, callers.submit(carry, journey)))
                    platform.wait_for_death(service)
            finally:
                platform.running.stop(service)
                platform.running.start(service)
        for _, carrying in under_way:
            carrying.result()
    return [journey for journey, _ in under_way]


def moved(case: Case, postcode: str) -> Case:
    """The same claimant at another place."""
    return replace(
        case, answers={**case.answers, "address": {"lines": ["1 High Street", "Town"], "postcode": postcode}}
    )


def unfinished_events(platform: PlatformUnderTest, claim_refs: list[str]) -> int:
    return sum(platform.count(service, _UNFINISHED, claim_refs) for service in SERVICES)


def must_be_whole(platform: PlatformUnderTest, journeys: Sequence[Journey]) -> None:
    claim_refs = [journey.claim_ref for journey in journeys]
    eventually(lambda: not unfinished_events(platform, claim_refs), seconds=60, what="every receipt")
    must_have_been_handled(platform, claim_refs)
    findings = platform.settled_audit(*journeys)
    counts = (findings.accepted, findings.half_transfers, findings.lost, findings.duplicates)
    assert counts == (len(journeys), 0, 0, 0), findings


def must_have_been_handled(platform: PlatformUnderTest, claim_refs: list[str]) -> None:
    """Checks that every service that sent a receipt has the inbox row, which is committed with the event's effect."""
    told = [pair for service in SERVICES for pair in platform.rows(service, _TOLD, claim_refs)]
    assert told
    for hearer in {name for _, name in told}:
        event_ids = [event_id for event_id, name in told if name == hearer]
        assert platform.count(hearer, _HANDLED, event_ids) == len(event_ids), hearer


def test_claims_come_through_when_services_die_at_every_kind_of_crash_point(
    platform_under_test: PlatformUnderTest,
) -> None:
    journeys = carried_through_deaths(platform_under_test, SHORT)

    must_be_whole(platform_under_test, journeys)


@pytest.mark.long
@pytest.mark.parametrize("service", LONG)
def test_claims_come_through_when_a_service_dies_at_each_crash_point(
    platform_under_test: PlatformUnderTest, service: str
) -> None:
    journeys = carried_through_deaths(platform_under_test, {service: LONG[service]})

    must_be_whole(platform_under_test, journeys)


@pytest.mark.long
def test_claims_of_iscs_come_through_when_the_gateway_dies_at_each_crash_point(
    platform_under_test: PlatformUnderTest,
) -> None:
    journeys = carried_through_deaths(platform_under_test, {GATEWAY: LONG[GATEWAY]}, title=_IN_ISCS)

    must_be_whole(platform_under_test, journeys)


@pytest.mark.long
def test_claims_of_pscs_come_through_when_the_gateway_dies_while_files_are_exchanged() -> None:
    with own_platform(on=DEMO_DAY.date()) as platform:
        journeys = carried_through_deaths(platform, {GATEWAY: FILE_EXCHANGE}, title=_IN_PSCS)

        must_be_whole(platform, journeys)


@pytest.mark.long
def test_each_council_loads_the_notice_once_when_the_notifier_dies_while_files_are_exchanged(
    platform_under_test: PlatformUnderTest,
) -> None:
    deaths = {NOTIFIER: tuple(FILING)}

    journeys = carried_through_deaths(platform_under_test, deaths, title=_BY_SFTP, postcodes=FILING)

    must_be_whole(platform_under_test, journeys)


@pytest.mark.long
def test_a_council_loads_the_notice_once_when_the_notifier_dies_over_its_letters(
    platform_under_test: PlatformUnderTest,
) -> None:
    journeys = carried_through_deaths(platform_under_test, {NOTIFIER: POSTING}, title=_BY_POST)

    must_be_whole(platform_under_test, journeys)


def test_a_service_that_dies_after_a_dead_letter_buries_it_once_and_receipts_it(
    platform_under_test: PlatformUnderTest,
) -> None:
    platform, event_id = platform_under_test, uuid4()
    platform.start_to_die(NOTIFIER, BURYING)
    try:
        platform.execute(INTAKE, _TELL_NONSENSE, event_id)
        platform.wait_for_death(NOTIFIER)
        [before] = platform.rows(INTAKE, _RECEIPTED, event_id)
    finally:
        platform.running.stop(NOTIFIER)
        platform.running.start(NOTIFIER)

    assert before == (False, [])
    eventually(lambda: platform.rows(INTAKE, _RECEIPTED, event_id) == [(True, [NOTIFIER])], seconds=60, what="receipt")
    assert platform.rows(NOTIFIER, _BURIED, event_id) == [("UNKNOWN_TYPE", 3)]


def points_in(folder: str) -> list[str]:
    """Finds the name in every call of crash.point in a member's code; a name that is not a literal is an error."""
    found = []
    for path in sorted((ROOT / folder / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "crash.point":
                found.append(ast.literal_eval(node.args[0]))
    return found


def points_reached_by(service: str) -> set[str]:
    """Lists a service's own crash points, and those of the chassis that it reaches by the contract."""
    descriptor = contract_of(service)
    told = [event for event in contract.events().values() if event.source == service]
    changes = [method for method in descriptor.methods if "request_id" in method.input_type.fields_by_name]
    return {
        *points_in(service),
        *(HANDLING if contract.sources_heard_by(service) else ()),
        *(ANSWERING if changes else ()),
        *(TELLING if told else ()),
        *(FINISHING if any(event.heard_by for event in told) else ()),
        *(FILE_EXCHANGE if service == GATEWAY else ()),
        *(FILING if service == NOTIFIER else ()),
    }


def contract_of(service: str) -> ServiceDescriptor:
    return next(
        method.containing_service
        for method in methods().values()
        if method.containing_service.full_name == SERVICE_NAMES[service]
    )


def test_every_crash_point_in_the_code_is_listed_for_the_tests() -> None:
    names = [name for folder in ("chassis", "simulators", "deploy/local", *SERVICES) for name in points_in(folder)]

    listed = {point for points in (*LONG.values(), *ELSEWHERE.values()) for point in points}
    assert sorted(names) == sorted({BURYING, SEALING, *listed})
    assert {point for points in SHORT.values() for point in points} <= set(names)


@pytest.mark.parametrize("service", SERVICES)
def test_a_test_lets_each_service_die_at_every_crash_point_that_it_reaches(service: str) -> None:
    assert {*LONG.get(service, ()), *ELSEWHERE.get(service, ())} == points_reached_by(service)
