"""A catalogue is read from its files, and one with a fault is refused with the place of the fault."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.errors import Unavailable
from intake.catalogue import load_catalogue, load_catalogues
from intake.domain.script import Script, ScriptError

TOP = """
number = 7
released_on = 2005-07-01
[[sections]]
id = "only"
name = { en = "Only", cy = "Unig" }
"""
FIRST = """
[[questions]]
id = "first"
kind = "YES_NO"
text = { en = "First?", cy = "Cyntaf?" }
seconds = 5
"""
SECOND = """
[[questions]]
id = "second"
kind = "MONEY"
text = { en = "Second?", cy = "Ail?" }
seconds = 5
"""
GROUP = """
[[questions]]
id = "group"
kind = "GROUP"
max_entries = 3
text = { en = "Who?", cy = "Pwy?" }
seconds = 5
[[questions.fields]]
id = "born"
kind = "DATE"
text = { en = "Born", cy = "Geni" }
[[questions.checks]]
problem = { en = "Wrong.", cy = "Anghywir." }
"""
SCHEME = """
scheme = "TEST"
first_contact.facts = ["first"]
[questions]
first = {}
"""

Load = Callable[..., Script]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes a catalogue of one section and reads it; more files by their names."""

    def read(bank: str = FIRST, scheme: str = SCHEME, top: str = TOP, **more: str) -> Script:
        folder = tmp_path / "7"
        files = {"catalogue.toml": top, "questions/only.toml": bank, "test.toml": scheme}
        for name, text in (files | {f"{name}.toml": text for name, text in more.items()}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return load_catalogue(folder).script_for(["TEST"])

    return read


def test_a_small_catalogue_loads(load: Load) -> None:
    script = load(FIRST + SECOND, SCHEME + 'second = { relevant = "first", required = "first && second > 100" }\n')

    assert list(script.questions) == ["first", "second"]
    assert script.questions["second"].relevant is not None
    assert script.questions["second"].relevant.names == {"first"}
    assert script.order == ("first", "second")


def test_relevance_may_depend_on_a_later_question(load: Load) -> None:
    scheme = SCHEME.replace("first = {}", 'first = { relevant = "second > 0" }\nsecond = {}')

    assert load(FIRST + SECOND, scheme).order == ("second", "first")


@pytest.mark.parametrize(
    ("bank", "complaint"),
    [
        ("questions = ", "7/questions/only.toml"),
        (FIRST + "colour = 1\n", r"7/questions/only.toml: .*`colour` - at `\$.questions\[first\]`"),
        (FIRST + FIRST, r"questions\[first\]: another question has this id"),
        (FIRST.replace('"first"', '"First Q"'), r"questions\[First Q\].id"),
        (FIRST + FIRST.replace('"first"', '"today"'), r"questions\[today\]: this name is the platform's"),
        (FIRST + FIRST.replace('"first"', '"schemes"'), "this name is the platform's"),
        (FIRST.replace('"YES_NO"', '"MAYBE"'), "MAYBE"),
        (FIRST.replace('"Cyntaf?"', '" "'), r"questions\[first\].text.cy"),
        (FIRST.replace(', cy = "Cyntaf?"', ""), "missing required field `cy`"),
        (FIRST.replace("= 5", '= "5"'), r"Expected `int`, got `str` - at `\$.questions\[first\].seconds`"),
        (FIRST.replace("= 5", "= -5"), r"questions\[first\].seconds"),
        (FIRST.replace("YES_NO", "CHOICE"), "choices belong to CHOICE"),
        (FIRST.replace("YES_NO", "NUMBER"), "number belongs to NUMBER"),
        (FIRST.replace("YES_NO", "GROUP"), "fields belong to a GROUP"),
        (GROUP.replace("max_entries = 3\n", "") + 'rule = "size(group) > 0"\n' + FIRST, "max_entries belongs to GROUP"),
        (FIRST + "maximum_pence = 100\n", "maximum_pence belongs to MONEY"),
        (FIRST + 'record = { characters = "name", max_length = 5 }\n', "record belongs to text"),
        (FIRST + "located = true\n", "located belongs to ADDRESS"),
        (FIRST + 'sensitivity = ["SECRET"]\n', r"SECRET.*questions\[first\].sensitivity"),
        (FIRST + 'answered_by = "COUNCIL"\n', "COUNCIL"),
        (FIRST + 'sensitivity = ["NOT_TO_COUNCIL"]\nseen_by = ["la-notifier"]\n', "NOT_TO_COUNCIL, but the notice"),
        (FIRST + 'sensitivity = ["NOT_TO_COUNCIL"]\nneeded_by = ["notice.a"]\n', "NOT_TO_COUNCIL, but the notice"),
        (GROUP + 'rule = "first && size(group) > 0 && today > today"\n' + FIRST, "names another question"),
        (FIRST + GROUP + 'rule = "size(group) > 0"\nfield = "died"\n', "one of the group's"),
        (FIRST + GROUP + 'rule = "first || size(group) > 0"\nfield = "born"\n', "must name no other question"),
        (FIRST + GROUP + 'rule = "group.all(it, it.born < today)"\n', "gives nothing"),
        (FIRST + GROUP + 'rule = "group.all(it, timestamp(it.born) < today)"\n', "gives nothing"),
    ],
)  # fmt: skip
def test_a_faulty_bank_is_refused_with_the_place_of_the_fault(load: Load, bank: str, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        load(bank)


@pytest.mark.parametrize(
    ("scheme", "complaint"),
    [
        (SCHEME.replace('scheme = "TEST"', ""), "there is no scheme"),
        (SCHEME.replace('["first"]', '["third"]'), "test.toml: no question of this scheme: third"),
        (SCHEME.replace("first_contact", "# first_contact"), "first_contact is missing"),
        (SCHEME + "third = {}\n", "test.toml: questions.third: the bank has no such question"),
        (SCHEME + "second = { required = 1 }\n", r"questions\[second\].required"),
        (SCHEME + "second = { needed = true }\n", r"needed.*questions\[second\]"),
        (SCHEME + 'second = { relevant = "third" }\n', "undeclared reference to 'third'"),
        (SCHEME + 'second = { relevant = "first ==" }\n', "Syntax error"),
        (SCHEME + 'second = { relevant = "first == 1" }\n', "no matching overload"),
        (SCHEME + 'second = { relevant = "second" }\n', "gives INT"),
        (SCHEME + "second = { relevant = \"today > timestamp('2020-01-01T00:00:00Z')\" }\n", "must not hang on today"),
        (SCHEME + 'second = { relevant = "second > 0" }\n', "goes in a circle"),
        (SCHEME.replace("first = {}", 'first = { relevant = "second > 0" }\nsecond = { relevant = "first" }'), "circle"),
        ('includes = ["more"]\n' + SCHEME, "there is no more.toml"),
        ('includes = ["test"]\n' + SCHEME, "is a scheme of its own"),
        (SCHEME + '[[derived]]\nid = "fact"\nrule = "second"\n', r"derived\[fact\]: gives INT"),
        (SCHEME + '[[checks]]\nquestion = "third"\nrule = "first"\nproblem = { en = "a", cy = "b" }\n', r"checks\[third\]"),
    ],
)  # fmt: skip
def test_a_faulty_scheme_is_refused_with_the_place_of_the_fault(load: Load, scheme: str, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        load(FIRST + SECOND, scheme)


@pytest.mark.parametrize(
    ("top", "complaint"),
    [
        (TOP.replace("number = 7", "number = 8"), "number must be the folder's name"),
        (TOP + TOP[TOP.index("[[") :], "two sections have one id"),
        (TOP + '[[sections]]\nid = "other"\nname = { en = "Other", cy = "Arall" }\n', "each section needs a file"),
        ('claim_date = "first"\n' + TOP, "claim_date must be a question for a DATE"),
        (TOP + '[tables.first]\nunit = "NUMBER"\nsource = "s"\nrows = [{ from = 2001-01-01, value = 1 }]\n', "name of a"),
        (TOP + '[tables.cap]\nunit = "PENCE"\nsource = "s"\nrows = [{ from = 2001-01-01, value = 1.5 }]\n', "tables.cap"),
        (TOP + '[tables.cap]\nunit = "PENCE"\nsource = "s"\nrows = []\n', "tables"),
        (
            TOP + '[tables.cap]\nunit = "PENCE"\nsource = "s"\n'
            "rows = [{ from = 2002-01-01, value = 1 }, { from = 2001-01-01, value = 1 }]\n",
            "order of their days",
        ),
    ],
)  # fmt: skip
def test_a_faulty_catalogue_file_is_refused_with_the_place_of_the_fault(load: Load, top: str, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        load(top=top)


def test_a_rule_over_a_groups_entries_must_cover_fields_left_out(load: Load) -> None:
    rule = "group.all(it, !has(it.born) || timestamp(it.born) < today)"

    script = load(FIRST + GROUP + f'rule = "{rule}"\n', SCHEME + "group = {}\n")

    assert script.questions["group"].checks[0].rule.names == {"group", "today"}


def test_a_part_is_included_once_and_the_schemes_own_entry_stands_before_it(load: Load) -> None:
    part = 'includes = ["below"]\n[questions]\nfirst = { required = false }\nsecond = { relevant = "first" }\n'
    scheme = 'includes = ["part", "below"]\n' + SCHEME

    script = load(FIRST + SECOND, scheme, part=part, below="")

    assert script.questions["first"].required is True
    assert script.questions["second"].relevant is not None


def test_two_parts_must_not_speak_of_one_question(load: Load) -> None:
    with pytest.raises(ScriptError, match=r"b.toml: questions.second: a.toml has it too"):
        load(FIRST + SECOND, 'includes = ["a", "b"]\n' + SCHEME, a="questions.second = {}", b="questions.second = {}")


def test_parts_must_not_include_each_other(load: Load) -> None:
    with pytest.raises(ScriptError, match="includes itself: test a b"):
        load(FIRST, 'includes = ["a"]\n' + SCHEME, a='includes = ["b"]', b='includes = ["a"]')


def test_without_a_catalogue_there_is_none_to_serve(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="there is no catalogue"):
        load_catalogues(tmp_path)


def test_a_process_that_lacks_a_claims_catalogue_sends_the_caller_to_another(load: Load, tmp_path: Path) -> None:
    load()
    catalogues = load_catalogues(tmp_path)

    assert catalogues.newest.number == 7
    with pytest.raises(Unavailable, match="this process does not have catalogue 8"):
        catalogues[8]
    with pytest.raises(ScriptError, match="bound to catalogues that this release does not have: 3, 8"):
        catalogues.refuse_absent([7, 8, 3])
