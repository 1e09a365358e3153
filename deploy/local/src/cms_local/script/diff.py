"""Says what one catalogue changes of another, scheme by scheme."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date

from chassis.errors import Text
from cms_local.script.show import needs_in_order, shown_value, texts_of
from intake.domain.catalogue import Catalogue
from intake.domain.rules import CelValue, Rule
from intake.domain.script import DatedTable, Limits, Question, Script
from intake.domain.transliteration import RecordRule


def differences(old: Catalogue, new: Catalogue) -> Iterator[str]:
    """The lines of what changes, for whom; only the heading where nothing does."""
    yield f"From catalogue {old.number} ({old.released_on}) to {new.number} ({new.released_on})"
    yield from _tables(old.tables, new.tables)
    for scheme in sorted(old.schemes.keys() | new.schemes.keys()):
        found = list(_scheme(scheme, old, new))
        if found:
            yield ""
            yield scheme
            yield from (f"  {line}" for line in found)


def _scheme(scheme: str, old: Catalogue, new: Catalogue) -> Iterator[str]:
    if scheme not in old.schemes or scheme not in new.schemes:
        which = new if scheme in new.schemes else old
        count = len(which.script_for([scheme]).questions)
        yield f"{'new' if which is new else 'dropped'}: {count} questions"
        return
    yield from _dates(scheme, old, new)
    before, after = old.script_for([scheme]), new.script_for([scheme])
    yield from _questions(before, after)
    yield from _derived(before, after)


def _dates(scheme: str, old: Catalogue, new: Catalogue) -> Iterator[str]:
    for name in ("claimed_from", "claimed_until"):
        before, after = getattr(old.schemes[scheme], name), getattr(new.schemes[scheme], name)
        if before != after:
            yield f"{name}: {_day(before)} becomes {_day(after)}"


def _questions(before: Script, after: Script) -> Iterator[str]:
    for name, question in after.questions.items():
        if name not in before.questions:
            yield f"asks {name}: {question.text.en} {_when(question.relevant)}({question.seconds} s)"
    for name, question in before.questions.items():
        if name not in after.questions:
            yield f"no longer asks {name}: {question.text.en}"
    for name in before.questions:
        if name in after.questions:
            yield from (f"{name}: {line}" for line in _question(before.questions[name], after.questions[name]))


def _question(before: Question, after: Question) -> Iterator[str]:
    yield from _rule("asked when", before.relevant, after.relevant)
    yield from _rule("needed", before.required, after.required)
    yield from _texts(before, after)
    for name in ("kind", "limits", "seconds", "section", "record", "gap_allowed", "security", "answered_by"):
        yield from _plain(name, getattr(before, name), getattr(after, name))
    for name in ("seen_by", "sensitivity"):
        yield from _plain(name, sorted(getattr(before, name)), sorted(getattr(after, name)))
    yield from _plain("needed by", needs_in_order(before), needs_in_order(after))
    yield from _checks(before, after)


def _plain(name: str, before: object, after: object) -> Iterator[str]:
    if before != after:
        yield f"{name}: {_plainly(before)} becomes {_plainly(after)}"


def _plainly(value: object) -> str:
    match value:
        case Text():
            return f"{value.en!r} / {value.cy!r}"
        case Limits():
            said = {name: part for name, part in asdict(value).items() if part is not None}
            return ", ".join(f"{name} {part}" for name, part in said.items()) or "no limit"
        case RecordRule():
            return f"{value.maximum} characters of {value.characters}"
        case list():
            return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value is None else str(value)


def _rule(name: str, before: "Rule | bool | None", after: "Rule | bool | None") -> Iterator[str]:
    yield from _plain(name, _written(before), _written(after))


def _texts(before: Question, after: Question) -> Iterator[str]:
    old, new = dict(texts_of(before)), dict(texts_of(after))
    for place in (*old, *(place for place in new if place not in old)):
        if place.startswith("refusal"):
            continue
        for language in ("en", "cy"):
            was, now = (getattr(texts.get(place), language, None) for texts in (old, new))
            if was != now:
                yield f"{place} ({language}): {_quoted(was)} becomes {_quoted(now)}"


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else repr(text)


def _checks(before: Question, after: Question) -> Iterator[str]:
    old = {_written(check.rule): check for check in before.checks}
    new = {_written(check.rule): check for check in after.checks}
    yield from (f"refused unless {rule}: {check.problem.en}" for rule, check in new.items() if rule not in old)
    yield from (f"no longer refused unless {rule}" for rule in old if rule not in new)
    for rule, check in old.items():
        if rule in new:
            yield from _plain(f"the words for {rule}", check.problem, new[rule].problem)


def _derived(before: Script, after: Script) -> Iterator[str]:
    old = {fact.id: _written(fact.rule) for fact in before.derived}
    new = {fact.id: _written(fact.rule) for fact in after.derived}
    for name in sorted(old.keys() | new.keys()):
        yield from _plain(f"derived {name}", old.get(name), new.get(name))


def _tables(old: Mapping[str, DatedTable], new: Mapping[str, DatedTable]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before = dict(old[name].rows) if name in old else {}
        after = dict(new[name].rows) if name in new else {}
        for day in sorted(before.keys() | after.keys()):
            yield from _row(name, day, before.get(day), after.get(day))


def _row(name: str, day: date, before: "CelValue | None", after: "CelValue | None") -> Iterator[str]:
    if before != after:
        was, now = shown_value(before), shown_value(after)
        told = "dropped" if after is None else f"new: {now}" if before is None else f"{was} becomes {now}"
        yield f"table {name}, claims from {day}: {told}"


def _written(rule: "Rule | bool | None") -> str:
    if isinstance(rule, Rule):
        return " ".join(rule.expression.split())
    return "always" if rule in (None, True) else "never"


def _when(rule: Rule | None) -> str:
    return f"when {_written(rule)} " if rule else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else "no bound"
