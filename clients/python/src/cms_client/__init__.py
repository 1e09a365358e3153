"""A typed client of the CMS3 services over gRPC. It depends on the contract (`cms-proto`) and on nothing else of the platform.

    with CmsClient(Addresses(), token=session.token, certificate=Certificate.from_environment()) as cms:
        claim = cms.intake.GetClaim(GetClaimRequest(claim_ref=claim_ref)).claim

Every call carries the token and a deadline. A call that is safe to repeat is sent again after an error that passes. A refusal
is raised as `Refused`, with its reason and the fields at fault.
"""

from cms_client.answers import answer, json_of
from cms_client.certificate import Certificate
from cms_client.client import Addresses, CmsClient
from cms_client.refusal import Refused, Violation

__all__ = ["Addresses", "Certificate", "CmsClient", "Refused", "Violation", "answer", "json_of"]
