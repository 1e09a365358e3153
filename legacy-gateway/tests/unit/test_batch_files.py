"""The bytes of batch files, responses and daily lists, with everything that can be wrong with what is read."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_gateway.domain.batches import FileFault, Line, NotBelieved
from legacy_gateway.domain.systems import HeldRecord
from legacy_gateway.records import RecordError, decode, encode, layout
from legacy_gateway.systems.pscs_files import (
    MOST_RESPONSE_BYTES,
    Detail,
    must_fit_batch,
    read_day_list,
    read_response,
    write_batch,
)

CREATED = datetime(2005, 7, 11, 8, 5, 9, tzinfo=UTC)
IDS = ["A" * 26, "0123456789ABCDEFGHIJKLMNOP"]


def detail(transfer_id: str, nino: str) -> Detail:
    record = encode(layout("PSCS-DETAIL"), {"CM-NINO": nino, "PD-PENSION-WEEKLY": Decimal("12.34")})
    return Detail(transfer_id=transfer_id, record=record)


def response(*lines: bytes, sequence: int = 7, result: str = "A", code: str = "", count: int | None = None) -> bytes:
    header = {"RH-TYPE": "0", "RH-FILE-SEQUENCE": sequence, "RH-RESULT": result, "RH-MSG-CODE": code}
    trailer = {"RT-TYPE": "9", "RT-DETAIL-COUNT": len(lines) if count is None else count}
    return b"".join([encode(layout("PSCS-RSP-HEADER"), header), *lines, encode(layout("PSCS-RSP-TRAILER"), trailer)])


def line(transfer_id: str, completion: str = "A", **values: str) -> bytes:
    named = {"RD-LEGACY-REF": "IB0000000001"} if completion == "A" else {}
    fields = {"RD-TYPE": "1", "RD-TRANSFER-ID": transfer_id, "RD-COMPLETION": completion} | named | values
    return encode(layout("PSCS-RSP-DETAIL"), fields)


def fault_of(content: bytes) -> FileFault:
    with pytest.raises(NotBelieved) as caught:
        read_response(content)
    return caught.value.fault


def test_a_file_is_header_numbered_details_and_a_trailer_with_count_and_hash_total() -> None:
    content = write_batch(999_999, CREATED, [detail(IDS[0], "AB123456C"), detail(IDS[1], "AB000002D")])

    header, first, second, trailer = (content[start : start + 1000] for start in range(0, len(content), 1000))
    assert decode(layout("PSCS-HEADER"), header) == {
        "PH-TYPE": "0",
        "PH-SOURCE": "CMS3GWAY",
        "PH-FILE-SEQUENCE": 999_999,
        "PH-CREATED-DATE": 20050711,
        "PH-CREATED-TIME": 90509,
    }
    numbered = [decode(layout("PSCS-DETAIL"), one) for one in (first, second)]
    assert [(one["PD-TYPE"], one["PD-LINE"], one["PD-TRANSFER-ID"]) for one in numbered] == [
        ("1", 1, IDS[0]),
        ("1", 2, IDS[1]),
    ]
    assert numbered[0]["PD-PENSION-WEEKLY"] == Decimal("12.34")
    assert decode(layout("PSCS-TRAILER"), trailer) == {
        "PT-TYPE": "9",
        "PT-DETAIL-COUNT": 2,
        "PT-HASH-TOTAL": 123456 + 2 * 2,
    }


def test_a_record_without_the_digits_of_a_nino_fits_no_file() -> None:
    with pytest.raises(RecordError):
        must_fit_batch(detail(IDS[0], "").record)
    with pytest.raises(RecordError):
        must_fit_batch(b"short")
    must_fit_batch(detail(IDS[0], "AB123456C").record)


def test_a_response_gives_what_is_held_and_what_is_refused() -> None:
    found = read_response(
        response(line(IDS[0]), line(IDS[1], "R", **{"RD-MSG-CODE": "PS0020", "RD-MSG-FIELD": "PD-SICK-FROM"}))
    )

    assert (found.sequence, found.refusal) == (7, "")
    assert list(found.lines) == [
        Line(transfer_id=IDS[0], legacy_ref="IB0000000001"),
        Line(transfer_id=IDS[1], code="PS0020", field="PD-SICK-FROM"),
    ]


def test_a_refused_file_has_its_code_and_no_lines() -> None:
    assert read_response(response(result="R", code="PF0004")).refusal == "PF0004"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", FileFault.LENGTH),
        (response(line(IDS[0]))[:-1], FileFault.LENGTH),
        (response(line(IDS[0]))[:-200], FileFault.UNREADABLE),
        (response(line(IDS[0]))[200:], FileFault.UNREADABLE),
        (response(line(IDS[0]), result="X"), FileFault.UNREADABLE),
        (response(line(IDS[0]), result="R", code="PF0003"), FileFault.UNREADABLE),
        (response(result="R"), FileFault.UNREADABLE),
        (response(line("LOWER-and-odd")), FileFault.UNREADABLE),
        (response(line(IDS[0], "A", **{"RD-LEGACY-REF": ""})), FileFault.UNREADABLE),
        (response(line(IDS[0], "Z")), FileFault.UNREADABLE),
        (b"\x00" * 600, FileFault.UNREADABLE),
        (b"\xf0" * (MOST_RESPONSE_BYTES + 200), FileFault.TOO_LONG),
    ],
)
def test_a_response_that_contradicts_itself_is_not_believed(content: bytes, fault: FileFault) -> None:
    assert fault_of(content) is fault


@given(
    st.binary(max_size=1000)
    | st.integers(1, 5).flatmap(lambda count: st.binary(min_size=200 * count, max_size=200 * count))
)
def test_no_bytes_break_the_readers(content: bytes) -> None:
    for read in (read_response, read_day_list):
        try:
            read(content)
        except NotBelieved:
            continue


def test_a_daily_list_gives_what_is_held() -> None:
    lines = [f"{IDS[0]} IB0000000001", f"{IDS[1]} IB2         "]
    content = b"".join(one.encode("cp285") + b"\x15" for one in lines)

    assert read_day_list(content) == [
        HeldRecord(transfer_id=IDS[0], legacy_ref="IB0000000001"),
        HeldRecord(transfer_id=IDS[1], legacy_ref="IB2"),
    ]
    assert read_day_list(b"") == []
    for wrong in (content[:-1], content[:-1] + b"\x40", b"\x15" + content[:-1], content.replace(b"\xf0", b"\x81")):
        with pytest.raises(NotBelieved):
            read_day_list(wrong)
