"""ImportForm takes a PDF that was filled on a screen."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.runtime import Process
from chassis.testing import Client, SettingsOf, Tokens, database_fixture, running
from cms_local.form import catalogue_form
from cms_local.paper.document import print_form
from intake.__main__ import MIGRATIONS, service
from intake.catalogue import load_catalogues
from intake.config import Settings
from intake.domain.forms.filling import boxes_with
from intake.domain.forms.layout import IDENTITY_BOX
from tests.support.forms import filled

JSA = ("JOBSEEKERS_ALLOWANCE",)
ANSWERS: dict[str, Any] = {
    "surname": "Ŵyn-Hughes",
    "forenames": "Siân",
    "date_of_birth": "1980-02-29",
    "nino": {"gap": "WILL_SEND"},
    "address": {"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"},
    "children": [{"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"}],
}

database_urls = database_fixture("intake", MIGRATIONS)


@pytest.fixture
def operator(settings_of: SettingsOf, postcodes_file: Path, tokens: Tokens) -> Iterator[Client]:
    with running(service(settings_of(Settings, "intake-svc", postcodes_file=postcodes_file))) as process:
        yield client(process, tokens)


def client(process: Process, tokens: Tokens) -> Client:
    return Client(
        process=process, service="cms.intake.v1.IntakeService", token=tokens.issue("OPERATOR", subject="OP000001")
    )


def pdf_with(**more: str) -> bytes:
    form = catalogue_form(load_catalogues()[1], JSA)
    return filled(print_form(form, language="CY"), boxes_with(form, ANSWERS) | {"q:hours_available": "forty"} | more)


def request_with(pdf: bytes, scheme: str = "JOBSEEKERS_ALLOWANCE") -> dict[str, Any]:
    today = clock.today()
    return {
        "form": {"pdf": base64.b64encode(pdf).decode()},
        "receivedOn": {"year": today.year, "month": today.month, "day": today.day},
        "schemes": [f"SCHEME_{scheme}"],
    }


def test_a_filled_pdf_becomes_a_draft_and_other_files_are_refused(operator: Client) -> None:
    pdf = pdf_with()
    made = operator.once("ImportForm", **request_with(pdf))

    shown = {part["id"]: part.get("answer") for part in made["interview"]["questions"]}
    assert {name: shown[name] for name in ANSWERS} == ANSWERS
    assert made["claim"]["channel"] == "CLAIM_CHANNEL_SCREEN_FORM"
    assert made["claim"]["language"] == "LANGUAGE_CY"
    assert [(problem["questionId"], problem["text"].split()[0]) for problem in made["problems"]] == [
        ("hours_available", "Cwestiwn")
    ]
    assert "hours_available" in made["openQuestionIds"]

    others = {
        "schemes": request_with(pdf, "INCOME_SUPPORT"),
        "form.pdf": request_with(pdf_with(**{IDENTITY_BOX: "CMS3-7-JSA-CY-1"})),
    }
    for field, other in others.items():
        refused = operator.call("ImportForm", requestId="0198c0de-0000-4000-8000-00000000000a", **other)
        assert (refused.code, refused.fields) == ("invalid_argument", frozenset({field}))
