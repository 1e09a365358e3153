"""Notices that an officer sends to another authority."""

from chassis import call
from chassis.conversions import uuid_of
from chassis.enums import name_of
from chassis.idempotency import run_once
from cms.notifier.v1 import redirects_pb2
from la_notifier.clients import Claims
from la_notifier.domain.reviews import RedirectReason
from la_notifier.service import redirecting


class RedirectMethods:
    """Redirects notices."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def RedirectNotice(self, request: redirects_pb2.RedirectNoticeRequest) -> redirects_pb2.RedirectNoticeResponse:
        """Sends the notices of a claim to another authority."""
        notice_id = uuid_of(request.notice_id, field="notice_id")
        reason = RedirectReason(name_of(redirects_pb2.RedirectReason, request.reason, field="reason"))
        now = call.current()
        wrong = redirecting.wrong_notice(now.database, self._claims, notice_id)
        return run_once(
            request,
            lambda conn: redirecting.redirect(
                conn, wrong, request.authority_code, reason=reason, redirected_by=now.identity.subject
            ),
            lambda authority: redirects_pb2.RedirectNoticeResponse(
                claim_ref=wrong.claim_ref, authority_code=authority.code, authority_name=authority.name
            ),
        )
