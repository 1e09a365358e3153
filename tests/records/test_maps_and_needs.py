"""What the gateway's map takes from a question is what the question says that it is needed for."""

from intake.catalogue import load_catalogues
from legacy_gateway import mapping
from legacy_gateway.domain import System


def test_every_question_of_a_map_names_the_field_that_it_fills() -> None:
    bank = load_catalogues().newest.bank
    named = {
        name: {*question.needed_by, *(need for field in question.fields for need in field.needed_by)}
        for name, question in bank.items()
    }
    for record, fields in mapping.sources(System.JSAPS).fields.items():
        for field, source in fields.items():
            if source.question and source.fact in ("", source.question):
                assert field in named[source.question], f"{record}: {source.question} does not name {field}"
