"""How long a persona's call takes, and what a fixed script would have asked instead."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from intake.domain.interview import known_values
from intake.domain.script import Kind
from tests.personas.persona import Call, Persona, catalogue, script_of

Seconds = Annotated[int, Meta(ge=0)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a fixed script: its questions are asked together, where its filter, which the caller is asked first, holds."""

    questions: tuple[str, ...]
    filter: str | None = None


class CallModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts of a call beside its questions, and the parts of the fixed script. The file gives the reasons."""

    allowance: Mapping[str, Seconds]
    seconds_a_field: Seconds
    parts: Mapping[str, Part]


@cache
def call_model() -> CallModel:
    """The model of a call."""
    return msgspec.toml.decode(Path(__file__).with_name("model.toml").read_bytes(), type=CallModel)


def minutes(call: Call) -> float:
    """The modelled length of a call, in minutes."""
    return _minutes(call, call.asked)


def minutes_of_fixed_script(persona: Persona, call: Call) -> float:
    """The length that the call would have with the fixed script, in minutes."""
    return _minutes(call, fixed_script(persona, call))


def fixed_script(persona: Persona, call: Call) -> tuple[str, ...]:
    """The questions of a fixed script for the persona's schemes: all of each part whose filter lets the caller in.

    Routing within a part is that of a form on paper: a part is skipped whole, or asked whole.
    """
    script = script_of(persona)
    known = known_values(script, call.answers, persona.called_on).rule_values
    skipped = {
        question
        for part in call_model().parts.values()
        if part.filter is not None and not catalogue().compiler.condition(part.filter).holds(known)
        for question in part.questions
    }
    return tuple(name for name in script.questions if name not in skipped)


def _minutes(call: Call, asked: tuple[str, ...]) -> float:
    model, bank = call_model(), catalogue().bank
    entries = sum(_entries(call, name) * len(bank[name].fields) for name in asked if bank[name].kind is Kind.GROUP)
    seconds = sum(bank[name].seconds for name in asked) + entries * model.seconds_a_field
    return (seconds + sum(model.allowance.values())) / 60


def _entries(call: Call, name: str) -> int:
    value = call.answers[name].value if name in call.answers else None
    return len(value) if isinstance(value, list) else 0
