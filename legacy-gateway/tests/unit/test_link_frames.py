"""The frames of the record link, byte for byte."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_gateway.link import Completion, LinkMessage, Reply, read_reply, request_frame, sequence_after
from legacy_gateway.records import RecordError, layout

TRANSFER = "01J000000000000000000000AA"
SENT_AT = datetime(2026, 6, 30, 23, 5, 9, tzinfo=UTC)
PAYLOAD = b"123456789"


def reply_bytes(transfer_id: str = TRANSFER, completion: str = "A", legacy_ref: str = "JS0000000001") -> bytes:
    text = f"RPLY{transfer_id}{completion}{legacy_ref:<12}0000000{'':350}{'':2}"
    return text.encode("cp285")


def test_a_frame_is_length_header_and_payload_in_london_time() -> None:
    frame = request_frame("ES504", TRANSFER, PAYLOAD, sent_at=SENT_AT, sequence=42)

    header = f"CMS301ES504CMS3GWAY{TRANSFER}20260701000509004200009" + "3421780262"
    assert frame == struct.pack(">I", 78 + 9) + header.encode("cp285") + PAYLOAD


@pytest.mark.parametrize(
    ("transfer_id", "payload", "sent_at", "field"),
    [
        ("TOO-SHORT", PAYLOAD, SENT_AT, "LH-TRANSFER-ID"),
        (TRANSFER.lower(), PAYLOAD, SENT_AT, "LH-TRANSFER-ID"),
        (TRANSFER + "\n", PAYLOAD, SENT_AT, "LH-TRANSFER-ID"),
        (TRANSFER, bytes(8_192 - 4 - 78 + 1), SENT_AT, "LH-PAYLOAD-LENGTH"),
        (TRANSFER, PAYLOAD, SENT_AT.replace(tzinfo=None), "LH-SENT-TIME"),
    ],
)
def test_values_that_do_not_fit_a_frame_are_refused(
    transfer_id: str, payload: bytes, sent_at: datetime, field: str
) -> None:
    with pytest.raises(RecordError) as refused:
        request_frame("ES504", transfer_id, payload, sent_at=sent_at, sequence=1)

    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize(("sequence", "following"), [(1, 2), (9_998, 9_999), (9_999, 0), (0, 1)])
def test_sequence_9999_is_followed_by_0000(sequence: int, following: int) -> None:
    assert sequence_after(sequence) == following


def test_a_reply_is_read_with_as_many_messages_as_it_counts() -> None:
    first = f"{'ES0002':6}{'CM-SURNAME':24}{'TWO MARKS TOGETHER':40}"
    second = f"{'ES0006':6}{'CM-POSTCODE':24}{'NOT A POSTCODE':40}"
    text = f"RPLY{TRANSFER}R{'':12}0000002{first}{second}{'':210}{'':2}"

    assert read_reply(text.encode("cp285")) == Reply(
        transfer_id=TRANSFER,
        completion=Completion.REJECTED,
        legacy_ref="",
        retry_after_seconds=0,
        messages=(
            LinkMessage(code="ES0002", field="CM-SURNAME", text="TWO MARKS TOGETHER"),
            LinkMessage(code="ES0006", field="CM-POSTCODE", text="NOT A POSTCODE"),
        ),
    )


def test_a_busy_system_says_when_to_come_back() -> None:
    text = f"RPLY{TRANSFER}B{'':12}0003000{'':350}{'':2}"

    assert read_reply(text.encode("cp285")).retry_after_seconds == 30


def test_the_completions_are_those_of_the_copybook() -> None:
    (field,) = (field for field in layout("LINK-REPLY").fields if field.name == "LR-COMPLETION")

    assert {f"LR-{one.name.replace('_', '-')}": one.value for one in Completion} == {
        condition.name: condition.value for condition in field.conditions
    }


@pytest.mark.parametrize(
    ("encoded", "field"),
    [
        (reply_bytes()[:-1], "LINK-REPLY"),
        (reply_bytes().replace("RPLY".encode("cp285"), "CMS3".encode("cp285")), "LR-EYECATCHER"),
        (reply_bytes(completion="Q"), "LR-COMPLETION"),
        (reply_bytes(completion=" "), "LR-COMPLETION"),
        (reply_bytes(completion="A", legacy_ref=""), "LR-LEGACY-REF"),
        (reply_bytes(completion="D", legacy_ref=""), "LR-LEGACY-REF"),
        (reply_bytes()[:48] + "06".encode("cp285") + reply_bytes()[50:], "LR-MESSAGE-COUNT"),
    ],
)
def test_a_malformed_reply_is_refused(encoded: bytes, field: str) -> None:
    with pytest.raises(RecordError) as refused:
        read_reply(encoded)

    assert field in [violation.field for violation in refused.value.violations]


@given(position=st.integers(0, 401), garbage=st.binary(min_size=1, max_size=60))
def test_garbage_is_refused_as_a_reply(position: int, garbage: bytes) -> None:
    spoilt = (reply_bytes()[:position] + garbage + reply_bytes()[position:])[:402]

    try:
        reply = read_reply(spoilt)
    except RecordError:
        return

    assert reply.completion in Completion
    assert len(reply.messages) <= 5
