"""Brings a bundle back: what did not change meanwhile is recorded, what did is shown fact by fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value
from msgspec import Meta

from assessment.clients import Amendment, Answer, Intake, Interview
from assessment.data.evidence import EVIDENCE
from assessment.domain.assessments import Assessment
from assessment.domain.bundles import (
    Bundle,
    BundleAltered,
    BundleNotFound,
    BundleState,
    Comparison,
    FactOutcome,
    Finding,
    Outcome,
    TakenClaim,
    compare,
    refused,
)
from assessment.domain.items import Checked, Evidence, Facts, ItemStatus
from assessment.domain.refusals import ClaimChanged
from assessment.service import assessing, bundle_seal, reading
from assessment.service.reading import Permitted
from assessment.store import assessments
from assessment.store import bundles as store
from chassis import call, clock, crash
from chassis.database import Connection
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Violation
from chassis.idempotency import first_answer

_Text = Annotated[str, Meta(max_length=60)]


class _Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: _Text
    seen_on: date


class _Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fact: _Text
    status: Literal["CONFIRMED", "DISPUTED", "CORRECTED"]
    value: object = None
    reason: Annotated[str, Meta(max_length=500)] = ""
    accept_transliteration: bool = False
    evidence: _Proof | None = None


class _Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    claim_ref: _Text
    findings: Annotated[list[_Finding], Meta(max_length=400)]


class _Findings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bundle_id: _Text
    claims: Annotated[list[_Claim], Meta(max_length=20)]


_DECODER = msgspec.json.Decoder(_Findings)
_CLAIM_IS_ELSEWHERE = (FailedPrecondition, NotFound, PermissionDenied)
"""A claim that was closed, withdrawn or moved to another office meanwhile: its findings cannot be recorded."""


@dataclass(frozen=True, kw_only=True)
class BroughtBack:
    """A claim that was brought back: what becomes of its facts, and the claim as it is now, where it can be read."""

    comparison: Comparison
    interview: Interview | None = None
    assessment: Assessment | None = None


def open_bundle(
    request: Message, bundle_id: str, content: str
) -> tuple[Bundle, Mapping[str, Sequence[Finding]]] | None:
    """Opens what was brought back: the bundle and its findings by claim. None for a repeat, whose answer is kept.

    Raises BundleNotFound, BundleEnded, BundleAltered, and InvalidArgument naming each finding at fault.
    """
    now = call.current()
    with now.database.transaction() as conn:
        if first_answer(conn, request) is not None:
            return None
        bundle = _mine(store.read(conn, bundle_id))
        bundle.expect_out()
        keys = bundle_seal.OwnKeys.load(store.own_keys(conn, now.vault, bundle_id))
    plain = bundle_seal.open_returned(content, keys=keys, signed_by=bundle.device_key)
    return bundle, _findings(plain, bundle)


def compare_all(
    intake: Intake, bundle: Bundle, findings: Mapping[str, Sequence[Finding]], *, preview: bool
) -> list[BroughtBack]:
    """Compares each claim with what it is now and, unless it is a preview, makes its corrections in intake's record."""
    return [
        _compare(intake, bundle, taken, findings.get(taken.claim_ref, ()), preview=preview) for taken in bundle.claims
    ]


def record(conn: Connection, bundle_id: str, brought: Sequence[BroughtBack], *, preview: bool) -> list[BroughtBack]:
    """Records what was found, and ends the bundle; of a preview only the reading is logged.

    Raises BundleNotFound, BundleEnded.
    """
    if preview:
        return [_shown(conn, one) for one in brought]
    bundle = _mine(store.lock(conn, bundle_id))
    bundle.expect_out()
    done = [_record(conn, one) for one in brought]
    now = call.current()
    store.end(
        conn,
        now.vault,
        bundle_id,
        state=BundleState.RETURNED,
        by=now.identity.subject,
        at=clock.now(),
        reason="",
    )
    return done


def show_again(conn: Connection, bundle_id: str) -> None:
    """Checks and logs the reading of each claim before a repeat gets the first answer. Raises as `read_interview` does."""
    for taken in _mine(store.read(conn, bundle_id)).claims:
        assessing.show_again(conn, taken.claim_ref)


def _mine(bundle: Bundle | None) -> Bundle:
    if bundle is None or bundle.taken_by != call.current().identity.subject:
        raise BundleNotFound
    return bundle


def _findings(plain: bytes, bundle: Bundle) -> dict[str, list[Finding]]:
    try:
        brought = _DECODER.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleAltered("is not in the form of findings") from error
    if brought.bundle_id != bundle.bundle_id:
        raise BundleAltered("is of another bundle")
    violations = list(_faults(brought, bundle))
    if violations:
        raise InvalidArgument.of(*violations)
    return {claim.claim_ref: [_finding(given) for given in claim.findings] for claim in brought.claims}


def _faults(brought: _Findings, bundle: Bundle) -> Sequence[Violation]:
    taken, seen, faults = {claim.claim_ref: claim for claim in bundle.claims}, set[tuple[str, str]](), list[Violation]()
    for at, claim in enumerate(brought.claims):
        if claim.claim_ref not in taken or (claim.claim_ref, "") in seen:
            known = "is given twice" if (claim.claim_ref, "") in seen else "is no claim of this bundle"
            faults.append(Violation(field=f"claims[{at}].claim_ref", description=known))
            continue
        seen.add((claim.claim_ref, ""))
        for index, given in enumerate(claim.findings):
            fault = _fault(given, taken[claim.claim_ref], twice=(claim.claim_ref, given.fact) in seen)
            if fault:
                field, description = fault
                faults.append(Violation(field=f"claims[{at}].findings[{index}].{field}", description=description))
            seen.add((claim.claim_ref, given.fact))
    return faults


def _fault(given: _Finding, taken: TakenClaim, *, twice: bool) -> tuple[str, str] | None:
    """The field at fault of a finding, and what is wrong with it."""
    if twice:
        return "fact", "is given twice"
    if given.fact not in taken.answered:
        return "fact", "was not taken along with this claim"
    if given.status == "CORRECTED" and not given.reason.strip():
        return "reason", "is needed for a correction"
    if not _fits(given.value, depth=_DEEPEST):
        return "value", "is too deep, too long or has too many parts"
    if given.evidence is not None and given.evidence.seen_on > clock.today():
        return "evidence.seen_on", "is in the future"
    if given.evidence is not None and given.evidence.kind not in EVIDENCE.kinds:
        return "evidence.kind", "is no kind of evidence"
    return None


_DEEPEST, _LONGEST, _MOST_PARTS = 4, 1000, 60
"""The bounds of CorrectItem's value."""
_LARGEST = 10**15
"""No number of the questions is as large; a Value holds those up to 2**53 whole."""


def _fits(value: object, *, depth: int) -> bool:
    if isinstance(value, dict | list):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        return depth > 0 and len(value) <= _MOST_PARTS and all(_fits(one, depth=depth - 1) for one in parts)
    if isinstance(value, int):
        return abs(value) <= _LARGEST
    return not isinstance(value, str) or len(value) <= _LONGEST


def _finding(given: _Finding) -> Finding:
    proof = given.evidence
    return Finding(
        fact=given.fact,
        status=ItemStatus(given.status),
        evidence=Evidence(kind=proof.kind, seen_on=proof.seen_on) if proof else None,
        value=given.value,
        reason=given.reason,
        accept_transliteration=given.accept_transliteration,
    )


def _compare(
    intake: Intake, bundle: Bundle, taken: TakenClaim, findings: Sequence[Finding], *, preview: bool
) -> BroughtBack:
    try:
        interview = reading.read_interview(intake, taken.claim_ref)
        assessment = _open_assessment(taken.claim_ref)
    except _CLAIM_IS_ELSEWHERE as elsewhere:
        return BroughtBack(comparison=refused(taken, findings, reason=elsewhere.reason))
    comparison = compare(taken, findings, facts=interview.facts, items=assessment.items, taken_time=bundle.taken_time)
    if preview or not comparison.corrections:
        return BroughtBack(comparison=comparison, interview=interview, assessment=assessment)
    return _correct(intake, bundle, taken, comparison, interview=interview, assessment=assessment)


def _open_assessment(claim_ref: str) -> Assessment:
    with call.current().database.transaction() as conn:
        work = reading.permitted(assessments.read_assessment(conn, claim_ref), claim_ref)
    work.assessment.check_unfinished()
    return work.assessment


def _correct(
    intake: Intake,
    bundle: Bundle,
    taken: TakenClaim,
    comparison: Comparison,
    *,
    interview: Interview,
    assessment: Assessment,
) -> BroughtBack:
    """Makes the corrections of a claim in intake's record, all in one change; a retry completes the same change."""
    version = taken.correcting_version or interview.version
    with call.current().database.transaction() as conn:
        facts = [finding.fact for finding in comparison.corrections]
        store.note_corrections(conn, bundle.bundle_id, taken.claim_ref, facts=facts, version=version)
    amendment = _amendment(bundle, comparison, version=version)
    try:
        after = intake.amend(amendment, purpose=assessment.purpose)
    except ClaimChanged:
        _forget(bundle, taken)  # nothing was changed: the caller's retry compares anew
        raise
    except InvalidArgument as error:
        _forget(bundle, taken)
        return BroughtBack(comparison=_with_refusals(comparison, error), interview=interview, assessment=assessment)
    crash.point("bundle.after_amendment")
    if after.version < interview.version:  # a retry: intake has given its first answer, and the claim has gone on since
        comparison, after = comparison.overtaken(after.facts, interview.facts), interview
    return BroughtBack(comparison=comparison, interview=after, assessment=assessment)


def _forget(bundle: Bundle, taken: TakenClaim) -> None:
    with call.current().database.transaction() as conn:
        store.forget_corrections(conn, bundle.bundle_id, taken.claim_ref)


def _amendment(bundle: Bundle, comparison: Comparison, *, version: int) -> Amendment:
    answers = tuple(
        Answer(
            fact=finding.fact,
            value=_value(finding.value),
            accept_transliteration=finding.accept_transliteration,
        )
        for finding in comparison.corrections
    )
    return Amendment(
        claim_ref=comparison.claim_ref,
        claim_version=version,
        answers=answers,
        reason="; ".join(dict.fromkeys(finding.reason for finding in comparison.corrections))[:500],
        request_id=uuid5(UUID(bundle.bundle_id), comparison.claim_ref),
    )


def _value(given: Any) -> Value:
    return json_format.ParseDict(given, Value())


def _with_refusals(comparison: Comparison, error: InvalidArgument) -> Comparison:
    """A correction that intake refuses takes the others of its claim with it: they would be one change."""
    said = {fault.field: fault.description for fault in error.violations}
    whole = "; ".join(f"{field} {description}" for field, description in said.items())
    facts = tuple(
        replace(one, outcome=Outcome.REFUSED, description=said.get(one.fact, whole)) if _is_correction(one) else one
        for one in comparison.facts
    )
    return replace(comparison, facts=facts)


def _is_correction(one: FactOutcome) -> bool:
    return one.outcome is Outcome.APPLIED and one.finding is not None and one.finding.status is ItemStatus.CORRECTED


def _record(conn: Connection, one: BroughtBack) -> BroughtBack:
    interview, comparison = one.interview, one.comparison
    if interview is None:
        return one

    checked = assessing.by_caller()

    def act(work: Permitted) -> Assessment:
        return _recorded(work, comparison, interview.facts, checked=checked)

    checks = [finding.check for finding in comparison.applied]
    done = assessing.change(conn, comparison.claim_ref, interview, act, by=checked, checks=checks)
    return replace(one, assessment=done.assessment)


def _recorded(work: Permitted, comparison: Comparison, facts: Facts, *, checked: Checked) -> Assessment:
    assessment = work.assessment
    for finding in comparison.corrections:
        assessment = assessment.correct(finding.fact, facts=facts, checked=checked, desks=work.desks)
    checks = [finding.check for finding in comparison.applied if finding.status is not ItemStatus.CORRECTED]
    if not checks:
        return assessment
    return assessment.verify(checks, version=assessment.version, facts=facts, checked=checked, desks=work.desks)


def _shown(conn: Connection, one: BroughtBack) -> BroughtBack:
    if one.interview is not None:
        assessing.show_again(conn, one.comparison.claim_ref)
    return one
