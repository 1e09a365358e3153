"""The gateway's maps take from a question only what the question says that it is needed for."""

import pytest

from intake.catalogue import load_catalogues
from intake.domain.script import Sensitivity
from legacy_gateway import mapping
from legacy_gateway.domain import System


@pytest.mark.parametrize("system", System)
def test_every_question_of_a_map_names_the_field_that_it_fills(system: System) -> None:
    bank = load_catalogues().newest.bank
    named = {
        name: {*question.needed_by, *(need for field in question.fields for need in field.needed_by)}
        for name, question in bank.items()
    }
    for record, fields in mapping.sources(system).fields.items():
        for field, source in fields.items():
            if source.question and source.fact in ("", source.question):
                assert field in named[source.question], f"{record}: {source.question} does not name {field}"
    for rows in mapping.sources(system).rows:
        naming = {*named[rows.question], *(need for name in rows.goes_by for need in named[name])}
        made = {field for field, source in rows.fields.items() if source.form != "constant"}
        assert made <= naming, f"{rows.record}: {rows.question} does not name {made - naming}"


def test_answers_about_the_other_parent_that_are_never_read_back_are_shown_to_nobody() -> None:
    bank = load_catalogues().newest.bank
    secret = {
        name
        for name, question in bank.items()
        if name.startswith("other_parent_") and Sensitivity.NOT_READ_BACK in question.sensitivity
    }
    sources = mapping.sources(System.CMS_COTS).fields["cots"].values()

    assert {source.question for source in sources if source.withheld} == secret & {one.question for one in sources}
