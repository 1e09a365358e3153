"""One correction applied to the claims of many refused transfers, by intake and with the officer's own token.

The act and its transfers are rows before intake is called, each call's request_id follows from the officer's, and the
version that is changed is fixed. So a request that is repeated after a crash, or because its time was over, goes on where it
ended and changes nothing twice. When intake tells of the amendment, the corrected record goes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from google.protobuf.struct_pb2 import Value

from chassis import call, clock, crash, purposes
from chassis.database import Connection
from chassis.errors import AlreadyExists, CmsError, FailedPrecondition, InvalidArgument, NotFound, StaleVersion
from chassis.vault import Vault
from legacy_gateway.amending import Amending, Amendment
from legacy_gateway.domain.desk import Act, ActKind, Doing, Outcome, Result, ToCorrect
from legacy_gateway.store import acts, desk

_LEAST_SECONDS = 0.7
"""With less time left no other claim is begun."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Answers that change, the same in each claim. `request_id` is the officer's."""

    transfer_ids: Sequence[str]
    answers: Sequence[tuple[str, Value, bool]]
    reason: str
    request_id: UUID

    @property
    def act_id(self) -> UUID:
        """The same for each repeat of the request by the same caller."""
        return uuid5(self.request_id, f"corrections of {call.current().identity.subject}")


def begin(conn: Connection, vault: Vault, correction: Correction) -> None:
    """Begins the act: its transfers are fixed, and those that are not refused are left."""
    act_id = correction.act_id
    acts.add(conn, vault, _act(correction), correction.transfer_ids)
    acts.fix_versions(conn, act_id)
    for number, transfer_id in enumerate(correction.transfer_ids, start=1):
        outcome = _outcome(conn, transfer_id)
        if outcome is not Outcome.CORRECTED:
            acts.settle_item(conn, act_id, number, outcome)


def go_on(intake: Amending, correction: Correction) -> Sequence[Result]:
    """Amends the claims that are still to be corrected, as long as the call has time; gives what became of each transfer.

    Raises intake's errors where it is away or refuses the caller: the same request goes on later.
    """
    database = call.current().database
    with database.transaction() as conn:
        waiting = acts.open_items(conn, correction.act_id)
    for item in waiting:
        if call.current().remaining_seconds() < _LEAST_SECONDS:
            break
        result = _amended(intake, correction, item, preview=False)
        crash.point("corrections.after_amendment")
        with database.transaction() as conn:
            _keep(conn, correction, item, result)
    with database.transaction() as conn:
        if not acts.open_items(conn, correction.act_id):
            acts.finish(conn, correction.act_id, now=clock.now())
        return acts.results(conn, correction.act_id)


def preview(intake: Amending, correction: Correction) -> Sequence[Result]:
    """Previews a correction: intake is asked about each claim, and changes nothing."""
    with call.current().database.transaction() as conn:
        outcomes = {transfer_id: _outcome(conn, transfer_id) for transfer_id in correction.transfer_ids}
        found = {item.transfer_id: item for item in desk.to_correct(conn, correction.transfer_ids)}
    return [
        _amended(intake, correction, found[transfer_id], preview=True)
        if outcome is Outcome.CORRECTED and call.current().remaining_seconds() >= _LEAST_SECONDS
        else _left(found.get(transfer_id), transfer_id, outcome)
        for transfer_id, outcome in outcomes.items()
    ]


def _left(item: ToCorrect | None, transfer_id: str, outcome: Outcome) -> Result:
    left = Outcome.NOT_YET if outcome is Outcome.CORRECTED else outcome
    return Result(transfer_id=transfer_id, claim_ref=item.claim_ref if item else "", outcome=left)


def _amended(intake: Amending, correction: Correction, item: ToCorrect, *, preview: bool) -> Result:
    outcome, fields = Outcome.CORRECTED, tuple[str, ...]()
    try:
        intake.amend(_amendment(correction, item, preview=preview))
    except StaleVersion:
        outcome = Outcome.CLAIM_CHANGED
    except (InvalidArgument, FailedPrecondition, NotFound, AlreadyExists) as refused:
        outcome, fields = Outcome.NOT_CORRECTED, _fields_of(refused)
    return Result(transfer_id=item.transfer_id, claim_ref=item.claim_ref, outcome=outcome, fields=fields)


def _fields_of(refused: CmsError) -> tuple[str, ...]:
    return tuple(dict.fromkeys(violation.field for violation in refused.violations))


def _amendment(correction: Correction, item: ToCorrect, *, preview: bool) -> Amendment:
    # One for a claim: where two of its transfers are chosen, the second asks for the same again.
    return Amendment(
        claim_ref=item.claim_ref,
        claim_version=item.claim_version,
        answers=correction.answers,
        reason=correction.reason,
        request_id=uuid5(correction.request_id, item.claim_ref),
        purpose=purposes.work_item(item.claim_ref),
        preview=preview,
    )


def _keep(conn: Connection, correction: Correction, item: ToCorrect, result: Result) -> None:
    first = acts.settle_item(conn, correction.act_id, item.number, result.outcome, fields=result.fields)
    found = desk.find(conn, item.transfer_id)
    if first and found is not None and result.outcome is Outcome.CORRECTED:
        doing = Doing(by=call.current().identity.subject, act_id=correction.act_id)
        desk.note(conn, found.transfer, doing, reason="CORRECTED")


def _outcome(conn: Connection, transfer_id: str) -> Outcome:
    found = desk.find(conn, transfer_id)
    return Outcome.NOT_FOUND if found is None else found.standing.corrected()


def _act(correction: Correction) -> Act:
    return Act(
        act_id=correction.act_id,
        kind=ActKind.CORRECT,
        reason=correction.reason,
        by=call.current().identity.subject,
        rate=len(correction.transfer_ids),
        total=0,
        counts=(),
        created=clock.now(),
        stopped_time=None,
        stopped_by="",
        finished_time=None,
    )
