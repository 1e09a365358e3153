"""Callers of every role and a claim, for tests of who may see what of it."""

from typing import Any
from uuid import uuid4

from google.protobuf.descriptor import MethodDescriptor

from chassis import contract
from cms_local.journey import Journey
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Answer

SECRETS = ("Harbour Foods Ltd", "55779911", "20-00-00")
"""Words of the claim's answers, none of which a refusal may contain."""


def bearer(call: Journey, role: str, subject: str = "", **claims: str) -> dict[str, str]:
    """Builds the metadata of a caller with a new token."""
    name = subject or ("legacy-gateway" if role == "SERVICE" else "ST000099")
    return {"authorization": f"Bearer {call.issue(role, subject=name, **claims)}"}


def caller_of(method: MethodDescriptor) -> str:
    """A service that may call the method by itself."""
    return min(contract.called_by(method))


def own_office(claim: Journey) -> str:
    """The office of the claim's appointment."""
    return str(claim.appointment["office"]["code"])


def other_office(claim: Journey) -> str:
    """Another office than that of the claim's appointment."""
    return "100102" if own_office(claim) == "100101" else "100101"


def attempts(claim: Journey) -> dict[str, dict[str, Any]]:
    """Every method that reads or writes the claim's answers, with a request that changes nothing."""
    change = {
        "claimRef": claim.claim_ref,
        "answers": [{"questionId": "capital", "value": claim.case.answers["capital"]}],
        "version": claim.interview["version"],
        "requestId": str(uuid4()),
    }
    return {
        "GetInterview": {"claimRef": claim.claim_ref},
        "GetHistory": {"claimRef": claim.claim_ref},
        "ListCalls": {"claimRef": claim.claim_ref},
        "RecordAnswers": change,
        "AmendAnswers": change | {"reason": "Misheard", "requestId": str(uuid4())},
        "WithdrawClaim": {"claimRef": claim.claim_ref, "reason": "Found work", "version": 1, "requestId": str(uuid4())},
        "DecideDuplicate": {
            "claimRef": claim.claim_ref,
            "otherClaimRef": "C0000000000A",
            "verdict": "DUPLICATE_VERDICT_OTHER_PERSON",
            "reason": "Twins",
            "version": 1,
            "requestId": str(uuid4()),
        },
        "SubmitClaim": {"claimRef": claim.claim_ref, "version": 1, "requestId": str(uuid4())},
        "ChangeSchemes": {
            "claimRef": claim.claim_ref,
            "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
            "version": 1,
            "requestId": str(uuid4()),
        },
        "MoveToCatalogue": {"claimRef": claim.claim_ref, "version": 1, "requestId": str(uuid4())},
    }


def is_silent(given: Answer) -> bool:
    """Whether the answer contains none of the claimant's answers."""
    return not any(secret in given.text for secret in SECRETS)


def nino_of(journey: Journey) -> str:
    """Reads the NINO from the operator's interview."""
    return str(next(part["answer"] for part in journey.interview["questions"] if part["id"] == "nino"))


def logged(platform: PlatformUnderTest, service: str, method: str, outcome: str, subject: str) -> int:
    """Counts rows of the access log."""
    query = "SELECT count(*) FROM access_log WHERE method LIKE %s AND outcome = %s AND subject = %s"
    return platform.count(service, query, f"%/{method}", outcome, subject)
