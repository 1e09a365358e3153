"""Holds a bank against what must be unique, complete and named in it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from chassis import outside
from chassis.errors import Text
from intake.catalogue.lint.findings import Finding, in_bank, in_scheme, in_top
from intake.catalogue.lint.paths import needs, records_of
from intake.domain.catalogue import Catalogue
from intake.domain.rules import OF_THE_CLAIM, Rule
from intake.domain.script import Question

_DECISION = "decision."
_NOTICE = "notice."
_NOTIFIER, _GATEWAY = "la-notifier", "legacy-gateway"
_OPEN = re.compile(r"\b(TODO|TBC|XXX)\b")


def bank_findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Yields the faults of the questions by themselves."""
    yield from _doubled_texts(catalogue)
    used = {name for rules in catalogue.schemes.values() for name in rules.entries}
    for question in catalogue.bank.values():
        if question.id not in used:
            yield in_bank(catalogue, question, "no scheme asks it")
        yield from _language_findings(catalogue, question)
        yield from _need_findings(catalogue, question)
    yield from _reader_findings(catalogue)
    yield from _idle_decisions(catalogue)


def scheme_findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Yields the faults in what schemes say of the questions."""
    for scheme, rules in catalogue.schemes.items():
        known = {name for record in records_of(scheme) for name in record.fields}
        for name in rules.entries:
            question = catalogue.bank[name]
            if not any(need in known or need.startswith(_DECISION) for need in needs(question)):
                yield in_scheme(catalogue, scheme, f"questions.{name}", "nothing of this scheme needs it")
        yield from _unknown_names(catalogue, scheme)


def _doubled_texts(catalogue: Catalogue) -> Iterator[Finding]:
    for language in ("en", "cy"):
        owners: Mapping[str, list[Question]] = defaultdict(list)
        for question in catalogue.bank.values():
            owners[getattr(question.text, language).casefold()].append(question)
        for same in owners.values():
            for question in same[1:]:
                yield in_bank(catalogue, question, f"has the text of {same[0].id} ({language})")


def _language_findings(catalogue: Catalogue, question: Question) -> Iterator[Finding]:
    """The schema wants both languages of each text; here, that one is not a copy of the other, or left to be done."""
    for text in (question.text, *([question.help] if question.help else []), *_problems(question)):
        if text.en == text.cy:
            yield in_bank(catalogue, question, f"has the same text in both languages: {text.en!r}")
        if _OPEN.search(text.en) or _OPEN.search(text.cy):
            yield in_bank(catalogue, question, f"has an unfinished text: {text.en!r}")


def _problems(question: Question) -> list[Text]:
    return [check.problem for check in question.checks]


def _need_findings(catalogue: Catalogue, question: Question) -> Iterator[Finding]:
    wanted = needs(question)
    if not wanted:
        yield in_bank(catalogue, question, "needed_by is empty: nothing needs the answer")
    for need in sorted(wanted):
        if not _exists(catalogue, need):
            yield in_bank(catalogue, question, f"needed_by names {need}, which there is not")


def _reader_findings(catalogue: Catalogue) -> Iterator[Finding]:
    """A person who makes a record must be given all that fills it."""
    seen: dict[str, set[str]] = defaultdict(set)
    for fact in (fact for rules in catalogue.schemes.values() for fact in rules.derived):
        for need in fact.needed_by:
            seen[need] |= fact.seen_by
    for question in catalogue.bank.values():
        for need in needs(question):
            seen[need] |= question.seen_by
    for question in catalogue.bank.values():
        for need in sorted(needs(question) & _outside_fields()):
            reader = _NOTIFIER if need.startswith(_NOTICE) else _GATEWAY
            if reader not in seen[need]:
                yield in_bank(catalogue, question, f"{need} needs it, and {reader} sees nothing that fills it")


def _exists(catalogue: Catalogue, need: str) -> bool:
    if need.startswith(_DECISION):
        return need.removeprefix(_DECISION) in catalogue.decisions
    return need in _outside_fields()


@cache
def _outside_fields() -> frozenset[str]:
    return frozenset(name for record in outside.records().values() for name in record.fields)


def _idle_decisions(catalogue: Catalogue) -> Iterator[Finding]:
    wanted = {need for question in catalogue.bank.values() for need in needs(question)}
    for decision in catalogue.decisions:
        if _DECISION + decision not in wanted:
            yield in_top(catalogue, f"decisions.{decision}", "no question is needed for it")


def _unknown_names(catalogue: Catalogue, scheme: str) -> Iterator[Finding]:
    """A rule of a scheme names only what its script has; a part that several include may name what one of them has."""
    known = _names_of(catalogue, scheme)
    for name, entry in catalogue.schemes[scheme].entries.items():
        for written in (entry.relevant, entry.required):
            if not isinstance(written, str):
                continue
            absent = catalogue.compiler.condition(written).names - known
            if absent and not _fits_another(catalogue, scheme, name, written):
                problem = f"names what this scheme does not ask: {', '.join(sorted(absent))}"
                yield in_scheme(catalogue, scheme, f"questions.{name}", problem)
    yield from _unknown_in_checks(catalogue, scheme, known)


def _unknown_in_checks(catalogue: Catalogue, scheme: str, known: frozenset[str]) -> Iterator[Finding]:
    rules = catalogue.schemes[scheme]
    named = [(f"checks[{part.question}]", part.check.rule) for part in rules.checks]
    named += [(f"derived[{fact.id}]", fact.rule) for fact in rules.derived]
    for place, rule in named:
        absent = rule.names - known
        if absent and not _rule_fits_another(catalogue, scheme, rule):
            yield in_scheme(
                catalogue, scheme, place, f"names what this scheme does not ask: {', '.join(sorted(absent))}"
            )


def _fits_another(catalogue: Catalogue, scheme: str, name: str, written: str) -> bool:
    return any(
        other != scheme
        and (entry := rules.entries.get(name)) is not None
        and written in (entry.relevant, entry.required)
        and catalogue.compiler.condition(written).names <= _names_of(catalogue, other)
        for other, rules in catalogue.schemes.items()
    )


def _rule_fits_another(catalogue: Catalogue, scheme: str, rule: Rule) -> bool:
    return any(
        other != scheme
        and rule.names <= _names_of(catalogue, other)
        and any(rule is found for found in (*(p.check.rule for p in rules.checks), *(f.rule for f in rules.derived)))
        for other, rules in catalogue.schemes.items()
    )


def _names_of(catalogue: Catalogue, scheme: str) -> frozenset[str]:
    return frozenset({*catalogue.schemes[scheme].entries, *catalogue.tables, *OF_THE_CLAIM})
