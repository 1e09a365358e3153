"""PSCS by its SFTP door and its control door."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from simulators.clock import Clock
from simulators.pscs.server import Pscs
from simulators.pscs.testing import Maker, Response, line_values
from simulators.settings import PscsSettings, read_settings
from simulators.sftp.testing import SftpClient, make_keys
from simulators.testing import HttpAnswer, call, digits_of, transfer_id, wait_until

TODAY = Clock().today()
NAME = "CMS3.PSCS.S000001"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def maker(copybooks: Path) -> Maker:
    return Maker(copybooks)


@pytest.fixture
def settings(tmp_path: Path, copybooks: Path, keys: dict[str, Path]) -> PscsSettings:
    """The cycle is run by the control door."""
    return read_settings(
        PscsSettings,
        port=0,
        control_port=0,
        data=tmp_path / "pscs",
        copybooks=copybooks,
        host_key=keys["host_key"],
        authorized_keys=keys["authorized_keys"],
        cycle_seconds=3600,
        clock_offset_file=tmp_path / "offset",
    )


@pytest.fixture
def pscs(settings: PscsSettings) -> Iterator[Pscs]:
    stand_in = Pscs(settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def client(pscs: Pscs, settings: PscsSettings, keys: dict[str, Path]) -> Iterator[SftpClient]:
    with SftpClient(settings, keys, pscs.port) as session:
        yield session


def line(number: int = 1, **changes: Any) -> dict[str, Any]:
    own = {"PD-TRANSFER-ID": transfer_id(number), "CM-CLAIM-REF": f"C{number:011d}"}
    return line_values(TODAY) | own | {name.replace("_", "-"): value for name, value in changes.items()}


def cycle(pscs: Pscs) -> Any:
    return call(pscs.control_port, "POST", "/cycle").body["files"]


def fail(pscs: Pscs, **rule: Any) -> HttpAnswer:
    return call(pscs.control_port, "POST", "/failures", body={"count": 1, **rule})


def ledger(pscs: Pscs) -> Any:
    return call(pscs.control_port, "GET", "/ledger").body


def answered(pscs: Pscs, client: SftpClient, maker: Maker, content: bytes, sequence: int = 1) -> Response:
    """The response to this file."""
    client.upload(f"CMS3.PSCS.S{sequence:06d}.DAT", content)
    cycle(pscs)
    return maker.response(client.read(f"/out/CMS3.PSCS.S{sequence:06d}.RSP"))


def test_file_is_taken_and_each_line_answered(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    lines = [line(1), line(2, CM_SURNAME="O' BRIEN"), line(3)]

    client.upload(f"{NAME}.DAT", maker.batch(1, lines))
    files = cycle(pscs)

    response = maker.response(client.read(f"/out/{NAME}.RSP"))
    assert files == [{"sequence": 1, "result": "A", "code": "", "held": 2, "refused": 1}]
    assert (response.sequence, response.result, response.count) == (1, "A", 3)
    assert response.completions == ["A", "RPS0002", "A"]
    assert [one["RD-TRANSFER-ID"] for one in response.lines] == [transfer_id(number) for number in (1, 2, 3)]
    assert client.names("/in") == []


def test_claims_of_the_ledger_are_counted_by_reference(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    answered(pscs, client, maker, maker.batch(1, [line(1), line(2), line(1)]))

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
    pscs: Pscs, client: SftpClient, maker: Maker, content: Any, code: str
) -> None:
    response = answered(pscs, client, maker, content(maker))

    assert (response.result, response.code, response.count, len(response.lines)) == ("R", code, 0, 0)
    assert (ledger(pscs)["claims"], ledger(pscs)["files"]["expected"]) == ({}, 1)


def test_corrected_file_has_a_later_response_under_the_same_name(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    refused = answered(pscs, client, maker, maker.batch(1, [line()], count=2))
    before = client.changed(f"/out/{NAME}.RSP")

    taken = answered(pscs, client, maker, maker.batch(1, [line()]))

    assert (refused.result, taken.result) == ("R", "A")
    assert client.changed(f"/out/{NAME}.RSP") >= before + 1


def test_gap_is_refused_and_the_same_sequence_expected(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    response = answered(pscs, client, maker, maker.batch(3, [line()]), sequence=3)

    assert (response.sequence, response.code) == (3, "PF0001")
    assert ledger(pscs)["files"]["expected"] == 1


def test_repeat_is_answered_beside_the_first_response_and_holds_nothing(
    pscs: Pscs, client: SftpClient, maker: Maker
) -> None:
    answered(pscs, client, maker, maker.batch(1, [line()]))
    first = client.read(f"/out/{NAME}.RSP")

    client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
    cycle(pscs)

    repeat = maker.response(client.read(f"/out/{NAME}.DUP"))
    assert (repeat.result, repeat.code, repeat.count) == ("R", "PF0002", 0)
    assert client.read(f"/out/{NAME}.RSP") == first
    assert ledger(pscs)["claims"]["C00000000001"] == {"held": 1, "duplicates": 0}


def test_sequence_begins_again_after_the_last(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    answered(pscs, client, maker, maker.batch(1, [line(1)]))
    call(pscs.control_port, "PUT", "/sequence", body={"sequence": 999_999})

    client.upload("CMS3.PSCS.S000001.DAT", maker.batch(1, [line(3)]))
    client.upload("CMS3.PSCS.S999999.DAT", maker.batch(999_999, [line(2)]))
    files = cycle(pscs)

    assert [(file["sequence"], file["result"]) for file in files] == [(999_999, "A"), (1, "A")]


def test_change_needs_a_claim_that_is_held(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    response = answered(pscs, client, maker, maker.batch(1, [line(1, CM_ACTION="C"), line(1), line(1, CM_ACTION="C")]))

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
    pscs: Pscs, client: SftpClient, maker: Maker, changes: dict[str, Any], code: str
) -> None:
    response = answered(pscs, client, maker, maker.batch(1, [line(1, **changes), line(2)]))

    assert response.completions == [f"R{code}", "A"]


def test_control_file_lists_what_is_held_for_the_day(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    answered(pscs, client, maker, maker.batch(1, [line(1), line(2, CM_NINO="BG123456A"), line(3)]))

    content = client.read(f"/control/PSCS.D{TODAY:%Y%m%d}.CTL")

    lines = [one.decode("cp285") for one in content.split(b"\x15")]
    assert lines == [f"{transfer_id(1)} PS0000000001", f"{transfer_id(3)} PS0000000002", ""]
    assert len(content) == 2 * 40
    assert client.read(f"/control/PSCS.D{TODAY - timedelta(days=1):%Y%m%d}.CTL") == b""


def test_claim_lost_overnight_leaves_the_control_file_of_its_day(
    pscs: Pscs, settings: PscsSettings, client: SftpClient, maker: Maker
) -> None:
    answered(pscs, client, maker, maker.batch(1, [line(1), line(2)]))
    assert settings.clock_offset_file
    settings.clock_offset_file.write_text("86400")

    lost = call(pscs.control_port, "POST", "/ledger/lose", body={"claim_ref": "C00000000001"}).body
    cycle(pscs)

    assert lost == {"lost": 1}
    assert client.read(f"/control/PSCS.D{TODAY:%Y%m%d}.CTL").count(b"\x15") == 1
    assert "C00000000001" in ledger(pscs)["claims"]
    assert ledger(pscs)["claims"]["C00000000001"]["held"] == 0


def test_response_goes_after_seven_days(pscs: Pscs, settings: PscsSettings, client: SftpClient, maker: Maker) -> None:
    answered(pscs, client, maker, maker.batch(1, [line()]))
    assert settings.clock_offset_file
    settings.clock_offset_file.write_text(str(8 * 86_400))

    cycle(pscs)

    assert client.names("/out") == []


@pytest.mark.parametrize("recount", [False, True])
def test_response_lacks_a_line(pscs: Pscs, client: SftpClient, maker: Maker, *, recount: bool) -> None:
    fail(pscs, failure="omit_line", claim_ref="C00000000002", recount=recount)

    response = answered(pscs, client, maker, maker.batch(1, [line(1), line(2), line(3)]))

    assert [one["RD-TRANSFER-ID"] for one in response.lines] == [transfer_id(1), transfer_id(3)]
    assert response.count == (2 if recount else 3)
    assert ledger(pscs)["claims"]["C00000000002"]["held"] == 1


def test_response_is_for_another_sequence_or_transfer(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="other_sequence")
    fail(pscs, failure="other_transfer")

    first = answered(pscs, client, maker, maker.batch(1, [line(1)]))
    second = answered(pscs, client, maker, maker.batch(2, [line(2)]), sequence=2)

    assert (first.sequence, second.sequence) == (2, 2)
    assert second.lines[0]["RD-TRANSFER-ID"] == "Z" * 26


def test_response_that_was_cut_is_written_again_when_ordered(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="cut_response")
    client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
    cycle(pscs)
    cut = client.read(f"/out/{NAME}.RSP")

    call(pscs.control_port, "POST", "/responses", body={"sequence": 1})

    assert len(cut) == 300
    assert maker.response(client.read(f"/out/{NAME}.RSP")).completions == ["A"]


def test_response_comes_late_although_the_lines_are_held(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="no_response", seconds=0.2)
    client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    cycle(pscs)

    assert client.names("/out") == []
    assert ledger(pscs)["claims"]["C00000000001"]["held"] == 1
    wait_until(lambda: cycle(pscs) == [] and client.names("/out") == [f"{NAME}.RSP"])


def test_silent_system_takes_nothing_for_a_while(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="silent", seconds=0.2)
    client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    assert cycle(pscs) == []
    assert client.names("/in") == [f"{NAME}.DAT"]
    wait_until(lambda: bool(cycle(pscs)))


def test_file_and_line_are_refused_for_rules_unknown(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="refuse_file", code="PF0004")
    fail(pscs, failure="refuse_record", claim_ref="C00000000002")
    content = maker.batch(1, [line(1), line(2)])

    refused = answered(pscs, client, maker, content)
    taken = answered(pscs, client, maker, content)

    assert (refused.result, refused.code) == ("R", "PF0004")
    assert taken.completions == ["A", "RPS0090"]


def test_control_file_is_cut_short_until_the_next_cycle(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="cut_control")
    path = f"/control/PSCS.D{TODAY:%Y%m%d}.CTL"

    answered(pscs, client, maker, maker.batch(1, [line(1), line(2)]))
    cut = client.read(path)
    cycle(pscs)

    assert len(cut) % 40
    assert len(client.read(path)) == 80


@pytest.mark.parametrize("failure", ["break_off", "lose_reply"])
def test_connection_ends_in_a_transfer(
    pscs: Pscs, settings: PscsSettings, keys: dict[str, Path], maker: Maker, failure: str
) -> None:
    fail(pscs, failure=failure, at="write")
    content = maker.batch(1, [line()])

    with SftpClient(settings, keys, pscs.port) as session, pytest.raises(asyncssh.Error):
        session.upload(f"{NAME}.DAT", content)

    with SftpClient(settings, keys, pscs.port) as session:
        assert session.names("/in") == [f"{NAME}.DAT.PART"]
        assert len(session.read(f"/in/{NAME}.DAT.PART")) == len(content) // (2 if failure == "break_off" else 1)
    assert cycle(pscs) == []


def test_rename_is_done_and_its_reply_lost(
    pscs: Pscs, settings: PscsSettings, keys: dict[str, Path], maker: Maker
) -> None:
    fail(pscs, failure="lose_reply")

    with SftpClient(settings, keys, pscs.port) as session, pytest.raises(asyncssh.Error):
        session.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    assert [file["result"] for file in cycle(pscs)] == ["A"]


def test_system_error_does_nothing(pscs: Pscs, client: SftpClient, maker: Maker) -> None:
    fail(pscs, failure="system_error", at="rename")

    with pytest.raises(asyncssh.SFTPFailure):
        client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))

    assert client.names("/in") == [f"{NAME}.DAT.PART"]


def test_connection_is_refused_or_never_answered(pscs: Pscs, settings: PscsSettings, keys: dict[str, Path]) -> None:
    fail(pscs, failure="refuse")
    with pytest.raises((OSError, asyncssh.Error)), SftpClient(settings, keys, pscs.port):
        pass

    fail(pscs, failure="hang")
    hanging = SftpClient(settings, keys, pscs.port, patience=0.2)
    with pytest.raises(TimeoutError), hanging:
        pass


def test_only_the_user_with_the_key_comes_in(
    pscs: Pscs, settings: PscsSettings, keys: dict[str, Path], tmp_path: Path
) -> None:
    other = make_keys(tmp_path) | {"known_hosts": keys["known_hosts"]}

    with pytest.raises(asyncssh.PermissionDenied), SftpClient(settings, keys, pscs.port, user="root"):
        pass
    with pytest.raises(asyncssh.PermissionDenied), SftpClient(settings, other, pscs.port):
        pass


@pytest.mark.parametrize("folder", ["out", "control", ".", "in/../out"])
def test_only_in_can_be_written(client: SftpClient, folder: str) -> None:
    with pytest.raises(asyncssh.SFTPPermissionDenied):
        client.write("x.RSP", b"x", folder=folder)


def test_everything_is_there_after_a_restart(settings: PscsSettings, keys: dict[str, Path], maker: Maker) -> None:
    first = Pscs(settings)
    first.start()
    with SftpClient(settings, keys, first.port) as session:
        answered(first, session, maker, maker.batch(1, [line(1), line(2, CM_NINO="BG123456A")]))
    before = ledger(first)
    first.stop()

    second = Pscs(settings)
    second.start()
    try:
        assert ledger(second) == before
        with SftpClient(settings, keys, second.port) as session:
            response = answered(second, session, maker, maker.batch(2, [line(3)]), sequence=2)
        assert response.lines[0]["RD-LEGACY-REF"] == "PS0000000002"
    finally:
        second.stop()


def test_file_that_was_taken_before_a_crash_is_not_taken_twice(
    settings: PscsSettings, keys: dict[str, Path], maker: Maker
) -> None:
    content = maker.batch(1, [line()])
    first = Pscs(settings)
    first.start()
    with SftpClient(settings, keys, first.port) as session:
        answered(first, session, maker, content)
    first.stop()
    token = next(iter(first._holdings._tokens))
    (settings.data / "work" / f"{NAME}.DAT.{token}").write_bytes(content)
    (settings.data / "sftp" / "out" / f"{NAME}.RSP").unlink()

    second = Pscs(settings)
    second.start()
    try:
        with SftpClient(settings, keys, second.port) as session:
            cycle(second)
            assert maker.response(session.read(f"/out/{NAME}.RSP")).completions == ["A"]
            assert session.names("/out") == [f"{NAME}.RSP"]
        assert ledger(second)["claims"]["C00000000001"] == {"held": 1, "duplicates": 0}
    finally:
        second.stop()


def test_cycle_runs_by_itself(settings: PscsSettings, keys: dict[str, Path], maker: Maker) -> None:
    stand_in = Pscs(settings.model_copy(update={"cycle_seconds": 0.05}))
    stand_in.start()
    try:
        with SftpClient(settings, keys, stand_in.port) as session:
            session.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
            wait_until(lambda: session.names("/out") == [f"{NAME}.RSP"])
    finally:
        stand_in.stop()


def test_system_that_is_down_answers_nobody_until_the_time_is_over(
    pscs: Pscs, settings: PscsSettings, keys: dict[str, Path], client: SftpClient, maker: Maker
) -> None:
    client.upload(f"{NAME}.DAT", maker.batch(1, [line()]))
    fail(pscs, failure="down", seconds=0.5)

    with pytest.raises((OSError, asyncssh.Error)), SftpClient(settings, keys, pscs.port):
        pass
    with pytest.raises(asyncssh.Error):
        client.names("/out")

    assert cycle(pscs) == []
    wait_until(lambda: bool(cycle(pscs)))
