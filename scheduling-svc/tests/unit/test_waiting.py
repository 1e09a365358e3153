"""The waiting list: who takes which of the slots that were freed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.appointments import Appointment
from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH, Slot
from scheduling.domain.waiting import Place, assign

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LEEDS, BRADFORD = "600021", "600022"


def slot(hours: int, *, office: str = LEEDS, who: str = "A1", channel: Channel = Channel.OFFICE) -> Slot:
    start = NOW + timedelta(hours=hours)
    return Slot(assessor_id=who, office_code=office, start_time=start, end_time=start + SLOT_LENGTH, channel=channel)


def place(
    number: int,
    hours: int,
    *,
    target: int = 48,
    joined: int = 0,
    offices: frozenset[str] = frozenset({LEEDS}),
    by_telephone: bool = False,
    notice: int = 24,
) -> Place:
    """A claimant whose interview is in so many hours, and whose target passes in so many."""
    booked, _ = Appointment.book(
        appointment_id=UUID(int=number),
        claim_ref=f"C{number}",
        slot=slot(hours, who=f"B{number}"),
        nation=Nation.ENGLAND,
        first_contact_time=NOW,
        target_time=NOW + timedelta(hours=target),
        now=NOW,
    )
    return Place(
        appointment=booked,
        offices=offices,
        by_telephone=by_telephone,
        notice=timedelta(hours=notice),
        joined_time=NOW + timedelta(minutes=joined),
    )


def given_out(free: list[Slot], *waiting: Place) -> list[tuple[str, Slot]]:
    found = assign(free, waiting, can_hold=lambda _place, _slot: True, now=NOW)
    return [(one.appointment.claim_ref, taken) for one, taken in found]


def test_a_freed_earlier_slot_goes_to_who_waits_for_it() -> None:
    assert given_out([slot(30)], place(1, 100)) == [("C1", slot(30))]


def test_a_slot_that_is_later_too_soon_elsewhere_or_by_another_channel_is_left() -> None:
    free = [slot(100), slot(23), slot(30, office=BRADFORD), slot(30, channel=Channel.TELEPHONE)]

    assert given_out(free, place(1, 100)) == []


def test_the_claimant_who_names_other_offices_and_the_telephone_takes_those_too() -> None:
    far, near = slot(40, office=BRADFORD), slot(30, channel=Channel.TELEPHONE)
    waits = place(1, 100, offices=frozenset({LEEDS, BRADFORD}), by_telephone=True)

    assert given_out([far], waits) == [("C1", far)]
    assert given_out([far, near], waits) == [("C1", near)]


def test_an_appointment_after_its_target_comes_before_one_in_time() -> None:
    late, in_time = place(1, 100, joined=5), place(2, 40, joined=0)

    assert given_out([slot(30)], in_time, late) == [("C1", slot(30))]


def test_of_late_ones_the_oldest_target_comes_first_and_of_the_others_who_joined_first() -> None:
    late = [place(1, 100, target=25), place(2, 100, target=20)]
    in_time = [place(3, 40, joined=2), place(4, 40, joined=1)]

    assert given_out([slot(30)], *late) == [("C2", slot(30))]
    assert given_out([slot(30)], *in_time) == [("C4", slot(30))]


def test_who_is_brought_back_within_the_target_comes_before_who_stays_late() -> None:
    stays_late, in_time = place(1, 100, target=20), place(2, 100, target=30)

    assert given_out([slot(30)], stays_late, in_time) == [("C2", slot(30))]
    assert given_out([slot(30), slot(31)], stays_late, in_time) == [("C2", slot(30)), ("C1", slot(31))]


def test_who_stays_late_is_moved_for_a_day_at_least() -> None:
    assert given_out([slot(77)], place(1, 100)) == []
    assert given_out([slot(76)], place(1, 100)) == [("C1", slot(76))]
    assert given_out([slot(47)], place(1, 50)) == [("C1", slot(47))]


def test_a_slot_whose_assessor_does_not_meet_the_needs_is_left() -> None:
    found = assign(
        [slot(30), slot(31, who="A2")], [place(1, 100)], can_hold=lambda _, one: one.assessor_id == "A2", now=NOW
    )

    assert [taken for _, taken in found] == [slot(31, who="A2")]


places = st.lists(
    st.builds(
        lambda number, hours, target, joined, notice: place(number, hours, target=target, joined=joined, notice=notice),
        st.integers(1, 8),
        st.integers(30, 120),
        st.integers(20, 120),
        st.integers(0, 9),
        st.integers(0, 72),
    ),
    unique_by=lambda one: one.appointment.claim_ref,
    max_size=8,
)
freed = st.lists(
    st.builds(lambda hours, who: slot(hours, who=who), st.integers(1, 119), st.sampled_from(["A1", "A2"])),
    unique=True,
    max_size=8,
)


@given(freed, places)
def test_everybody_who_takes_a_slot_comes_sooner_with_notice_and_no_slot_goes_twice(
    free: list[Slot], waiting: list[Place]
) -> None:
    found = list(assign(free, waiting, can_hold=lambda _place, _slot: True, now=NOW))

    assert len({taken for _, taken in found}) == len(found)
    assert len({one.appointment.claim_ref for one, _ in found}) == len(found)
    assert all(one.takes(taken, now=NOW) and taken in free for one, taken in found)


@given(freed, places)
def test_no_slot_is_left_that_somebody_without_one_would_take(free: list[Slot], waiting: list[Place]) -> None:
    found = list(assign(free, waiting, can_hold=lambda _place, _slot: True, now=NOW))

    left = set(free) - {taken for _, taken in found}
    without = [one for one in waiting if one not in [taker for taker, _ in found]]
    assert not any(one.takes(slot, now=NOW) for one in without for slot in left)
