"""A telephone call about a claim, and the questions that show who is calling."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from anyascii import anyascii

from chassis.errors import FailedPrecondition, InvalidArgument, Text, Violation
from intake.domain import problems
from intake.domain.claim import value_of
from intake.domain.interview import Answers, known_values, security_questions
from intake.domain.script import Script
from intake.domain.values import JsonValue

TRIES = 3
LONGEST_CALL = timedelta(hours=8)
"""A shift: the operator has gone home by then, and the call must not give access any longer."""
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


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The person on the line; `authority` is the right by which a representative acts."""

    relation: str
    name: str
    authority: str


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
    tries_left: int = TRIES
    started: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    call_back_time: datetime | None = None

    @property
    def talk_seconds(self) -> int:
        """Whole seconds from start to end; 0 while it lasts."""
        return int((self.ended - self.started).total_seconds()) if self.ended else 0

    def as_started(self) -> "Call":
        """The call as it was when it began."""
        security = Security.REQUIRED if self.security_questions else Security.PASSED
        return replace(self, security=security, tries_left=TRIES, ended=None, outcome=None, call_back_time=None)

    def expect_open(self) -> None:
        """Raises FailedPrecondition once the call has ended."""
        if self.ended:
            raise FailedPrecondition("CALL_ENDED", "the call has ended", metadata={"call_id": str(self.call_id)})

    def identify(self, given: Mapping[str, JsonValue], record: Answers) -> "Call":
        """The call after a try at the security questions, for each of which `given` has one canonical answer.

        Raises InvalidArgument naming each question that is missing or was not asked, FailedPrecondition where the call
        has ended or its security is not open.
        """
        self.expect_open()
        if self.security is not Security.REQUIRED:
            raise FailedPrecondition(f"SECURITY_{self.security}", "the security questions of this call are closed")
        self._expect_asked(set(given))
        if all(_same(given[name], value_of(record, name)) for name in self.security_questions):
            return replace(self, security=Security.PASSED)
        left = self.tries_left - 1
        return replace(self, tries_left=left, security=Security.REQUIRED if left else Security.FAILED)

    def end(self, outcome: Outcome, *, at: datetime, call_back_time: datetime | None) -> "Call":
        """The call at its end.

        Raises FailedPrecondition where it has ended, InvalidArgument where the time to call back does not fit.
        """
        self.expect_open()
        problem = _call_back_problem(outcome, at, call_back_time)
        if problem:
            raise InvalidArgument.of(Violation.of("call_back_time", problem))
        return replace(self, ended=at, outcome=outcome, call_back_time=call_back_time)

    def _expect_asked(self, given: set[str]) -> None:
        asked = set(self.security_questions)
        missing = [Violation.of(name, problems.NO_ANSWER) for name in sorted(asked - given)]
        others = [Violation.of(name, problems.NOT_ASKED) for name in sorted(given - asked)]
        if missing or others:
            raise InvalidArgument.of(*missing, *others)


@dataclass(frozen=True, kw_only=True)
class OpenCall:
    """The caller's own open call on a claim."""

    call_id: UUID
    security: Security
    language: str


def questions_to_ask(script: Script, record: Answers) -> tuple[str, ...]:
    """The questions that show who is calling about an earlier record; there is always at least one.

    A record without an answer to any security question asks for everything that it holds, so that the call reveals
    nothing and the claim can still continue. Every call states the language.
    """
    valued = known_values(script, record).valued
    held = tuple(name for name in script.questions if name in valued and name != "language")
    return security_questions(script, record)[:MOST_QUESTIONS] or held or ("language",)


def folded(text: str) -> str:
    """A text without case, accents, marks and blanks, which is the same for all spellings of a name."""
    return "".join(character for character in anyascii(text).casefold() if character.isalnum())


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
