"""The councils' SFTP way over its real doors: files, acknowledgements, and every failure."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from simulators.clock import Clock
from simulators.councils.server import Councils
from simulators.councils.testing import notice_file
from simulators.settings import CouncilsSettings
from simulators.sftp.testing import SftpClient, keys_in
from simulators.testing import call, good_notice, wait_until

LEEDS, CARDIFF = "E08000035", "W06000015"


@pytest.fixture
def client(councils: Councils, councils_settings: CouncilsSettings, tmp_path: Path) -> Iterator[SftpClient]:
    with SftpClient(councils_settings, keys_in(tmp_path), councils.sftp_port) as session:
        yield session


def notice(number: int = 1, **changes: Any) -> dict[str, Any]:
    return good_notice(Clock().today(), notice_id=f"N-{number}", claim_ref=f"C{number:011d}", **changes)


def name(sequence: int = 1, authority: str = LEEDS) -> str:
    return f"HB.{authority}.{sequence:06d}"


def cycle(councils: Councils) -> Any:
    return call(councils.control_port, "POST", "/cycle").body["files"]


def fail(councils: Councils, failure: str, **rule: object) -> None:
    assert call(councils.control_port, "PUT", "/failures", body={"failure": failure, **rule}).status == 200


def ledger(councils: Councils) -> Any:
    return call(councils.control_port, "GET", "/ledger").body


def ack(client: SftpClient, sequence: int = 1, authority: str = LEEDS) -> list[list[str]]:
    content = client.read(f"/out/{name(sequence, authority)}.ack").decode()
    return list(csv.reader(io.StringIO(content, newline="")))


def acknowledged(
    councils: Councils, client: SftpClient, content: bytes, sequence: int = 1, authority: str = LEEDS
) -> list[list[str]]:
    client.upload(f"{name(sequence, authority)}.csv", content, part=".part")
    cycle(councils)
    return ack(client, sequence, authority)


def test_each_row_of_a_file_is_loaded_and_acknowledged(councils: Councils, client: SftpClient) -> None:
    full = {
        "landlord": 'Smith, "Sons" & Co\nLtd',
        "household": [{"relationship": "SON", "non_dependant": False, "date_of_birth": "2010-01-31"}],
        "income": [{"kind": "EMP", "amount": "12.50", "period": "W"}],
    }
    tenancy = {"kind": "PRIVATE", "landlord": full.pop("landlord")}
    rows = [notice(1), notice(2, tenancy=tenancy, partner=partner(), **full)]

    told = acknowledged(councils, client, notice_file(rows))

    assert told == [["N-1", "1", "LOADED", ""], ["N-2", "1", "LOADED", ""]]
    assert client.read(f"/out/{name()}.ack").endswith(b"\r\n")
    assert client.names("/in") == []
    held = ledger(councils)
    assert (held["files"], held["duplicates"]) == ({"taken": 1, "refused": 0, "repeated": 0}, 0)
    [version] = held["claims"]["C00000000002"][0]["versions"]
    assert (version["state"], version["way"], version["receipt"]) == ("LOADED", "sftp", name())


def partner() -> dict[str, str]:
    return {"surname": "Siân", "forenames": "李", "date_of_birth": "1990-01-01"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"count": 2}, "THE COUNT IS NOT THAT OF THE ROWS"),
        ({"sha256": "0" * 64}, "THE HASH IS NOT THAT OF THE LINES"),
        ({"sha256": "0"}, "THE TRAILER IS MISSING OR WRONG"),
    ],
)
def test_a_file_whose_trailer_is_wrong_is_refused_whole(
    councils: Councils, client: SftpClient, given: dict[str, Any], reason: str
) -> None:
    told = acknowledged(councils, client, notice_file([notice()], **given))

    assert told == [["N-1", "1", "REFUSED", reason]]
    assert ledger(councils)["files"]["refused"] == 1
    assert ledger(councils)["claims"] == {}


def test_every_row_that_can_be_read_of_a_file_cut_short_is_refused(councils: Councils, client: SftpClient) -> None:
    whole = notice_file([notice(number) for number in (1, 2, 3)])

    told = acknowledged(councils, client, whole[: len(whole) * 3 // 5])

    assert [(row[0], row[2]) for row in told] == [("N-1", "REFUSED")]
    assert acknowledged(councils, client, b"", sequence=2) == []
    assert acknowledged(councils, client, b"\xff\x00", sequence=3) == []


def test_a_row_that_is_wrong_is_refused_by_itself(councils: Councils, client: SftpClient) -> None:
    rows = [notice(1, benefit="UC"), notice(2, authority_code=CARDIFF), notice(3)]

    told = acknowledged(councils, client, notice_file(rows))

    assert [row[2] for row in told] == ["REFUSED", "REFUSED", "LOADED"]
    assert [row[3].partition(":")[0] for row in told] == ["benefit", "authority_code", ""]


def test_an_older_row_is_refused_and_the_same_is_loaded_once(councils: Councils, client: SftpClient) -> None:
    newer = notice(1, version=2, supersedes=1)
    acknowledged(councils, client, notice_file([newer]))

    told = acknowledged(
        councils, client, notice_file([notice(1), newer, notice(1, version=2, supersedes=1, seeks="HB")]), 7
    )

    assert told[0] == ["N-1", "1", "REFUSED", "LATER VERSION HELD"]
    assert told[1] == ["N-1", "2", "LOADED", ""]
    assert told[2] == ["N-1", "2", "REFUSED", "version: is held with other content"]
    assert ledger(councils)["duplicates"] == 0


def test_a_sequence_that_was_taken_is_acknowledged_as_before_and_no_more(
    councils: Councils, client: SftpClient
) -> None:
    first = acknowledged(councils, client, notice_file([notice(1)]))

    assert acknowledged(councils, client, notice_file([notice(2)])) == first
    assert ledger(councils)["files"] == {"taken": 1, "refused": 0, "repeated": 1}
    assert list(ledger(councils)["claims"]) == ["C00000000001"]
    assert (
        acknowledged(councils, client, notice_file([notice(3, authority_code=CARDIFF)]), 1, CARDIFF)[0][2] == "LOADED"
    )


def test_a_sequence_can_have_been_taken_before(councils: Councils, client: SftpClient) -> None:
    call(councils.control_port, "POST", "/sequences", body={"authority": LEEDS, "sequence": 1})

    assert acknowledged(councils, client, notice_file([notice(1)])) == []
    assert ledger(councils)["claims"] == {}


def test_a_hasty_reader_refuses_what_is_half_written_and_never_sees_a_part(
    councils: Councils, client: SftpClient
) -> None:
    fail(councils, "hasty", authority=LEEDS)
    content = notice_file([notice(1), notice(2)])

    client.write_pieces(f"{name(1)}.csv", content[:900], content[900:])
    client.upload(f"{name(2)}.csv", content, part=".part")

    assert [row[2] for row in ack(client, 1)] == ["REFUSED"]
    assert [row[2] for row in ack(client, 2)] == ["LOADED", "LOADED"]
    assert cycle(councils) == []


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ({"failure": "omit_row"}, [1, 3]),
        ({"failure": "omit_row", "claim_ref": "C00000000003"}, [1, 2]),
        ({"failure": "jumble_ack"}, [3, 3, 2, 2, 1, 1]),
    ],
)
def test_an_acknowledgement_lacks_or_repeats_rows_and_is_whole_when_asked_for_again(
    councils: Councils, client: SftpClient, failure: dict[str, Any], expected: list[int]
) -> None:
    fail(councils, **failure, count=1)
    content = notice_file([notice(number) for number in (1, 2, 3)])

    told = acknowledged(councils, client, content)

    assert [row[0] for row in told] == [f"N-{number}" for number in expected]
    assert [row[0] for row in acknowledged(councils, client, content)] == ["N-1", "N-2", "N-3"]


def test_an_acknowledgement_is_cut_short_late_or_names_another_version(councils: Councils, client: SftpClient) -> None:
    fail(councils, "cut_ack", count=1)
    cut = acknowledged(councils, client, notice_file([notice(1), notice(2)]))
    fail(councils, "other_version", count=1)
    other = acknowledged(councils, client, notice_file([notice(3)]), 2)
    fail(councils, "no_ack", seconds=0, count=1)
    late = acknowledged(councils, client, notice_file([notice(4)]), 3)
    fail(councils, "huge_ack", megabytes=1, count=1)
    huge = acknowledged(councils, client, notice_file([notice(5)]), 4)

    assert len(cut) == 1 or len(cut[-1]) < 4
    assert other == [["N-3", "2", "LOADED", ""]]
    assert late == [["N-4", "1", "LOADED", ""]]
    assert len(huge) > 1_000
    assert call(councils.control_port, "POST", "/acknowledgements", body={"authority": LEEDS, "sequence": 4}).body == {
        "written": True
    }
    assert ack(client, 4) == [["N-5", "1", "LOADED", ""]]


def test_an_authority_that_is_away_or_refuses_all_holds_up_no_other(councils: Councils, client: SftpClient) -> None:
    fail(councils, "silent", authority=LEEDS, seconds=60)
    client.upload(f"{name(1)}.csv", notice_file([notice(1)]), part=".part")

    assert (
        acknowledged(councils, client, notice_file([notice(2, authority_code=CARDIFF)]), 1, CARDIFF)[0][2] == "LOADED"
    )
    assert client.names("/in") == [f"{name(1)}.csv"]
    fail(councils, "refuse_file", authority=LEEDS)
    cycle(councils)
    assert ack(client, 1)[0][2:] == ["REFUSED", "the address is not one of this authority"]
    fail(councils, "refuse_load", claim_ref="C00000000003", reason="NO SUCH STREET")
    assert acknowledged(councils, client, notice_file([notice(3), notice(4)]), 2) == [
        ["N-3", "1", "REFUSED", "NO SUCH STREET"],
        ["N-4", "1", "LOADED", ""],
    ]


def test_the_door_fails_for_one_authority_alone(councils: Councils, client: SftpClient) -> None:
    fail(councils, "system_error", at="rename", authority=LEEDS)

    with pytest.raises(asyncssh.SFTPFailure):
        client.upload(f"{name(1)}.csv", notice_file([notice(1)]), part=".part")

    assert (
        acknowledged(councils, client, notice_file([notice(2, authority_code=CARDIFF)]), 1, CARDIFF)[0][2] == "LOADED"
    )


@pytest.mark.parametrize("other", ["HB.E08000035.1.csv", "HB.E08000035.000001.csv.PART", "notes.txt"])
def test_a_name_that_is_not_of_the_interface_cannot_be_written(client: SftpClient, other: str) -> None:
    with pytest.raises(asyncssh.SFTPPermissionDenied):
        client.write(other, b"x")


@pytest.mark.parametrize(
    "rule",
    [
        {"failure": "down", "authority": LEEDS},
        {"failure": "refuse", "authority": LEEDS},
        {"failure": "system_error", "claim_ref": "C00000000001"},
        {"failure": "lose_reply", "at": "read"},
    ],
)
def test_a_failure_without_a_possible_target_is_not_taken(councils: Councils, rule: dict[str, Any]) -> None:
    assert call(councils.control_port, "POST", "/failures", body=rule).status == 400


def test_rows_taken_outlive_a_restart_even_in_the_middle_of_a_file(
    councils_settings: CouncilsSettings, tmp_path: Path
) -> None:
    content = notice_file([notice(1)])
    first = Councils(councils_settings)
    first.start()
    with SftpClient(councils_settings, keys_in(tmp_path), first.sftp_port) as session:
        acknowledged(first, session, content)
    before = ledger(first)
    first.stop()
    [entry] = [json.loads(line) for line in (councils_settings.data / "ledger.jsonl").read_text().splitlines()]
    (councils_settings.data / "work" / f"{name()}.csv.{entry['token']}").write_bytes(content)
    (councils_settings.data / "sftp" / "out" / f"{name()}.ack").unlink()

    second = Councils(councils_settings)
    second.start()
    try:
        cycle(second)
        assert ledger(second) == before
        with SftpClient(councils_settings, keys_in(tmp_path), second.sftp_port) as session:
            assert ack(session) == [["N-1", "1", "LOADED", ""]]
    finally:
        second.stop()


def test_the_cycle_turns_by_itself(councils_settings: CouncilsSettings, tmp_path: Path) -> None:
    stand_in = Councils(councils_settings.model_copy(update={"cycle_seconds": 0.02}))
    stand_in.start()
    try:
        with SftpClient(councils_settings, keys_in(tmp_path), stand_in.sftp_port) as session:
            session.upload(f"{name()}.csv", notice_file([notice()]), part=".part")
            wait_until(lambda: session.names("/out") == [f"{name()}.ack"])
    finally:
        stand_in.stop()
