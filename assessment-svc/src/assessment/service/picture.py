"""All that an assessor needs to know of one claim, put together from this service, intake, the gateway and the notifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assessment.clients import Change, Followed, Intake, Interview, Outcomes
from assessment.domain.blocks import Block, BlockKind, blocks_of
from assessment.domain.clocks import Reading, Targets
from assessment.domain.disputes import Dispute
from assessment.domain.schemes import Desk
from assessment.service import evidence
from assessment.service.evidence import EvidenceShown
from assessment.service.reading import Permitted, permitted
from assessment.store import assessments, confirmations, disputes, reports
from chassis import access_log, call, clock
from chassis.database import Connection


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A claim as an assessor sees it.

    `confirmed`: each confirmed scheme with the version of the claim that was confirmed. `evidence`: None for a caseworker.
    """

    work: Permitted
    interview: Interview
    blocks: Sequence[Block]
    clocks: Sequence[Reading]
    disputes: Sequence[Dispute]
    changes: Sequence[Change]
    confirmed: Mapping[str, int]
    evidence: EvidenceShown | None
    followed: Followed

    def is_delta(self, change: Change) -> bool:
        """Whether a scheme that needs the fact had been confirmed before the change; of a fact that is gone, any scheme."""
        question = self.interview.questions.get(change.fact)
        needing = question.schemes if question and question.schemes else tuple(self.confirmed)
        return any(self.confirmed.get(scheme, change.claim_version) < change.claim_version for scheme in needing)


def show(intake: Intake, outcomes: Outcomes, targets: Targets, claim_ref: str) -> Picture:
    """The claim as the caller sees it, and logs the reading. Raises as `read_interview` does, and ClaimChanged.

    No transaction is open while other services are asked. Before the assessment has begun its items are those that it
    will have. Where the gateway or the notifier gives no answer, their part is missing, and they are named.
    """
    database = call.current().database
    with database.transaction() as conn:
        work = permitted(assessments.read_assessment(conn, claim_ref), claim_ref)
    is_open = not work.assessment.state.is_end
    interview = intake.get_interview(claim_ref, purpose=work.purpose, check_records=is_open)
    changes = intake.changes(claim_ref, purpose=work.purpose) if Desk.ASSESSOR in work.desks else []
    followed = outcomes.follow(claim_ref)
    if is_open:
        work = replace(work, assessment=work.assessment.synchronised(interview.facts))
    with database.transaction() as conn:
        access_log.record_access(conn, claim_ref=claim_ref, purpose=work.purpose)
        return _put_together(conn, targets, work, interview, changes=changes, followed=followed)


def _put_together(
    conn: Connection,
    targets: Targets,
    work: Permitted,
    interview: Interview,
    *,
    changes: Sequence[Change],
    followed: Followed,
) -> Picture:
    claim_ref = work.assessment.claim_ref
    every = disputes.of_claim(conn, call.current().vault, claim_ref)
    confirmed = confirmations.of_claim(conn, claim_ref) or []
    return Picture(
        work=replace(work, disputes=tuple(dispute for dispute in every if dispute.outcome is None)),
        interview=interview,
        blocks=_blocks(conn, work, interview),
        clocks=_clocks(conn, targets, work),
        disputes=every,
        changes=changes,
        evidence=evidence.show_evidence(conn, claim_ref) if Desk.ASSESSOR in work.desks else None,
        confirmed={one.scheme: one.claim_version for one in confirmed},
        followed=followed,
    )


def _blocks(conn: Connection, work: Permitted, interview: Interview) -> list[Block]:
    left = work.assessment.left_at(work.desks)
    documents = [
        Block(kind=BlockKind.EVIDENCE, name=document.kind, schemes=tuple(sorted(held)))
        for document, held in evidence.awaited(conn, work.assessment, left)
    ]
    return [*blocks_of(work.assessment, interview.facts, desks=work.desks), *documents]


def _clocks(conn: Connection, targets: Targets, work: Permitted) -> list[Reading]:
    claim_ref, found = work.assessment.claim_ref, reports.clocks_of(conn, work.assessment.claim_ref)
    return targets.read(
        [scheme for scheme in work.assessment.schemes if scheme not in work.assessment.closed_schemes],
        first_contact=found.first_contact_time,
        evidence_complete=found.evidence_complete_time,
        decided=reports.decided(conn, claim_ref),
        now=clock.now(),
    )
