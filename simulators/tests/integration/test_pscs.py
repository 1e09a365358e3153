"""PSCS by its SFTP door and its control door."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from simulators.pscs.server import Pscs
from simulators.pscs.testing import Maker
from simulators.settings import PscsSettings
from simulators.sftp.testing import SftpClient, make_keys
from simulators.testing import call, digits_of, transfer_id, wait_until
from tests.support.pscs import TODAY, answered, cycle, ledger, line

NAME = "CMS3.PSCS.S000001"


def test_file_is_taken_and_each_line_answered(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    lines = [line(1), line(2, CM_SURNAME="O' BRIEN"), line(3)]

    pscs_client.upload(f"{NAME}.DAT", maker.batch(1, lines))
    files = cycle(pscs)

    response = maker.response(pscs_client.read(f"/out/{NAME}.RSP"))
    assert files == [{"sequence": 1, "result": "A", "code": "", "held": 2, "refused": 1}]
    assert (response.sequence, response.result, response.count) == (1, "A", 3)
    assert response.completions == ["A", "RPS0002", "A"]
    assert [one["RD-TRANSFER-ID"] for one in response.lines] == [transfer_id(number) for number in (1, 2, 3)]
    assert pscs_client.names("/in") == []


def test_claims_of_the_ledger_are_counted_by_reference(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    answered(pscs, pscs_client, maker, maker.batch(1, [line(1), line(2), line(1)]))

    found = ledger(pscs)

    assert found["claims"]["C00000000001"] == {"held": 2, "duplicates": 1}
    assert found["claims"]["C00000000002"] == {"held": 1, "duplicates": 0}
    assert (found["duplicates"], found["files"]["expected"]) == (1, 2)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda maker: maker.batch(1, [line()])[:-1], "PF0005"),
        (lambda _: b"", "PF0005"),
        (lambda maker: maker.batch(2, [line()]), "PF0001"),
        (lambda maker: maker.batch(1, []), "PF0003"),
        (lambda maker: maker.batch(1, [line()], count=2), "PF0003"),
        (lambda maker: maker.batch(1, [line(PD_LINE=2)]), "PF0003"),
        (lambda maker: maker.batch(1, [line()]).replace(b"\xf9" + b"\xf0" * 5, b"\xc1" + b"\xf0" * 5), "PF0003"),
        (lambda maker: maker.batch(1, [line()], hash_total=1), "PF0004"),
    ],
)
def test_file_that_breaks_a_rule_is_refused_whole(
    pscs: Pscs, pscs_client: SftpClient, maker: Maker, content: Any, code: str
) -> None:
    response = answered(pscs, pscs_client, maker, content(maker))

    assert (response.result, response.code, response.count, len(response.lines)) == ("R", code, 0, 0)
    assert (ledger(pscs)["claims"], ledger(pscs)["files"]["expected"]) == ({}, 1)


def test_corrected_file_has_a_later_response_under_the_same_name(
    pscs: Pscs, pscs_client: SftpClient, maker: Maker
) -> None:
    refused = answered(pscs, pscs_client, maker, maker.batch(1, [line()], count=2))
    before = pscs_client.changed(f"/out/{NAME}.RSP")

    taken = answered(pscs, pscs_client, maker, maker.batch(1, [line()]))

    assert (refused.result, taken.result) == ("R", "A")
    assert pscs_client.changed(f"/out/{NAME}.RSP") >= before + 1


def test_gap_is_refused_and_the_same_sequence_expected(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    response = answered(pscs, pscs_client, maker, maker.batch(3, [line()]), sequence=3)

    assert (response.sequence, response.code) == (3, "PF0001")
    assert ledger(pscs)["files"]["expected"] == 1


def test_repeat_is_answered_beside_the_first_response_and_holds_nothing(
    pscs: Pscs, pscs_client: SftpClient, maker: Maker
) -> None:
    answered(pscs, pscs_client, maker, maker.batch(1, [line()]))
    first = pscs_client.read(f"/out/{NAME}.RSP")

    pscs_client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
    cycle(pscs)

    repeat = maker.response(pscs_client.read(f"/out/{NAME}.DUP"))
    assert (repeat.result, repeat.code, repeat.count) == ("R", "PF0002", 0)
    assert pscs_client.read(f"/out/{NAME}.RSP") == first
    assert ledger(pscs)["claims"]["C00000000001"] == {"held": 1, "duplicates": 0}


def test_sequence_begins_again_after_the_last(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    answered(pscs, pscs_client, maker, maker.batch(1, [line(1)]))
    call(pscs.control_port, "PUT", "/sequence", body={"sequence": 999_999})

    pscs_client.upload("CMS3.PSCS.S000001.DAT", maker.batch(1, [line(3)]))
    pscs_client.upload("CMS3.PSCS.S999999.DAT", maker.batch(999_999, [line(2)]))
    files = cycle(pscs)

    assert [(file["sequence"], file["result"]) for file in files] == [(999_999, "A"), (1, "A")]


def test_change_needs_a_claim_that_is_held(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    response = answered(
        pscs, pscs_client, maker, maker.batch(1, [line(1, CM_ACTION="C"), line(1), line(1, CM_ACTION="C")])
    )

    assert response.completions == ["RPS0013", "A", "A"]
    assert ledger(pscs)["claims"]["C00000000001"] == {"held": 1, "duplicates": 0}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PD_SICK_FROM": digits_of(TODAY + timedelta(days=1))}, "PS0020"),
        ({"PD_SICK_FROM": 20050230}, "PS0020"),
        ({"PD_EMPLOYMENT": "E", "PD_SSP_REASON": "EX"}, "PS0021"),
        ({"PD_EMPLOYMENT": "E", "PD_SSP_ENDED": digits_of(TODAY)}, "PS0021"),
        ({"PD_MED_CERT_FROM": digits_of(TODAY), "PD_MED_CERT_TO": digits_of(TODAY - timedelta(days=1))}, "PS0022"),
        ({"CM_NINO": "BG123456A"}, "PS0001"),
        ({"CM_POSTCODE": "LS14AP"}, "PS0006"),
    ],
)
def test_line_that_breaks_an_edit_rule_is_refused(
    pscs: Pscs, pscs_client: SftpClient, maker: Maker, changes: dict[str, Any], code: str
) -> None:
    response = answered(pscs, pscs_client, maker, maker.batch(1, [line(1, **changes), line(2)]))

    assert response.completions == [f"R{code}", "A"]


def test_control_file_lists_what_is_held_for_the_day(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    answered(pscs, pscs_client, maker, maker.batch(1, [line(1), line(2, CM_NINO="BG123456A"), line(3)]))

    content = pscs_client.read(f"/control/PSCS.D{TODAY:%Y%m%d}.CTL")

    lines = [one.decode("cp285") for one in content.split(b"\x15")]
    assert lines == [f"{transfer_id(1)} PS0000000001", f"{transfer_id(3)} PS0000000002", ""]
    assert len(content) == 2 * 40
    assert pscs_client.read(f"/control/PSCS.D{TODAY - timedelta(days=1):%Y%m%d}.CTL") == b""


def test_claim_lost_overnight_leaves_the_control_file_of_its_day(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_client: SftpClient, maker: Maker
) -> None:
    answered(pscs, pscs_client, maker, maker.batch(1, [line(1), line(2)]))
    assert pscs_settings.clock_offset_file
    pscs_settings.clock_offset_file.write_text("86400")

    lost = call(pscs.control_port, "POST", "/ledger/lose", body={"claim_ref": "C00000000001"}).body
    cycle(pscs)

    assert lost == {"lost": 1}
    assert pscs_client.read(f"/control/PSCS.D{TODAY:%Y%m%d}.CTL").count(b"\x15") == 1
    assert "C00000000001" in ledger(pscs)["claims"]
    assert ledger(pscs)["claims"]["C00000000001"]["held"] == 0


def test_response_goes_after_seven_days(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_client: SftpClient, maker: Maker
) -> None:
    answered(pscs, pscs_client, maker, maker.batch(1, [line()]))
    assert pscs_settings.clock_offset_file
    pscs_settings.clock_offset_file.write_text(str(8 * 86_400))

    cycle(pscs)

    assert pscs_client.names("/out") == []


def test_only_the_user_with_the_key_comes_in(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_keys: dict[str, Path], tmp_path: Path
) -> None:
    other = make_keys(tmp_path) | {"known_hosts": pscs_keys["known_hosts"]}

    with pytest.raises(asyncssh.PermissionDenied), SftpClient(pscs_settings, pscs_keys, pscs.port, user="root"):
        pass
    with pytest.raises(asyncssh.PermissionDenied), SftpClient(pscs_settings, other, pscs.port):
        pass


@pytest.mark.parametrize("folder", ["out", "control", ".", "in/../out"])
def test_only_in_can_be_written(pscs_client: SftpClient, folder: str) -> None:
    with pytest.raises(asyncssh.SFTPPermissionDenied):
        pscs_client.write("x.RSP", b"x", folder=folder)


def test_everything_is_there_after_a_restart(
    pscs_settings: PscsSettings, pscs_keys: dict[str, Path], maker: Maker
) -> None:
    first = Pscs(pscs_settings)
    first.start()
    with SftpClient(pscs_settings, pscs_keys, first.port) as session:
        answered(first, session, maker, maker.batch(1, [line(1), line(2, CM_NINO="BG123456A")]))
    before = ledger(first)
    first.stop()

    second = Pscs(pscs_settings)
    second.start()
    try:
        assert ledger(second) == before
        with SftpClient(pscs_settings, pscs_keys, second.port) as session:
            response = answered(second, session, maker, maker.batch(2, [line(3)]), sequence=2)
        assert response.lines[0]["RD-LEGACY-REF"] == "PS0000000002"
    finally:
        second.stop()


def test_file_that_was_taken_before_a_crash_is_not_taken_twice(
    pscs_settings: PscsSettings, pscs_keys: dict[str, Path], maker: Maker
) -> None:
    content = maker.batch(1, [line()])
    first = Pscs(pscs_settings)
    first.start()
    with SftpClient(pscs_settings, pscs_keys, first.port) as session:
        answered(first, session, maker, content)
    first.stop()
    token = next(iter(first._holdings._tokens))
    (pscs_settings.data / "work" / f"{NAME}.DAT.{token}").write_bytes(content)
    (pscs_settings.data / "sftp" / "out" / f"{NAME}.RSP").unlink()

    second = Pscs(pscs_settings)
    second.start()
    try:
        with SftpClient(pscs_settings, pscs_keys, second.port) as session:
            cycle(second)
            assert maker.response(session.read(f"/out/{NAME}.RSP")).completions == ["A"]
            assert session.names("/out") == [f"{NAME}.RSP"]
        assert ledger(second)["claims"]["C00000000001"] == {"held": 1, "duplicates": 0}
    finally:
        second.stop()


def test_cycle_runs_by_itself(pscs_settings: PscsSettings, pscs_keys: dict[str, Path], maker: Maker) -> None:
    stand_in = Pscs(pscs_settings.model_copy(update={"cycle_seconds": 0.05}))
    stand_in.start()
    try:
        with SftpClient(pscs_settings, pscs_keys, stand_in.port) as session:
            session.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
            wait_until(lambda: session.names("/out") == [f"{NAME}.RSP"])
    finally:
        stand_in.stop()
