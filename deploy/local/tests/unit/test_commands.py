"""The `cms` command as its users meet it."""

import json
from pathlib import Path

import jwt
import pytest
import structlog
from rich.console import Console
from typer.testing import CliRunner

from cms_local import deadletters, keys, main
from cms_local.commands import running, trouble
from cms_local.deadletters import DeadLetter
from cms_local.layout import SERVICES, Layout
from cms_local.operations import Found
from cms_local.platform import Platform


def test_a_token_is_issued_by_the_key_of_a_prepared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.make_keys(tmp_path / "keys", authority_codes=[])
    monkeypatch.setenv("CMS_PREPARED_FOLDER", str(tmp_path))

    done = CliRunner().invoke(main.app, ["token", "--role", "OPERATOR", "--sub", "OP000001", "--grade", "AO"])

    assert done.exit_code == 0, done.output
    held = jwt.decode(done.output.strip(), options={"verify_signature": False})
    assert (held["sub"], held["roles"], held["grade"]) == ("OP000001", ["OPERATOR"], "AO")


def test_a_token_is_for_the_services_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.make_keys(tmp_path / "keys", authority_codes=[])
    monkeypatch.setenv("CMS_PREPARED_FOLDER", str(tmp_path))

    done, unknown, none = (
        CliRunner().invoke(main.app, ["token", *given])
        for given in (
            ["--role", "SUPPORT", "--audience", "intake-svc", "--audience", "la-notifier"],
            ["--role", "SUPPORT", "--audience", "intake"],
            [],
        )
    )

    held = jwt.decode(done.output.strip(), options={"verify_signature": False})
    assert held["aud"] == ["intake-svc", "la-notifier"]
    assert (unknown.exit_code, none.exit_code) == (1, 1)


def test_a_subject_is_revoked_once_however_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.make_keys(tmp_path / "keys", authority_codes=[])
    monkeypatch.setenv("CMS_PREPARED_FOLDER", str(tmp_path))

    for subject in ("OP000001", "OP000002", "OP000001"):
        assert CliRunner().invoke(main.app, ["token", "revoke", subject]).exit_code == 0

    listed = json.loads((tmp_path / "keys" / "revoked.json").read_text())["revoked"]
    assert [one["sub"] for one in listed] == ["OP000002", "OP000001"]


def test_a_command_keeps_what_libraries_log_out_of_its_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.make_keys(tmp_path / "keys", authority_codes=[])
    monkeypatch.setenv("CMS_PREPARED_FOLDER", str(tmp_path))
    configured = structlog.get_config()

    try:
        main.app(["token", "--role", "SUPPORT"], standalone_mode=False)
        structlog.get_logger().warning("a retry is scheduled")
    finally:
        structlog.configure(**configured)

    told = capsys.readouterr()
    assert ("a retry is scheduled" in told.out, "a retry is scheduled" in told.err) == (False, True)


def test_status_cuts_no_address_off_in_a_terminal_of_80_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(None, prepared=tmp_path)
    addresses = {
        name: (f"127.0.0.1:{60000 + number}", f"127.0.0.1:{61000 + number}", f"127.0.0.1:{62000 + number}")
        for number, name in enumerate(SERVICES)
    }
    processes = [
        {"name": name, "pid": 4194304, "grpc": grpc, "http": f"http://{http}", "operations": f"http://{operations}"}
        for name, (grpc, http, operations) in addresses.items()
    ]
    layout.platform_file.write_text(json.dumps({"processes": processes}))
    monkeypatch.setattr(running, "console", Console(width=80))
    monkeypatch.setattr(Platform, "is_alive", lambda _platform, _name: False)

    running._show(Platform(layout=layout, time_scale=1))

    shown = capsys.readouterr().out
    for of_one in addresses.values():
        assert all(address in shown for address in of_one)


def test_lists_cut_no_id_off_in_a_terminal_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = DeadLetter(
        service="assessment-svc",
        event_id="0c9e7a44-5b1d-4f3a-8e62-000000000001",
        source="intake-svc",
        type="cms.intake.v1.ClaimSubmitted",
        claim_ref="C7Q4M2X9KR0T",
        reason="RECORD_UNFIT",
        failed_time="2026-11-30T09:15:00Z",
        replay_wanted=False,
    )
    found = Found(items=[letter], away=[])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(deadletters, "list_dead_letters", lambda _layout: found)
    monkeypatch.setattr(trouble, "running_platform", lambda: Platform(layout=Layout(None), time_scale=1))

    trouble.deadletters_list()

    shown = capsys.readouterr().out
    assert all(value in shown for value in (letter.event_id, letter.type, letter.claim_ref, letter.failed_time))
