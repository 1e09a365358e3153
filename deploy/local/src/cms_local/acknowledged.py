"""The claims whose callers got an answer, a line each, so that the audit can hold the outside ledgers against them."""

import fcntl
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chassis import clock


@dataclass(kw_only=True)
class Acknowledged:
    """The acknowledged steps of one claim. `steps` holds when each step first was, by the platform's clock.

    `schemes` were claimed, `confirmed_schemes` confirmed by name.
    """

    claim_ref: str
    steps: dict[str, datetime] = field(default_factory=dict)
    schemes: set[str] = field(default_factory=set)
    confirmed_schemes: set[str] = field(default_factory=set)
    wants_notice: bool = False

    @property
    def submitted(self) -> bool:
        """Whether SubmitClaim was answered."""
        return "SUBMITTED" in self.steps

    @property
    def confirmed(self) -> bool:
        """Whether ConfirmAssessment was answered."""
        return "CONFIRMED" in self.steps

    @property
    def to_carry(self) -> set[str]:
        """The schemes that were confirmed; where a confirmation named none, all that were claimed."""
        return self.confirmed_schemes or self.schemes


def note(path: Path, claim_ref: str, step: str, *, schemes: Iterable[str], wants_notice: bool = False) -> None:
    """Appends a line: this step of the claim was acknowledged now, for these schemes."""
    line = {"claim_ref": claim_ref, "step": step, "at": clock.now().timestamp()}
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps({**line, "schemes": sorted(schemes), "wants_notice": wants_notice}) + "\n")


def read(path: Path) -> dict[str, Acknowledged]:
    """Reads all that was acknowledged, by claim."""
    found: dict[str, Acknowledged] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        entry = json.loads(line)
        claim = found.setdefault(entry["claim_ref"], Acknowledged(claim_ref=entry["claim_ref"]))
        _add(claim, entry)
    return found


def _add(claim: Acknowledged, entry: dict[str, Any]) -> None:
    claim.steps.setdefault(entry["step"], datetime.fromtimestamp(entry["at"], UTC))
    claim.schemes.update(entry["schemes"])
    if entry["step"] == "CONFIRMED":
        claim.confirmed_schemes.update(entry["schemes"])
    claim.wants_notice = claim.wants_notice or entry["wants_notice"]
