"""Rejections by paying systems are counted by the way in which their claims came."""

from typing import Any

import pytest

from chassis.errors import NotFound
from chassis.metrics import REGISTRY
from chassis.runtime import Process
from chassis.testing import event_of, handle
from cms.common.v1 import common_pb2
from cms.gateway.v1.events_pb2 import TransferRejected
from intake.consumers import HANDLERS

REJECTED = TransferRejected(system=common_pb2.SYSTEM_JSAPS, transfer_id="T1", question_ids=["surname"])


def counted(channel: str) -> float:
    return REGISTRY.get_sample_value("intake_rejections_total", {"channel": channel}) or 0.0


def test_a_rejection_is_counted_by_the_channel_of_its_claim(desk: Any, process: Process) -> None:
    claim_ref = desk().start()["claim"]["claimRef"]
    before = counted("PHONE")

    handle(process.database, HANDLERS, event_of(REJECTED, claim_ref=claim_ref))

    assert counted("PHONE") == before + 1
    assert counted("KEYED_FORM") == 0


def test_a_rejection_of_an_unknown_claim_is_refused(process: Process) -> None:
    with pytest.raises(NotFound):
        handle(process.database, HANDLERS, event_of(REJECTED, claim_ref="C0000000001J"))
