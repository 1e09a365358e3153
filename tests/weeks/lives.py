"""The life of each claim, day by day: the claimant calls, the assessor assesses, officers decide, letters are printed.

A life gives the day on which it goes on. What it does on one day it does at once, by the doors of the services.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from chassis import clock
from cms_local.demo import journey
from cms_local.doors import Doors, wait_for
from cms_local.journey import ASSESSMENT, GATEWAY, NOTIFIER, OUTCOME_SECONDS
from cms_local.layout import Layout
from cms_local.replay.loading import PlainJourney
from tests.weeks.claimants import Claimant, Turn, address, working_day

_RENT = "97.35"
_EVIDENCE_AFTER = timedelta(days=5)
_EVIDENCE = ("EVIDENCE_KIND_PASSPORT", "EVIDENCE_KIND_BANK_STATEMENT")
_DECIDED_AFTER = timedelta(days=6)
_ONE_DAY = timedelta(days=1)
_LATE_AFTER = timedelta(days=33)
"""More than a month after the first call."""
_OTHER_CHANNEL: Mapping[str, str] = {"API": "SFTP", "SFTP": "API", "POST": "API"}
_HOUSING_BENEFIT_WITH = ("INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT")
_WAITING_DAYS = 3


@dataclass(kw_only=True)
class Life:
    """A claim on its way through the six weeks, and what was told and decided on which day."""

    claimant: Claimant
    layout: Layout
    doors: Doors
    source: random.Random
    submitted_on: date | None = None
    intention_on: date | None = None
    """The day on which the claimant first wished for housing or council tax benefit."""
    withdrawn: bool = False
    acts: list[datetime] = field(default_factory=list)
    """When something was done, on the platform's clock: the beginning of each day's acts."""
    decided: dict[str, date] = field(default_factory=dict)
    """The schemes that were decided, with the first day of the award or the disallowance."""

    def __post_init__(self) -> None:
        made = journey(self.layout, self.doors, self.claimant.case, self.source)
        self.claim = PlainJourney(
            case=made.case,
            doors=made.doors,
            issue=made.issue,
            acknowledged_file=made.acknowledged_file,
            random=made.random,
            ninos=made.random,
        )

    def days(self) -> Iterator[date]:
        """The days on which the life goes on; what is due on a day is done when the next day is asked for."""
        yield self.claimant.call_on
        self._call()
        if self.claimant.turn is Turn.LATE:
            yield working_day(self.claimant.call_on + _LATE_AFTER)
            self.claim.call_again()
        self._submit()
        if self.claimant.turn is Turn.WITHDRAWN:
            yield working_day(clock.today() + _ONE_DAY)
            self.claim.call_again()
            self.claim.withdraw()
            self.withdrawn = True
            return
        if self.claimant.turn is Turn.MOVED:
            yield working_day(clock.today() + _ONE_DAY)
            self._move()
        if self.claim.appointment:
            yield working_day(max(_day(self.claim.appointment["startTime"]), clock.today()))
        if self.claimant.turn is Turn.EVIDENCE:
            self._request_evidence()
            yield working_day(clock.today() + _EVIDENCE_AFTER)
            self._record_evidence()
        if self.claimant.turn is Turn.CORRECTED and self.claimant.is_tenant:
            self.claim.case.__dict__["correct"] = {"rent_amount": _RENT}
        self.claim.assess()
        yield working_day(clock.today() + (_ONE_DAY if self.claimant.turn is Turn.LATE else _DECIDED_AFTER))
        self._decide()

    def _call(self) -> None:
        """The first call: every question but the declaration, and the booking; the authority hears of it meanwhile."""
        self.claim.start_call()
        self.claim.answer(self.claimant.case.answers)
        if self.claimant.case.wants_notice:
            self.intention_on = clock.today()
        if self.claimant.is_told_at_once:
            wait_for(self.claim.notices, seconds=OUTCOME_SECONDS, what="the intention, while the call goes on")
        if self.claimant.case.needs_interview:
            self.claim.book()
        if self.claimant.turn is Turn.LATE:
            self._end_call("ABANDONED")

    def _submit(self) -> None:
        self.claim.submit()
        self.submitted_on = clock.today()
        self._end_call("COMPLETED")

    def _end_call(self, outcome: str) -> None:
        self.claim._intake(
            "EndCall", callId=self.claim.call_id, outcome=f"CALL_OUTCOME_{outcome}", requestId=str(uuid4())
        )

    def _move(self) -> None:
        self.claim.call_again()
        home = address(self.source, _OTHER_CHANNEL[self.claimant.channel])
        self.claim.amend({"address": home}, reason="The claimant has moved")
        self._end_call("COMPLETED")

    def _request_evidence(self) -> None:
        token = self.claim._token_of("ASSESSOR")
        wait_for(lambda: self.claim._started(token), seconds=OUTCOME_SECONDS, what="the work item")
        self._at_the_desk("RequestEvidence", kinds=_EVIDENCE)

    def _record_evidence(self) -> None:
        today = clock.today()
        seen_on = {"year": today.year, "month": today.month, "day": today.day}
        for kind in _EVIDENCE:
            self._at_the_desk("RecordEvidence", kind=kind, seenOn=seen_on)

    def _at_the_desk(self, method: str, **body: Any) -> None:
        token = self.claim._token_of("ASSESSOR")
        request = {"claimRef": self.claim.claim_ref, "requestId": str(uuid4())} | body
        self.doors.call(ASSESSMENT, method, request, token=token)

    def _decide(self) -> None:
        """An officer decides each scheme that a system holds by now."""
        wait_for(self.claim.is_accepted, seconds=OUTCOME_SECONDS, what=f"{self.claim.claim_ref}: acceptance")
        officer = self.claim.issue("PROCESSING_OFFICER", subject="PO000001")
        for scheme in self.claimant.case.schemes:
            if scheme not in _HOUSING_BENEFIT_WITH:
                continue
            first = self.first_day(scheme)
            request = {
                "claimRef": self.claim.claim_ref,
                "scheme": f"SCHEME_{scheme}",
                "outcome": f"DECISION_OUTCOME_{'AWARDED' if self.claimant.awarded else 'DISALLOWED'}",
                "from": {"year": first.year, "month": first.month, "day": first.day},
                "requestId": str(uuid4()),
            }
            if scheme == "JOBSEEKERS_ALLOWANCE" and self.claimant.awarded:
                request["basis"] = f"DECISION_BASIS_{self.claimant.basis}"
            self.doors.call(GATEWAY, "RecordDecision", request, token=officer)
            self.decided[scheme] = first

    def first_day(self, scheme: str) -> date:
        """The first day of an award: of Jobseeker's Allowance after three waiting days."""
        waits = _WAITING_DAYS if scheme == "JOBSEEKERS_ALLOWANCE" else 0
        return self.claimant.call_on + timedelta(days=waits)

    def told(self) -> Mapping[str, Any]:
        """The claim's notices as staff see them: `notices` has every version."""
        token = self.claim.issue("SUPPORT", subject="WEEKS")
        asked = {"claimRef": self.claim.claim_ref}
        return self.doors.call(NOTIFIER, "GetNotices", asked, token=token, purpose=self.claim.work_item)

    def notices(self) -> list[Mapping[str, Any]]:
        """Every version of the claim's notices, the latest last."""
        return sorted(self.told()["notices"], key=lambda notice: int(notice["version"]))


def _day(time: str) -> date:
    return date.fromisoformat(time[:10])
