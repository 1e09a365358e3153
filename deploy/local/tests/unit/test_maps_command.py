"""`cms maps lint` holds the maps against the records and the questions, and needs no running platform."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cms_local.maps.commands import app
from intake.catalogue import CATALOGUES

NEWEST = max(int(part.name) for part in CATALOGUES.iterdir() if part.name.isdecimal())


def lint(*words: str) -> Result:
    return CliRunner().invoke(app, ["lint", *words])


def test_the_maps_are_without_a_finding() -> None:
    done = lint()

    assert done.exit_code == 0, done.stderr
    assert "0 findings" in done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        (
            "illness",
            '{ code = "NONE", text = { en = "Nobody", cy = "Neb" } },\n',
            '{ code = "NONE", text = { en = "Nobody", cy = "Neb" } }, { code = "FRIEND", text = { en = "A", cy = "A" } },\n',
            "PD-ADULT-DEPENDANT is made from an answer of another kind, for an answer to adult_dependant",
        ),
        (
            "crisis",
            'id = "amount"\nkind = "MONEY"\nmaximum_pence = 9999999',
            'id = "amount"\nkind = "MONEY"\nmaximum_pence = 99999999',
            "SF-AMOUNT has more than 5 digits before the point, for an answer to amount",
        ),
        (
            "crisis",
            'needed_by = ["decision.repayment"]',
            'needed_by = ["decision.repayment", "SF-AMOUNT"]',
            "SF-AMOUNT does not go by repay_weekly, which says that the field needs it",
        ),
        (
            "crisis",
            'needed_by = ["SF-AMOUNT"]\nseen_by = ["legacy-gateway"]',
            'needed_by = ["SF-AMOUNT"]',
            "SF-AMOUNT is made from amount, which the gateway may not see",
        ),
    ],
)
def test_a_question_that_a_map_cannot_take_is_found(
    tmp_path: Path, file: str, old: str, new: str, finding: str
) -> None:
    shutil.copytree(CATALOGUES / str(NEWEST), tmp_path / str(NEWEST))
    path = tmp_path / str(NEWEST) / "questions" / f"{file}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    done = lint("--folder", str(tmp_path))

    assert done.exit_code == 1
    assert finding in done.stderr
