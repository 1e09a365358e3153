"""PSCS's cycle: it takes what lies in in/, answers in out/, and lists in control/ what it holds."""

import os
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import structlog

from simulators.clock import Clock
from simulators.errors import LedgerError
from simulators.failures import FailurePlan
from simulators.outage import Outage
from simulators.pscs import batch as batches
from simulators.pscs.batch import Batch, Detail, FileRefusedError, Files, Message
from simulators.pscs.failures import PscsFailure
from simulators.pscs.holdings import Held, Holdings
from simulators.record_link.edit_rules import RuleBook

log = structlog.get_logger()

END_OF_LINE = b"\x15"
CODE_PAGE = "cp285"
RULES = Path(__file__).with_name("edit_rules.toml")
DIALOGUE = "PS001"
"""By whose first letters the edit rules' codes begin."""
RESPONSES_STAY = timedelta(days=7)
OTHER_TRANSFER = "Z" * 26


class Cycle:
    """One cycle at a time, every so many seconds or when it is asked for."""

    def __init__(
        self,
        *,
        root: Path,
        files: Files,
        rules: RuleBook,
        holdings: Holdings,
        plan: FailurePlan[PscsFailure],
        clock: Clock,
        outage: Outage[PscsFailure],
    ) -> None:
        self._in, self._out, self._control = root / "in", root / "out", root / "control"
        self._work = root.with_name("work")
        for folder in (self._in, self._out, self._control, self._work):
            folder.mkdir(parents=True, exist_ok=True)
        self._files, self._rules, self._holdings, self._plan, self._clock = files, rules, holdings, plan, clock
        self._lock = threading.Lock()
        self._withheld: dict[int, float] = {}
        self._outage, self._silence = outage, Outage(plan, orders=PscsFailure.is_silence)

    def run_until(self, stopping: threading.Event, *, every_seconds: float) -> None:
        """Run a cycle every so often: the work of a thread of its own. One that fails is told, and the next is run."""
        while not stopping.wait(every_seconds):
            try:
                self.run()
            except (LedgerError, OSError):
                log.exception("a cycle failed")

    def run(self) -> list[dict[str, Any]]:
        """One cycle: what became of each file that was taken."""
        with self._lock:
            if self._outage.starts() or self._silence.starts():
                return []
            taken = [*self._left_over(), *self._arrived()]
            self._write_withheld()
            self._write_control()
            self._remove_old()
        return [_told(one) for one in taken]

    def write_response(self, sequence: int) -> bool:
        """Write the whole and right response to a file once more; whether there is such a file."""
        with self._lock:
            found = self._holdings.batch(sequence)
            if found:
                self._withheld.pop(sequence, None)
                self._publish(self._out / f"{_name(sequence)}.RSP", self._files.response(found))
        return found is not None

    def _arrived(self) -> list[Batch]:
        found = list(self._in.glob("*.DAT"))
        return [answer for path in sorted(found, key=self._turn) if (answer := self._take(path))]

    def _turn(self, path: Path) -> int:
        """How far a file's sequence is ahead of the one that is expected."""
        return ((batches.sequence_of(path.name) or 0) - self._holdings.expected) % batches.LAST_SEQUENCE

    def _take(self, path: Path) -> Batch | None:
        """Take a file out of in/ under a token of its own, so that a crash never takes it twice."""
        token = secrets.token_hex(8)
        taken = self._work / f"{path.name}.{token}"
        path.rename(taken)
        return self._finish(taken, name=path.name, token=token)

    def _left_over(self) -> list[Batch]:
        """The batches that a crash has left half done."""
        found = []
        for path in sorted(self._work.iterdir()):
            name, _, token = path.name.rpartition(".")
            if answer := self._finish(path, name=name, token=token):
                found.append(answer)
        return found

    def _finish(self, path: Path, *, name: str, token: str) -> Batch | None:
        sequence = batches.sequence_of(name)
        if sequence is None:
            log.warning("a file whose name is not of the interface is thrown away")
            path.unlink()
            return None
        answer = self._answer(path, sequence, token)
        log.info("file", sequence=sequence, lines=len(answer.outcomes), code=answer.message and answer.message.code)
        path.unlink()
        return answer

    def _answer(self, path: Path, sequence: int, token: str) -> Batch:
        known = self._holdings.batch(sequence) if self._holdings.answered(token) == sequence else None
        if known is None and self._holdings.was_taken(sequence):
            self._holdings.repeat(sequence, token=token, received=self._clock.now())
            repeat = Batch(sequence=sequence, message=batches.REPEAT)
            self._publish(self._out / f"{_name(sequence)}.DUP", self._files.response(repeat))
            return repeat
        answer = known or self._examine(path, sequence, token)
        self._respond(answer)
        return answer

    def _examine(self, path: Path, sequence: int, token: str) -> Batch:
        received = self._clock.now()
        try:
            details = self._details(path, sequence)
        except FileRefusedError as refused:
            return self._holdings.refuse(sequence, refused.message, token=token, received=received)
        self._count(details, failed=False)
        return self._holdings.take(sequence, details, token=token, received=received, refusal=self._refusal)

    def _details(self, path: Path, sequence: int) -> Sequence[Detail]:
        if sequence != self._holdings.expected:
            raise FileRefusedError(batches.GAP)
        with path.open("rb") as file:
            details = self._files.read(file.read(batches.LONGEST_FILE + 1), sequence=sequence)
        claims = {detail.text("CM-CLAIM-REF") for detail in details}
        if rule := self._plan.pick(lambda rule: rule.is_("refuse_file", claims)):
            self._count(details, failed=True)
            raise FileRefusedError(rule.message("PF0004"))
        return details

    def _count(self, details: Sequence[Detail], *, failed: bool) -> None:
        """Count each line as an attempt. A line that is refused by itself was none that failed: it has its answer."""
        for _ in details:
            self._plan.attempted(failed=failed)

    def _refusal(self, detail: Detail) -> Message | None:
        """The one message that a line carries."""
        if found := self._rules.messages(DIALOGUE, detail.record, received_on=self._clock.today()):
            return found[0]
        claims = {detail.text("CM-CLAIM-REF")}
        rule = self._plan.pick(lambda rule: rule.is_("refuse_record", claims))
        return rule.message("PS0090") if rule else None

    def _respond(self, answer: Batch) -> None:
        rule = self._plan.pick(lambda rule: rule.is_of_response(answer.claim_refs))
        if rule and rule.failure == "no_response":
            self._withheld[answer.sequence] = time.monotonic() + rule.seconds
        else:
            self._publish(self._out / f"{_name(answer.sequence)}.RSP", self._made_of(answer, rule))

    def _made_of(self, answer: Batch, rule: PscsFailure | None) -> bytes:
        """The response, or what the failure in force makes of it."""
        if rule is None:
            return self._files.response(answer)
        if rule.failure == "cut_response":
            whole = self._files.response(answer)
            return whole[: len(whole) // 2]
        if rule.failure == "other_sequence":
            return self._files.response(answer, header_sequence=batches.following(answer.sequence))
        place = _place_of(answer, rule.claim_ref)
        if place is None:
            return self._files.response(answer)
        left, line, right = answer.outcomes[:place], answer.outcomes[place], answer.outcomes[place + 1 :]
        if rule.failure == "omit_line":
            count = None if rule.recount else len(answer.outcomes)
            return self._files.response(replace(answer, outcomes=(*left, *right)), count=count)
        other = replace(line, transfer_id=OTHER_TRANSFER)
        return self._files.response(replace(answer, outcomes=(*left, other, *right)))

    def _write_withheld(self) -> None:
        now = time.monotonic()
        for sequence in [sequence for sequence, due in self._withheld.items() if due <= now]:
            del self._withheld[sequence]
            if found := self._holdings.batch(sequence):
                self._publish(self._out / f"{_name(sequence)}.RSP", self._files.response(found))

    def _write_control(self) -> None:
        """Today's list, those that are others now, and those of days without a cycle: a day has a list, be it empty."""
        today = self._clock.today()
        for day in sorted({*self._days_to(today), *self._holdings.changed_days()}):
            content = b"".join(map(_control_line, self._holdings.received_on(day)))
            if day == today and self._plan.pick(lambda rule: rule.is_("cut_control")):
                content = content[: len(content) - len(content) // 3]
            self._publish(self._control_file(day), content)

    def _days_to(self, today: date) -> list[date]:
        """Today and the days before it that have no list, back to the last that has one, a month at most."""
        days = [today]
        while not self._control_file(days[-1] - timedelta(days=1)).exists() and len(days) <= 31:
            days.append(days[-1] - timedelta(days=1))
        return days

    def _control_file(self, day: date) -> Path:
        return self._control / f"PSCS.D{day:%Y%m%d}.CTL"

    def _remove_old(self) -> None:
        oldest = (self._clock.now() - RESPONSES_STAY).timestamp()
        for path in (*self._out.glob("*.RSP"), *self._out.glob("*.DUP")):
            if path.stat().st_mtime < oldest:
                path.unlink()

    def _publish(self, path: Path, content: bytes) -> None:
        """Written whole under another name, then renamed. SFTP tells times in seconds: a new file of an old name is later."""
        changed = int(self._clock.now().timestamp())
        if path.exists():
            changed = max(changed, int(path.stat().st_mtime) + 1)
        part = path.with_name(f"{path.name}.PART")
        part.write_bytes(content)
        os.utime(part, (changed, changed))
        part.replace(path)


def _name(sequence: int) -> str:
    return f"CMS3.PSCS.S{sequence:06d}"


def _control_line(held: Held) -> bytes:
    """A transfer id of 26 and a reference of 12 characters, with a blank between them."""
    return f"{held.transfer_id:26.26} {held.legacy_ref:12.12}".encode(CODE_PAGE) + END_OF_LINE


def _place_of(answer: Batch, claim_ref: str | None) -> int | None:
    """The line of the claim, or else the one in the middle; None when there is none."""
    if not answer.outcomes:
        return None
    refs = [outcome.claim_ref for outcome in answer.outcomes]
    return refs.index(claim_ref) if claim_ref else len(refs) // 2


def _told(answer: Batch) -> dict[str, Any]:
    refused = sum(outcome.message is not None for outcome in answer.outcomes)
    return {
        "sequence": answer.sequence,
        "result": "R" if answer.message else "A",
        "code": answer.message.code if answer.message else "",
        "held": len(answer.outcomes) - refused,
        "refused": refused,
    }
