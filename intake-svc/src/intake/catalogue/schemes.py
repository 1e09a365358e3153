"""Makes the rules of schemes from their files and from the parts that they include."""

from collections.abc import Iterable, Mapping

from intake.catalogue import schema
from intake.catalogue.bank import check, compiled, record_rule, refuse_unless
from intake.domain.catalogue import CrossCheck, Entry, SchemeRules
from intake.domain.rules import RuleCompiler, RuleError
from intake.domain.script import Derived, Question, ScriptError

Files = Mapping[str, schema.SchemeFile]
"""The files of schemes and parts, by name without `.toml`."""


def schemes(files: Files, bank: Mapping[str, Question], compiler: RuleCompiler) -> dict[str, SchemeRules]:
    """The rules of each scheme, by its name in the contract. Raises ScriptError, which names the file and place."""
    for name, file in files.items():
        _refuse_wrong_part(name, file)
    found: dict[str, SchemeRules] = {}
    for name, file in files.items():
        if file.scheme is not None:
            refuse_unless(f"{name}.toml", file.scheme not in found, f"another file has the scheme {file.scheme}")
            found[file.scheme] = _scheme(name, file.scheme, files, bank, compiler)
    return found


def _refuse_wrong_part(name: str, file: schema.SchemeFile) -> None:
    only_schemes = {"claimed_from": file.claimed_from, "claimed_until": file.claimed_until, "request": file.request}
    for key, value in only_schemes.items():
        refuse_unless(f"{name}.toml", file.scheme is not None or value is None, f"{key} belongs to a scheme")


def _scheme(name: str, scheme: str, files: Files, bank: Mapping[str, Question], compiler: RuleCompiler) -> SchemeRules:
    own, parts = files[name], {part: files[part] for part in _included(name, files, ())}
    first_contact = [name for file in parts.values() if file.first_contact for name in file.first_contact.facts]
    request = own.request.facts if own.request else ()
    rules = SchemeRules(
        scheme=scheme,
        claimed_from=own.claimed_from,
        claimed_until=own.claimed_until,
        entries=_entries(name, parts, bank, compiler),
        checks=tuple(_checks(parts, bank, compiler)),
        derived=tuple(_derived(parts, compiler)),
        first_contact=tuple(dict.fromkeys(first_contact)),
        request=request,
    )
    unknown = sorted({*first_contact, *request} - rules.entries.keys())
    refuse_unless(f"{name}.toml", not unknown, f"no question of this scheme: {', '.join(unknown)}")
    refuse_unless(f"{name}.toml", first_contact, "first_contact is missing, here and in what is included")
    return rules


def _included(name: str, files: Files, above: tuple[str, ...]) -> Iterable[str]:
    """The names of a file and of what it includes, each once, the file itself first."""
    refuse_unless(f"{name}.toml", name not in above, f"includes itself: {' '.join((*above, name))}")
    found = {name: None}
    for part in files[name].includes:
        place = f"{name}.toml: includes"
        refuse_unless(place, part in files, f"there is no {part}.toml")
        refuse_unless(place, files[part].scheme is None, f"{part}.toml is a scheme of its own, not a part")
        found |= dict.fromkeys(_included(part, files, (*above, name)))
    return found


def _entries(name: str, parts: Files, bank: Mapping[str, Question], compiler: RuleCompiler) -> dict[str, Entry]:
    """The scheme's own entry stands before a part's; two parts must not both speak of a question."""
    found: dict[str, tuple[str, Entry]] = {}
    for part, file in parts.items():
        for question, given in file.questions.items():
            place = f"{part}.toml: questions.{question}"
            refuse_unless(place, question in bank, "the bank has no such question")
            known = found.get(question, (name,))[0]
            refuse_unless(place, known == name, f"{known}.toml has it too; {name}.toml includes both")
            if question not in found:
                found[question] = part, _entry(place, given, compiler)
    return {question: entry for question, (_, entry) in found.items()}


def _entry(place: str, given: schema.EntryOf, compiler: RuleCompiler) -> Entry:
    for rule in (given.relevant, given.required):
        if isinstance(rule, str):
            names = compiled(place, rule, compiler).names
            refuse_unless(place, "today" not in names, "relevant and required must not hang on today")
    return Entry(relevant=given.relevant, required=given.required, record=record_rule(given.record))


def _checks(parts: Files, bank: Mapping[str, Question], compiler: RuleCompiler) -> Iterable[CrossCheck]:
    for part, file in parts.items():
        for given in file.checks:
            place = f"{part}.toml: checks[{given.question}]"
            refuse_unless(place, given.question in bank, "the bank has no such question")
            made = check(place, given, compiler)
            refuse_unless(place, "today" not in made.rule.names, "a scheme's check must not hang on today")
            yield CrossCheck(question=given.question, check=made)


def _derived(parts: Files, compiler: RuleCompiler) -> Iterable[Derived]:
    for part, file in parts.items():
        for given in file.derived:
            place = f"{part}.toml: derived[{given.id}]"
            try:
                rule = compiler.value(given.rule)
            except RuleError as fault:
                raise ScriptError(f"{place}: {fault}") from fault
            refuse_unless(place, "today" not in rule.names, "a derived fact must not hang on today")
            yield Derived(id=given.id, rule=rule, seen_by=frozenset(given.seen_by), needed_by=given.needed_by)
