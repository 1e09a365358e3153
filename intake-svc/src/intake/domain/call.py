"""A telephone call about a claim, and the questions that show who is calling."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from anyascii import anyascii

from chassis.errors import FailedPrecondition, InvalidArgument, Text, Violation
from intake.domain import problems
from intake.domain.claim import value_of
from intake.domain.interview import Answers, known_values, security_questions
from intake.domain.script import Script, Sensitivity
from intake.domain.values import JsonValue

TRIES = 3
LONGEST_CALL = timedelta(hours=8)
"""A shift: the operator has gone home by then, and the call must not give access any longer."""
LONGEST_WRAP_UP = timedelta(minutes=30)
"""Nobody works on for longer: the operator forgot to say that the next call may come."""
RESUMABLE_FOR = timedelta(hours=2)
"""After a dropped line the same call goes on within this time; later the matter is a new call."""
LONGEST_CALL_BACK = timedelta(days=92)
"""A claim can be dated back three months at most (Claims and Payments Regulations 1987, regulation 19): later a call back
would be too late for this one."""
MOST_QUESTIONS = 3
"""Three show well enough who is calling; more would only make the call longer."""


class Security(StrEnum):
    """Whether a call may see the claim's answers."""

    REQUIRED = "REQUIRED"
    PASSED = "PASSED"
    FAILED = "FAILED"


class Outcome(StrEnum):
    """The outcome of a call."""

    COMPLETED = "COMPLETED"
    CALL_BACK = "CALL_BACK"
    ABANDONED = "ABANDONED"
    WRONG_NUMBER = "WRONG_NUMBER"


class CallState(StrEnum):
    """The state of a call."""

    TALKING = "TALKING"
    ON_HOLD = "ON_HOLD"
    WRAP_UP = "WRAP_UP"
    OVER = "OVER"


class Capacity(StrEnum):
    """The capacity in which a representative acts for the claimant.

    An appointee, and an attorney under a power, act in the claimant's place in everything (Claims and Payments Regulations
    1987, regulation 33). A helper only speaks for a claimant who is present. Where it is UNSPECIFIED, as for a claimant,
    the authority says it in words.
    """

    UNSPECIFIED = "UNSPECIFIED"
    APPOINTEE = "APPOINTEE"
    POWER_OF_ATTORNEY = "POWER_OF_ATTORNEY"
    HELPER = "HELPER"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The person on the line; `authority` is the right by which a representative acts."""

    relation: str
    name: str
    authority: str
    capacity: str = Capacity.UNSPECIFIED
    claimant_present: bool = False

    @property
    def is_representative(self) -> bool:
        """Whether somebody speaks or acts for the claimant."""
        return self.relation == "REPRESENTATIVE"

    @property
    def authority_to_be_shown(self) -> bool:
        """Whether proof of the authority is to be shown at the interview."""
        return self.is_representative and self.capacity != Capacity.HELPER

    def problems(self) -> Iterator[tuple[str, Text]]:
        """Returns the faults in what was said of the caller, by field."""
        if not self.is_representative:
            if self.capacity != Capacity.UNSPECIFIED:
                yield "capacity", problems.REPRESENTATIVE_ONLY
            return
        if not self.name:
            yield "name", problems.REPRESENTATIVE_NEEDS
        if self.capacity == Capacity.HELPER and not self.claimant_present:
            yield "claimant_present", problems.HELPER_ALONE
        if self.capacity != Capacity.HELPER and not self.authority:
            yield "authority", problems.REPRESENTATIVE_NEEDS


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call. `security_questions` are those to ask before it may see the answers of an earlier record."""

    call_id: UUID
    claim_ref: str
    operator: str
    purpose: str
    language: str
    needs: tuple[str, ...] = ()
    security: Security
    security_questions: tuple[str, ...] = ()
    catalogue: int
    """The number of the catalogue that has the security questions."""
    tries_left: int = TRIES
    started: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    call_back_time: datetime | None = None
    held_since: datetime | None = None
    hold: timedelta = timedelta()
    """The holds that are over."""
    gap: timedelta = timedelta()
    """Between a dropped line and the caller's next one."""
    wrap_up: timedelta = timedelta()
    """The wrap-ups before the line was dropped."""
    wrap_up_ended: datetime | None = None
    earlier_operators: tuple[str, ...] = ()
    """The operators who had it before its line was dropped, the first one first."""
    earlier_passed: bool = False
    """Whether security about the person's earlier claim is passed."""

    @property
    def state(self) -> CallState:
        """The state of the call."""
        if self.ended is None:
            return CallState.ON_HOLD if self.held_since else CallState.TALKING
        return CallState.OVER if self.wrap_up_ended else CallState.WRAP_UP

    @property
    def talk_seconds(self) -> int:
        """Whole seconds of talk: neither on hold nor between two lines; 0 while it lasts."""
        return self.call_seconds - self.hold_seconds if self.ended else 0

    @property
    def call_seconds(self) -> int:
        """Whole seconds of talk and hold; 0 while it lasts."""
        return int((self.ended - self.started - self.gap).total_seconds()) if self.ended else 0

    @property
    def hold_seconds(self) -> int:
        """Whole seconds of the holds that are over."""
        return int(self.hold.total_seconds())

    @property
    def wrap_up_seconds(self) -> int:
        """Whole seconds of the wrap-ups that are over."""
        last = self.wrap_up_ended - self.ended if self.ended and self.wrap_up_ended else timedelta()
        return int((self.wrap_up + last).total_seconds())

    def as_started(self) -> "Call":
        """The call as it was when it began."""
        return Call(
            call_id=self.call_id,
            claim_ref=self.claim_ref,
            operator=self.operator,
            purpose=self.purpose,
            language=self.language,
            needs=self.needs,
            security=Security.REQUIRED if self.security_questions else Security.PASSED,
            security_questions=self.security_questions,
            catalogue=self.catalogue,
            started=self.started,
        )

    def expect_open(self) -> None:
        """Raises FailedPrecondition once the call has ended."""
        if self.ended:
            raise _refusal(self, "CALL_ENDED", "the call has ended")

    def expect_security_open(self) -> None:
        """Raises FailedPrecondition where the call has ended, or no try is left or needed."""
        self.expect_open()
        if self.security is not Security.REQUIRED:
            raise FailedPrecondition(f"SECURITY_{self.security}", "the security questions of this call are closed")

    def identify(self, given: Mapping[str, JsonValue], record: Answers) -> "Call":
        """The call after a try at the security questions, for each of which `given` has one canonical answer.

        Raises InvalidArgument naming each question that is missing or was not asked, FailedPrecondition where the call
        has ended or its security is not open.
        """
        self.expect_security_open()
        if matches(self.security_questions, given, record):
            return replace(self, security=Security.PASSED)
        left = self.tries_left - 1
        return replace(self, tries_left=left, security=Security.REQUIRED if left else Security.FAILED)

    def end(self, outcome: Outcome, *, at: datetime, call_back_time: datetime | None) -> "Call":
        """The call at its end, which is the beginning of its wrap-up.

        Raises FailedPrecondition where it has ended, InvalidArgument where the time to call back does not fit.
        """
        self.expect_open()
        problem = _call_back_problem(outcome, at, call_back_time)
        if problem:
            raise InvalidArgument.of(Violation.of("call_back_time", problem))
        return replace(self._off_hold(at), ended=at, outcome=outcome, call_back_time=call_back_time)

    def put_on_hold(self, *, at: datetime) -> "Call":
        """The call on hold. Raises FailedPrecondition where it has ended or is on hold."""
        self.expect_open()
        if self.held_since:
            raise _refusal(self, "CALL_ON_HOLD", "the caller is on hold already")
        return replace(self, held_since=at)

    def resume(self, *, operator: str, questions: tuple[str, ...], catalogue: int, at: datetime) -> "Call":
        """The call as it goes on: after a hold, or with another line after the first was dropped.

        An operator who did not have it asks `questions` of that catalogue first. Raises FailedPrecondition where it goes
        on anyway (`CALL_NOT_ON_HOLD`), and where it is no dropped call (`NO_DROPPED_CALL`).
        """
        if self.ended is None and self.operator == operator and not self.held_since:
            raise _refusal(self, "CALL_NOT_ON_HOLD", "the call is not on hold")
        going_on = self._off_hold(at) if self.ended is None else self._on_another_line(at)
        if operator == self.operator:
            return going_on
        return replace(
            going_on,
            operator=operator,
            earlier_operators=(*self.earlier_operators, self.operator),
            security=Security.REQUIRED,
            security_questions=questions,
            catalogue=catalogue,
            tries_left=TRIES,
            earlier_passed=False,
        )

    def end_wrap_up(self, *, at: datetime) -> "Call":
        """The call when its operator is ready for the next one.

        Raises FailedPrecondition while it lasts (`CALL_NOT_ENDED`) and once it is over (`CALL_OVER`).
        """
        if self.ended is None:
            raise _refusal(self, "CALL_NOT_ENDED", "the call has not ended")
        if self.wrap_up_ended:
            raise _refusal(self, "CALL_OVER", "the call is over")
        return replace(self, wrap_up_ended=min(at, self.ended + LONGEST_WRAP_UP))

    def _off_hold(self, at: datetime) -> "Call":
        return replace(self, held_since=None, hold=self.hold + (at - self.held_since)) if self.held_since else self

    def _on_another_line(self, at: datetime) -> "Call":
        if self.outcome is not Outcome.ABANDONED or self.ended is None or at > self.ended + RESUMABLE_FOR:
            raise no_dropped_call(self.claim_ref)
        wrapped_up = min(self.wrap_up_ended or at, self.ended + LONGEST_WRAP_UP)
        return replace(
            self,
            ended=None,
            outcome=None,
            gap=self.gap + (at - self.ended),
            wrap_up=self.wrap_up + (wrapped_up - self.ended),
            wrap_up_ended=None,
        )


@dataclass(frozen=True, kw_only=True)
class OpenCall:
    """The caller's own open call on a claim."""

    call_id: UUID
    security: Security
    language: str


_ROLES: dict[str, str] = {
    Capacity.APPOINTEE: "APPOINTEE",
    Capacity.POWER_OF_ATTORNEY: "ATTORNEY",
    Capacity.HELPER: "HELPER",
}
"""The answers to `caller_role`, by what a representative is."""
_ANSWERED_BY_NEEDS: dict[str, tuple[str, JsonValue]] = {
    "INTERPRETER": ("needs_interpreter", True),
    "TEXTPHONE": ("contact_format", "TEXTPHONE"),
}
"""The question that a need answers, and its answer."""
_STATED_BY_EVERY_CALL = frozenset(
    {"language", "caller_role", "caller_name", *(name for name, _ in _ANSWERED_BY_NEEDS.values())}
)
"""Questions whose answers tell nothing of who is calling."""


def questions_to_ask(script: Script, record: Answers, *, contact_date: date) -> tuple[str, ...]:
    """The questions that show who is calling about an earlier record; there is always at least one.

    A record without an answer to any security question asks for everything that it holds and that may be spoken of before
    security, so that the call reveals nothing and the claim can still continue, but not for what every call states.
    """
    valued = known_values(script, record, contact_date).valued
    held = tuple(
        name
        for name, question in script.questions.items()
        if name in valued
        and name not in _STATED_BY_EVERY_CALL
        and Sensitivity.NOT_BEFORE_SECURITY not in question.sensitivity
    )
    usable = security_questions(script, record, contact_date=contact_date)
    return usable[:MOST_QUESTIONS] or held or ("language",)


def matches(questions: tuple[str, ...], given: Mapping[str, JsonValue], record: Answers) -> bool:
    """Whether these answers to security questions are those of the record.

    Raises InvalidArgument unless each of the questions is answered, and no other.
    """
    asked = set(questions)
    missing = [Violation.of(name, problems.NO_ANSWER) for name in sorted(asked - given.keys())]
    others = [Violation.of(name, problems.NOT_ASKED) for name in sorted(given.keys() - asked)]
    if missing or others:
        raise InvalidArgument.of(*missing, *others)
    return all(_same(given[name], value_of(record, name)) for name in questions)


def answers_of_call(caller: Caller, needs: Iterable[str]) -> dict[str, JsonValue]:
    """The answers that are known by who is on the line and by the needs that were stated, by question."""
    role = _ROLES.get(caller.capacity) if caller.is_representative else caller.relation
    known: dict[str, JsonValue] = {"caller_role": role} if role else {}
    if caller.is_representative:
        known |= {"caller_name": caller.name}
    return known | {name: value for need, (name, value) in _ANSWERED_BY_NEEDS.items() if need in needs}


def needs_in(record: Answers) -> frozenset[str]:
    """The needs that a record's answers state."""
    return frozenset(need for need, (name, value) in _ANSWERED_BY_NEEDS.items() if value_of(record, name) == value)


def folded(text: str) -> str:
    """A text without case, accents, marks and blanks, which is the same for all spellings of a name."""
    return "".join(character for character in anyascii(text).casefold() if character.isalnum())


def no_dropped_call(claim_ref: str) -> FailedPrecondition:
    """The refusal to go on with a call where none was dropped lately."""
    message = "no call on the claim was dropped in the last two hours: start a call"
    return FailedPrecondition("NO_DROPPED_CALL", message, metadata={"claim_ref": claim_ref})


def _refusal(call: Call, reason: str, message: str) -> FailedPrecondition:
    return FailedPrecondition(reason, message, metadata={"call_id": str(call.call_id)})


def _same(given: JsonValue, known: JsonValue) -> bool:
    if isinstance(given, str) and isinstance(known, str):
        return folded(given) == folded(known)
    return given is not None and given == known


def _call_back_problem(outcome: Outcome, at: datetime, call_back_time: datetime | None) -> Text | None:
    if (call_back_time is not None) != (outcome is Outcome.CALL_BACK):
        return problems.CALL_BACK_ONLY
    if call_back_time is None:
        return None
    if call_back_time <= at:
        return problems.NOT_IN_FUTURE
    if call_back_time > at + LONGEST_CALL_BACK:
        return problems.TOO_FAR_AHEAD.of(days=LONGEST_CALL_BACK.days)
    return None
