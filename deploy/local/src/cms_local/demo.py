"""Carries many different claims from the first question to the paying system and the council."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from chassis import clock
from cms_local import keys
from cms_local.absence import CASE, Absence, claims_for, fall_ill
from cms_local.audit import Findings, audit
from cms_local.cases import Case, load_cases
from cms_local.doors import Doors, Refused, wait_for
from cms_local.journey import Journey
from cms_local.layout import Layout
from cms_local.mail_room import MailRoom
from cms_local.systems import COUNCILS

CALLERS = 4
_CLOSED = "SCHEME_CLOSED"


@dataclass(kw_only=True)
class Outcome:
    """The outcome of the demo."""

    findings: Findings
    journeys: list[Journey]
    """Those that began: a claim for a scheme that is closed on the platform's day is left out."""
    seconds: float
    failures: dict[str, str]
    absence: Absence
    """The assessor who was off sick."""

    @property
    def good(self) -> bool:
        """Whether every claim came through, once and whole, and interviews of the absent assessor were moved."""
        carried = self.findings.confirmed + self.findings.withdrawn
        return self.findings.sound and not self.failures and carried == len(self.journeys) and self.absence.moved > 0


@contextmanager
def doors_of(layout: Layout) -> Iterator[Doors]:
    """Opens the doors of a platform on this machine."""
    with httpx.Client(timeout=15.0, limits=httpx.Limits(max_keepalive_connections=20)) as client:
        yield Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)


def journey(layout: Layout, doors: Doors, case: Case, source: random.Random) -> Journey:
    """Makes a claim of this case, ready to begin."""

    def issue(
        role: str, *, subject: str, office: str | None = None, grade: str | None = None, authority: str | None = None
    ) -> str:
        return keys.issue(layout.keys(""), role, subject=subject, office=office, grade=grade, authority=authority)

    mail_room = MailRoom(
        doors=doors,
        councils_url=f"http://127.0.0.1:{layout.stand_in_port(COUNCILS)}",
        token=issue("PROCESSING_OFFICER", subject="PO000001"),
    )
    return Journey(
        case=case,
        doors=doors,
        issue=issue,
        acknowledged_file=layout.acknowledged_file,
        random=source,
        mail_room=mail_room,
    )


def run_demo(layout: Layout, say: Callable[[str], None]) -> Outcome:
    """Carries every case through, CALLERS at a time, and audits what came of it."""
    clock.configure(layout.clock_file)
    started = time.monotonic()
    failures: dict[str, str] = {}
    with doors_of(layout) as doors, ThreadPoolExecutor(CALLERS) as callers:
        source = random.Random()
        cases = load_cases(clock.today())
        [common] = [case for case in cases if case.title == CASE]
        absence = fall_ill(layout, doors, callers, claims_for(partial(journey, layout, doors), common, source), say)
        journeys = [
            *absence.journeys,
            *(journey(layout, doors, case, random.Random(source.random())) for case in cases),
        ]

        def carry(claim: Journey) -> None:
            try:
                _carry(layout, claim)
                say(f"{claim.claim_ref}  {claim.case.title}")
            except Exception as error:
                if isinstance(error, Refused) and error.reason == _CLOSED:
                    say(f"left out, for it cannot be claimed on {clock.today()}: {claim.case.title}")
                    return
                failures[claim.case.title] = f"{claim.claim_ref} {type(error).__name__}: {error}"
                say(f"FAILED  {claim.case.title}: {error}")

        list(callers.map(carry, journeys))
        begun = [claim for claim in journeys if claim.claim_ref or claim.case.title in failures]
        findings = _settled(layout, {claim.claim_ref for claim in begun}, seconds=0 if failures else 15)
    seconds = time.monotonic() - started
    return Outcome(findings=findings, journeys=begun, seconds=seconds, failures=failures, absence=absence)


def _carry(layout: Layout, claim: Journey) -> None:
    if not claim.claim_ref:
        claim.started = time.monotonic()
        claim.take_call(once_known=lambda: arm_failures(layout, claim))
    if not claim.case.withdraws:
        claim.assess()
    claim.wait_for_outcome()
    if claim.case.amend_confirmed:
        claim.amend_confirmed()


def arm_failures(layout: Layout, claim: Journey) -> None:
    """Tells the stand-ins which failures to show to this claim."""
    for stand_in, failure in claim.case.failures.items():
        order: dict[str, Any] = {**failure, "claim_ref": claim.claim_ref}
        address = f"http://127.0.0.1:{layout.control_port(stand_in)}/failures"
        httpx.post(address, json=order, timeout=10.0).raise_for_status()


def _settled(layout: Layout, refs: set[str], *, seconds: float) -> Findings:
    """Audits until the findings are sound or `seconds` have passed."""
    findings: list[Findings] = []

    def sound() -> bool:
        findings.append(audit(layout, only=refs))
        return findings[-1].sound

    try:
        wait_for(sound, seconds=seconds, what="a sound audit")
    except TimeoutError:
        return findings[-1]
    return findings[-1]
