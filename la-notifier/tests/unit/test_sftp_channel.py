"""The files of notices and their acknowledgements, as bytes."""

import csv
import hashlib
import io
import json
from uuid import UUID

import pytest

from la_notifier.channels.sftp import COLUMNS, UnknownField, parse_ack, row_of, write_file
from la_notifier.domain.files import seconds_until_asked, seconds_until_cycle
from la_notifier.domain.notices import Saying, Waits, Word

NOTICE = UUID("6f9619ff-8b86-d011-b42d-00cf4fc964ff")
WAITS = Waits(scale=1.0, jitter=1.0, poll_seconds=1.0)
BODY = {
    "notice_id": str(NOTICE),
    "version": 1,
    "supersedes": None,
    "kind": "INTENTION",
    "claimant": {"surname": 'O’Brien, "Siân"', "forenames": "Ŵyn"},
    "address": {"lines": ["1 High Street", "Cardiff"], "postcode": "CF10 4ER"},
    "household": [{"relationship": "PARENT", "non_dependant": True}],
}


def test_a_file_has_a_header_its_rows_and_a_trailer_with_their_hash() -> None:
    content = write_file([row_of(BODY)])

    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    before = content[: content.index(b"TRAILER")]
    assert lines[-2].decode() == f"TRAILER,1,{hashlib.sha256(before).hexdigest()}"
    header, row = csv.reader(io.StringIO(before.decode(), newline=""), strict=True)
    assert header == list(COLUMNS)
    cells = dict(zip(header, row, strict=True))
    assert cells["claimant_surname"] == 'O’Brien, "Siân"'
    assert json.loads(cells["address_lines"]) == ["1 High Street", "Cardiff"]
    assert json.loads(cells["household"]) == BODY["household"]
    assert (cells["supersedes"], cells["partner_surname"], cells["version"]) == ("", "", "1")


def test_a_field_without_a_column_is_not_left_out_silently() -> None:
    with pytest.raises(UnknownField, match=r"claimant\.bank"):
        row_of({"claimant": {"bank": "x"}})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (f"{NOTICE},1,LOADED,\r\n", [("LOADED", 1)]),
        (f"{NOTICE},1,LOADED,\r\n{NOTICE},2,LOA", [("LOADED", 1)]),
        (f"{NOTICE},1,LOADED,", []),
        (f"{NOTICE},1,LOADED,\n", []),
        (f"{NOTICE},0,LOADED,\r\n{NOTICE},x,LOADED,\r\n{NOTICE},1,HELD,\r\nN-1,1,LOADED,\r\n{NOTICE},1,LOADED\r\n", []),
        (f'{NOTICE},1,REFUSED,"a, ""b"""\r\n', [("REFUSED", 1)]),
        (f'{NOTICE},3,REFUSED,"never closed\r\n{NOTICE},1,LOADED,\r\n', []),
        (f"{NOTICE},2,REFUSED,LATER VERSION HELD\r\n", [("LATER_VERSION_HELD", 2)]),
        ("", []),
    ],
)
def test_only_whole_lines_of_an_acknowledgement_say_something(content: str, found: list[tuple[str, int]]) -> None:
    rows = parse_ack(content.encode())

    assert [(row.word.saying, row.version) for row in rows] == found


def test_bytes_that_are_no_text_say_nothing() -> None:
    assert parse_ack(b"\xff\xfe\x00\r\n" * 3) == []


def test_a_refusal_keeps_the_names_of_fields_and_not_the_reason() -> None:
    (row,) = parse_ack(f"{NOTICE},1,REFUSED,tenancy_kind: Siân O’Brien rents; claimant.nino: x\r\n".encode())

    assert row.word == Word(saying=Saying.REFUSED, refused_fields=("tenancy.kind", "claimant.nino"))


def test_a_file_without_an_answer_is_asked_about_after_four_hours_then_each_day() -> None:
    assert [seconds_until_asked(uploads, WAITS) / 3600 for uploads in (1, 2, 3, 4, 9)] == [4, 8, 16, 24, 24]


def test_cycles_begin_at_multiples_of_their_length() -> None:
    assert seconds_until_cycle(3601.0, 1800.0) == 1799.0
    assert seconds_until_cycle(3600.0, 1800.0) == 1800.0
