"""A claim and its transitions. Each returns the changed claim and its events."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from chassis.errors import FailedPrecondition, FieldChange, InvalidArgument, StaleVersion, Violation
from intake.domain.given import GivenAnswer
from intake.domain.interview import (
    Answer,
    Answers,
    Blocker,
    Interview,
    Missing,
    evaluate,
    first_contact_known,
    known_values,
    request_known,
    with_consent,
)
from intake.domain.script import Question, Script
from intake.domain.values import JsonValue

CRISIS_LOAN = "CRISIS_LOAN"
LONDON = ZoneInfo("Europe/London")
"""Days of the domain are London's."""


class Channel(StrEnum):
    """The way by which a claim came."""

    PHONE = "PHONE"
    SCREEN_FORM = "SCREEN_FORM"
    KEYED_FORM = "KEYED_FORM"


FIRST_VERSION = 1
"""The version of a claim as it was begun, by a call or by a form."""


class ClaimState(StrEnum):
    """The state of a claim. CLOSED: decided, or closed by the assessor, so that the person can claim again."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    WITHDRAWN = "WITHDRAWN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, kw_only=True)
class FirstContactRecorded:
    """Identity, address, liability and the wish to claim are known."""

    first_contact_time: datetime


@dataclass(frozen=True, kw_only=True)
class ClaimSubmitted:
    """The claim is complete and declared."""

    schemes: tuple[str, ...]
    submit_time: datetime
    first_contact_time: datetime


@dataclass(frozen=True, kw_only=True)
class ClaimAmended:
    """Answers of a submitted claim were changed; `changed_fields` are facts, in the script's order."""

    changed_fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CrisisLoanRequested:
    """All that an application for a crisis loan needs is known, and an interim payment was considered first."""


@dataclass(frozen=True, kw_only=True)
class ClaimWithdrawn:
    """The claim was withdrawn, before submission or after."""

    withdraw_time: datetime


Event: TypeAlias = FirstContactRecorded | ClaimSubmitted | ClaimAmended | CrisisLoanRequested | ClaimWithdrawn


class WithdrawalCause(StrEnum):
    """The kind of reason for which a claim was withdrawn."""

    CLAIMANT_ASKED = "CLAIMANT_ASKED"
    WRONG_NUMBER = "WRONG_NUMBER"
    """The call that opened it was for somebody else, and nothing had been answered."""
    DUPLICATE = "DUPLICATE"
    """The person has another open claim for the same scheme."""


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """The end of a claim by withdrawal; `reason` is in the words that were given, and empty for a wrong number."""

    at: datetime
    by: str
    cause: WithdrawalCause
    reason: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim without its answers. `version` goes up by one with every change of an answer or of the state."""

    claim_ref: str
    schemes: tuple[str, ...]
    catalogue: int
    """The number of the catalogue that it is bound to."""
    state: ClaimState
    version: int
    language: str
    """"EN" or "CY": the language in which the claimant is served."""
    first_contact_time: datetime
    submit_time: datetime | None = None
    evidence_complete_time: datetime | None = None
    first_contact_recorded: bool = False
    crisis_loan_requested: bool = False
    operator: str
    """The person who took the claim."""
    operator_grade: str
    channel: Channel = Channel.PHONE
    office_code: str | None = None
    """The office of its latest appointment, six digits; none before the first."""
    appointment_id: str | None = None
    assessor_id: str | None = None
    """The assessor of its latest appointment; unknown of one that an earlier release heard of."""

    @property
    def contact_date(self) -> date:
        """The day of first contact, in London."""
        return self.first_contact_time.astimezone(LONDON).date()

    @property
    def is_as_begun(self) -> bool:
        """Whether it is a draft with nothing but the answers that its first call was started with."""
        return self.state is ClaimState.DRAFT and self.channel is Channel.PHONE and self.version == FIRST_VERSION

    def expect_version(self, given: int, changes: Sequence[FieldChange] = ()) -> None:
        """Raises StaleVersion, which names these changes since, unless the caller has read the claim as it is."""
        if given != self.version:
            raise StaleVersion(given=given, current=self.version, changes=changes)

    def expect_state(self, *states: ClaimState, advice: str) -> None:
        """Raises FailedPrecondition, with the advice, unless the claim is in one of these states."""
        if self.state not in states:
            raise FailedPrecondition(
                f"CLAIM_{self.state}", f"the claim is {self.state}: {advice}", metadata={"claim_ref": self.claim_ref}
            )


@dataclass(frozen=True, kw_only=True)
class Booking:
    """An appointment of a claim: its office and assessor, and when it was booked."""

    appointment_id: str
    office_code: str
    assessor_id: str
    booked_time: datetime


@dataclass(frozen=True, kw_only=True)
class Change:
    """The result of giving answers. Where nothing changed, the claim is unchanged, and `changed` and `events` are empty."""

    claim: Claim
    answers: Answers
    """All current answers."""
    changed: Answers
    """Those that the change made."""
    events: tuple[Event, ...] = ()


_NO_ANSWER = Answer(value=None, version=0)


def record_answers(claim: Claim, script: Script, before: Answers, given: Mapping[str, GivenAnswer]) -> Change:
    """Takes answers in the interview. Raises FailedPrecondition once the claim is submitted."""
    claim.expect_state(ClaimState.DRAFT, advice="use AmendAnswers to change its answers")
    return _change(claim, script, before, given)


def amend_answers(claim: Claim, script: Script, before: Answers, given: Mapping[str, GivenAnswer]) -> Change:
    """Changes answers, before submission or after.

    A submitted claim stays complete: raises InvalidArgument naming each question that the amendment would leave open. Its
    metadata have the codes of the councils to choose from, which nobody has been shown yet.
    The agreement to a record form may follow later.
    Raises FailedPrecondition for a claim that is withdrawn or closed.
    """
    claim.expect_state(ClaimState.DRAFT, ClaimState.SUBMITTED, advice="its answers can no longer be changed")
    change = _change(claim, script, before, given)
    if claim.state is not ClaimState.SUBMITTED or not change.changed:
        return change
    _refuse_gaps_made(script, before, change)
    amended = ClaimAmended(changed_fields=tuple(facts_changed(script, before, change)))
    return replace(change, events=(*change.events, amended))


def announced(claim: Claim, script: Script, answers: Answers) -> tuple[Claim, tuple[Event, ...]]:
    """Announces at once, and once for a claim, what becomes known in a call: the claim afterwards, and the events."""
    events: list[Event] = []
    day = claim.contact_date
    if not claim.first_contact_recorded and first_contact_known(script, answers, contact_date=day):
        claim = replace(claim, first_contact_recorded=True)
        events.append(FirstContactRecorded(first_contact_time=claim.first_contact_time))
    if not claim.crisis_loan_requested and request_known(script, CRISIS_LOAN, answers, contact_date=day):
        claim = replace(claim, crisis_loan_requested=True)
        events.append(CrisisLoanRequested())
    return claim, tuple(events)


def submit(claim: Claim, interview: Interview, *, at: datetime) -> tuple[Claim, ClaimSubmitted]:
    """Submits the claim.

    Raises InvalidArgument naming each question that stands in the way, FailedPrecondition where it is not a draft.
    """
    claim.expect_state(ClaimState.DRAFT, advice="only a draft can be submitted")
    if interview.missing:
        open_questions = [Violation.of(part.question_id, part.text) for part in interview.missing]
        raise InvalidArgument.of(*open_questions, reason="CLAIM_INCOMPLETE")
    submitted = replace(claim, state=ClaimState.SUBMITTED, version=claim.version + 1, submit_time=at)
    event = ClaimSubmitted(schemes=claim.schemes, submit_time=at, first_contact_time=claim.first_contact_time)
    return submitted, event


def withdraw(claim: Claim, withdrawal: Withdrawal) -> tuple[Claim, ClaimWithdrawn]:
    """Withdraws the claim. Raises FailedPrecondition once it is withdrawn or closed."""
    claim.expect_state(ClaimState.DRAFT, ClaimState.SUBMITTED, advice="it can no longer be withdrawn")
    withdrawn = replace(claim, state=ClaimState.WITHDRAWN, version=claim.version + 1)
    return withdrawn, ClaimWithdrawn(withdraw_time=withdrawal.at)


def decide(claim: Claim, decided: Collection[str]) -> Claim:
    """The claim when these of its schemes are decided, or closed by the assessor: CLOSED with the last.

    Then the person can claim again. A claim that is not SUBMITTED any more stays as it is: it was withdrawn, or closed before.
    """
    if claim.state is not ClaimState.SUBMITTED or not set(claim.schemes) <= set(decided):
        return claim
    return replace(claim, state=ClaimState.CLOSED, version=claim.version + 1)


def facts_changed(script: Script, before: Answers, change: Change) -> Iterator[str]:
    """The answers that changed, and those that became facts or ceased to be facts because of that."""
    day = change.claim.contact_date
    came_or_went = known_values(script, before, day).valued ^ known_values(script, change.answers, day).valued
    return (name for name in script.questions if name in came_or_went or name in change.changed)


def value_of(answers: Answers, question_id: str) -> JsonValue:
    """The value of an answer; None where there is none, or a gap."""
    answer = answers.get(question_id)
    return answer.value if answer is not None and answer.has_value else None


def _change(claim: Claim, script: Script, before: Answers, given: Mapping[str, GivenAnswer]) -> Change:
    changed = dict(_changed(script, before, given, version=claim.version + 1))
    if not changed:
        return Change(claim=claim, answers=before, changed={})
    answers = {**before, **changed}
    language = str(value_of(answers, "language") or claim.language)
    after, events = announced(replace(claim, version=claim.version + 1, language=language), script, answers)
    again = _contact_again(claim, script, answers, changed)
    return Change(claim=after, answers=answers, changed=changed, events=(*events, *again))


def _contact_again(
    claim: Claim, script: Script, answers: Answers, changed: Iterable[str]
) -> tuple[FirstContactRecorded, ...]:
    """A draft whose first contact was told is told of again where what the council was told of has changed.

    A wish that comes later in the call dates the council's clock from the day on which it is told, and a wrong address is
    put right while the call goes on.
    """
    told = claim.state is ClaimState.DRAFT and claim.first_contact_recorded
    if not told or not set(changed) & set(script.first_contact):
        return ()
    if not first_contact_known(script, answers, contact_date=claim.contact_date):
        return ()
    return (FirstContactRecorded(first_contact_time=claim.first_contact_time),)


def _changed(
    script: Script, before: Answers, given: Mapping[str, GivenAnswer], *, version: int
) -> Iterator[tuple[str, Answer]]:
    for name, new in given.items():
        old = before.get(name, _NO_ANSWER)
        answer = _answer(script.questions[name], old, new, version)
        if replace(answer, version=old.version) != old:
            yield name, answer


def _answer(question: Question, old: Answer, given: GivenAnswer, version: int) -> Answer:
    """The agreement to a record form ends when the value changes."""
    kept_form = old.record_form if given.value == old.value else None
    answer = Answer(
        value=given.value,
        record_form=kept_form,
        place=given.place,
        confirmed_from=given.confirmed_from,
        version=version,
    )
    return with_consent(question, answer) if given.accept_transliteration else answer


_TAKEN_AFTERWARDS = frozenset({Blocker.PROPOSAL_NOT_ACCEPTED, Blocker.NOT_ENTITLED})
"""The blockers of a submission that do not block an amendment of a submitted claim."""


def _refuse_gaps_made(script: Script, before: Answers, change: Change) -> None:
    """Only new gaps are refused. The agreement to a record form may still be open; and who earns more now, or has a partner
    now, tells the truth, though the scheme is then not due."""
    was_open = {(part.question_id, part.blocker) for part in _open(script, before, change.claim)}
    made = [
        part
        for part in _open(script, change.answers, change.claim)
        if (part.question_id, part.blocker) not in was_open and part.blocker not in _TAKEN_AFTERWARDS
    ]
    if made:
        violations = [Violation.of(part.question_id, part.text) for part in made]
        refusal = InvalidArgument.of(*violations, reason="CLAIM_INCOMPLETE")
        refusal.metadata = {part.question_id: ",".join(part.options) for part in made if part.options}
        raise refusal


def _open(script: Script, answers: Answers, claim: Claim) -> tuple[Missing, ...]:
    return evaluate(script, answers, language=claim.language, contact_date=claim.contact_date).missing
