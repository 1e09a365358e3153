"""The councils' reader of files: it takes what lies in in/ and writes an acknowledgement into out/."""

import os
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from simulators.clock import Clock
from simulators.councils.batch import (
    LONGEST_FILE,
    BatchFiles,
    FileName,
    FileRefusedError,
    Outcome,
    Row,
    acknowledgement,
    name_of,
)
from simulators.councils.failures import CouncilFailure
from simulators.councils.holdings import REFUSED, Filed, Holdings
from simulators.errors import LedgerError
from simulators.failures import FailurePlan
from simulators.outage import Outage

log = structlog.get_logger()

_PART = ".part"


class Cycle:
    """One cycle at a time, every so many seconds or when it is asked for. One reader serves all authorities."""

    def __init__(
        self,
        *,
        root: Path,
        files: BatchFiles,
        holdings: Holdings,
        plan: FailurePlan[CouncilFailure],
        clock: Clock,
        outage: Outage[CouncilFailure],
    ) -> None:
        self._in, self._out, self._work = root / "in", root / "out", root.with_name("work")
        for folder in (self._in, self._out, self._work):
            folder.mkdir(parents=True, exist_ok=True)
        self._files, self._holdings, self._plan, self._clock = files, holdings, plan, clock
        self._outage = outage
        self._silences: dict[str, Outage[CouncilFailure]] = {}
        self._withheld: dict[FileName, float] = {}
        self._lock = threading.Lock()

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
            if self._outage.starts():
                return []
            found = [*self._left_over(), *self._arrived()]
            self._write_withheld()
        return found

    def watch(self, name: str) -> None:
        """See a file in in/ grow: a hasty authority takes what ends in `.csv`, be it half written."""
        found = name_of(name)
        if found and self._plan.pick(lambda rule: rule.is_("hasty", found.authority_code, set())):
            with self._lock:
                if (self._in / name).exists():
                    self._take(self._in / name, found)

    def write_acknowledgement(self, name: FileName) -> bool:
        """Write the whole and right acknowledgement of a file once more; whether there was such a file."""
        with self._lock:
            outcomes = self._holdings.acknowledged(name)
            if outcomes is not None:
                self._withheld.pop(name, None)
                self._publish(name, acknowledgement(outcomes))
        return outcomes is not None

    def _arrived(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self._in.glob("*.csv")):
            name = name_of(path.name)
            if name and not self._is_silent(name.authority_code):
                found.append(self._take(path, name))
        return found

    def _is_silent(self, authority: str) -> bool:
        if authority not in self._silences:
            self._silences[authority] = Outage(self._plan, orders=lambda rule: rule.is_silence_of(authority))
        return self._silences[authority].starts()

    def _take(self, path: Path, name: FileName) -> dict[str, Any]:
        """Take a file out of in/ under a token of its own, so that a crash never takes it twice."""
        token = secrets.token_hex(8)
        taken = self._work / f"{path.name}.{token}"
        path.rename(taken)
        return self._finish(taken, name, token)

    def _left_over(self) -> list[dict[str, Any]]:
        """The files that a crash has left half done."""
        found = []
        for path in sorted(self._work.iterdir()):
            file_name, _, token = path.name.rpartition(".")
            if name := name_of(file_name):
                found.append(self._finish(path, name, token))
        return found

    def _finish(self, path: Path, name: FileName, token: str) -> dict[str, Any]:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
        outcomes = self._answer(name, content, token)
        self._respond(name, outcomes)
        path.unlink()
        refused = sum(outcome.state == REFUSED for outcome in outcomes)
        told = {
            "authority": name.authority_code,
            "sequence": name.sequence,
            "rows": len(outcomes),
            "refused": refused,
        }
        log.info("file", **told)
        return told

    def _answer(self, name: FileName, content: bytes, token: str) -> list[Outcome]:
        if self._holdings.acknowledged(name) is not None:
            return self._holdings.take_file(name, (), token=token)
        try:
            rows = self._read(name, content)
        except FileRefusedError as refused:
            unfit = [_filed(row, unfit=refused.reason) for row in refused.rows]
            return self._holdings.take_file(name, unfit, token=token, refusal=refused.reason)
        return self._holdings.take_file(name, [self._examined(name, row) for row in rows], token=token)

    def _read(self, name: FileName, content: bytes) -> Sequence[Row]:
        rows = self._files.read(content)
        claims = {str(row.notice.get("claim_ref")) for row in rows}
        if rule := self._plan.pick(lambda rule: rule.is_("refuse_file", name.authority_code, claims)):
            raise FileRefusedError(rule.reason, rows)
        return rows

    def _examined(self, name: FileName, row: Row) -> Filed:
        if row.problems:
            return _filed(row, unfit="; ".join(f"{field}: {message}" for field, message in row.problems[:5]))
        if row.notice["authority_code"] != name.authority_code:
            return _filed(row, unfit="authority_code: is not the authority of the file")
        claims = {row.notice["claim_ref"]}
        rule = self._plan.pick(lambda rule: rule.is_("refuse_load", name.authority_code, claims))
        return _filed(row, refusal=rule.reason if rule else "")

    def _respond(self, name: FileName, outcomes: list[Outcome]) -> None:
        claims = {outcome.claim_ref for outcome in outcomes}
        rule = self._plan.pick(lambda rule: rule.is_of_ack(name.authority_code, claims))
        if rule and rule.failure == "no_ack":
            self._withheld[name] = time.monotonic() + rule.seconds
        else:
            self._publish(name, _made_of(outcomes, rule))

    def _write_withheld(self) -> None:
        now = time.monotonic()
        for name in [name for name, due in self._withheld.items() if due <= now]:
            del self._withheld[name]
            self._publish(name, acknowledgement(self._holdings.acknowledged(name) or []))

    def _publish(self, name: FileName, content: bytes) -> None:
        """Written whole under another name, then renamed. SFTP tells times in seconds: a new file of an old name is later."""
        path = self._out / f"{name.stem}.ack"
        changed = int(self._clock.now().timestamp())
        if path.exists():
            changed = max(changed, int(path.stat().st_mtime) + 1)
        part = path.with_name(path.name + _PART)
        part.write_bytes(content)
        os.utime(part, (changed, changed))
        part.replace(path)


def _filed(row: Row, *, unfit: str = "", refusal: str = "") -> Filed:
    return Filed(notice=row.notice, sha256=row.sha256, unfit=unfit, refusal=refusal)


def _made_of(outcomes: list[Outcome], rule: CouncilFailure | None) -> bytes:
    """The acknowledgement, or what the failure in force makes of it."""
    whole = acknowledgement(outcomes)
    if rule is None:
        return whole
    place = _place_of(outcomes, rule.claim_ref)
    if rule.failure == "cut_ack":
        cut = len(whole) // 2
        return whole[: cut - 1 if whole[:cut].endswith(b"\n") else cut]
    if rule.failure == "huge_ack":
        line = b"0,1,LOADED," + b"x" * 1_011 + b"\r\n"
        return whole + line * (1_024 * rule.megabytes)
    if rule.failure == "jumble_ack":
        return acknowledgement([row for outcome in reversed(outcomes) for row in (outcome, outcome)])
    if rule.failure == "other_version":
        outcomes = [replace(one, version=one.version + (at == place)) for at, one in enumerate(outcomes)]
        return acknowledgement(outcomes)
    return acknowledgement([one for at, one in enumerate(outcomes) if at != place])


def _place_of(outcomes: Sequence[Outcome], claim_ref: str | None) -> int:
    """The row of the claim, or else the one in the middle."""
    refs = [outcome.claim_ref for outcome in outcomes]
    return refs.index(claim_ref) if claim_ref else len(refs) // 2
