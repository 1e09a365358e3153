"""Facts that are known from an earlier claim of the person: shown to be confirmed, not asked again.

Only once the caller has passed security about the earlier record, which is proved by its own questions and not by the NINO.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from intake.domain import problems
from intake.domain.answers import validate_answer
from intake.domain.call import TRIES, Security, matches
from intake.domain.catalogue import Catalogue
from intake.domain.given import GivenAnswer
from intake.domain.interview import Answer, Answers, known_values
from intake.domain.rules import months_before
from intake.domain.script import Question, Script, Sensitivity
from intake.domain.values import JsonValue


@dataclass(frozen=True, kw_only=True)
class EarlierClaim:
    """The earlier claim to which a claim is linked, and the check of who is calling about it.

    `passed` is of the caller's own open call alone: whoever calls next passes for themselves. The tries are counted for the
    claim, over all calls.
    """

    claim_ref: str
    questions: tuple[str, ...]
    tries_left: int = TRIES
    passed: bool = False

    @property
    def security(self) -> Security:
        """Whether its answers may be shown in this call."""
        if self.passed:
            return Security.PASSED
        return Security.REQUIRED if self.tries_left else Security.FAILED

    def expect_security_open(self) -> None:
        """Raises FailedPrecondition where no try is left or needed."""
        if self.security is not Security.REQUIRED:
            raise FailedPrecondition(f"SECURITY_{self.security}", "the security questions of this call are closed")

    def identify(self, given: Mapping[str, JsonValue], record: Answers) -> "EarlierClaim":
        """The link after a try at its questions.

        Raises FailedPrecondition where no try is left or needed, InvalidArgument unless each question is answered.
        """
        self.expect_security_open()
        if matches(self.questions, given, record):
            return replace(self, passed=True)
        return replace(self, tries_left=self.tries_left - 1)

    def expect_passed(self) -> None:
        """Raises FailedPrecondition unless its answers may be shown."""
        if not self.passed:
            raise FailedPrecondition(
                "EARLIER_SECURITY",
                "the answers of the earlier claim need its security questions passed in this call",
                metadata={"claim_ref": self.claim_ref},
            )


@dataclass(frozen=True, kw_only=True)
class EarlierAnswer:
    """An answer of the earlier claim that the claimant need only confirm, and the day on which it was given."""

    answer: Answer
    answered_on: date


@dataclass(frozen=True, kw_only=True)
class EarlierRecord:
    """The answers of an earlier claim, by the script that they were given to; `days` on which each was given."""

    claim_ref: str
    script: Script
    answers: Answers
    days: Mapping[str, date]
    contact_date: date


def to_confirm(
    catalogue: Catalogue, script: Script, answers: Answers, earlier: EarlierRecord, *, today: date
) -> dict[str, EarlierAnswer]:
    """By question, what the claimant need only confirm.

    Left out: questions that have an answer already, answers that may be stale (the catalogue says for how many months one
    holds), those that are never read back, and those that this script would refuse.
    """
    facts = known_values(earlier.script, earlier.answers, earlier.contact_date).valued
    return {
        name: EarlierAnswer(answer=earlier.answers[name], answered_on=earlier.days[name])
        for name, question in script.questions.items()
        if name in facts
        and not _is_answered(answers, name)
        and _is_fresh(catalogue.earlier.get(name), earlier.days[name], today)
        and Sensitivity.NOT_READ_BACK not in question.sensitivity
        and _is_sound(question, script, earlier.answers[name].value, today)
    }


def confirmed(
    script: Script, offered: Mapping[str, EarlierAnswer], names: Collection[str], *, earlier_ref: str
) -> dict[str, GivenAnswer]:
    """The answers of these questions, and of every question of these sections, that the claimant confirms.

    Raises InvalidArgument naming each that is neither a question with an earlier answer nor a section with one.
    """
    chosen: dict[str, GivenAnswer] = {}
    faults: list[Violation] = []
    for at, name in enumerate(names):
        found = list(_named(script, offered, name))
        if not found:
            faults.append(Violation.of(f"confirm_earlier[{at}]", problems.NOTHING_TO_CONFIRM))
        for question_id in found:
            answer = offered[question_id].answer
            chosen[question_id] = GivenAnswer(
                value=answer.value,
                accept_transliteration=answer.record_form is not None,
                confirmed_from=earlier_ref,
            )
    if faults:
        raise InvalidArgument.of(*faults)
    return chosen


def _named(script: Script, offered: Mapping[str, EarlierAnswer], name: str) -> Iterator[str]:
    if name in offered:
        yield name
    else:
        yield from (of for of in offered if script.questions[of].section == name)


def _is_answered(answers: Answers, name: str) -> bool:
    return name in answers and answers[name].value is not None


def _is_fresh(months: int | None, answered_on: date, today: date) -> bool:
    return months is not None and answered_on >= months_before(today, months)


def _is_sound(question: Question, script: Script, value: JsonValue, today: date) -> bool:
    """Whether the answer would be taken today: choices and checks may be other ones in a later catalogue."""
    try:
        return validate_answer(script.questions, question.id, value, today=today) == value
    except InvalidArgument:
        return False
