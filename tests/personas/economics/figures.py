"""The questions that the personas are asked, the time that these take, and the changes that their answers make."""

from collections import Counter
from dataclasses import dataclass

from intake.domain.economics import changing
from intake.domain.interview import known_values
from tests.personas.model import fixed_script, minutes, minutes_of_fixed_script
from tests.personas.persona import call_of, catalogue, personas, script_of

SHORT = {
    "INCOME_SUPPORT": "IS",
    "JOBSEEKERS_ALLOWANCE": "JSA",
    "INCAPACITY_BENEFIT": "IB",
    "CRISIS_LOAN": "crisis loan",
    "CHILD_MAINTENANCE": "child maintenance",
}


@dataclass(frozen=True, kw_only=True)
class Persons:
    """A persona's call, and what a fixed script would have made of it."""

    name: str
    schemes: tuple[str, ...]
    asked: int
    minutes: float
    fixed_asked: int
    fixed_minutes: float


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question over all personas."""

    id: str
    seconds: int
    asked: int
    changed: int

    @property
    def idle_seconds(self) -> int:
        """Seconds that were spent on it in calls in which its answer changed nothing."""
        return self.seconds * (self.asked - self.changed)


def persons() -> list[Persons]:
    """The personas, those with the longest call first."""
    found = []
    for persona in personas().values():
        call = call_of(persona)
        found.append(
            Persons(
                name=persona.name.replace("_", " "),
                schemes=tuple(SHORT[scheme] for scheme in persona.schemes),
                asked=len(call.asked),
                minutes=minutes(call),
                fixed_asked=len(fixed_script(persona, call)),
                fixed_minutes=minutes_of_fixed_script(persona, call),
            )
        )
    return sorted(found, key=lambda row: (-row.minutes, row.name))


def questions() -> list[Question]:
    """The questions that any persona is asked, the worst first: by the seconds that changed nothing."""
    asked, changed = Counter[str](), Counter[str]()
    for persona in personas().values():
        script, call = script_of(persona), call_of(persona)
        known = known_values(script, call.answers, persona.called_on)
        asked.update(call.asked)
        changed.update(changing(script, call.answers, known) & set(call.asked))
    bank = catalogue().bank
    found = [Question(id=name, seconds=bank[name].seconds, asked=asked[name], changed=changed[name]) for name in asked]
    return sorted(found, key=lambda row: (-row.idle_seconds, row.changed / row.asked, row.id))
