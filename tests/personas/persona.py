"""Personas as data, and the call that each of them would have with an operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.catalogue import Catalogue
from intake.domain.interview import Answer, Interview, evaluate, with_consent
from intake.domain.place import Place
from intake.domain.script import Question, Script

NUMBER = 2
"""The catalogue that the personas are asked by."""
_FOLDER = Path(__file__).parent
_LONGEST_CALL = 400
"""Questions after which a call is taken to have no end."""


class Persona(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claimant with the answers to everything that the interview asks; `asked` are the questions, in their order."""

    name: str
    about: str
    called_on: date
    language: str
    schemes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    councils: tuple[str, ...] = ()
    """GSS codes that the directory gives for the address; none where its postcode tells the council."""
    answers: Mapping[str, Any]
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call as it went: the questions in the order of asking, and the answers at its end."""

    asked: tuple[str, ...]
    answers: Mapping[str, Answer]
    interview: Interview


@cache
def catalogue() -> Catalogue:
    """The catalogue of the personas."""
    return load_catalogues()[NUMBER]


@cache
def personas() -> Mapping[str, Persona]:
    """All personas, by the names of their files."""
    return {path.stem: _read(path) for path in sorted((_FOLDER / "people").glob("*.toml"))}


def _read(path: Path) -> Persona:
    return msgspec.toml.decode(path.read_bytes(), type=Persona)


def script_of(persona: Persona) -> Script:
    """The script of the persona's schemes."""
    return catalogue().script_for(persona.schemes)


def answer_of(persona: Persona, question: Question, value: Any) -> Answer:
    """An answer as it is given on the day of the call, with agreement to the form that a record can hold.

    Raises InvalidArgument for an answer that is refused when it is given.
    """
    read = validate_answer(script_of(persona).questions, question.id, value, today=persona.called_on)
    place = Place(is_listed=True, councils=persona.councils) if question.located else None
    return with_consent(question, Answer(value=read, place=place, version=1))


def evaluated(persona: Persona, answers: Mapping[str, Answer]) -> Interview:
    """The interview with these answers."""
    return evaluate(script_of(persona), answers, language=persona.language, contact_date=persona.called_on)


def call_of(persona: Persona) -> Call:
    """The call: whatever the interview asks next is answered, until nothing is left to ask.

    Raises LookupError for a question that the persona has no answer to, or whose answer leaves it open.
    """
    script, asked, answers = script_of(persona), list[str](), dict[str, Answer]()
    interview = evaluated(persona, answers)
    while (name := interview.next_question_id) is not None:
        if name not in persona.answers or name in asked or len(asked) > _LONGEST_CALL:
            held_up = [missing.question_id for missing in interview.missing]
            raise LookupError(f"{persona.name}: no answer that settles {name}; held up: {', '.join(held_up)}")
        asked.append(name)
        answers[name] = answer_of(persona, script.questions[name], persona.answers[name])
        interview = evaluated(persona, answers)
    return Call(asked=tuple(asked), answers=answers, interview=interview)
