"""Events that intake sends and hears."""

from typing import Any

from chassis import contract
from chassis.bus import Bus
from chassis.testing import eventually
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from intake.consumers import HANDLERS


def test_intake_handles_every_event_that_the_contract_has_it_hear() -> None:
    assert HANDLERS.keys() == contract.events_heard_by("intake-svc").keys()


def test_events_reach_the_bus_with_references_and_no_personal_data(
    desk: Any, bus: Bus, couple_with_children: Any
) -> None:
    operator = desk()
    claim = operator.submitted(couple_with_children | {"surname": "Zzyzx"})
    operator.amend(claim, surname="Zzyzxson", capital="5000.00")

    entries: list[Any] = []

    def three() -> bool:
        read = bus.read("tests", "one", ["events:intake-svc"], count=10)
        entries.extend(entry for entry in read if b"envelope" in entry.fields)  # the rest tell of finished ones
        return len(entries) == 3

    eventually(three, what="three events")
    by_type = {}
    for entry in entries:
        envelope = common_pb2.EventEnvelope.FromString(entry.fields[b"envelope"])
        by_type[envelope.type.rpartition(".")[2]] = (envelope, entry.fields[b"heard_by"].decode().split(","))

    contact, submitted, amended = (by_type[name] for name in ("FirstContactRecorded", "ClaimSubmitted", "ClaimAmended"))
    assert contact[1] == ["scheduling-svc", "la-notifier"]
    assert submitted[1] == ["assessment-svc", "la-notifier"]
    assert amended[1] == ["assessment-svc", "legacy-gateway", "la-notifier"]
    assert {envelope.claim_ref for envelope, _ in by_type.values()} == {claim["claimRef"]}
    assert submitted[0].version == claim["version"]
    message = events_pb2.ClaimSubmitted.FromString(submitted[0].payload)
    assert message.submit_time.ToJsonString() == claim["submitTime"]
    assert events_pb2.ClaimAmended.FromString(amended[0].payload).changed_fields == ["surname", "capital"]
    assert not any(b"Zzyzx" in field for entry in entries for field in entry.fields.values())
