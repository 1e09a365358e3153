"""Every acknowledged claim against every outside ledger, by reference: missing, doubled, halved, late.

It reads what clients were told, the services' doors and the ledgers of the outside systems. It opens no database: what
the platform believes of itself is not evidence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import httpx

from chassis import clock
from cms_local import keys
from cms_local.doors import Doors, Refused
from cms_local.lateness import Way, notice_is_late, record_is_late
from cms_local.layout import Layout
from cms_local.told import Told, read

_CLAIMS_KEPT = ("SUBMITTED", "CLOSED", "WITHDRAWN")


@dataclass(kw_only=True)
class Findings:
    """Counts, and the claims behind each that should be zero."""

    claims: int = 0
    confirmed: int = 0
    accepted: int = 0
    notices_expected: int = 0
    notices_loaded: int = 0
    half_transfers: int = 0
    lost: int = 0
    duplicates: int = 0
    late: int = 0
    half_transfer_claims: list[str] = field(default_factory=list)
    lost_claims: dict[str, str] = field(default_factory=dict)
    duplicate_claims: list[str] = field(default_factory=list)
    late_claims: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether every claim that was confirmed is held once and whole, and every notice due is loaded once.

        What is late is neither; what is not late may yet be on its way.
        """
        nothing_wrong = not (self.half_transfers or self.lost or self.duplicates)
        return nothing_wrong and self.accepted == self.confirmed and self.notices_loaded == self.notices_expected

    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


@dataclass(frozen=True, kw_only=True)
class Ledgers:
    """What the outside systems hold, by claim."""

    jsaps: Mapping[str, Any]
    councils: Mapping[str, Any]

    @classmethod
    def read(cls, layout: Layout, client: httpx.Client) -> "Ledgers":
        """From the stand-ins' control doors."""
        found = {
            name: client.get(f"http://127.0.0.1:{layout.control_port(name)}/ledger").raise_for_status().json()["claims"]
            for name in ("jsaps", "councils")
        }
        return cls(**found)

    def held_whole(self, claim_ref: str) -> bool:
        """Both phases."""
        held = self.jsaps.get(claim_ref, {})
        return bool(held.get("es_held", 0) == 1 and held.get("ba_held", 0) == 1)

    def held_half(self, claim_ref: str) -> bool:
        """The first phase without its second: the claimant is not paid, and no error shows."""
        return bool(self.jsaps.get(claim_ref, {}).get("half"))

    def notice_loaded(self, claim_ref: str) -> bool:
        """An authority has loaded the claim's full particulars, or a change of them."""
        loaded = [
            version["kind"]
            for notice in self.councils.get(claim_ref, [])
            for version in notice["versions"]
            if version["version"] == notice["loaded_version"]
        ]
        return "CLAIM" in loaded or "CHANGE" in loaded

    def doubled(self, claim_ref: str) -> bool:
        """Held twice by the paying system, told twice to an authority, or loaded twice by it."""
        notices = self.councils.get(claim_ref, [])
        authorities = [notice["authority_code"] for notice in notices]
        loads = max((notice["most_loads_of_a_version"] for notice in notices), default=0)
        twice_there = self.jsaps.get(claim_ref, {}).get("duplicates", 0)
        return bool(twice_there or loads > 1 or len(set(authorities)) < len(authorities))


class Answers(Protocol):
    """What the services answer about a claim."""

    def state(self, claim_ref: str) -> str:
        """Of the claim, as intake says; or the code with which it refuses to."""

    def way(self, claim_ref: str) -> Way:
        """How the notifier tells the claim's authority; the quickest way where it knows of none."""


@dataclass(frozen=True, kw_only=True)
class _ByDoor:
    doors: Doors
    token: str

    def state(self, claim_ref: str) -> str:
        try:
            claim = self.doors.call("intake-svc", "GetClaim", {"claimRef": claim_ref}, token=self.token)["claim"]
        except Refused as refused:
            return refused.code
        return str(claim["state"]).removeprefix("CLAIM_STATE_")

    def way(self, claim_ref: str) -> Way:
        answer = self.doors.call("la-notifier", "GetNotices", {"claimRef": claim_ref}, token=self.token)
        found = [
            (str(notice["channel"]).removeprefix("NOTICE_CHANNEL_"), str(notice["authorityCode"]))
            for notice in answer["notices"]
        ]
        return found[-1] if found else ("API", "")


def audit(layout: Layout, *, only: set[str] | None = None) -> Findings:
    """Holds what was told against what is held; `only` names claims, otherwise it is all that were ever told of."""
    told = {ref: entry for ref, entry in read(layout.told_file).items() if only is None or ref in only}
    with httpx.Client(timeout=10.0) as client:
        ledgers = Ledgers.read(layout, client)
        doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
        answers = _ByDoor(doors=doors, token=keys.issue(layout.keys(""), "SUPPORT", subject="AUDIT"))
        findings = Findings()
        for entry in told.values():
            _count(findings, entry, ledgers, answers)
    if only is None:
        _count_untold(findings, ledgers, set(told))
    return findings


def _count(findings: Findings, told: Told, ledgers: Ledgers, answers: Answers) -> None:
    ref = told.claim_ref
    findings.claims += told.submitted
    findings.confirmed += told.confirmed
    findings.accepted += ledgers.held_whole(ref)
    due = told.submitted and told.wants_notice
    findings.notices_expected += due
    findings.notices_loaded += due and ledgers.notice_loaded(ref)
    lost = _lost(told, ledgers, answers.state(ref))
    if lost:
        findings.lost += 1
        findings.lost_claims[ref] = lost
    late = "; ".join(_late(told, ledgers, answers))
    if late:
        findings.late += 1
        findings.late_claims[ref] = late
    _count_ledgers(findings, ref, ledgers)


def _late(told: Told, ledgers: Ledgers, answers: Answers) -> Iterator[str]:
    ref, now = told.claim_ref, clock.now()
    confirmed, submitted = told.steps.get("CONFIRMED"), told.steps.get("SUBMITTED")
    if confirmed and not ledgers.held_whole(ref) and record_is_late(confirmed, now=now):
        yield f"confirmed {confirmed:%Y-%m-%d %H:%M}, and JSAPS does not hold it whole"
    due = submitted if told.wants_notice and not ledgers.notice_loaded(ref) else None
    if due and notice_is_late(due, lambda: answers.way(ref), now=now):
        yield f"submitted {due:%Y-%m-%d %H:%M}, and no authority has loaded its notice"


def _lost(told: Told, ledgers: Ledgers, state: str) -> str:
    if told.submitted and state not in _CLAIMS_KEPT:
        return f"submitted, and intake says {state}"
    if told.confirmed and not ledgers.jsaps.get(told.claim_ref, {}).get("es_held"):
        return "confirmed, and JSAPS holds nothing"
    if told.submitted and told.wants_notice and not ledgers.councils.get(told.claim_ref):
        return "submitted, and no authority was told"
    return ""


def _count_ledgers(findings: Findings, ref: str, ledgers: Ledgers) -> None:
    if ledgers.held_half(ref):
        findings.half_transfers += 1
        findings.half_transfer_claims.append(ref)
    if ledgers.doubled(ref):
        findings.duplicates += 1
        findings.duplicate_claims.append(ref)


def _count_untold(findings: Findings, ledgers: Ledgers, told: set[str]) -> None:
    """Claims that the outside holds and no client here was told of are held to the same."""
    for ref in {*ledgers.jsaps, *ledgers.councils} - told:
        _count_ledgers(findings, ref, ledgers)
