"""Whoever can write to the bus, and has no service's key, changes nothing: no claim, no payment, no receipt, no watermark."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from chassis import contract, watermarks
from chassis.outbox import events_stream, receipts_stream
from chassis.testing import HTTP, eventually
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import events_pb2 as scheduling_events
from cms_local import keys
from cms_local.journey import Journey
from cms_local.layout import SERVICES
from tests.support.bus import all_taken, bus_of, entries_of, signing_key_of, unsigned
from tests.support.platforms import PlatformUnderTest
from tests.support.siege import assert_all_came_through

pytestmark = pytest.mark.xdist_group("faults")

OFFICE = "100101"
REFUSED = "SELECT count(*) FROM dead_letters WHERE refused AND claim_ref = %s"
OF_THE_CLAIM = [
    ("intake-svc", "SELECT coalesce(sum(version), 0) FROM claims WHERE claim_ref = %s"),
    ("intake-svc", "SELECT count(*) FROM claims WHERE claim_ref = %s AND office_code IS NOT NULL"),
    ("scheduling-svc", "SELECT count(*) FROM first_contacts WHERE claim_ref = %s"),
    ("assessment-svc", "SELECT count(*) FROM assessments WHERE claim_ref = %s"),
    ("legacy-gateway", "SELECT count(*) FROM transfers WHERE claim_ref = %s"),
    ("la-notifier", "SELECT count(*) FROM notices WHERE claim_ref = %s"),
    ("la-notifier", "SELECT count(*) FROM messages WHERE claim_ref = %s"),
]
"""What an event could change."""


@pytest.fixture
def platform(platform_under_test: PlatformUnderTest) -> Iterator[PlatformUnderTest]:
    yield platform_under_test
    for service in SERVICES:
        platform_under_test.execute(service, "DELETE FROM dead_letters WHERE refused")


def held(platform: PlatformUnderTest, claim_ref: str) -> list[int]:
    return [platform.count(service, query, claim_ref) for service, query in OF_THE_CLAIM]


def refused(platform: PlatformUnderTest, service: str, kind: str) -> float:
    """How many entries the service has refused, by its metrics."""
    shown = HTTP.get(f"http://127.0.0.1:{platform.layout.operations_port(service)}/metrics").text
    lines = [line for line in shown.splitlines() if line.startswith(f'chassis_entries_refused_total{{kind="{kind}"')]
    return sum(float(line.split()[-1]) for line in lines)


def forgeries(claim_ref: str) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """An event of every kind, and two that would pay and show a claim; each with its stream and hearers."""
    schemes = [common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE]
    paying = assessment_events.AssessmentConfirmed(
        claim_version=1, office_code=OFFICE, assessor_id="AS000001", schemes=schemes
    )
    showing = scheduling_events.AppointmentBooked(appointment_id=str(uuid4()), office_code=OFFICE)
    plain = [kind.message() for kind in contract.events().values()]
    for message in (paying, showing, *plain):
        known = contract.events()[message.DESCRIPTOR.name]
        entry = unsigned(message, claim_ref, heard_by=known.heard_by or ("legacy-gateway",))
        yield events_stream(known.source), entry, known.heard_by


def signed_by_another(platform: PlatformUnderTest, stream: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry under the signature of a service whose stream it is not."""
    another = "la-notifier" if stream != events_stream("la-notifier") else "intake-svc"
    return signing_key_of(platform.layout, another).signed(stream, entry)


def draft(platform: PlatformUnderTest) -> Journey:
    """A claim whose call goes on."""
    claim = platform.journey("single, council tenant")
    claim.start_call()
    with bus_of(platform) as bus:
        eventually(lambda: all_taken(bus, "events"), seconds=30, what="all true events taken")
    return claim


def test_a_forged_event_of_any_kind_changes_nothing(platform: PlatformUnderTest) -> None:
    claim = draft(platform)
    before = held(platform, claim.claim_ref)
    expected = dict.fromkeys(SERVICES, 0)

    with bus_of(platform) as bus:
        for stream, entry, heard_by in forgeries(claim.claim_ref):
            bus.xadd(stream, cast(Any, entry))
            bus.xadd(stream, cast(Any, signed_by_another(platform, stream, entry)))
            for service in heard_by:
                expected[service] += 2
        eventually(lambda: all_taken(bus, "events"), seconds=30, what="all forgeries taken")

    assert held(platform, claim.claim_ref) == before
    for service, number in expected.items():
        assert platform.count(service, REFUSED, claim.claim_ref) >= number, service
        assert refused(platform, service, "event") >= number, service


def test_true_events_altered_or_moved_to_another_stream_change_nothing(platform: PlatformUnderTest) -> None:
    claim = platform.journey("single, council tenant")
    claim.take_call()
    claim.assess()
    claim.wait_for_outcome()
    assert_all_came_through(platform, [claim])
    victim = draft(platform)
    before = held(platform, victim.claim_ref)

    with bus_of(platform) as bus:
        true = entries_of(bus, claim.claim_ref)
        for stream, fields in true:
            envelope = common_pb2.EventEnvelope.FromString(fields[b"envelope"])
            envelope.claim_ref = victim.claim_ref
            altered = {**fields, b"envelope": envelope.SerializeToString(), b"event_id": uuid4().bytes}
            bus.xadd(stream, cast(Any, altered))
            for other in SERVICES:
                if events_stream(other) != stream:
                    bus.xadd(events_stream(other), cast(Any, fields))
        eventually(lambda: all_taken(bus, "events"), seconds=30, what="all forgeries taken")

    assert len(true) >= 4
    assert held(platform, victim.claim_ref) == before
    platform.settled_audit(claim)


def test_claims_come_through_beside_forged_receipts_and_watermarks(platform: PlatformUnderTest) -> None:
    hearer = platform.running.running["assessment-svc"].pid
    far = watermarks.entry(datetime(2099, 1, 1, tzinfo=UTC))
    with bus_of(platform) as bus:
        for source in SERVICES:
            stream = events_stream(source)
            bus.xadd(stream, cast(Any, far))
            bus.xadd(stream, cast(Any, signed_by_another(platform, stream, dict(far))))
            bus.xadd(stream, cast(Any, signing_key_of(platform.layout, source).signed(stream, far)))
        os.kill(hearer, signal.SIGSTOP)
        try:
            claim = platform.journey("single, council tenant")
            claim.take_call()
            waiting = "SELECT event_id FROM outbox WHERE claim_ref = %s AND 'assessment-svc' = ANY(heard_by)"
            forged = [event_id for (event_id,) in platform.rows("intake-svc", waiting, claim.claim_ref)]
            for event_id in forged:
                receipt = {"event_id": event_id.bytes, "consumer": "assessment-svc"}
                by_another = signing_key_of(platform.layout, "la-notifier").signed(
                    receipts_stream("intake-svc"), receipt
                )
                bus.xadd(receipts_stream("intake-svc"), cast(Any, receipt))
                bus.xadd(receipts_stream("intake-svc"), cast(Any, by_another))
            eventually(lambda: refused(platform, "intake-svc", "receipt") >= 2 * len(forged), what="the refusals")
            ended = "SELECT count(*) FROM outbox WHERE event_id = ANY(%s) AND finished_time IS NOT NULL"
            assert forged
            assert platform.count("intake-svc", ended, forged) == 0
        finally:
            os.kill(hearer, signal.SIGCONT)
    claim.assess()
    claim.wait_for_outcome()

    assert_all_came_through(platform, [claim])
    for service in SERVICES:
        assert platform.count(service, "SELECT count(*) FROM inbox_floors WHERE floor > now()") == 0, service
        assert refused(platform, service, "watermark") > 0, service


def test_keys_are_changed_and_withdrawn_while_claims_go_on(platform: PlatformUnderTest) -> None:
    folder = platform.layout.keys("")
    claims = [platform.journey("lodger") for _ in range(2)]

    for claim in claims:
        claim.take_call()
        for service in SERVICES:
            keys.change_signing_key(folder, service, until_published=lambda: None)
        claim.assess()
    for claim in claims:
        claim.wait_for_outcome()
    assert_all_came_through(platform, claims)
    for service in SERVICES:
        keys.withdraw_signing_keys(folder, service)

    last = platform.journey("lodger")
    last.take_call()
    last.assess()
    last.wait_for_outcome()
    assert_all_came_through(platform, [*claims, last])
