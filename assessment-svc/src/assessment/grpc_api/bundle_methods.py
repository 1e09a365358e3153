"""The methods by which a day's work is taken along and brought back."""

from google.protobuf.struct_pb2 import Value

from assessment.clients import Intake
from assessment.domain.bundles import FactOutcome
from assessment.service import bundle_seal, bundles, returning
from assessment.service.bundles import Taken
from assessment.service.returning import BroughtBack
from chassis.conversions import day_of, timestamp, uuid_of
from chassis.enums import number_of
from chassis.errors import InvalidArgument, Violation
from chassis.idempotency import run_once
from cms.assessment.v1 import bundle_pb2, record_pb2


class BundleMethods:
    """Bundles."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def TakeBundle(self, request: bundle_pb2.TakeBundleRequest) -> bundle_pb2.TakeBundleResponse:
        """Takes the caller's interviews of a day along."""
        day = day_of(request.day, field="day")
        if not 1900 < day.year < 9000:
            raise InvalidArgument.of(Violation(field="day", description="is too far away"))
        encryption_key = bundle_seal.device_key("X25519", request.encryption_key, field="encryption_key")
        bundle_seal.device_key("Ed25519", request.signing_key, field="signing_key")
        bundle_id = bundles.bundle_of(uuid_of(request.request_id, field="request_id"))
        loads = bundles.load_day(self._intake, request, day, list(request.claim_refs))
        return run_once(
            request,
            lambda conn: bundles.take(
                conn, bundle_id, loads, day=day, encryption_key=encryption_key, signing_key=request.signing_key
            ),
            lambda taken: bundle_pb2.TakeBundleResponse(bundle=_bundle(taken)),
            show_again=lambda conn: returning.show_again(conn, bundle_id),
        )

    def ReturnBundle(self, request: bundle_pb2.ReturnBundleRequest) -> bundle_pb2.ReturnBundleResponse:
        """Brings a bundle back."""
        bundle_id = str(uuid_of(request.bundle_id, field="bundle_id"))
        opened = returning.open_bundle(request, bundle_id, request.content)
        preview = request.preview
        brought = returning.compare_all(self._intake, *opened, preview=preview) if opened else []
        return run_once(
            request,
            lambda conn: returning.record(conn, bundle_id, brought, preview=preview),
            lambda done: bundle_pb2.ReturnBundleResponse(claims=[_claim(one) for one in done]),
            show_again=lambda conn: returning.show_again(conn, bundle_id),
        )

    def DiscardBundle(self, request: bundle_pb2.DiscardBundleRequest) -> bundle_pb2.DiscardBundleResponse:
        """Gives a bundle up."""
        bundle_id = str(uuid_of(request.bundle_id, field="bundle_id"))
        return run_once(
            request,
            lambda conn: bundles.discard(conn, bundle_id, reason=request.reason),
            lambda bundle: bundle_pb2.DiscardBundleResponse(claim_refs=[claim.claim_ref for claim in bundle.claims]),
        )


def _bundle(taken: Taken) -> bundle_pb2.Bundle:
    return bundle_pb2.Bundle(
        bundle_id=taken.bundle.bundle_id,
        content=taken.content,
        signing_key=taken.signing_key,
        return_key=taken.return_key,
        claim_refs=[claim.claim_ref for claim in taken.bundle.claims],
        return_by=timestamp(taken.bundle.return_by),
    )


def _claim(one: BroughtBack) -> bundle_pb2.BundleClaim:
    return bundle_pb2.BundleClaim(
        claim_ref=one.comparison.claim_ref,
        facts=[_fact(found, one) for found in one.comparison.facts],
        refused_reason=one.comparison.refused_reason,
    )


def _fact(found: FactOutcome, one: BroughtBack) -> bundle_pb2.BundleFact:
    message = bundle_pb2.BundleFact(
        fact=found.fact,
        outcome=number_of(bundle_pb2.BundleOutcome, found.outcome),
        present_value=_present(found.fact, one),
        description=found.description,
    )
    if found.finding is not None:
        message.found = number_of(record_pb2.ItemStatus, found.finding.status)
    if one.assessment is not None and found.fact in one.assessment.items:
        message.status = number_of(record_pb2.ItemStatus, one.assessment.items[found.fact].status)
    return message


def _present(fact: str, one: BroughtBack) -> Value | None:
    questions = one.interview.questions if one.interview else {}
    return questions[fact].answer if fact in questions else None
