"""Our engine and SurveyJS, with the same bank and rules, make the same of the same answers."""

from pathlib import Path

import pytest

from tests.engine.case import LETTERS, case
from tests.engine.cel import Translator
from tests.engine.comparison import compare

pytestmark = pytest.mark.xdist_group("engine")


@pytest.mark.needs("npm")
@pytest.mark.needs("node")
def test_both_engines_ask_require_and_refuse_the_same(tmp_path: Path) -> None:
    claim = case()

    found = compare(claim, rounds=3, folder=tmp_path)

    assert found.ours == found.theirs
    assert found.ours.refused, "a refused answer shows that refusals are compared"
    assert len(found.ours.visible) > 100
    children = claim.answers["children"].value
    assert isinstance(children, list)
    assert len(children) == len(LETTERS)


@pytest.mark.parametrize(
    ("rule", "survey"),
    [
        ("a", "{a} = true"),
        ("!a", "{a} = false"),
        ("a && !(b || c)", "({a} = true and ({b} = false and {c} = false))"),
        ("kind == 'X' || hours < 40.0", "({kind} = 'X' or {hours} < 40.0)"),
        ("kind != 'X'", "({kind} notempty and {kind} != 'X')"),
        ("tenure in ['X', 'Y']", "{tenure} anyof ['X', 'Y']"),
        ("size(children) > 0", "rule0({children}) = true"),
    ],
)
def test_rules_are_translated(rule: str, survey: str) -> None:
    assert Translator().condition(rule) == survey


def test_a_rule_over_the_entries_of_a_group_becomes_a_function() -> None:
    translator = Translator()

    translator.condition("children.exists(child, years(timestamp(child.born), claim_date) < 16)")

    names, body = translator.functions["rule0"]
    assert names == ("children", "claim_date")
    assert body == "children.some((child) => (years(Date.parse(child.born), claim_date) < 16))"
