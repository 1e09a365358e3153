"""The failures of PSCS that can be ordered."""

from pathlib import Path

import asyncssh
import pytest

from simulators.pscs.server import Pscs
from simulators.pscs.testing import Maker
from simulators.settings import PscsSettings
from simulators.sftp.testing import SftpClient
from simulators.testing import call, transfer_id, wait_until
from tests.support.pscs import TODAY, answered, cycle, fail, ledger, line

NAME = "CMS3.PSCS.S000001"


@pytest.mark.parametrize("recount", [False, True])
def test_response_lacks_a_line(pscs: Pscs, pscs_client: SftpClient, maker: Maker, *, recount: bool) -> None:
    fail(pscs, failure="omit_line", claim_ref="C00000000002", recount=recount)

    response = answered(pscs, pscs_client, maker, maker.batch(1, [line(1), line(2), line(3)]))

    assert [one["RD-TRANSFER-ID"] for one in response.lines] == [transfer_id(1), transfer_id(3)]
    assert response.count == (2 if recount else 3)
    assert ledger(pscs)["claims"]["C00000000002"]["held"] == 1


def test_response_is_for_another_sequence_or_transfer(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="other_sequence")
    fail(pscs, failure="other_transfer")

    first = answered(pscs, pscs_client, maker, maker.batch(1, [line(1)]))
    second = answered(pscs, pscs_client, maker, maker.batch(2, [line(2)]), sequence=2)

    assert (first.sequence, second.sequence) == (2, 2)
    assert second.lines[0]["RD-TRANSFER-ID"] == "Z" * 26


def test_response_that_was_cut_is_written_again_when_ordered(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="cut_response")
    pscs_client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
    cycle(pscs)
    cut = pscs_client.read(f"/out/{NAME}.RSP")

    call(pscs.control_port, "POST", "/responses", body={"sequence": 1})

    assert len(cut) == 300
    assert maker.response(pscs_client.read(f"/out/{NAME}.RSP")).completions == ["A"]


def test_response_comes_late_although_the_lines_are_held(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="no_response", seconds=0.2)
    pscs_client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    cycle(pscs)

    assert pscs_client.names("/out") == []
    assert ledger(pscs)["claims"]["C00000000001"]["held"] == 1
    wait_until(lambda: cycle(pscs) == [] and pscs_client.names("/out") == [f"{NAME}.RSP"])


def test_silent_system_takes_nothing_for_a_while(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="silent", seconds=0.2)
    pscs_client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    assert cycle(pscs) == []
    assert pscs_client.names("/in") == [f"{NAME}.DAT"]
    wait_until(lambda: bool(cycle(pscs)))


def test_file_and_line_are_refused_for_rules_unknown(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="refuse_file", code="PF0004")
    fail(pscs, failure="refuse_record", claim_ref="C00000000002")
    content = maker.batch(1, [line(1), line(2)])

    refused = answered(pscs, pscs_client, maker, content)
    taken = answered(pscs, pscs_client, maker, content)

    assert (refused.result, refused.code) == ("R", "PF0004")
    assert taken.completions == ["A", "RPS0090"]


def test_control_file_is_cut_short_until_the_next_cycle(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="cut_control")
    path = f"/control/PSCS.D{TODAY:%Y%m%d}.CTL"

    answered(pscs, pscs_client, maker, maker.batch(1, [line(1), line(2)]))
    cut = pscs_client.read(path)
    cycle(pscs)

    assert len(cut) % 40
    assert len(pscs_client.read(path)) == 80


@pytest.mark.parametrize("failure", ["break_off", "lose_reply"])
def test_connection_ends_in_a_transfer(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_keys: dict[str, Path], maker: Maker, failure: str
) -> None:
    fail(pscs, failure=failure, at="write")
    content = maker.batch(1, [line()])

    with SftpClient(pscs_settings, pscs_keys, pscs.port) as session, pytest.raises(asyncssh.Error):
        session.upload(f"{NAME}.DAT", content)

    with SftpClient(pscs_settings, pscs_keys, pscs.port) as session:
        assert session.names("/in") == [f"{NAME}.DAT.PART"]
        assert len(session.read(f"/in/{NAME}.DAT.PART")) == len(content) // (2 if failure == "break_off" else 1)
    assert cycle(pscs) == []


def test_rename_is_done_and_its_reply_lost(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_keys: dict[str, Path], maker: Maker
) -> None:
    fail(pscs, failure="lose_reply")

    with SftpClient(pscs_settings, pscs_keys, pscs.port) as session, pytest.raises(asyncssh.Error):
        session.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    assert [file["result"] for file in cycle(pscs)] == ["A"]


def test_system_error_does_nothing(pscs: Pscs, pscs_client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="system_error", at="rename")

    with pytest.raises(asyncssh.SFTPFailure):
        pscs_client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    assert pscs_client.names("/in") == [f"{NAME}.DAT.PART"]


def test_connection_is_refused_or_never_answered(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_keys: dict[str, Path]
) -> None:
    fail(pscs, failure="refuse")
    with pytest.raises((OSError, asyncssh.Error)), SftpClient(pscs_settings, pscs_keys, pscs.port):
        pass

    fail(pscs, failure="hang")
    hanging = SftpClient(pscs_settings, pscs_keys, pscs.port, patience=0.2)
    with pytest.raises(TimeoutError), hanging:
        pass


def test_system_that_is_down_answers_nobody_until_the_time_is_over(
    pscs: Pscs, pscs_settings: PscsSettings, pscs_keys: dict[str, Path], pscs_client: SftpClient, maker: Maker
) -> None:
    pscs_client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
    fail(pscs, failure="down", seconds=0.5)

    with pytest.raises((OSError, asyncssh.Error)), SftpClient(pscs_settings, pscs_keys, pscs.port):
        pass
    with pytest.raises(asyncssh.Error):
        pscs_client.names("/out")

    assert cycle(pscs) == []
    wait_until(lambda: bool(cycle(pscs)))
