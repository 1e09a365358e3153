"""The acts of officers on notices, for the test of their cost as history grows."""

from collections.abc import Callable
from typing import LiteralString

from cms.intake.v1 import events_pb2
from tests.growth.chassis_history import CLAIM, ID, PAST
from tests.growth.intake_stand_in import CLAIM_VERSION
from tests.growth.subject import Caller, Subject

_CARDIFF = "W06000015"
_SUPPORT, _OFFICER = Caller(role="SUPPORT"), Caller(role="PROCESSING_OFFICER")
_COUNCIL = Caller(role="COUNCIL_OFFICER", authority=_CARDIFF)

# Of each claim a question was answered; the clocks of a few run, and a few work items are open.
WORK_ITEMS: LiteralString = f"""
    INSERT INTO work_items (work_item_id, kind, reason, claim_ref, notice_id, notice_version, authority_code, state, opened,
        deadline, done, outcome)
    SELECT gen_random_uuid(), 'QUESTION', 'QUESTION_ASKED', {CLAIM}, {ID}, 2, '{_CARDIFF}',
        CASE WHEN n <= 20 THEN 'OPEN' ELSE 'DONE' END, {PAST}, {PAST}, CASE WHEN n > 20 THEN {PAST} END,
        CASE WHEN n > 20 THEN 'ANSWERED' END
    FROM generate_series(%(first)s, %(last)s) AS n
"""
CLOCKS: LiteralString = f"""
    INSERT INTO notice_clocks (notice_id, clock, authority_code, due_on)
    SELECT {ID}, 'CLAIM', '{_CARDIFF}', current_date + (n / 8)::int
    FROM generate_series(%(first)s, least(%(last)s, 40)) AS n
"""


def list_notices(subject: Subject, claim_ref: str) -> None:
    """Every list, by every filter."""
    for by in (_SUPPORT, _COUNCIL):
        for state in ("UNSPECIFIED", "WAITING", "LOADED", "SUPERSEDED", "REFUSED"):
            asked = {"state": f"NOTICE_STATE_{state}", "pageSize": 20}
            subject.call("ListNotices", asked, by=by, note=f"{by.role} {state}")
        subject.call("ListNotices", {"late": True, "pageSize": 20}, by=by, note=f"{by.role} late")
        subject.call("ListNotices", {"claimRef": claim_ref}, by=by, note=f"{by.role} of a claim")
        subject.call("ListNoticesDue", {"pageSize": 20}, by=by, note=by.role)
    for by in (_OFFICER, _COUNCIL):
        for state in ("OPEN", "DONE"):
            asked = {"state": f"WORK_ITEM_STATE_{state}", "pageSize": 20}
            subject.call("ListWorkItems", asked, by=by, note=f"{by.role} {state}")
    subject.call("ListWorkItems", {"claimRef": claim_ref}, by=_OFFICER, note="of a claim")


def see_to(subject: Subject, claim_ref: str, *, fail: Callable[[str], None], states: Callable[[str], set[str]]) -> None:
    """A claim whose first notice is refused, sent again and loaded, and about which the council asks a question."""
    fail("lose_reply")
    fail("invalid")
    subject.hear(events_pb2.FirstContactRecorded(), claim_ref, version=CLAIM_VERSION - 2)
    subject.step_own_workers(until=lambda: states(claim_ref) == {"REFUSED"})
    [notice] = subject.call("ListNotices", {"claimRef": claim_ref}, by=_OFFICER, note="refused")["notices"]
    named = {"noticeId": notice["noticeId"]}
    refused = {**named, "version": 1, "refused": True, "reason": "Not a tenancy here", "fields": ["tenancy.kind"]}
    subject.change("RecordReceipt", refused, by=_COUNCIL, note="refused")
    everything = {"authorityCode": _CARDIFF, "state": "NOTICE_STATE_SENT"}
    for what, many in ((named, "one"), ({"filter": everything}, "all")):
        for preview in (True, False):
            again = {**what, "reason": "Mended there", "preview": preview}
            subject.change("ResendNotice", again, by=_SUPPORT, note=f"{many} {preview}")
    subject.step_own_workers(until=lambda: states(claim_ref) == {"LOADED"})
    loaded = {**named, "version": 1, "loaded": True}
    subject.change("RecordReceipt", loaded, by=_COUNCIL, note="loaded")
    asked = subject.change("AskQuestion", {**named, "question": "Which flat?"}, by=_COUNCIL)
    item = {"workItemId": asked["workItem"]["workItemId"], "answer": "2", "outcome": "WORK_ITEM_OUTCOME_ANSWERED"}
    subject.change("ResolveWorkItem", item, by=_OFFICER)
