"""The notices and referrals of a claim, as they are shown. A notice is shown without its content, which stays sealed."""

from uuid import UUID

from chassis import access_log, call, clock
from chassis.conversions import date_message, timestamp
from chassis.enums import number_of
from cms.notifier.v1 import notifier_pb2 as pb
from la_notifier.clients import Claims
from la_notifier.domain.date_of_claim import DateOfClaim
from la_notifier.domain.notices import NoticeSummary, Resend
from la_notifier.domain.reviews import Referral
from la_notifier.service.showing import notices_of_claim


class NoticeMethods:
    """Shows notices."""

    def __init__(self, claims: Claims) -> None:
        self._entitling = claims

    def GetNotices(self, request: pb.GetNoticesRequest) -> pb.GetNoticesResponse:
        """Every version of a claim's notices; none where no authority gets one."""
        purpose = self._entitling.purpose(request.claim_ref)
        with call.current().database.transaction() as conn:
            access_log.record_access(conn, claim_ref=request.claim_ref, purpose=purpose)
            found = notices_of_claim(conn, request.claim_ref)
        return pb.GetNoticesResponse(
            notices=map(notice_message, found.notices),
            not_told=map(_not_told, found.referrals),
            dates_of_claim=[_date_of_claim(notice_id, one) for notice_id, one in found.dates_of_claim],
            resends=map(_resend, found.resends),
        )


def notice_message(notice: NoticeSummary) -> pb.Notice:
    """A version of a notice, without its content."""
    return pb.Notice(
        notice_id=str(notice.notice_id),
        version=notice.version,
        kind=number_of(pb.NoticeKind, notice.kind),
        authority_code=notice.authority_code,
        authority_name=notice.authority_name,
        channel=number_of(pb.NoticeChannel, notice.channel),
        state=number_of(pb.NoticeState, notice.state),
        first_contact_on=date_message(notice.first_contact_on),
        proof_due_on=date_message(notice.proof_due_on),
        sent=timestamp(notice.sent),
        received=timestamp(notice.received),
        loaded=timestamp(notice.loaded),
        disputed=timestamp(notice.disputed),
        attempts=notice.attempts,
        next_attempt_time=timestamp(clock.as_shown(notice.next_attempt_time)),
        refused_fields=notice.refused_fields,
        claim_ref=notice.claim_ref,
        created=timestamp(notice.created),
        intention_on=date_message(notice.intention_on),
        intention_due_on=date_message(notice.intention_due_on),
        claim_due_on=date_message(notice.claim_due_on),
        at_stake_on=date_message(notice.at_stake_on) if notice.at_stake_on else None,
        late=notice.is_late,
    )


def _not_told(referral: Referral) -> pb.NotTold:
    """A referral by the contract's name, which a release may not change."""
    return pb.NotTold(
        reason=number_of(pb.NotToldReason, referral.reason),
        authority_code=referral.authority_code,
        since=timestamp(referral.since),
    )


def _date_of_claim(notice_id: UUID, found: DateOfClaim) -> pb.DateOfClaim:
    return pb.DateOfClaim(
        notice_id=str(notice_id),
        date=date_message(found.day),
        basis=number_of(pb.DateOfClaimBasis, found.basis),
        rule=found.rule,
        settled=found.is_settled,
    )


def _resend(found: Resend) -> pb.Resend:
    return pb.Resend(
        notice_id=str(found.notice_id),
        version=found.version,
        reason=found.reason,
        resent_by=found.resent_by,
        resend_time=timestamp(found.resend_time),
    )
