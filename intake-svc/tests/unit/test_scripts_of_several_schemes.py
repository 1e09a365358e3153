"""The script of a set of schemes asks what one of them needs, as strictly as any of them does, by the limits of its date."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.catalogue import load_catalogue
from intake.domain.answers import rule_value
from intake.domain.catalogue import Catalogue
from intake.domain.interview import Answer, Blocker, Interview, QuestionState, evaluate, facts
from intake.domain.rules import timestamp
from intake.domain.script import ScriptError
from intake.domain.transliteration import Characters, RecordRule

CONTACT = date(2006, 5, 1)
TOP = """
number = 3
released_on = 2005-07-01
claim_date = "claimed_on"
[[sections]]
id = "all"
name = { en = "All", cy = "Popeth" }
[tables.limit]
unit = "PENCE"
source = "made up"
rows = [{ from = 2006-04-10, value = 1600000 }, { from = 2007-01-01, value = 2000000 }]
"""
YES_NO = ("a", "b", "c", "d", "e")
BANK = "".join(
    f'[[questions]]\nid = "{name}"\nkind = "YES_NO"\ntext = {{ en = "{name}?", cy = "{name}" }}\nseconds = 1\n'
    for name in YES_NO
)
BANK += """
[[questions]]
id = "claimed_on"
kind = "DATE"
text = { en = "Since when?", cy = "Ers pryd?" }
seconds = 1
[[questions]]
id = "capital"
kind = "MONEY"
text = { en = "How much?", cy = "Faint?" }
seconds = 1
[[questions]]
id = "name"
kind = "TEXT"
text = { en = "Name?", cy = "Enw?" }
seconds = 1
record = { characters = "text", max_length = 30 }
"""
SHARED = """
[first_contact]
facts = ["a"]
[questions]
a = {}
claimed_on = { required = false }
"""
FIRST = """
scheme = "FIRST"
claimed_from = 2006-04-01
includes = ["shared"]
[questions]
b = { relevant = "a", required = "!a || schemes.exists(s, s == 'SECOND')" }
c = { required = false }
capital = {}
d = { relevant = "capital <= limit" }
name = { record = { characters = "address", max_length = 40 } }
[[checks]]
question = "c"
rule = "!(b && c)"
problem = { en = "Not both.", cy = "Nid y ddau." }
"""
SECOND = """
scheme = "SECOND"
includes = ["shared"]
[questions]
b = { relevant = "c" }
c = { relevant = "!a" }
d = { relevant = "a && b", required = false }
name = { record = { characters = "text", max_length = 20 } }
"""
THIRD = """
scheme = "THIRD"
claimed_until = 2006-12-31
includes = ["shared"]
[questions]
e = { relevant = "claim_date < timestamp('2006-05-01T00:00:00Z')" }
"""
Files = {"catalogue": TOP, "questions/all": BANK, "shared": SHARED, "first": FIRST, "second": SECOND, "third": THIRD}
SETS = [set_ for size in (1, 2, 3) for set_ in combinations(("FIRST", "SECOND", "THIRD"), size)]


def written(folder: Path, **changed: str) -> Catalogue:
    for name, text in (Files | changed).items():
        path = folder / "3" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_catalogue(folder / "3")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return written(tmp_path_factory.mktemp("catalogues"))


def answers_of(values: Mapping[str, Any]) -> dict[str, Answer]:
    return {name: Answer(value=value, version=1) for name, value in values.items()}


def interview(catalogue: Catalogue, schemes: Iterable[str], **values: Any) -> Interview:
    return evaluate(catalogue.script_for(schemes), answers_of(values), language="EN", contact_date=CONTACT)


def state(shown: Interview, name: str) -> QuestionState:
    return next(part for part in shown.questions if part.question.id == name)


drawn = st.fixed_dictionaries({}, optional={name: st.booleans() for name in YES_NO}) | st.fixed_dictionaries(
    {
        "a": st.booleans(),
        "b": st.booleans(),
        "c": st.booleans(),
        "capital": st.sampled_from(["1.00", "16000.00", "16000.01", "20000.00"]),
        "claimed_on": st.sampled_from(["2006-04-09", "2006-04-10", "2006-12-31", "2007-01-01"]),
    }
)


@given(schemes=st.sampled_from(SETS), values=drawn)
def test_a_question_is_for_the_schemes_whose_own_rules_hold_and_required_by_one_of_them(
    catalogue: Catalogue, schemes: tuple[str, ...], values: dict[str, Any]
) -> None:
    shown = interview(catalogue, schemes, **values)
    rule_values = _seen(catalogue, shown, values)

    def true(said: Any) -> bool:
        return (
            bool(catalogue.compiler.condition(said).holds(rule_values)) if isinstance(said, str) else said is not False
        )

    for part in shown.questions:
        entries = {name: catalogue.schemes[name].entries.get(part.question.id) for name in schemes}
        need = {name: entry for name, entry in entries.items() if entry and true(entry.relevant)}
        assert part.relevant == bool(need)
        assert part.schemes == tuple(sorted(need))
        assert part.required == any(true(entry.required) for entry in need.values())


def _seen(catalogue: Catalogue, shown: Interview, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that rules see, reckoned anew: those of relevant questions, and the limit of the date of claim."""
    relevant = {part.question.id for part in shown.questions if part.relevant}
    known = {name: rule_value(catalogue.bank[name], value) for name, value in values.items() if name in relevant}
    day = date.fromisoformat(values.get("claimed_on", CONTACT.isoformat()))
    limit = None if day < date(2006, 4, 10) else 1600000 if day < date(2007, 1, 1) else 2000000
    return {
        **known,
        **({} if limit is None else {"limit": limit}),
        "claim_date": timestamp(day),
        "contact_date": timestamp(CONTACT),
        "schemes": list(shown.script.schemes),
    }


@given(schemes=st.sampled_from(SETS), values=drawn, draw=st.randoms())
def test_neither_the_order_of_schemes_nor_of_answers_makes_a_difference(
    catalogue: Catalogue, schemes: tuple[str, ...], values: dict[str, Any], draw: Any
) -> None:
    mixed, given_first = list(schemes), list(values)
    draw.shuffle(mixed)
    draw.shuffle(given_first)

    other = interview(catalogue, mixed, **{name: values[name] for name in given_first})

    assert other == interview(catalogue, schemes, **values)


def test_the_strictest_rule_of_a_record_holds(catalogue: Catalogue) -> None:
    both, second = (
        catalogue.script_for(schemes).questions["name"].record for schemes in (["FIRST", "SECOND"], ["SECOND"])
    )

    assert both == RecordRule(characters=Characters.ADDRESS, maximum=20)
    assert second == RecordRule(characters=Characters.TEXT, maximum=20)


def test_checks_are_those_of_the_schemes_claimed(catalogue: Catalogue) -> None:
    values = {"a": True, "b": True, "c": True}

    assert state(interview(catalogue, ["FIRST"], **values), "c").blocker is Blocker.CHECK_FAILED
    assert state(interview(catalogue, ["SECOND"], **values | {"a": False}), "c").blocker is None


@pytest.mark.parametrize(
    ("claimed_on", "limits"),
    [(None, 1), ("2006-04-10", 1), ("2006-04-09", 0), ("2007-01-01", 1)],
)
def test_a_limit_is_that_of_the_date_of_claim_and_unknown_before_its_first_row(
    catalogue: Catalogue, claimed_on: str | None, limits: int
) -> None:
    claimed = {"claimed_on": claimed_on} if claimed_on else {}

    assert state(interview(catalogue, ["FIRST"], capital="15000.00", **claimed), "d").relevant is bool(limits)


def test_a_date_of_claim_on_which_a_scheme_is_closed_holds_the_claim_up_and_names_the_day(catalogue: Catalogue) -> None:
    early = state(interview(catalogue, ["FIRST", "SECOND"], claimed_on="2006-03-31"), "claimed_on")
    late = state(interview(catalogue, ["SECOND", "THIRD"], claimed_on="2007-01-01"), "claimed_on")

    assert early.problem is not None
    assert "FIRST can be claimed only from 2006-04-01" in early.problem.en
    assert late.problem is not None
    assert "THIRD closed to new claims on 2007-01-01" in late.problem.en
    assert (early.blocker, late.blocker) == (Blocker.CHECK_FAILED, Blocker.CHECK_FAILED)


def test_only_questions_of_the_schemes_claimed_are_facts(catalogue: Catalogue) -> None:
    script = catalogue.script_for(["SECOND"])

    assert "capital" not in script.questions
    assert facts(script, answers_of({"capital": "1.00", "e": True}), "legacy-gateway", contact_date=CONTACT) == {}


def test_relevance_that_goes_in_a_circle_only_together_is_refused(tmp_path: Path) -> None:
    first = FIRST.replace("c = { required = false }", 'c = { relevant = "d" }').replace('"capital <= limit"', '"b"')

    with pytest.raises(ScriptError, match=r"FIRST \+ SECOND: relevance goes in a circle"):
        written(tmp_path, first=first)


def test_one_fact_has_one_rule_in_all_schemes(tmp_path: Path) -> None:
    fact = '[[derived]]\nid = "fact"\nrule = "{rule}"\nseen_by = ["la-notifier"]\n'

    with pytest.raises(ScriptError, match="FIRST, SECOND: the derived fact fact has two rules"):
        written(tmp_path, first=FIRST + fact.format(rule="a"), second=SECOND + fact.format(rule="!a"))


def test_a_scheme_that_the_catalogue_does_not_have_makes_no_script(catalogue: Catalogue) -> None:
    with pytest.raises(ScriptError, match="catalogue 3 has no scheme FOURTH"):
        catalogue.script_for(["FIRST", "FOURTH"])
