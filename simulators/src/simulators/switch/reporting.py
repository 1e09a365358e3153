"""Reports what was counted to intake, until intake has acknowledged it: ReportLines at its HTTP door."""

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from simulators.clock import Clock
from simulators.failures import FailurePlan
from simulators.switch.counting import Counting
from simulators.switch.failures import SwitchFailure
from simulators.switch.traffic import Counts

KEPT = timedelta(days=7)
"""How long the switch keeps its counts: what is older is reported no more."""
_BATCH = 96
_LONGEST_PAUSE_SECONDS = 60.0
_METHOD = "/cms.intake.v1.IntakeService/ReportLines"

log = structlog.get_logger()


class Reporter:
    """Reports each quarter of an hour that is over, and again where its counts have changed since."""

    def __init__(
        self,
        counting: Counting,
        plan: FailurePlan[SwitchFailure],
        *,
        clock: Clock,
        intake_url: str,
        token_file: Path,
        pause_seconds: float,
    ) -> None:
        self._counting = counting
        self._plan = plan
        self._clock = clock
        self._url = intake_url + _METHOD
        self._token_file = token_file
        self._pause_seconds = pause_seconds
        self._reported: dict[datetime, Counts] = {}
        self._unanswered: dict[str, Any] = {}
        """The request that waits for its answer. It keeps its id: intake takes it once."""
        self._stopping = threading.Event()

    def run(self) -> None:
        """Report until stopped. While intake does not answer, ever more rarely."""
        pause = self._pause_seconds
        while not self._stopping.wait(pause):
            try:
                while self.report_batch():
                    pass
                pause = self._pause_seconds
            except (OSError, ValueError) as error:
                pause = min(pause * 2, max(_LONGEST_PAUSE_SECONDS, self._pause_seconds))
                log.warning("not reported", error=type(error).__name__, again_in_seconds=pause)

    def stop(self) -> None:
        """Have `run` return."""
        self._stopping.set()

    def report_batch(self) -> bool:
        """Report what intake has not acknowledged; whether there may be more. Raises OSError and ValueError."""
        now = self._clock.now()
        counts = self._counting.between(now - KEPT, now)
        self._reported = {found.start: found for found in self._reported.values() if found.start >= now - KEPT * 2}
        batch = [found for found in counts if self._reported.get(found.start) != found][:_BATCH]
        if not batch:
            return False
        rule = self._plan.pick(lambda _rule: True)
        sent = [_short(found) for found in batch] if rule and rule.failure == "miscount" else batch
        for _ in range(2 if rule and rule.failure == "twice" else 1):
            self._send(sent)
        self._unanswered = {}
        self._reported |= {found.start: found for found in sent}
        log.info("reported", quarter_hours=len(sent), until=sent[-1].start.isoformat())
        return True

    def _send(self, counts: Sequence[Counts]) -> None:
        body = [_message(found) for found in counts]
        if self._unanswered.get("quarterHours") != body:
            self._unanswered = {"quarterHours": body, "requestId": str(uuid.uuid4())}
        request = urllib.request.Request(  # noqa: S310 - the address is a setting
            self._url,
            data=json.dumps(self._unanswered).encode(),
            headers={
                "Content-Type": "application/json",
                "Connect-Protocol-Version": "1",
                "Authorization": f"Bearer {self._token_file.read_text().strip()}",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            json.loads(answer.read())


def _short(counts: Counts) -> Counts:
    """One call short; of no calls none."""
    if not counts.offered or not counts.abandoned:
        return counts
    return counts.model_copy(update={"offered": counts.offered - 1, "abandoned": counts.abandoned - 1})


def _message(counts: Counts) -> dict[str, Any]:
    return {
        "start": counts.start.isoformat().replace("+00:00", "Z"),
        "offered": counts.offered,
        "answered": counts.answered,
        "abandoned": counts.abandoned,
        "answeredWithinTarget": counts.answered_within_target,
    }
