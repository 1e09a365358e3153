"""One table of la-notifier decides what a local authority may see: nothing else of a claim can leave."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from la_notifier.data import disclosure
from la_notifier.domain.awards import Award, AwardOutcome
from la_notifier.domain.content import content_of
from la_notifier.domain.facts import ClaimFacts

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted((ROOT / "intake-svc/src/intake/catalogues").iterdir())
FIELDS = tomllib.loads((ROOT / "simulators/src/simulators/councils/notice_fields.toml").read_text())
TABLE = disclosure()
CANARY = "CANARY"
HEAD = {"notice_id", "version", "supersedes", "kind"}
# The facts that the notifier needs to decide whether there is a notice, for whom and of which benefit.
DECIDES = {
    *("council", "liable_for_rent", "liable_for_council_tax", "wishes_housing_benefit", "wishes_council_tax_benefit"),
    *("claims_income_based", "ever_worked", "has_partner"),
}
OF_THE_CALL = {"language"}


def questions_of(catalogue: Path) -> list[dict[str, Any]]:
    """The questions of a catalogue, and what follows from them."""
    files = [
        tomllib.loads(file.read_text()) for file in [*catalogue.glob("questions/*.toml"), *catalogue.glob("*.toml")]
    ]
    found = [file.get("questions", []) for file in files]
    listed = [question for part in found if isinstance(part, list) for question in part]
    return listed + [derived for file in files for derived in file.get("derived", [])]


def planted(question: Mapping[str, Any]) -> Any:
    """A value for a question in which each part names where it came from."""
    name = question["id"]
    match question.get("kind"):
        case "ADDRESS":
            return {"lines": [f"{CANARY} {name}.lines"], "postcode": f"{CANARY} {name}.postcode", "secret": CANARY}
        case "GROUP":
            return [{part["id"]: f"{CANARY} {name}.{part['id']}" for part in question["fields"]} | {"secret": CANARY}]
        case "MONEY" | "NUMBER":
            return "13.57"
        case "YES_NO":
            return True
        case _:
            return f"{CANARY} {name}"


def whole_notice(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The notice that tells most: of a claim that was submitted and decided."""
    facts = ClaimFacts(
        claim_ref="C0123456789A",
        version=9,
        withdrawn=False,
        schemes=("INCOME_SUPPORT",),
        language="EN",
        first_contact_time=datetime(2007, 5, 14, tzinfo=UTC),
        first_contact_on=date(2007, 5, 14),
        claim_on=date(2007, 5, 15),
        answers=answers,
    )
    award = Award(benefit="IS", outcome=AwardOutcome.AWARDED, from_day=date(2007, 5, 14), to_day=date(2008, 5, 14))
    return content_of(TABLE, facts, authority_code="W06000015", intention_on=clock.today(), award=award)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a notice with its path, as the fields of the interface name it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda folder: f"catalogue {folder.name}")
def test_no_fact_leaves_but_those_of_the_table(catalogue: Path) -> None:
    answers = {question["id"]: planted(question) for question in questions_of(catalogue)}
    answers |= {"unheard_of": f"{CANARY} unheard_of"}

    told = {str(value) for _, value in leaves(whole_notice(answers)) if str(value).startswith(CANARY)}

    allowed = {f"{CANARY} {field.fact}" for field in TABLE.fields if field.fact}
    for entries in TABLE.entries:
        parts = [entries.tells] if isinstance(entries.tells, str) else entries.tells.values()
        allowed |= {f"{CANARY} {entries.fact}.{part}" for part in parts}
    assert told
    assert told <= allowed


def test_every_field_that_leaves_is_one_of_the_interface() -> None:
    catalogue = CATALOGUES[-1]
    told = whole_notice({question["id"]: planted(question) for question in questions_of(catalogue)})

    paths = {path for path, _ in leaves(told)}

    assert paths <= FIELDS.keys()
    missing = {path for path, rule in FIELDS.items() if rule["type"] not in {"object", "list"}} - paths - HEAD
    assert missing == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda folder: f"catalogue {folder.name}")
def test_intake_gives_the_notifier_the_facts_of_the_table_and_those_that_decide(catalogue: Path) -> None:
    given = {one["id"] for one in questions_of(catalogue) if "la-notifier" in one.get("seen_by", [])}

    assert given - TABLE.facts() - DECIDES - OF_THE_CALL == set()
    if catalogue == CATALOGUES[-1]:
        assert TABLE.facts() | DECIDES <= given


def test_a_withdrawal_says_less_than_any_other_notice() -> None:
    answers = {question["id"]: planted(question) for question in questions_of(CATALOGUES[-1])}
    last = whole_notice(answers)

    withdrawn = TABLE.withdrawn(last)

    assert dict(leaves(withdrawn)).items() < dict(leaves(last)).items()
    assert not {"partner", "tenancy", "household", "income", "capital_band", "award"} & withdrawn.keys()


def codes_of(question: Mapping[str, Any]) -> Iterator[str]:
    """The codes that an answer may be or hold, or that a rule gives."""
    for asked in [question, *question.get("fields", [])]:
        yield from (choice["code"] for choice in asked.get("choices", []))
    yield from re.findall(r"'([A-Z][A-Z0-9_]*)'", question.get("rule", ""))


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.name)
def test_a_letter_has_words_for_every_code_that_a_council_may_see(catalogue: Path) -> None:
    words = tomllib.loads((ROOT / "la-notifier/src/la_notifier/channels/post.toml").read_text())["values"]

    told = [question for question in questions_of(catalogue) if question["id"] in TABLE.facts()]

    assert {"tenure", "title", "capital_band"} <= {question["id"] for question in told}
    assert [code for question in told for code in codes_of(question) if code not in words] == []
