"""`cms script` reads the catalogues as files, and needs no running platform."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cms_local.script.commands import app
from intake.catalogue import CATALOGUES

NEWEST = max(int(part.name) for part in CATALOGUES.iterdir() if part.name.isdecimal())


def script(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of catalogues with the newest, and after it a copy under the next number, which a test may change."""
    for number in (NEWEST, NEWEST + 1):
        shutil.copytree(CATALOGUES / str(NEWEST), tmp_path / str(number))
    change(tmp_path, "catalogue.toml", f"number = {NEWEST}", f"number = {NEWEST + 1}")
    return tmp_path


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / str(NEWEST + 1) / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_lint_tells_each_fault_and_ends_with_a_status_that_is_seen(folder: Path) -> None:
    change(folder, "questions/crisis.toml", 'needed_by = ["SF-AMOUNT"]', 'needed_by = ["SF-SUM"]')

    done = script("lint", "--folder", str(folder), "--json")

    assert done.exit_code == 1
    row = json.loads(done.stdout)
    assert row["catalogue"] == NEWEST + 1
    told = f"{NEWEST + 1}/questions/crisis.toml: questions[amount]: needed_by names SF-SUM, which there is not"
    assert told in row["findings"]


def test_lint_tells_a_catalogue_that_cannot_be_read(folder: Path) -> None:
    change(folder, "crisis_loan.toml", "repay_weekly = {}", 'repay_weekly = { relevant = "1 +" }')

    done = script("lint", "--folder", str(folder))

    assert done.exit_code == 1
    assert (
        f"cms: {NEWEST + 1}/crisis_loan.toml" in done.stderr
        or "crisis_loan.toml: questions.repay_weekly" in done.stderr
    )


def test_show_prints_a_script_in_welsh_with_the_limits_of_the_day() -> None:
    done = script("show", "--schemes", "CRISIS_LOAN", "--on", "2006-04-03", "--lang", "CY", "--examples")

    assert done.exit_code == 0
    assert "Faint sydd ei angen arnoch?" in done.stdout
    assert "crisis_loan_debt_cap = 150000 PENCE" in done.stdout
    assert "for example  needed_for = 'ITEMS'" in done.stdout
    assert "is_group" not in done.stdout


@pytest.mark.parametrize("words", [("--schemes", "UNIVERSAL_CREDIT"), ("--lang", "FR"), ("--catalogue", "99")])
def test_show_refuses_what_there_is_not(words: tuple[str, str]) -> None:
    assert script("show", *words).exit_code != 0


def test_diff_says_what_changes_for_whom(folder: Path) -> None:
    change(folder, "crisis_loan.toml", "repay_weekly = {}", 'repay_weekly = { relevant = "amount > 10000" }')
    change(folder, "crisis_loan.toml", "claimed_until = 2013-03-31", "claimed_until = 2012-03-31")
    change(folder, "crisis_loan.toml", 'other_help = { relevant = "others_can_help" }\n', "")
    change(folder, "questions/crisis.toml", 'text.en = "How much do you need?"', 'text.en = "How much do you want?"')
    change(folder, "catalogue.toml", "value = 150000", "value = 160000")

    done = script("diff", str(NEWEST), str(NEWEST + 1), "--folder", str(folder))

    assert done.exit_code == 0
    lines = [line.strip() for line in done.stdout.splitlines()]
    for told in (
        "table crisis_loan_debt_cap, claims from 2006-04-03: 150000 becomes 160000",
        "claimed_until: 2013-03-31 becomes 2012-03-31",
        "repay_weekly: asked when: always becomes amount > 10000",
        "amount: text (en): 'How much do you need?' becomes 'How much do you want?'",
    ):
        assert told in lines
    assert any(line.startswith("no longer asks other_help:") for line in lines)
    assert "INCOME_SUPPORT" not in lines


def test_diff_of_a_catalogue_with_itself_says_nothing() -> None:
    done = script("diff", str(NEWEST), str(NEWEST))

    assert len(done.stdout.splitlines()) == 1


def test_the_sheet_has_every_text_in_both_languages(tmp_path: Path) -> None:
    done = script("sheet", "--schemes", "CRISIS_LOAN", "--out", str(tmp_path / "sheet.html"))

    assert done.exit_code == 0
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert '<td>How much do you need?</td><td lang="cy">Faint sydd ei angen arnoch?</td>' in page
