"""A claimant's own copy has what every service holds, is signed, and leaves its trace in the access logs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cms_local.main import app
from cms_local.subject_access import SOURCES
from tests.support.callers import logged
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")


@pytest.fixture(autouse=True)
def here(platform_under_test: PlatformUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cms_local.commands.subject_access.running_platform", lambda: platform_under_test.running)
    monkeypatch.setattr("cms_local.commands.subject_access.this_layout", lambda: platform_under_test.layout)


def cms(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_copy_has_what_is_held_and_is_signed_and_logged(
    platform_under_test: PlatformUnderTest, tmp_path: Path
) -> None:
    claim = platform_under_test.journey("single, council tenant")
    claim.take_call()
    claim.assess()
    claim.wait_for_outcome()
    out = tmp_path / "copy.json"

    written = cms("subject-access", claim.claim_ref.lower(), "--out", out)
    again = cms("subject-access", claim.claim_ref, "--out", out)
    read = cms("verify-subject-access", out)

    assert written.exit_code == 0, written.output
    assert again.exit_code == 1
    assert out.stat().st_mode & 0o777 == 0o600
    held = json.loads(out.read_text())["statement"]["held"]
    assert set(held) == {source.title for source in SOURCES}
    assert all(held[title] for title in ("Every answer", "Calls", "Interviews", "Messages to the claimant"))
    assert read.exit_code == 0
    assert str(claim.case.answers["surname"]) in read.stdout
    assert logged(platform_under_test, "intake-svc", "GetHistory", "SHOWN", "SUBJACC1") >= 1

    out.write_text(out.read_text().replace(str(claim.case.answers["surname"]), "Nobody"))
    assert cms("verify-subject-access", out).exit_code == 1


def test_there_is_no_copy_of_what_is_no_claim(tmp_path: Path) -> None:
    out = tmp_path / "copy.json"

    assert cms("subject-access", "C0000000001Y", "--out", out).exit_code == 1
    assert cms("subject-access", "nonsense", "--out", out).exit_code == 1
    assert not out.exists()
