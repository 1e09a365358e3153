"""Publishes the weeks of every rota until scheduling has acknowledged them: PublishRota at its HTTP door."""

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from simulators.clock import Clock
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.rotas.failures import RotasFailure
from simulators.rotas.planning import Rota, weeks_from

_METHOD = "/cms.scheduling.v1.SchedulingService/PublishRota"
_REFUSALS = (400, 403, 404, 409)
"""Answers that stay the same for the same request."""
_AT_ONCE = 4
_LONGEST_PAUSE_SECONDS = 5.0
_OVER_SOON = timedelta(minutes=5)
"""A shift that ends so soon is published no more: it would be over when it arrives."""

log = structlog.get_logger()


class Refused(Exception):
    """Scheduling refused a rota. It is planned anew the next time."""


class Publisher:
    """Publishes each week of each rota once. What was acknowledged is in the ledger: a manager may change it afterwards."""

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
            except (OSError, ValueError, Refused) as error:
                pause = min(max(pause, self._pause_seconds) * 2, _LONGEST_PAUSE_SECONDS)
                log.warning("not published", error=type(error).__name__, reason=str(error), again_in_seconds=pause)

    def stop(self) -> None:
        """Have `run` return."""
        self._stopping.set()

    def publish(self) -> None:
        """Publish what is not yet acknowledged of the weeks from today on. Raises OSError, ValueError, Refused."""
        due = self._due()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sent = sum(pool.map(self._publish, due.keys(), due.values()))
        if sent:
            log.info("published", rotas=sent)

    def is_complete(self) -> bool:
        """Whether every week from today on is published."""
        return not self._due()

    def summary(self, _claim_ref: str | None) -> dict[str, Any]:
        """The weeks that are published, for the control door: this system knows no claims."""
        return {
            "weeks_ahead": self._weeks_ahead,
            "assessors": {
                assessor_id: sorted(week.isoformat() for week in weeks)
                for assessor_id, weeks in sorted(self._published.items())
            },
        }

    def _due(self) -> Mapping[Rota, list[date]]:
        weeks = weeks_from(self._clock.today(), ahead=self._weeks_ahead)
        missing = {
            rota: [week for week in weeks if week not in self._published[rota.assessor_id]] for rota in self._rotas
        }
        return {rota: left for rota, left in missing.items() if left}

    def _publish(self, rota: Rota, weeks: Sequence[date]) -> bool:
        """Whether the rota was published: it is not when its office's are withheld, or when this is to stop."""
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
            raise Refused(f"{rota.assessor_id}: {refusal}") from error


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
