"""Answers as a request gives them, read by the claim's own script."""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ParamSpec, TypeVar

from chassis.errors import InvalidArgument, Text, Violation
from intake.domain import problems
from intake.domain.answers import validate_answer
from intake.domain.faults import NOT_A_QUESTION, OF_OTHER_SCHEMES
from intake.domain.place import Place
from intake.domain.script import Question
from intake.domain.values import JsonValue

P = ParamSpec("P")
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """An answer as it stands in a request."""

    question_id: str
    value: JsonValue
    accept_transliteration: bool = False


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """An answer that was read; `value` is canonical."""

    value: JsonValue
    accept_transliteration: bool = False
    place: Place | None = None
    """The directory's entry for the postcode of an address."""
    confirmed_from: str | None = None
    """The earlier claim whose answer was confirmed, instead of being asked again."""


class Faults:
    """Collects the fields at fault, so that one error names all of them."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, text: Text) -> None:
        """Adds a field at fault."""
        self._found.append(Violation.of(field, text))

    def has(self, field: str) -> bool:
        """Whether the field is at fault already."""
        return any(violation.field == field for violation in self._found)

    def catch(self, read: Callable[P, Value], *of: P.args, **given: P.kwargs) -> Value | None:
        """The result of `read`; None where it raises InvalidArgument, whose violations are kept."""
        try:
            return read(*of, **given)
        except InvalidArgument as error:
            self._found.extend(error.violations)
            return None

    def refuse(self) -> None:
        """Raises InvalidArgument if there is any fault."""
        if self._found:
            raise InvalidArgument.of(*self._found)


def read_answers(
    questions: Mapping[str, Question],
    given: Sequence[RawAnswer],
    *,
    today: date,
    bank: Container[str] = frozenset(),
) -> dict[str, GivenAnswer]:
    """Answers by question, canonical; `today` is the day in London, `bank` holds the questions of all schemes.

    Raises InvalidArgument that names each question at fault.
    """
    faults, read = Faults(), dict[str, GivenAnswer]()
    _check_questions(faults, questions, given, bank)
    faults.refuse()
    for answer in given:
        value = faults.catch(_read, questions, answer, today)
        if value:
            read[answer.question_id] = value
    faults.refuse()
    return read


def _check_questions(
    faults: Faults, questions: Mapping[str, Question], given: Sequence[RawAnswer], bank: Container[str]
) -> None:
    """Before any value is read, so that none is read twice. What is no question is not repeated: it may be a name."""
    for index, answer in enumerate(given):
        if answer.question_id in questions:
            continue
        if answer.question_id in bank:
            faults.add(answer.question_id, OF_OTHER_SCHEMES)
        else:
            faults.add(f"answers[{index}].question_id", NOT_A_QUESTION)
    for question_id, count in Counter(answer.question_id for answer in given).items():
        if count > 1 and question_id in questions:
            faults.add(question_id, problems.ANSWERED_TWICE)


def _read(questions: Mapping[str, Question], answer: RawAnswer, today: date) -> GivenAnswer:
    value = validate_answer(questions, answer.question_id, answer.value, today=today)
    return GivenAnswer(value=value, accept_transliteration=answer.accept_transliteration)
