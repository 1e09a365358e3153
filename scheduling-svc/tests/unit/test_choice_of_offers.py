"""The choice of the slots that an operator offers, and their reasons."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.data import load_offices
from scheduling.domain.offers import OFFERED_AT_ONCE, Choice, channels_for
from scheduling.domain.offices import Channel, NearOffice, Need
from scheduling.domain.reasons import FreeSlot, OfferReason
from scheduling.domain.slots import SLOT_LENGTH, Slot

DUE = datetime(2026, 11, 25, 10, tzinfo=UTC)
KILOMETRES = {"600021": 2.0, "600031": 9.0, "600041": 29.0}
OFFICES = {office.code: office for office in load_offices() if office.code in KILOMETRES}
HOME, NEIGHBOUR, FARTHER = KILOMETRES


def free(
    hours: float, office: str = HOME, *, channel: Channel = Channel.OFFICE, who: str = "A1", due: datetime = DUE
) -> FreeSlot:
    start = DUE + timedelta(hours=hours)
    slot = Slot(assessor_id=who, office_code=office, start_time=start, end_time=start + SLOT_LENGTH, channel=channel)
    near = NearOffice(office=OFFICES[office], distance_km=KILOMETRES[office])
    return FreeSlot(slot=slot, office=near, due=due)


def choice(*found: FreeSlot, home: str = HOME) -> Choice:
    return Choice(free=found, channel=Channel.OFFICE, nearest=HOME, home=home)


def reasons(made: Choice) -> list[tuple[str, OfferReason]]:
    return [(offer.free.slot.office_code, offer.reason) for offer in made.offers()]


def test_the_earliest_slot_of_the_nearest_office_comes_first_where_it_keeps_the_target() -> None:
    made = choice(free(-1), free(-2), free(-20, NEIGHBOUR), free(-22, channel=Channel.TELEPHONE))

    first, *others = made.offers()

    assert (first.free, first.reason) == (free(-2), OfferReason.NEAREST_OFFICE)
    assert [offer.reason for offer in others[:2]] == [OfferReason.WITHIN_REACH, OfferReason.BY_TELEPHONE]


def test_a_neighbour_keeps_the_target_that_the_nearest_office_cannot() -> None:
    made = choice(free(1), free(-2, FARTHER), free(-1, NEIGHBOUR))

    assert reasons(made) == [
        (NEIGHBOUR, OfferReason.NEIGHBOUR_KEEPS_TARGET),
        (FARTHER, OfferReason.NEIGHBOUR_KEEPS_TARGET),
        (HOME, OfferReason.AFTER_TARGET),
    ]


def test_the_telephone_keeps_the_target_that_no_office_can() -> None:
    made = choice(free(1), free(2, NEIGHBOUR), free(-1, FARTHER, channel=Channel.TELEPHONE))

    assert reasons(made)[0] == (FARTHER, OfferReason.TELEPHONE_KEEPS_TARGET)


def test_the_nearest_office_is_offered_where_nothing_keeps_the_target() -> None:
    made = choice(free(60), free(2, NEIGHBOUR), free(1, channel=Channel.TELEPHONE), free(1, FARTHER))

    assert reasons(made) == [
        (HOME, OfferReason.EARLIEST_AFTER_TARGET),
        (HOME, OfferReason.EARLIEST_AFTER_TARGET),
        (FARTHER, OfferReason.EARLIEST_AFTER_TARGET),
        (NEIGHBOUR, OfferReason.EARLIEST_AFTER_TARGET),
    ]
    assert made.offers()[1].free.slot.channel is Channel.TELEPHONE


def test_an_office_that_is_the_nearest_with_the_needs_says_so() -> None:
    made = choice(free(-1, NEIGHBOUR), free(-5, FARTHER), home=NEIGHBOUR)

    assert reasons(made) == [(NEIGHBOUR, OfferReason.NEAREST_WITH_NEEDS), (FARTHER, OfferReason.WITHIN_REACH)]


def test_each_office_has_the_target_of_its_own_nation() -> None:
    a_day_later = free(5, NEIGHBOUR, due=DUE + timedelta(days=1))

    assert choice(free(5), a_day_later).first() is not None
    assert reasons(choice(free(5), a_day_later))[0] == (NEIGHBOUR, OfferReason.NEIGHBOUR_KEEPS_TARGET)


def test_alternatives_are_at_other_times_of_the_day_or_elsewhere() -> None:
    morning = [free(-24 + quarter, who=f"A{quarter}") for quarter in (0, 0.75, 1.5)]
    afternoon, neighbour = free(-20), free(-3, NEIGHBOUR)

    made = choice(*morning, afternoon, free(-1), neighbour)

    assert [offer.free for offer in made.offers()] == [morning[0], afternoon, neighbour, morning[1]]


def test_the_late_slots_that_are_not_their_offices_earliest_say_that_they_come_after_the_target() -> None:
    made = choice(free(1), free(30))

    assert [offer.reason for offer in made.reasoned()] == [
        OfferReason.EARLIEST_AFTER_TARGET,
        OfferReason.AFTER_TARGET,
    ]


def test_nothing_is_offered_where_nothing_is_free() -> None:
    assert choice().offers() == []
    assert choice().first() is None


@pytest.mark.parametrize(
    ("wanted", "needs", "searched"),
    [
        (None, set(), (Channel.OFFICE, Channel.TELEPHONE)),
        (None, {Need.WELSH}, (Channel.OFFICE, Channel.TELEPHONE)),
        (None, {Need.HEARING_LOOP}, (Channel.OFFICE,)),
        (Channel.OFFICE, set(), (Channel.OFFICE,)),
        (Channel.TELEPHONE, {Need.HEARING_LOOP}, (Channel.TELEPHONE,)),
    ],
)
def test_the_telephone_takes_what_the_office_cannot_unless_the_claimant_wants_a_channel_or_cannot_hear(
    wanted: Channel | None, needs: set[Need], searched: tuple[Channel, ...]
) -> None:
    assert channels_for(wanted, needs) == searched


found = st.lists(
    st.builds(
        lambda office, hours, channel, who: free(hours, office, channel=channel, who=who),
        st.sampled_from(sorted(KILOMETRES)),
        st.integers(-40, 60),
        st.sampled_from([Channel.OFFICE, Channel.TELEPHONE]),
        st.sampled_from(["A1", "A2"]),
    ),
    unique=True,
    max_size=14,
)


@given(found, st.sampled_from(sorted(KILOMETRES)))
def test_offers_are_free_and_distinct_and_as_many_as_there_are(slots: list[FreeSlot], home: str) -> None:
    offers = [offer.free for offer in choice(*slots, home=home).offers()]

    assert len(offers) == len(set(map(id, offers))) == min(len(slots), OFFERED_AT_ONCE)
    assert all(offer in slots for offer in offers)


@given(found, st.sampled_from(sorted(KILOMETRES)))
def test_what_is_booked_keeps_the_target_wherever_something_does_and_is_the_nearest_of_its_kind(
    slots: list[FreeSlot], home: str
) -> None:
    first = choice(*slots, home=home).first()

    in_time = [one for one in slots if one.within_target]
    assert (first is None) == (not slots)
    if first is not None and in_time:
        at_offices = [one for one in in_time if one.slot.channel is Channel.OFFICE]
        assert first.free.within_target
        assert first.free.slot.channel is (Channel.OFFICE if at_offices else Channel.TELEPHONE)
        if any(one.slot.office_code == home for one in at_offices):
            assert first.free.slot.office_code == home


@given(found, st.sampled_from(sorted(KILOMETRES)))
def test_a_reason_that_speaks_of_the_target_is_true(slots: list[FreeSlot], home: str) -> None:
    made = choice(*slots, home=home)
    home_keeps = any(one.within_target and one.place == (home, Channel.OFFICE) for one in slots)

    for offer in made.reasoned():
        keeps = offer.reason not in {OfferReason.EARLIEST_AFTER_TARGET, OfferReason.AFTER_TARGET}
        assert keeps == offer.free.within_target
        if offer.reason in {OfferReason.NEIGHBOUR_KEEPS_TARGET, OfferReason.TELEPHONE_KEEPS_TARGET}:
            assert not home_keeps
        if offer.reason in {OfferReason.WITHIN_REACH, OfferReason.BY_TELEPHONE}:
            assert home_keeps


@given(found, st.randoms(use_true_random=False))
def test_the_order_of_what_is_found_does_not_change_the_offers(slots: list[FreeSlot], random: object) -> None:
    shuffled = sorted(slots, key=lambda _: random.random())  # type: ignore[attr-defined]

    assert choice(*slots).offers() == choice(*shuffled).offers()
