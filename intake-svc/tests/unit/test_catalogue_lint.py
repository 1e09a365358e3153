"""The lint finds what is wrong with a catalogue, and says in which file, at which question, and what."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from chassis import clock, outside
from chassis.outside import Change
from chassis.runtime import NotReady
from chassis.testing import SettingsOf
from intake import metrics
from intake.__main__ import service
from intake.catalogue import CATALOGUES, load_catalogue
from intake.catalogue.announced import not_covered
from intake.catalogue.lint import refuse_faulty, report, search_of, sets_of
from intake.catalogue.lint.search import decided
from intake.catalogue.lint.values import Constants, Samples
from intake.config import Settings
from intake.domain.catalogue import Catalogue
from intake.domain.script import DatedTable, ScriptError

NEWEST = max((part for part in CATALOGUES.iterdir() if part.name.isdecimal()), key=lambda part: int(part.name))
LOAN = [["CRISIS_LOAN"]]
CONTACT = date(2005, 7, 11)

Changed = Callable[[str, str, str], Catalogue]


@pytest.fixture(scope="module")
def newest() -> Catalogue:
    """The catalogue that new claims take."""
    return load_catalogue(NEWEST)


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """The newest catalogue with a text of one of its files replaced, once."""

    def change(file: str, old: str, new: str) -> Catalogue:
        folder = tmp_path / NEWEST.name
        shutil.copytree(NEWEST, folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return load_catalogue(folder)

    return change


def test_the_newest_catalogue_loads_and_is_found_without_fault_in_two_seconds() -> None:
    before = time.process_time()
    catalogue = load_catalogue(NEWEST)
    found = report(catalogue)

    assert [str(finding) for finding in found.findings] == []
    assert all(reach.outcome.path for reach in found.reaches)
    assert all(proof.outcome.whole for proof in found.proofs)
    assert time.process_time() - before < 2
    for scheme, rules in catalogue.schemes.items():
        assert {reach.question for reach in found.reaches if reach.schemes == (scheme,)} == rules.entries.keys()
        assert any(proof.schemes == (scheme,) for proof in found.proofs)
    assert found.tried > 200


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "questions/crisis.toml",
            'needed_by = ["SF-AMOUNT"]',
            "",
            "questions/crisis.toml: questions[amount]: needed_by is empty: nothing needs the answer",
        ),
        (
            "questions/crisis.toml",
            'needed_by = ["SF-AMOUNT"]',
            'needed_by = ["SF-SUM"]',
            "questions/crisis.toml: questions[amount]: needed_by names SF-SUM, which there is not",
        ),
        (
            "questions/crisis.toml",
            'needed_by = ["SF-AMOUNT"]',
            'needed_by = ["decision.nothing"]',
            "questions[amount]: needed_by names decision.nothing, which there is not",
        ),
        (
            "questions/crisis.toml",
            'needed_by = ["SF-AMOUNT"]',
            'needed_by = ["IS-CAPITAL"]',
            "crisis_loan.toml: questions.amount: nothing of this scheme needs it",
        ),
        (
            "questions/crisis.toml",
            'needed_by = ["SF-AMOUNT"]\nseen_by = ["legacy-gateway"]',
            'needed_by = ["SF-AMOUNT"]',
            "questions[amount]: SF-AMOUNT needs it, and legacy-gateway sees nothing that fills it",
        ),
        (
            "questions/crisis.toml",
            'text.en = "How much do you need?"',
            'text.en = "What happened?"',
            "questions[amount]: has the text of what_happened (en)",
        ),
        (
            "questions/crisis.toml",
            'text.cy = "Faint sydd ei angen arnoch?"',
            'text.cy = "How much do you need?"',
            "questions[amount]: has the same text in both languages",
        ),
        ("crisis_loan.toml", "repay_weekly = {}\n", "", "questions[repay_weekly]: no scheme asks it"),
        (
            "crisis_loan.toml",
            "repay_weekly = {}",
            'repay_weekly = { relevant = "claims_income_based" }',
            "crisis_loan.toml: questions.repay_weekly: names what this scheme does not ask: claims_income_based",
        ),
        (
            "crisis_loan.toml",
            "repay_weekly = {}",
            'repay_weekly = { relevant = "amount == 0 && other_resources > 100000" }',
            "crisis_loan.toml: questions.repay_weekly: no answers lead to this question",
        ),
        (
            "crisis_loan.toml",
            "amount = {}",
            "amount = { required = false }",
            "crisis_loan.toml: SF-AMOUNT of SFCS-LOAN: a claim with amount = None leaves this mandatory field empty",
        ),
        (
            "crisis_loan.toml",
            "existing_debt = {}",
            'existing_debt = { relevant = "other_resources == 0" }',
            "SF-EXISTING-DEBT of SFCS-LOAN: a claim with other_resources = '10.00' leaves this mandatory field empty",
        ),
        (
            "crisis_loan.toml",
            'rule = "amount + existing_debt <= crisis_loan_debt_cap"',
            'rule = "amount + existing_debt <= crisis_loan_debt_cap + 1"',
            "edit rule SF0020: amount = '600.00', existing_debt = '400.01' must be stopped by CHECK, and is by nothing",
        ),
        (
            "crisis_loan.toml",
            'rule = "amount + existing_debt <= crisis_loan_debt_cap"',
            'rule = "amount + existing_debt < crisis_loan_debt_cap"',
            "must be stopped by nothing, and is by CHECK",
        ),
        (
            "questions/crisis.toml",
            'rule = "amount > 0"',
            'rule = "amount >= 0"',
            "edit rule SF0020: amount = '0.00' must be stopped by CHECK, and is by nothing",
        ),
        (
            "catalogue.toml",
            "value = 150000",
            "value = 160000",
            "catalogue.toml: tables.crisis_loan_debt_cap: differs from the limit of the outside edit rules",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(changed: Changed, file: str, old: str, new: str, told: str) -> None:
    found = [str(finding) for finding in report(changed(file, old, new), LOAN).findings]

    assert any(told in finding for finding in found), found


def test_a_catalogue_with_a_fault_is_refused_naming_every_one(changed: Changed) -> None:
    catalogue = changed("questions/crisis.toml", 'needed_by = ["SF-AMOUNT"]', 'needed_by = ["SF-SUM"]')

    with pytest.raises(ScriptError) as refused:
        refuse_faulty(catalogue)

    lines = str(refused.value).splitlines()
    assert (
        f"{NEWEST.name}/questions/crisis.toml: questions[amount]: needed_by names SF-SUM, which there is not" in lines
    )
    assert any("SF-AMOUNT of SFCS-LOAN: no question or rule fills this mandatory field" in line for line in lines)


def test_a_service_does_not_start_with_a_newest_catalogue_that_has_a_fault(
    changed: Changed, tmp_path: Path, settings_of: SettingsOf
) -> None:
    changed("questions/crisis.toml", 'needed_by = ["SF-AMOUNT"]', 'needed_by = ["SF-SUM"]')

    with pytest.raises(NotReady, match=r"questions\[amount\]: needed_by names SF-SUM"):
        service(settings_of(Settings, "intake-svc", postcodes_file=tmp_path), catalogues_folder=tmp_path, linted=True)


def test_a_search_finds_the_answers_that_lead_to_a_question(newest: Catalogue) -> None:
    script = newest.script_for(["CRISIS_LOAN"])
    rule = script.questions["loan_items"].relevant
    assert rule is not None

    outcome = search_of(newest, script).find(rule.names, lambda path, _: decided(rule, path.seen))

    assert outcome.path is not None
    assert {name: given.value for name, given in outcome.path.given.items()} == {"needed_for": "ITEMS"}


def test_a_search_tries_the_days_on_which_a_dated_rule_changes(newest: Catalogue) -> None:
    script = newest.script_for(["CRISIS_LOAN"])
    rule = newest.compiler.condition("crisis_loan_debt_cap == 150000")

    outcome = search_of(newest, script).find(rule.names, lambda path, _: decided(rule, path.seen))

    assert outcome.path is not None
    assert outcome.path.contact == date(2006, 4, 3)


def test_a_search_keeps_to_what_can_be_submitted(newest: Catalogue) -> None:
    """No loan can be applied for with more than the cap, although each answer by itself is sound."""
    script = newest.script_for(["CRISIS_LOAN"])
    over = newest.compiler.condition("amount + existing_debt > crisis_loan_debt_cap")

    outcome = search_of(newest, script).find(over.names, lambda path, _: decided(over, path.seen))

    assert outcome.path is None
    assert outcome.whole


def test_samples_lie_on_both_sides_of_what_a_rule_names() -> None:
    cap = DatedTable(id="cap", unit="PENCE", source="a law", rows=((date(2000, 1, 1), 5000),))
    constants = Constants(expressions=("amount > 100 && amount <= cap",), tables=(cap,))

    assert {0, 99, 100, 101, 4999, 5000, 5001} <= set(constants.pence())


def test_samples_pass_the_checks_of_their_own_question(newest: Catalogue) -> None:
    samples = Samples(newest.script_for(["CRISIS_LOAN"]), CONTACT)

    assert "0.00" not in {sample.value for sample in samples.of("amount")}
    assert all(str(sample.value) >= CONTACT.isoformat() for sample in samples.of("money_needed_by"))


def uncovered(catalogue: Catalogue, change: Change) -> list[str]:
    return [found.id for found in not_covered(catalogue, [change])]


def change(**parts: object) -> Change:
    return Change(**{"id": "new", "what": "x", "source": "y", "first_day": date(2009, 1, 5), **parts})  # type: ignore[arg-type]


def test_the_newest_catalogue_covers_every_announced_change(newest: Catalogue) -> None:
    assert [found.id for found in not_covered(newest, outside.announced_changes())] == []


def test_the_days_until_a_change_that_no_catalogue_has_are_shown() -> None:
    first = load_catalogue(CATALOGUES / "1")
    closing = next(found for found in outside.announced_changes() if found.id == "capital_limit_2006")
    metrics.UNCOVERED_RULE_CHANGE.clear()  # of what earlier tests of this process have shown
    try:
        metrics.show_uncovered_changes(first)
        [family] = metrics.UNCOVERED_RULE_CHANGE.collect()
        shown = {sample.labels["change"]: sample.value for sample in family.samples}
    finally:
        metrics.UNCOVERED_RULE_CHANGE.clear()

    assert shown.keys() == {found.id for found in not_covered(first, outside.announced_changes())}
    assert shown["capital_limit_2006"] == (closing.first_day - clock.today()).days


def test_a_change_of_a_table_is_covered_by_its_row_alone(newest: Catalogue) -> None:
    covered = change(table="capital_limit", first_day=date(2006, 4, 10), value=1600000)

    assert uncovered(newest, covered) == []
    assert uncovered(newest, change(table="capital_limit", first_day=date(2006, 4, 11), value=1600000)) == ["new"]
    assert uncovered(newest, change(table="capital_limit", first_day=date(2006, 4, 10), value=1600001)) == ["new"]
    assert uncovered(newest, change(table="no_such_table", value=1)) == ["new"]


def test_a_scheme_that_closes_is_covered_by_its_last_day(newest: Catalogue) -> None:
    closed = replace(newest.schemes["CRISIS_LOAN"], claimed_until=date(2009, 1, 4))
    catalogue = replace(newest, schemes={"CRISIS_LOAN": closed})

    assert uncovered(catalogue, change(scheme="CRISIS_LOAN", closes=True)) == []
    assert uncovered(newest, change(scheme="CRISIS_LOAN", closes=True)) == ["new"]
    assert uncovered(newest, change(scheme="UNIVERSAL_CREDIT", opens=True)) == ["new"]


@pytest.mark.long
def test_no_set_of_schemes_leaves_a_mandatory_field_empty(newest: Catalogue) -> None:
    found = report(newest, sets_of(newest))

    assert [str(finding) for finding in found.findings] == []
    assert all(proof.outcome.whole for proof in found.proofs)
