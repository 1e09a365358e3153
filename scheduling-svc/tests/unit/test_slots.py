from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH, Slot, SlotId

NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_a_slots_id_is_its_assessor_and_its_start_in_utc() -> None:
    in_paris = NINE.astimezone(timezone(timedelta(hours=1)))
    slot = Slot(
        assessor_id="ANE01001",
        office_code="600011",
        start_time=in_paris,
        end_time=in_paris + SLOT_LENGTH,
        channel=Channel.OFFICE,
    )

    assert str(slot.slot_id) == "ANE01001-20261130T0900Z"


@given(
    assessor=st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True),
    start=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - the zone follows
        lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
    ),
)
def test_an_id_that_was_written_is_read_as_it_was(assessor: str, start: datetime) -> None:
    identity = SlotId(assessor_id=assessor, start_time=start)

    assert SlotId.read(str(identity)) == identity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ANE01001",
        "ANE01001-20261130T0900",
        "ane01001-20261130T0900Z",
        "ANE010011-20261130T0900Z",
        "ANE01001-20261330T0900Z",
        "ANE01001-20261130T2500Z",
        "ANE01001-20261130T0900Z\n",
        "7f1c2a52-5c39-4d5e-8a57-0f2b8f6b7c11",
    ],
)
def test_nothing_else_is_an_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"slot|match|range|month|hour"):
        SlotId.read(text)
