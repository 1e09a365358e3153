"""docs/api says what the contract and the code say today."""

import json

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from docs.api.generator import errors
from docs.api.generator.__main__ import FOLDER, stale


def test_generated_documents_are_fresh() -> None:
    assert stale() == [], "run `make docs`"


def test_the_catalogue_of_errors_names_every_reason_of_the_source_and_no_other() -> None:
    assert errors.catalogue(), "raises NotInTable with the difference"


def test_every_reason_that_callers_get_says_what_to_do() -> None:
    silent = [name for name, said in errors.table().items() if not said.get("internal") and not said.get("advice")]

    assert silent == []


def test_the_openapi_document_is_valid() -> None:
    validate(json.loads((FOLDER / "openapi.json").read_text()), cls=OpenAPIV31SpecValidator)
