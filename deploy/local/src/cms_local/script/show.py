"""Shows a script as text: what is asked of whom, in the order of asking."""

from collections.abc import Iterator
from datetime import date, datetime

from chassis.errors import Text
from intake.catalogue.lint.paths import Reach, described
from intake.domain.catalogue import Catalogue
from intake.domain.rules import CelValue, Rule
from intake.domain.script import AnsweredBy, Field, Question, Script


def shown(
    catalogue: Catalogue, script: Script, *, on: date, language: str, examples: dict[str, Reach] | None = None
) -> Iterator[str]:
    """The lines of a script, with the dated tables as they are for a claim of that day."""
    seconds = sum(question.seconds for question in script.questions.values())
    yield f"Catalogue {catalogue.number}, released on {catalogue.released_on}: {', '.join(script.schemes)}"
    yield f"{len(script.questions)} questions, {seconds // 60} minutes if each of them were asked; date of claim {on}"
    for table in script.tables:
        yield f"  {table.id} = {shown_value(table.on(on))} {table.unit} ({table.source})"
    for scheme in script.schemes:
        refusal = catalogue.schemes[scheme].refusal(on)
        if refusal:
            yield f"  {refusal.spoken(language)}"
    for section in script.sections:
        yield ""
        yield f"{section.name.spoken(language)} [{section.id}]"
        for question in script.questions.values():
            if question.section == section.id:
                yield from _question(question, language, examples)


def shown_value(value: "CelValue | None") -> str:
    """A value of a table: a day without a time, a whole number without decimals."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _question(question: Question, language: str, examples: dict[str, Reach] | None) -> Iterator[str]:
    yield ""
    yield f"  {question.text.spoken(language)}"
    if question.help:
        yield f"    ({question.help.spoken(language)})"
    yield f"    {question.id}: {_kind(question)}, {question.seconds} s, {', '.join(_marks(question))}"
    yield from _choices(question, language)
    for field in question.fields:
        needed = "" if field.required else ", may be left open"
        yield f"      {field.id}: {field.text.spoken(language)} {_kind(field)}{needed}"
    if question.relevant:
        yield f"    asked when   {_on_one_line(question.relevant)}"
    if isinstance(question.required, Rule):
        yield f"    needed when  {_on_one_line(question.required)}"
    for check in question.checks:
        yield f"    refused      unless {_on_one_line(check.rule)}: {check.problem.spoken(language)}"
    yield f"    needed by    {', '.join(needs_in_order(question))}"
    reach = (examples or {}).get(question.id)
    if reach and reach.outcome.path and reach.outcome.path.given:
        yield f"    for example  {described(reach.outcome.path.given)}"


def _kind(field: Field) -> str:
    limits = field.limits
    most = limits.max_entries or limits.maximum or limits.max_length
    return f"{field.kind} (at most {most})" if most else str(field.kind)


def _choices(question: Question, language: str) -> Iterator[str]:
    for choice in question.choices:
        yield f"      {choice.code}: {choice.text.spoken(language)}"


def _marks(question: Question) -> list[str]:
    schemes = [need.scheme for need in question.needs]
    found = ["for " + " ".join(schemes)] if schemes else []
    found += ["may be left open"] if question.required is False else []
    found += ["a gap may stand"] if question.gap_allowed else []
    found += ["a security question"] if question.security else []
    found += ["the operator answers"] if question.answered_by is AnsweredBy.OPERATOR else []
    return found + sorted(question.sensitivity)


def needs_in_order(question: Question) -> list[str]:
    """Returns what needs an answer, or a field of its entries, each once."""
    parts = (name for field in question.fields for name in field.needed_by)
    return list(dict.fromkeys((*question.needed_by, *parts)))


def _on_one_line(rule: Rule) -> str:
    return " ".join(rule.expression.split())


def texts_of(question: Question) -> Iterator[tuple[str, Text]]:
    """Every text of a question, with the name of its place: what a claimant or operator hears or reads."""
    yield "text", question.text
    if question.help:
        yield "help", question.help
    for choice in question.choices:
        yield choice.code, choice.text
    for field in question.fields:
        yield field.id, field.text
        yield from ((f"{field.id} {choice.code}", choice.text) for choice in field.choices)
    for at, check in enumerate(question.checks, start=1):
        yield f"refusal {at}", check.problem
