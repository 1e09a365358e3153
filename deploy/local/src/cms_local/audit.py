"""Holds every acknowledged claim against every outside ledger, by reference: missing, doubled, halved, late.

The audit reads what was acknowledged to clients, the doors of the services, and the ledgers of the outside systems. It
opens no database: what the platform believes of itself is not evidence.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import httpx

from chassis import clock
from cms_local import acknowledged, keys
from cms_local.acknowledged import Acknowledged
from cms_local.doors import Doors, Refused
from cms_local.lateness import Way, notice_is_late, record_is_late
from cms_local.layout import Layout
from cms_local.systems import COUNCILS, NOTIFY, PAYING_SYSTEMS, PayingSystem, systems_of, without_system

_CLAIMS_KEPT = ("SUBMITTED", "CLOSED", "WITHDRAWN")


@dataclass(kw_only=True)
class Findings:
    """Counts, and the claims behind each count that should be zero.

    Of the confirmed claims, `payable` are those with a scheme that a system here pays, `accepted` those of them that are
    held whole, and `waiting` those with a scheme that waits at the gateway for its system.
    """

    claims: int = 0
    confirmed: int = 0
    payable: int = 0
    accepted: int = 0
    waiting: int = 0
    withdrawn: int = 0
    notices_expected: int = 0
    notices_loaded: int = 0
    half_transfers: int = 0
    lost: int = 0
    duplicates: int = 0
    late: int = 0
    systems: dict[str, int] = field(default_factory=lambda: {system.name: 0 for system in PAYING_SYSTEMS})
    """The number of confirmed claims that each paying system holds whole."""
    half_transfer_claims: list[str] = field(default_factory=list)
    lost_claims: dict[str, str] = field(default_factory=dict)
    duplicate_claims: list[str] = field(default_factory=list)
    late_claims: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether every confirmed claim is held once and whole or waits, and every notice that is due is loaded once.

        A late claim is not; a claim that is not late may still be on its way.
        """
        nothing_wrong = not (self.half_transfers or self.lost or self.duplicates)
        return nothing_wrong and self.accepted == self.payable and self.notices_loaded == self.notices_expected

    @property
    def empty(self) -> bool:
        """Whether there was nothing to audit: nothing was acknowledged, and nothing is wrong in any ledger."""
        return not any(self.counts().values())

    def lines(self) -> Iterator[str]:
        """A line for each claim with which something is wrong."""
        yield from (f"lost: {ref}: {why}" for ref, why in self.lost_claims.items())
        yield from (f"late: {ref}: {why}" for ref, why in self.late_claims.items())
        yield from (f"half transferred: {ref}" for ref in self.half_transfer_claims)
        yield from (f"duplicate: {ref}" for ref in self.duplicate_claims)

    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


class LedgerAway(Exception):
    """The ledger of an outside system cannot be read; the text names the system and where it was asked."""


@dataclass(frozen=True, kw_only=True)
class Ledgers:
    """The records that the outside systems hold, by claim. `paying` is by the system's name."""

    paying: Mapping[str, Mapping[str, Any]]
    councils: Mapping[str, Any]
    """The notices of every channel: the councils have one ledger."""
    messages: Mapping[str, Any] = field(default_factory=dict)
    """The texts and e-mails that Notify took."""

    @classmethod
    def read(cls, layout: Layout, client: httpx.Client) -> "Ledgers":
        """From the control doors of the stand-ins. Raises LedgerAway."""
        paying = cls.of_paying(layout, client).paying
        return cls(
            paying=paying,
            councils=_claims_held(client, layout, COUNCILS, name="the councils"),
            messages=_claims_held(client, layout, NOTIFY, name="Notify"),
        )

    @classmethod
    def of_paying(cls, layout: Layout, client: httpx.Client) -> "Ledgers":
        """Those of the paying systems alone. Raises LedgerAway."""
        paying = {
            system.name: _claims_held(client, layout, system.stand_in, name=system.name) for system in PAYING_SYSTEMS
        }
        return cls(paying=paying, councils={})

    @property
    def claim_refs(self) -> set[str]:
        """Every claim of which any of them holds anything."""
        return {ref for ledger in (*self.paying.values(), self.councils, self.messages) for ref in ledger}

    def held(self, system: PayingSystem, claim_ref: str) -> Mapping[str, Any]:
        """Returns the records that a paying system holds of a claim."""
        entry: Mapping[str, Any] = self.paying[system.name].get(claim_ref, {})
        return entry

    def not_whole(self, claim: Acknowledged) -> list[PayingSystem]:
        """The systems that pay this claim and do not hold each of its phases once."""
        systems = systems_of(claim.to_carry)
        return [system for system in systems if not system.holds_whole(self.held(system, claim.claim_ref))]

    def held_whole(self, claim: Acknowledged) -> bool:
        """Whether there is a system that pays this claim, and all of them hold it whole."""
        return bool(systems_of(claim.to_carry)) and not self.not_whole(claim)

    def held_half(self, claim_ref: str) -> bool:
        """Whether a system holds the first phase without its second: nobody is paid, and no error shows."""
        return any(self.held(system, claim_ref).get("half") for system in PAYING_SYSTEMS)

    def notice_loaded(self, claim_ref: str) -> bool:
        """Whether an authority has loaded the claim's full particulars, or what followed them."""
        return any(kind in ("CLAIM", "CHANGE", "AWARD") for kind in self._loaded_kinds(claim_ref))

    def withdrawal_loaded(self, claim_ref: str) -> bool:
        """Whether every authority that loaded a notice of the claim has loaded its withdrawal."""
        return all(kind == "WITHDRAWN" for kind in self._loaded_kinds(claim_ref))

    def _loaded_kinds(self, claim_ref: str) -> list[str]:
        return [
            version["kind"]
            for notice in self.councils.get(claim_ref, [])
            for version in notice["versions"]
            if version["version"] == notice["loaded_version"]
        ]

    def doubled(self, claim_ref: str) -> bool:
        """Whether something of it is twice outside: a record, a notice to one authority, a load of one, or a message."""
        notices = self.councils.get(claim_ref, [])
        authorities = [notice["authority_code"] for notice in notices]
        loads = max((notice["most_loads_of_a_version"] for notice in notices), default=0)
        held_twice = any(self.held(system, claim_ref).get("duplicates") for system in PAYING_SYSTEMS)
        references = [message["reference"] for message in self.messages.get(claim_ref, [])]
        told_twice = len(set(authorities)) < len(authorities) or len(set(references)) < len(references)
        return held_twice or loads > 1 or told_twice


def _claims_held(client: httpx.Client, layout: Layout, stand_in: str, *, name: str) -> Mapping[str, Any]:
    url = f"http://127.0.0.1:{layout.control_port(stand_in)}/ledger"
    try:
        claims: Mapping[str, Any] = client.get(url).raise_for_status().json()["claims"]
    except httpx.HTTPError as error:
        raise LedgerAway(f"the ledger of {name} cannot be read at {url}: {str(error).splitlines()[0]}") from error
    return claims


class Answers(Protocol):
    """The services' answers about a claim."""

    def state(self, claim_ref: str) -> str:
        """The claim's state by intake-svc, or the code with which intake-svc refuses to give it."""

    def waiting(self, claim_ref: str) -> Collection[str]:
        """The claim's confirmed schemes that wait at legacy-gateway for a system to carry them."""

    def way(self, claim_ref: str) -> Way:
        """The way by which la-notifier informs the claim's authority; the quickest way where it knows of none."""


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

    def _of_claim(self, service: str, method: str, claim_ref: str) -> Any:
        asked = {"claimRef": claim_ref}
        return self.doors.call(service, method, asked, token=self.token, purpose=f"work item {claim_ref}")

    def waiting(self, claim_ref: str) -> Collection[str]:
        answer = self._of_claim("legacy-gateway", "GetTransfers", claim_ref)
        return {str(waiting["scheme"]).removeprefix("SCHEME_") for waiting in answer.get("uncarriedSchemes", [])}

    def way(self, claim_ref: str) -> Way:
        answer = self._of_claim("la-notifier", "GetNotices", claim_ref)
        found = [
            (str(notice["channel"]).removeprefix("NOTICE_CHANNEL_"), str(notice["authorityCode"]))
            for notice in answer["notices"]
        ]
        return found[-1] if found else ("API", "")


def audit(layout: Layout, *, only: set[str] | None = None) -> Findings:
    """Holds what was acknowledged against what is held. `only` names claims; otherwise it is all there ever were.

    Raises LedgerAway, and httpx.TransportError where a service does not answer.
    """
    claims = acknowledged.read(layout.acknowledged_file)
    with httpx.Client(timeout=10.0) as client:
        ledgers = Ledgers.read(layout, client)
        doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
        answers = _ByDoor(doors=doors, token=keys.issue(layout.keys(""), "SUPPORT", subject="AUDIT"))
        findings = Findings()
        for ref, claim in claims.items():
            if only is None or ref in only:
                _count(findings, claim, ledgers, answers)
    if only is None:
        _count_unacknowledged(findings, ledgers, set(claims))
    return findings


def _count(findings: Findings, claim: Acknowledged, ledgers: Ledgers, answers: Answers) -> None:
    ref, state = claim.claim_ref, answers.state(claim.claim_ref)
    findings.claims += claim.submitted
    findings.confirmed += claim.confirmed
    if state == "WITHDRAWN":
        findings.withdrawn += 1
        _count_notice(findings, due=ref in ledgers.councils, loaded=ledgers.withdrawal_loaded(ref))
    else:
        _count_open(findings, claim, ledgers, answers, state)
    _count_ledgers(findings, ref, ledgers)


def _count_open(findings: Findings, claim: Acknowledged, ledgers: Ledgers, answers: Answers, state: str) -> None:
    ref = claim.claim_ref
    waiting = answers.waiting(ref) if claim.confirmed and without_system(claim.to_carry) else ()
    findings.payable += claim.confirmed and bool(systems_of(claim.to_carry))
    findings.accepted += ledgers.held_whole(claim)
    for system in systems_of(claim.to_carry) if claim.confirmed else ():
        findings.systems[system.name] += system.holds_whole(ledgers.held(system, ref))
    findings.waiting += bool(waiting)
    _count_notice(findings, due=claim.submitted and claim.wants_notice, loaded=ledgers.notice_loaded(ref))
    if lost := "; ".join(_lost(claim, ledgers, state, waiting)):
        findings.lost += 1
        findings.lost_claims[ref] = lost
    if late := "; ".join(_late(claim, ledgers, answers)):
        findings.late += 1
        findings.late_claims[ref] = late


def _count_notice(findings: Findings, *, due: bool, loaded: bool) -> None:
    findings.notices_expected += due
    findings.notices_loaded += due and loaded


def _late(claim: Acknowledged, ledgers: Ledgers, answers: Answers) -> Iterator[str]:
    ref, now = claim.claim_ref, clock.now()
    confirmed, submitted = claim.steps.get("CONFIRMED"), claim.steps.get("SUBMITTED")
    if confirmed and record_is_late(confirmed, now=now):
        for system in ledgers.not_whole(claim):
            yield f"confirmed {confirmed:%Y-%m-%d %H:%M}, and {system.name} does not hold it whole"
    due = submitted if claim.wants_notice and not ledgers.notice_loaded(ref) else None
    if due and notice_is_late(due, lambda: answers.way(ref), now=now):
        yield f"submitted {due:%Y-%m-%d %H:%M}, and no authority has loaded its notice"


def _lost(claim: Acknowledged, ledgers: Ledgers, state: str, waiting: Collection[str]) -> Iterator[str]:
    ref = claim.claim_ref
    if claim.submitted and state not in _CLAIMS_KEPT:
        yield f"submitted, and intake says {state}"
    if claim.confirmed:
        for scheme in without_system(claim.to_carry):
            if scheme not in waiting:
                yield f"confirmed, and no system pays {scheme}, nor does it wait for one"
        for system in systems_of(claim.to_carry):
            if not system.holds(ledgers.held(system, ref)):
                yield f"confirmed, and {system.name} {system.lacks(ledgers.held(system, ref))}"
    if claim.submitted and claim.wants_notice and not ledgers.councils.get(ref):
        yield "submitted, and no authority holds a notice"


def _count_ledgers(findings: Findings, ref: str, ledgers: Ledgers) -> None:
    if ledgers.held_half(ref):
        findings.half_transfers += 1
        findings.half_transfer_claims.append(ref)
    if ledgers.doubled(ref):
        findings.duplicates += 1
        findings.duplicate_claims.append(ref)


def _count_unacknowledged(findings: Findings, ledgers: Ledgers, claims: set[str]) -> None:
    """Claims that the outside holds and no client here heard of must not be halved or doubled either."""
    for ref in ledgers.claim_refs - claims:
        _count_ledgers(findings, ref, ledgers)
