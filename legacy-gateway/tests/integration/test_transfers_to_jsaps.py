"""A confirmed claim on its way to JSAPS's stand-in, over real sockets and a real ledger, with every failure it has."""

from typing import Any

import pytest

from cms.gateway.v1 import events_pb2

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}


def test_both_phases_of_a_good_claim_are_held_and_the_others_are_told_once(gateway: Any) -> None:
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    first, second = gateway.rows(claim_ref)
    assert gateway.held(claim_ref) == HELD_ONCE
    assert (first["attempts"], second["attempts"]) == (1, 1)
    assert first["transfer_id"] != second["transfer_id"]
    [told] = gateway.events()
    event = events_pb2.TransferAccepted.FromString(told["payload"])
    assert (told["type"], told["claim_ref"]) == ("cms.gateway.v1.TransferAccepted", claim_ref)
    assert (event.transfer_id, event.legacy_ref) == (second["transfer_id"], second["legacy_ref"])
