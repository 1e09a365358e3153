"""What clients were told, a line each, so that the audit can hold the outside ledgers against it."""

import fcntl
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chassis import clock


@dataclass(kw_only=True)
class Told:
    """What was acknowledged of one claim; `steps` has when it first was, by the platform's clock."""

    claim_ref: str
    steps: dict[str, datetime] = field(default_factory=dict)
    wants_notice: bool = False

    @property
    def submitted(self) -> bool:
        """SubmitClaim was answered."""
        return "SUBMITTED" in self.steps

    @property
    def confirmed(self) -> bool:
        """ConfirmAssessment was answered."""
        return "CONFIRMED" in self.steps


def note(path: Path, claim_ref: str, step: str, **more: Any) -> None:
    """Appends a line: this claim's client was told of this step, now."""
    line = json.dumps({"claim_ref": claim_ref, "step": step, "at": clock.now().timestamp(), **more})
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(line + "\n")


def read(path: Path) -> dict[str, Told]:
    """All that was told, by claim."""
    found: dict[str, Told] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        entry = json.loads(line)
        told = found.setdefault(entry["claim_ref"], Told(claim_ref=entry["claim_ref"]))
        told.steps.setdefault(entry["step"], datetime.fromtimestamp(entry["at"], UTC))
        told.wants_notice = told.wants_notice or bool(entry.get("wants_notice"))
    return found
