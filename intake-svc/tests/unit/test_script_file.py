from pathlib import Path
from typing import Any

import pytest

from intake.domain.script_file import load_script
from intake.domain.script_table import ScriptError

HEAD = """
scheme = "TEST"
version = "test-1"
number = 1
first_contact.facts = ["first"]
[[sections]]
id = "only"
name = { en = "Only", cy = "Unig" }
"""
FIRST = """
[[sections.questions]]
id = "first"
kind = "YES_NO"
text = { en = "First?", cy = "Cyntaf?" }
seconds = 5
"""
SECOND = """
[[sections.questions]]
id = "second"
kind = "MONEY"
text = { en = "Second?", cy = "Ail?" }
seconds = 5
"""
GROUP = """
[[sections.questions]]
id = "group"
kind = "GROUP"
max_entries = 3
text = { en = "Who?", cy = "Pwy?" }
seconds = 5
[[sections.questions.fields]]
id = "born"
kind = "DATE"
text = { en = "Born", cy = "Geni" }
[[sections.questions.checks]]
problem = { en = "Wrong.", cy = "Anghywir." }
"""


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def read(text: str) -> Any:
        path = tmp_path / "test.toml"
        path.write_text(text, encoding="utf-8")
        return load_script(path)

    return read


def test_a_small_script_loads(load: Any) -> None:
    script = load(HEAD + FIRST + SECOND + 'relevant = "first"\nrequired = "first && second > 100"\n')

    assert list(script.questions) == ["first", "second"]
    assert script.questions["second"].relevant.names == {"first"}
    assert script.order == ("first", "second")


def test_relevance_may_depend_on_a_later_question(load: Any) -> None:
    script = load(HEAD + FIRST + 'relevant = "second > 0"\n' + SECOND)

    assert script.order == ("second", "first")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("scheme = ", "test.toml"),
        (HEAD.replace('scheme = "TEST"', "") + FIRST, "scheme is missing"),
        (HEAD.replace("number = 1", "number = 2") + FIRST, "version must end with the number"),
        (HEAD.replace('["first"]', '["third"]') + FIRST, "no such question: third"),
        (HEAD + FIRST + "colour = 1\n", r"questions\[first\]: unknown: colour"),
        (HEAD + FIRST + FIRST, "two questions have one id"),
        (HEAD + FIRST.replace('"first"', '"First Q"'), "lower_snake_case"),
        (HEAD + FIRST + FIRST.replace('"first"', '"today"'), "today is the name of the day"),
        (HEAD + FIRST.replace('"YES_NO"', '"MAYBE"'), "no such kind: MAYBE"),
        (HEAD + FIRST.replace('"Cyntaf?"', '" "'), r"questions\[first\].text: cy is blank"),
        (HEAD + FIRST.replace(', cy = "Cyntaf?"', ""), "cy is missing"),
        (HEAD + FIRST.replace("= 5", '= "5"'), "seconds must be a int"),
        (HEAD + FIRST.replace("= 5", "= -5"), "seconds must be a whole number, not negative"),
        (HEAD + FIRST.replace("YES_NO", "CHOICE"), "choices belong to CHOICE"),
        (HEAD + FIRST.replace("YES_NO", "NUMBER"), "number belongs to NUMBER"),
        (HEAD + FIRST.replace("YES_NO", "GROUP"), "max_entries belongs to GROUP"),
        (HEAD + FIRST.replace("YES_NO", "GROUP") + "max_entries = 3\n", "fields belong to a GROUP"),
        (HEAD + FIRST + "maximum_pence = 100\n", "maximum_pence belongs to MONEY"),
        (HEAD + FIRST + 'record = { characters = "name", max_length = 5 }\n', "record belongs to text"),
        (HEAD + FIRST + "required = 1\n", "required must be a str"),
        (HEAD + FIRST + 'relevant = "third"\n', "undeclared reference to 'third'"),
        (HEAD + FIRST + 'relevant = "first =="\n', "Syntax error"),
        (HEAD + FIRST + 'relevant = "first == 1"\n', "no matching overload"),
        (HEAD + FIRST + SECOND + 'relevant = "second"\n', "gives INT"),
        (HEAD + FIRST + 'relevant = "today > timestamp(\'2020-01-01T00:00:00Z\')"\n', "must not hang on today"),
        (HEAD + GROUP + 'rule = "first && size(group) > 0 && today > today"\n' + FIRST, "names another question"),
        (HEAD + FIRST + 'relevant = "first"\n', "goes in a circle"),
        (HEAD + FIRST + 'relevant = "second > 0"\n' + SECOND + 'relevant = "first"\n', "goes in a circle"),
        (HEAD + FIRST + GROUP + 'rule = "size(group) > 0"\nfield = "died"\n', "one of the group's"),
        (HEAD + FIRST + GROUP + 'rule = "first || size(group) > 0"\nfield = "born"\n', "must name no other question"),
        (HEAD + FIRST + GROUP + 'rule = "group.all(it, it.born < today)"\n', "gives nothing"),
        (HEAD + FIRST + GROUP + 'rule = "group.all(it, timestamp(it.born) < today)"\n', "gives nothing"),
    ],
)  # fmt: skip
def test_a_faulty_script_is_refused_with_the_place_of_the_fault(load: Any, text: str, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        load(text)


def test_a_rule_over_a_groups_entries_must_cover_fields_left_out(load: Any) -> None:
    rule = "group.all(it, !has(it.born) || timestamp(it.born) < today)"

    assert load(HEAD + FIRST + GROUP + f'rule = "{rule}"\n').questions["group"].checks[0].rule.names == {
        "group",
        "today",
    }
