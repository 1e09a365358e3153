from typing import Any


def test_thin(desk: Any, single_tenant: Any) -> None:
    claim = desk().submitted(single_tenant)
    facts = desk("SERVICE", "legacy-gateway").call("GetClaimFacts", claimRef=claim["claimRef"])["facts"]
    assert facts["answers"]["surname"] == "Hughes"
