"""Makes a survey of SurveyJS from a script: the same questions, and the same rules, translated by a program."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intake.domain.rules import CelValue, Rule
from intake.domain.script import Field, Kind, Question, Script
from tests.engine.cel import Translator, milliseconds

_TYPES = {Kind.YES_NO: "boolean", Kind.CHOICE: "dropdown", Kind.CHOICES: "checkbox", Kind.GROUP: "paneldynamic"}


def survey(script: Script, translator: Translator) -> dict[str, Any]:
    """The survey's JSON: a page for each section."""
    return {
        "clearInvisibleValues": "none",
        "checkErrorsMode": "onComplete",
        "pages": [
            {
                "name": section.id,
                "elements": [
                    _element(question, translator)
                    for question in script.questions.values()
                    if question.section == section.id
                ],
            }
            for section in script.sections
        ],
    }


def values(seen: Mapping[str, CelValue]) -> dict[str, Any]:
    """Answers and what else rules see, as the survey has them: times in milliseconds."""
    return {name: milliseconds(value) if isinstance(value, datetime) else value for name, value in seen.items()}


def _element(question: Question, translator: Translator) -> dict[str, Any]:
    element: dict[str, Any] = {"name": question.id, "title": question.text.en, **_typed(question)}
    if question.relevant:
        element["visibleIf"] = translator.condition(question.relevant.expression)
    if isinstance(question.required, Rule):
        element["requiredIf"] = translator.condition(question.required.expression)
    else:
        element["isRequired"] = question.required
    if question.cross_checks:
        element["validators"] = [
            _validator(check.rule, check.problem.en, translator) for check in question.cross_checks
        ]
    return element


def _typed(field: Field) -> dict[str, Any]:
    typed: dict[str, Any] = {"type": _TYPES.get(field.kind, "text")}
    if field.choices:
        typed["choices"] = [{"value": choice.code, "text": choice.text.en} for choice in field.choices]
    if isinstance(field, Question) and field.kind is Kind.GROUP:
        typed["templateElements"] = [
            {"name": part.id, "title": part.text.en, "isRequired": part.required, **_typed(part)}
            for part in field.fields
        ]
    return typed


def _validator(rule: Rule, problem: str, translator: Translator) -> dict[str, str]:
    return {"type": "expression", "text": problem, "expression": f"!({translator.refusal(rule.expression)})"}
