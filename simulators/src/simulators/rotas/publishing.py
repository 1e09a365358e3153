"""Publishes the weeks of every rota until scheduling has acknowledged them: PublishRota at its HTTP door."""

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from simulators.clock import Clock
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.rotas.failures import RotasFailure
from simulators.rotas.planning import Rota, monday_of, weeks_from

_METHOD = "/cms.scheduling.v1.SchedulingService/PublishRota"
_REFUSALS = (400, 404, 409)
"""Answers that are of this rota and no other, and stay the same for the same request: its assessor works elsewhere, say."""
_AT_ONCE = 4
_LONGEST_PAUSE_SECONDS = 5.0
_REFUSED_AGAIN = timedelta(hours=1)
"""After so long a week that was refused is tried again: a manager may have made room for it."""
_OVER_SOON = timedelta(minutes=5)
"""A shift that ends so soon is published no more: it would be over when it arrives."""

log = structlog.get_logger()


class Refused(Exception):
    """Scheduling refused a rota. The text says why."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A week of a rota that scheduling refused, when by the platform's clock, and why."""

    at: datetime
    reason: str


class Publisher:
    """Publishes each week of each rota once. What was acknowledged is in the ledger: a manager may change it afterwards.

    A week that is refused holds up no other: it is reported, and tried again later.
    """

    def __init__(
        self,
        ledger: Ledger,
        plan: FailurePlan[RotasFailure],
        *,
        clock: Clock,
        rotas: Sequence[Rota],
        weeks_ahead: int,
        scheduling_url: str,
        token_file: Path,
        pause_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._plan = plan
        self._clock = clock
        self._rotas = rotas
        self._weeks_ahead = weeks_ahead
        self._url = scheduling_url + _METHOD
        self._token_file = token_file
        self._pause_seconds = pause_seconds
        self._published: dict[str, set[date]] = {rota.assessor_id: set() for rota in self._rotas}
        self._refused: dict[tuple[str, date], Refusal] = {}
        self._unanswered: dict[str, dict[str, Any]] = {}
        """By assessor, the request that waits for its answer. It keeps its id: scheduling takes it once."""
        self._stopping = threading.Event()
        for entry in ledger.entries():
            self._published.setdefault(entry["assessor_id"], set()).update(map(date.fromisoformat, entry["weeks"]))

    def run(self) -> None:
        """Publish until stopped. While scheduling does not answer, ever more rarely."""
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                self.publish()
                pause = self._pause_seconds
            except (OSError, ValueError) as error:
                pause = min(max(pause, self._pause_seconds) * 2, _LONGEST_PAUSE_SECONDS)
                log.warning("not published", error=type(error).__name__, reason=str(error), again_in_seconds=pause)

    def stop(self) -> None:
        """Have `run` return."""
        self._stopping.set()

    def publish(self) -> None:
        """Publish what is not yet acknowledged of the weeks from today on. Raises OSError, ValueError."""
        this_week = monday_of(self._clock.today())
        self._refused = {key: refusal for key, refusal in self._refused.items() if key[1] >= this_week}
        due = self._due()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sent = sum(pool.map(self._publish, due.keys(), due.values()))
        if sent:
            log.info("published", rotas=sent)

    def is_complete(self) -> bool:
        """Whether every week from today on is published, but for those that scheduling refuses."""
        return not self._due()

    def summary(self, _claim_ref: str | None) -> dict[str, Any]:
        """The weeks that are published and those that were refused, for the control door: this system knows no claims."""
        return {
            "weeks_ahead": self._weeks_ahead,
            "assessors": {
                assessor_id: sorted(week.isoformat() for week in weeks)
                for assessor_id, weeks in sorted(self._published.items())
            },
            "refused": [
                {"assessor_id": assessor_id, "week": week.isoformat(), "reason": refusal.reason}
                for (assessor_id, week), refusal in sorted(dict(self._refused).items(), key=lambda one: one[0])
            ],
        }

    def _due(self) -> Mapping[Rota, list[date]]:
        weeks = weeks_from(self._clock.today(), ahead=self._weeks_ahead)
        missing = {rota: [week for week in weeks if self._is_due(rota.assessor_id, week)] for rota in self._rotas}
        return {rota: left for rota, left in missing.items() if left}

    def _is_due(self, assessor_id: str, week: date) -> bool:
        if week in self._published[assessor_id]:
            return False
        refusal = self._refused.get((assessor_id, week))
        return refusal is None or self._clock.now() >= refusal.at + _REFUSED_AGAIN

    def _publish(self, rota: Rota, weeks: Sequence[date]) -> bool:
        """Whether any of the weeks was published. Where they are refused together, each is tried alone."""
        try:
            return self._publish_together(rota, weeks)
        except Refused as refused:
            if len(weeks) > 1:
                alone = [self._publish(rota, [week]) for week in weeks]
                return any(alone)
            self._note_refusal(rota, weeks[0], str(refused))
            return False

    def _note_refusal(self, rota: Rota, week: date, reason: str) -> None:
        log.warning("refused", assessor_id=rota.assessor_id, week=week.isoformat(), reason=reason)
        self._refused[rota.assessor_id, week] = Refusal(at=self._clock.now(), reason=reason)

    def _publish_together(self, rota: Rota, weeks: Sequence[date]) -> bool:
        """Whether the rota was published: it is not when its office's are withheld, or when this is to stop. Raises Refused."""
        rule = self._plan.pick(lambda rule: rule.office_code in (None, rota.office_code))
        if self._stopping.is_set() or (rule and rule.failure == "withhold"):
            return False
        request = self._request(rota, weeks)
        for _ in range(2 if rule else 1):
            self._send(rota, request)
        self._unanswered.pop(rota.assessor_id, None)
        self._ledger.append({"assessor_id": rota.assessor_id, "weeks": [week.isoformat() for week in weeks]})
        self._ledger.settle()
        self._published[rota.assessor_id].update(weeks)
        for week in weeks:
            self._refused.pop((rota.assessor_id, week), None)
        return True

    def _request(self, rota: Rota, weeks: Sequence[date]) -> Mapping[str, Any]:
        body = message(rota, weeks, now=self._clock.now())
        before = self._unanswered.get(rota.assessor_id, {})
        if {**body, "requestId": before.get("requestId")} != before:
            before = self._unanswered[rota.assessor_id] = {**body, "requestId": str(uuid.uuid4())}
        return before

    def _send(self, rota: Rota, body: Mapping[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 - the address is a setting
            self._url,
            data=json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Connect-Protocol-Version": "1",
                "Authorization": f"Bearer {self._token_file.read_text().strip()}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code not in _REFUSALS:
                raise
            refusal = error.read().decode(errors="replace")
            self._unanswered.pop(rota.assessor_id, None)
            raise Refused(refusal) from error


def message(rota: Rota, weeks: Sequence[date], *, now: datetime) -> dict[str, Any]:
    """The request for these weeks of the rota, as JSON without an id; shifts that are over are left out."""
    shifts = [shift for week in weeks for shift in rota.shifts(week) if shift.end > now + _OVER_SOON]
    return {
        "assessorId": rota.assessor_id,
        "officeCode": rota.office_code,
        "shifts": [
            {
                "start": _text(shift.start),
                "end": _text(shift.end),
                "channel": f"CHANNEL_{shift.channel}",
                "emergencySlots": shift.emergency_slots,
            }
            for shift in shifts
        ],
        "weeks": [{"year": week.year, "month": week.month, "day": week.day} for week in weeks],
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
