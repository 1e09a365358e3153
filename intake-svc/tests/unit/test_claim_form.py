"""The claim form: its questions and routing follow from the script; what stands in its boxes becomes answers or problems."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from intake.catalogue import load_catalogues
from intake.catalogue.form_words import on_paper
from intake.domain.answers import validate_answer
from intake.domain.forms.filling import boxes_with
from intake.domain.forms.layout import Form, FormIdentity, box, form_of
from intake.domain.forms.reading import TICKED, FormRead, boxes_of_entry, read_boxes, read_keyed
from intake.domain.forms.routing import Routing, routing_of
from intake.domain.forms.wording import yes_and_no
from intake.domain.script import AnsweredBy, Kind, ScriptError

DAY = date(2026, 3, 2)
JSA = ("JOBSEEKERS_ALLOWANCE",)


@pytest.fixture(scope="module")
def form() -> Form:
    return form_of(load_catalogues()[1].script_for(JSA))


@pytest.fixture(scope="module")
def routing(form: Form) -> Routing:
    return routing_of(form)


def read(form: Form, **boxes: str) -> FormRead:
    return read_boxes(form, {name.replace("__", ":"): text for name, text in boxes.items()}, day=DAY)


def told(found: FormRead) -> list[tuple[str, str]]:
    return [(problem.entry.id if problem.entry else "", problem.text.en) for problem in found.problems]


def test_the_identity_of_a_form_is_read_as_it_is_printed() -> None:
    identity = FormIdentity(catalogue=2, schemes=("JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT"), language="CY")

    assert str(identity) == "CMS3-2-IS.JSA-CY-1"
    assert FormIdentity.read(" cms3-2-is.jsa-cy-1 ") == FormIdentity(
        catalogue=2, schemes=("INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE"), language="CY"
    )


@pytest.mark.parametrize(
    "text", ["", "CMS3-2-XX-EN-1", "CMS3-2-IS.IS-EN-1", "CMS2-2-IS-EN-1", "CMS3-2-IS-FR-1", "x" * 500]
)
def test_other_texts_are_no_identity(text: str) -> None:
    assert FormIdentity.read(text) is None


def test_questions_are_numbered_in_the_order_of_the_script(form: Form) -> None:
    printed = [entry.id for entry in form.entries]

    assert [entry.number for entry in form.entries] == list(range(1, len(printed) + 1))
    assert printed == [name for name in form.script.questions if name in form.by_id]


def test_questions_that_the_directory_of_postcodes_decides_are_left_to_the_call(form: Form) -> None:
    assert form.script.questions.keys() - form.by_id.keys() == {"postcode_again", "council"}


def test_questions_that_the_operator_answers_are_not_printed() -> None:
    for catalogue in (load_catalogues()[number] for number in load_catalogues().numbers):
        form = form_of(catalogue.script_for(catalogue.schemes))

        assert all(entry.question.answered_by is AnsweredBy.CLAIMANT for entry in form.entries)


def test_a_no_leads_past_what_only_a_yes_makes_relevant(form: Form, routing: Routing) -> None:
    partner = form.by_id["has_partner"]

    (route,) = routing.routes[partner.number]

    assert route.answers == (False,)
    assert route.to == form.by_id["children"]
    assert form.by_id["partner_surname"].number not in routing.filters


def test_an_answer_that_ends_a_part_leads_to_the_next(form: Form, routing: Routing) -> None:
    tenure = form.by_id["tenure"]

    leading = {answer: route.to for route in routing.routes[tenure.number] for answer in route.answers}

    assert leading["NONE"] == form.by_id["declaration"]
    assert leading["OWNER_OCCUPIER"] == form.by_id["liable_for_council_tax"]


def test_conditions_that_routes_do_not_settle_are_said_in_words(form: Form, routing: Routing) -> None:
    earnings, hours = form.by_id["part_time_earnings"], form.by_id["part_time_hours"]

    (condition,) = routing.filters[earnings.number].conditions or ()

    assert condition.en == f"your answer to question {hours.number} is more than 0"
    assert condition.cy == f"yw eich ateb i gwestiwn {hours.number} yn fwy na 0"


def test_a_rule_without_plain_words_names_the_questions_it_depends_on() -> None:
    catalogue = load_catalogues().newest
    form = form_of(catalogue.script_for(catalogue.schemes))

    for found in routing_of(form).filters.values():
        names = found.first.question.relevant.names if found.first.question.relevant else frozenset()
        assert found.conditions or {entry.id for entry in found.depends_on} == names & form.by_id.keys()


def test_yes_follows_the_verb_in_welsh() -> None:
    bank = load_catalogues()[1].bank
    said = {name: yes_and_no(bank[name].text) for name in ("has_partner", "has_account", "wishes_backdating")}

    assert {name: yes.cy for name, (yes, _) in said.items()} == {
        "has_partner": "Ydw",
        "has_account": "Oes",
        "wishes_backdating": "Ydw",
    }
    assert {no.cy for _, no in said.values()} == {"Na"}


def test_the_answers_of_a_claim_come_back_from_the_boxes(form: Form, couple_with_children: dict[str, Any]) -> None:
    given = {
        name: validate_answer(form.script.questions, name, value, today=DAY)
        for name, value in couple_with_children.items()
        if name in form.script.questions
    }

    found = read_boxes(form, boxes_with(form, given), day=DAY)

    assert found.answers == given
    assert found.problems == ()


def test_blank_boxes_are_no_answer(form: Form) -> None:
    blank = {name: "" for entry in form.entries for name in boxes_of_entry(entry)}

    assert read_boxes(form, blank, day=DAY) == FormRead(answers={}, problems=())


def test_a_date_that_is_not_whole_is_a_problem_and_no_answer(form: Form) -> None:
    found = read(form, q__date_of_birth__day="1", q__date_of_birth__month="2", q__surname="Hughes")

    assert found.answers == {"surname": "Hughes"}
    assert told(found) == [("date_of_birth", "must have day, month and a year of four digits in its boxes")]


def test_an_answer_beside_i_do_not_know_is_a_problem(form: Form) -> None:
    found = read(form, q__telephone="0113 496 0999", q__telephone__gap="NOT_KNOWN")

    assert found.answers == {}
    assert told(found) == [("telephone", "has an answer, and a tick at “I do not know” or “I will send it later”")]


def test_i_will_send_it_later_is_a_gap(form: Form) -> None:
    assert read(form, q__nino__gap="WILL_SEND").answers == {"nino": {"gap": "WILL_SEND"}}


def test_none_beside_entries_is_a_problem(form: Form) -> None:
    rows = {f"q__children__1__{name}": text for name, text in {"name": "Mia", "relationship": "OTHER"}.items()}

    found = read(form, q__children__none=TICKED, **rows)

    assert told(found) == [("children", "has entries, and a tick at “None”")]


def test_none_is_an_empty_list(form: Form) -> None:
    assert read(form, q__children__none=TICKED).answers == {"children": []}


def test_each_fault_of_an_entry_is_named(form: Form) -> None:
    found = read(form, q__children__2__name="Mia", q__children__2__date_of_birth__year="15")

    assert [problem.at for problem in found.problems] == ["[0].date_of_birth"]
    assert found.answers == {}


def test_answers_are_checked_as_in_a_call(form: Form) -> None:
    found = read(form, q__nino="QQ123456C", q__capital="lots", q__sex="Z", q__hours_available="40h")

    assert [problem.entry.id for problem in found.problems if problem.entry] == [
        "sex",
        "nino",
        "hours_available",
        "capital",
    ]
    assert all("QQ" not in problem.text.en for problem in found.problems)


def test_lines_of_a_long_answer_become_one(form: Form) -> None:
    assert read(form, q__restrictions="School\r\nruns").answers == {"restrictions": "School runs"}


def test_a_box_that_the_form_does_not_have_is_a_problem_of_the_form(form: Form) -> None:
    found = read(form, q__surname="Hughes", q__shoe_size="43")

    assert [problem.entry for problem in found.problems] == [None]


def test_keyed_answers_are_checked_too(form: Form) -> None:
    found = read_keyed(form, {"surname": "Hughes", "children": [{"name": "Mia"}], "capital": 5}, day=DAY)

    assert found.answers == {"surname": "Hughes"}
    assert [(problem.entry.id, problem.at) for problem in found.problems if problem.entry] == [
        ("children", "[0].date_of_birth"),
        ("children", "[0].relationship"),
        ("capital", ""),
    ]


def test_more_entries_than_the_form_has_places_are_refused(form: Form) -> None:
    child: Any = {"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "OTHER"}

    with pytest.raises(ValueError, match="more entries than the form has places"):
        boxes_with(form, {"children": [child] * 10})


def test_no_group_on_a_form_needs_more_columns_than_a_page_has() -> None:
    catalogue = load_catalogues().newest
    form = form_of(catalogue.script_for(catalogue.schemes))

    assert not [
        (entry.id, field.id)
        for entry in form.entries
        for field in entry.question.fields
        if field.kind in (Kind.ADDRESS, Kind.GROUP)
    ]
    assert len({name for entry in form.entries for name in boxes_of_entry(entry)}) < 3000
    assert box("children", 0, "name") == "q:children:0:name"


def test_a_form_has_the_words_of_paper_where_the_call_has_those_of_an_operator() -> None:
    catalogue = load_catalogues()[2]
    call = catalogue.script_for(JSA)

    paper = on_paper(call, bank=catalogue.bank)

    assert paper.questions.keys() == call.questions.keys()
    assert paper.questions["caller_role"].text.en.startswith("Is this form about a claim of your own")
    assert paper.questions["surname"].text == call.questions["surname"].text
    help_texts = [entry.question.help.en for entry in form_of(paper).entries if entry.question.help]
    assert not [
        text for text in help_texts if "the claimant does" in text or "list empty" in text or "read it back" in text
    ]


def test_words_of_no_question_are_refused(tmp_path: Path) -> None:
    catalogue = load_catalogues()[2]
    (tmp_path / "2" / "form").mkdir(parents=True)
    (tmp_path / "2" / "form" / "words.toml").write_text("[words.shoe_size]\nno_help = true\n")

    with pytest.raises(ScriptError, match="no such question or section: shoe_size"):
        on_paper(catalogue.script_for(JSA), bank=catalogue.bank, folder=tmp_path)
