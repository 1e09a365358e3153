"""IntakeService: converts messages to the domain and back, and nothing else."""

from dataclasses import asdict
from typing import Any

from chassis import call
from chassis.database import Connection
from chassis.idempotency import Rebuildable, run_once
from chassis.postcodes import Postcodes
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.clients import Gateway
from intake.domain.accounts import AccountCheck, AccountRules
from intake.domain.call import Call
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Claim
from intake.domain.earlier import EarlierClaim
from intake.domain.lines import ServiceTarget
from intake.grpc_api import messages, reading
from intake.grpc_api.binding_methods import BindingMethods
from intake.grpc_api.call_methods import CallMethods
from intake.grpc_api.form_methods import FormMethods
from intake.grpc_api.line_methods import LineMethods
from intake.grpc_api.record_messages import record_check
from intake.grpc_api.retention_methods import RetentionMethods
from intake.grpc_api.security_methods import SecurityMethods
from intake.service import calls, claims, interviews, searches, whereabouts
from intake.service.calls import CallStarted, SecurityTried
from intake.service.duplicates import decide_duplicate
from intake.service.interviews import InterviewShown
from intake.service.records import check_records, claim_to_check


class IntakeApi(BindingMethods, CallMethods, FormMethods, LineMethods, RetentionMethods, SecurityMethods):
    """The methods of IntakeService."""

    def __init__(
        self,
        *,
        postcodes: Postcodes,
        catalogues: Catalogues,
        accounts: AccountRules,
        service_target: ServiceTarget,
        gateway: Gateway,
    ) -> None:
        CallMethods.__init__(self, catalogues)
        FormMethods.__init__(self, catalogues, postcodes, accounts)
        LineMethods.__init__(self, service_target)
        self._postcodes = postcodes
        self._accounts = accounts
        self._gateway = gateway
        self._rebuilt_call = Rebuildable(keep=_keep_call, rebuild=self._rebuild_call)
        self._rebuilt_interview = Rebuildable(keep=_keep_interview, rebuild=self._rebuild_interview)

    def language_of(self, request: Any) -> str:
        """The language of the call that a request belongs to, for what is told of its fields; English if there is none.

        The request may be unsound.
        """
        if isinstance(request, pb.StartCallRequest):
            return "CY" if request.language == common_pb2.LANGUAGE_CY else "EN"
        find = reading.call_language(request)
        if find is None:
            return "EN"
        with call.current().database.transaction() as conn:
            return find(conn) or "EN"

    def StartCall(self, request: pb.StartCallRequest) -> pb.StartCallResponse:
        """Opens a call and the claim it is about."""

        def start(conn: Connection) -> CallStarted:
            return calls.start_call(conn, self._catalogues, reading.call_asked(self._catalogues.newest, request))

        return run_once(request, start, self._call_started, rebuildable=self._rebuilt_call)

    def PassSecurity(self, request: pb.PassSecurityRequest) -> pb.PassSecurityResponse:
        """Takes a try at the security questions of a resumed claim, or of the person's earlier claim."""

        def identify(conn: Connection) -> SecurityTried:
            given = reading.answers(request.answers)
            return calls.pass_security(conn, self._catalogues, reading.call_id(request.call_id), given)

        def respond(tried: SecurityTried) -> pb.PassSecurityResponse:
            return messages.security_tried(tried, self._catalogues[tried.call.catalogue].bank)

        return run_once(request, identify, respond)

    def EndCall(self, request: pb.EndCallRequest) -> pb.EndCallResponse:
        """Ends a call."""

        def end(conn: Connection) -> Call:
            outcome, call_back_time = reading.call_end(request)
            return calls.end_call(conn, reading.call_id(request.call_id), outcome, call_back_time=call_back_time)

        return run_once(request, end, lambda ended: pb.EndCallResponse(call=self._call(ended)))

    def GetInterview(self, request: pb.GetInterviewRequest) -> pb.GetInterviewResponse:
        """The interview as it stands, or as it was at a time."""
        claim_ref, section, at = reading.claim_ref(request.claim_ref), request.section or None, reading.at_time(request)
        with call.current().database.transaction() as conn:
            shown = interviews.get_interview(conn, self._catalogues, claim_ref, section=section, at=at)
            to_check = claim_to_check(conn, shown) if request.check_records else None
        response = pb.GetInterviewResponse()
        messages.put_interview(response.interview, shown, self._account(shown), section=section)
        if to_check:
            check = check_records(self._gateway, to_check, shown)
            response.interview.record_check.CopyFrom(record_check(check, shown.interview.language))
        return response

    def RecordAnswers(self, request: pb.RecordAnswersRequest) -> pb.RecordAnswersResponse:
        """Takes answers in the interview."""

        def record(conn: Connection) -> InterviewShown:
            claim_ref, given = reading.claim_ref(request.claim_ref), reading.answers(request.answers)
            reading.expect_answers(request)
            return interviews.record_answers(
                conn,
                self._catalogues,
                claim_ref,
                given,
                version=request.version,
                postcodes=self._postcodes,
                confirm_earlier=tuple(request.confirm_earlier),
                only_changed=reading.only_changed(request.view),
            )

        def respond(shown: InterviewShown) -> pb.RecordAnswersResponse:
            response = pb.RecordAnswersResponse()
            messages.put_interview(response.interview, shown, self._account(shown))
            return response

        return run_once(request, record, respond, rebuildable=self._rebuilt_interview)

    def AmendAnswers(self, request: pb.AmendAnswersRequest) -> pb.AmendAnswersResponse:
        """Changes answers with a reason. A preview changes nothing, so that there is nothing to do once only."""

        def amend(conn: Connection) -> InterviewShown:
            claim_ref, given = reading.claim_ref(request.claim_ref), reading.answers(request.answers)
            return interviews.amend_answers(
                conn,
                self._catalogues,
                claim_ref,
                given,
                version=request.version,
                reason=reading.reason(request.reason),
                postcodes=self._postcodes,
                only_changed=reading.only_changed(request.view),
                preview=request.preview,
            )

        def respond(shown: InterviewShown) -> pb.AmendAnswersResponse:
            return messages.amended(shown, self._account(shown))

        if request.preview:
            with call.current().database.transaction() as conn:
                return respond(amend(conn))
        return run_once(request, amend, respond, rebuildable=self._rebuilt_interview)

    def GetHistory(self, request: pb.GetHistoryRequest) -> pb.GetHistoryResponse:
        """Every answer that was ever given."""
        claim_ref, page = reading.claim_ref(request.claim_ref), reading.history_page(request)
        with call.current().database.transaction() as conn:
            entries = interviews.get_history(conn, self._catalogues, claim_ref, after=page.after, limit=page.limit)
        return messages.history(request, entries, limit=page.limit)

    def SubmitClaim(self, request: pb.SubmitClaimRequest) -> pb.SubmitClaimResponse:
        """Submits a claim."""

        def submit(conn: Connection) -> Claim:
            claim_ref = reading.claim_ref(request.claim_ref)
            return claims.submit_claim(conn, self._catalogues, claim_ref, version=request.version)

        return run_once(request, submit, lambda claim: pb.SubmitClaimResponse(claim=messages.claim(claim)))

    def WithdrawClaim(self, request: pb.WithdrawClaimRequest) -> pb.WithdrawClaimResponse:
        """Withdraws a claim."""

        def withdraw(conn: Connection) -> Claim:
            claim_ref, reason = reading.claim_ref(request.claim_ref), reading.reason(request.reason)
            return claims.withdraw_claim(conn, self._catalogues, claim_ref, version=request.version, reason=reason)

        return run_once(request, withdraw, lambda claim: pb.WithdrawClaimResponse(claim=messages.claim(claim)))

    def DecideDuplicate(self, request: pb.DecideDuplicateRequest) -> pb.DecideDuplicateResponse:
        """Decides whether two claims are of one person."""

        def decide(conn: Connection) -> Claim:
            asked = reading.duplicate(request)
            return decide_duplicate(
                conn,
                self._catalogues,
                asked.claim_ref,
                asked.other_ref,
                verdict=asked.verdict,
                reason=asked.reason,
                version=request.version,
            )

        return run_once(request, decide, lambda claim: messages.duplicate_decided(request, claim))

    def GetClaim(self, request: pb.GetClaimRequest) -> pb.GetClaimResponse:
        """A claim, with the claimant where the caller may see them."""
        claim_ref = reading.claim_ref(request.claim_ref)
        with call.current().database.transaction() as conn:
            shown = claims.get_claim(conn, claim_ref)
        return pb.GetClaimResponse(claim=messages.claim_shown(shown))

    def ListClaims(self, request: pb.ListClaimsRequest) -> pb.ListClaimsResponse:
        """Claims that match, newest first."""
        search = reading.search(call.current().vault, request)
        with call.current().database.transaction() as conn:
            searches.note(conn, search)
        with call.current().database.transaction() as conn:
            found = claims.list_claims(conn, search)
        return messages.claim_list(request, found, search)

    def CheckEntitlement(self, request: pb.CheckEntitlementRequest) -> pb.CheckEntitlementResponse:
        """The purpose for which the caller may see where and when the claimant will be."""
        claim_ref = reading.claim_ref(request.claim_ref)
        with call.current().database.transaction() as conn:
            purpose = whereabouts.purpose(conn, claim_ref)
        return pb.CheckEntitlementResponse(purpose=purpose)

    def GetClaimFacts(self, request: pb.GetClaimFactsRequest) -> pb.GetClaimFactsResponse:
        """The facts that the calling service may have."""
        claim_ref = reading.claim_ref(request.claim_ref)
        with call.current().database.transaction() as conn:
            shown = claims.get_claim_facts(
                conn,
                self._catalogues,
                claim_ref,
                version=request.version or None,
                for_messages=request.for_messages,
            )
        return pb.GetClaimFactsResponse(facts=messages.facts(shown))

    def _account(self, shown: InterviewShown) -> AccountCheck | None:
        return self._accounts.check_of(shown.interview.questions)

    def _call_started(self, started: CallStarted) -> pb.StartCallResponse:
        response = messages.call_started(started, self._catalogues[started.call.catalogue].bank)
        if started.interview:
            messages.put_interview(response.interview, started.interview, self._account(started.interview))
        return response

    def _rebuild_interview(self, conn: Connection, kept: dict[str, Any]) -> InterviewShown:
        return interviews.show_again(conn, self._catalogues, **_earlier_kept(kept))

    def _rebuild_call(self, conn: Connection, kept: dict[str, Any]) -> CallStarted:
        return calls.start_again(conn, self._catalogues, **_earlier_kept(kept))


def _keep_interview(shown: InterviewShown) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "claim_ref": shown.claim_ref,
        "version": shown.version,
        "language": shown.interview.language,
        "with_changes": bool(shown.changes),
    }
    # Left out where it is not needed: the last release, beside which this one may run, does not know it.
    if shown.before:
        kept["before"] = shown.before.version
    if shown.duplicates:
        kept["duplicates"] = list(shown.duplicates)
    return kept | _keep_earlier(shown)


def _keep_earlier(shown: InterviewShown | None) -> dict[str, Any]:
    return {"earlier": asdict(shown.earlier.link)} if shown and shown.earlier else {}


def _earlier_kept(kept: dict[str, Any]) -> dict[str, Any]:
    """The answer that was kept, with the link to the earlier claim as it was then."""
    if "earlier" not in kept:
        return kept
    link = kept["earlier"]
    return kept | {"earlier": EarlierClaim(**link | {"questions": tuple(link["questions"])})}


def _keep_call(started: CallStarted) -> dict[str, Any]:
    return {
        "call_id": str(started.call.call_id),
        "version": started.claim.version,
        "state": started.claim.state,
        "resumed": started.resumed,
    } | _keep_earlier(started.interview)
