"""An absent assessor's interviews are given other slots by plain rules, and the rest is listed with what would solve it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.appointments import Appointment, AppointmentState
from scheduling.domain.offices import Channel, Need
from scheduling.domain.replanning import (
    LATER_AT_MOST,
    NEIGHBOUR_KM,
    NOTICE,
    Disturbance,
    Opening,
    Replan,
    Rules,
    SolutionKind,
    Urgency,
    replan,
)
from scheduling.domain.slots import SLOT_LENGTH, Slot

NOW = datetime(2026, 11, 30, 8, 50, tzinfo=UTC)
"""A Monday."""
LEEDS, BRADFORD, YORK = "600021", "600022", "600023"
_KM = {LEEDS: 0.0, BRADFORD: NEIGHBOUR_KM, YORK: NEIGHBOUR_KM + 0.1}
RULES = Rules(now=NOW, distance_km=lambda one, other: abs(_KM[one] - _KM[other]))
EVERY_NEED = frozenset(Need)


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    return datetime(2026, 11, 30, hour, minute, tzinfo=UTC) + timedelta(days=day)


def interview(
    start: datetime,
    *,
    number: int = 1,
    due: datetime | None = None,
    channel: Channel = Channel.OFFICE,
    needs: frozenset[Need] = frozenset(),
) -> Appointment:
    """An interview at Leeds with the absent assessor, due two days after today unless a time is given."""
    return Appointment(
        appointment_id=UUID(int=number),
        claim_ref=f"C{number:011d}",
        office_code=LEEDS,
        assessor_id="ABSENT",
        start_time=start,
        end_time=start + SLOT_LENGTH,
        channel=channel,
        state=AppointmentState.BOOKED,
        first_contact_time=NOW - timedelta(days=1),
        target_time=due or at(0, day=2) + timedelta(hours=9),
        working_lead_time=timedelta(hours=1),
        version=1,
        needs=needs,
    )


def opening(
    start: datetime,
    *,
    assessor: str = "A1",
    office: str = LEEDS,
    channel: Channel = Channel.OFFICE,
    meets: frozenset[Need] = EVERY_NEED,
) -> Opening:
    slot = Slot(
        assessor_id=assessor, office_code=office, start_time=start, end_time=start + SLOT_LENGTH, channel=channel
    )
    return Opening(slot=slot, meets=meets)


def moved(plan: Replan) -> list[tuple[int, str, datetime, Disturbance]]:
    return [
        (move.appointment.appointment_id.int, move.slot.assessor_id, move.slot.start_time, move.disturbance)
        for move in plan.moves
    ]


def solutions(plan: Replan) -> list[list[SolutionKind]]:
    return [[solution.kind for solution in one.solutions] for one in plan.not_moved]


def test_a_colleague_who_is_free_at_the_same_time_takes_the_interview() -> None:
    plan = replan([interview(at(9))], [opening(at(11)), opening(at(9), assessor="A2")], RULES)

    assert moved(plan) == [(1, "A2", at(9), Disturbance.NONE)]
    assert plan.not_moved == ()


def test_a_slot_later_that_day_comes_before_the_telephone_another_office_and_another_day() -> None:
    ways = [
        opening(at(13)),
        opening(at(11), assessor="A2", channel=Channel.TELEPHONE),
        opening(at(11), assessor="A3", office=BRADFORD),
        opening(at(9, day=1), assessor="A4"),
    ]
    order = [Disturbance.SAME_DAY, Disturbance.BY_TELEPHONE, Disturbance.OTHER_OFFICE, Disturbance.OTHER_DAY]

    taken = [replan([interview(at(9))], ways[left:], RULES).moves[0].disturbance for left in range(len(ways))]

    assert taken == order


def test_the_target_is_kept_even_where_that_disturbs_more() -> None:
    interviews = [interview(at(9), due=at(12))]

    plan = replan(interviews, [opening(at(14)), opening(at(11), channel=Channel.TELEPHONE, assessor="A2")], RULES)

    assert moved(plan) == [(1, "A2", at(11), Disturbance.BY_TELEPHONE)]


def test_as_few_claimants_as_possible_are_disturbed() -> None:
    """The first could have its own time, but then the second would have to come later as well."""
    first, second = interview(at(11), number=1, needs=frozenset({Need.WELSH})), interview(at(11), number=2)
    openings = [
        opening(at(11), meets=EVERY_NEED),
        opening(at(12), assessor="A2"),
        opening(at(11), assessor="A3", meets=frozenset()),
    ]

    plan = replan([first, second], openings, RULES)

    assert moved(plan) == [(1, "A1", at(11), Disturbance.NONE), (2, "A3", at(11), Disturbance.NONE)]


def test_nobody_is_asked_to_come_earlier_or_at_short_notice() -> None:
    too_soon = NOW + NOTICE - timedelta.resolution

    plan = replan([interview(at(9)), interview(at(14), number=2)], [opening(too_soon)], RULES)

    assert plan.moves == ()
    assert solutions(plan) == [[SolutionKind.SHORT_NOTICE], [SolutionKind.OPEN_SLOT]]


def test_an_interview_is_not_put_off_for_more_than_a_week_or_sent_too_far_away() -> None:
    late = opening(at(9) + LATER_AT_MOST + timedelta.resolution)
    far = opening(at(12), office=YORK, assessor="A2")

    plan = replan([interview(at(9))], [late, far], RULES)

    assert plan.moves == ()
    assert set(solutions(plan)[0]) == {SolutionKind.FARTHER_OFFICE, SolutionKind.LATER}


def test_another_office_or_the_telephone_is_taken_for_the_target_or_the_day_alone() -> None:
    after_target = at(10, day=3)

    plan = replan(
        [interview(at(9))],
        [opening(after_target, office=BRADFORD), opening(after_target, assessor="A2", channel=Channel.TELEPHONE)],
        RULES,
    )

    assert plan.moves == ()


def test_a_stand_in_keeps_the_breaks_between_interviews() -> None:
    whole_morning = [at(9) + number * SLOT_LENGTH for number in range(5)]
    interviews = [interview(start, number=number) for number, start in enumerate(whole_morning)]
    one_colleague = [opening(start) for start in whole_morning]

    alone = replan(interviews, one_colleague, RULES)
    with_another = replan(interviews, [*one_colleague, opening(whole_morning[4], assessor="A2")], RULES)

    assert [move[0] for move in moved(alone)] == [0, 1, 2, 3]
    assert sorted(move[1] for move in moved(with_another)) == ["A1"] * 4 + ["A2"]


def test_a_need_is_met_by_the_stand_in() -> None:
    welsh = interview(at(9), needs=frozenset({Need.WELSH, Need.TEXTPHONE}))
    without = opening(at(9), meets=frozenset({Need.STEP_FREE}))

    refused = replan([welsh], [without], RULES)
    taken = replan([welsh], [without, opening(at(15), assessor="A2", meets=frozenset({Need.WELSH}))], RULES)

    assert solutions(refused) == [[SolutionKind.OTHER_SKILLS]]
    assert moved(taken) == [(1, "A2", at(15), Disturbance.SAME_DAY)]


@pytest.mark.parametrize("need", [Need.HEARING_LOOP, Need.SIGN_LANGUAGE])
def test_who_needs_a_hearing_loop_or_signs_is_not_moved_to_the_telephone_unasked(need: Need) -> None:
    by_telephone = opening(at(11), channel=Channel.TELEPHONE, meets=frozenset({Need.SIGN_LANGUAGE}))

    plan = replan([interview(at(9), needs=frozenset({need}))], [by_telephone], RULES)

    assert solutions(plan) == [[SolutionKind.BY_TELEPHONE]]


def test_an_interview_by_telephone_or_at_home_never_becomes_one_at_the_office() -> None:
    for channel in (Channel.TELEPHONE, Channel.HOME_VISIT):
        plan = replan([interview(at(9), channel=channel)], [opening(at(9))], RULES)

        assert solutions(plan) == [[SolutionKind.OPEN_SLOT]]


def test_another_office_makes_no_difference_to_who_is_telephoned() -> None:
    far = opening(at(9), office=YORK, channel=Channel.TELEPHONE)

    plan = replan([interview(at(9), channel=Channel.TELEPHONE)], [far], RULES)

    assert moved(plan) == [(1, "A1", at(9), Disturbance.NONE)]


def test_the_most_urgent_are_moved_and_the_rest_is_listed_by_urgency() -> None:
    coming = interview(at(9, day=1), number=1, due=at(9, day=2))
    today = interview(at(11), number=2, due=at(9, day=2))
    due_today = interview(at(15), number=3, due=at(0, day=1))

    none = replan([coming, today, due_today], [], RULES)
    one = replan([coming, today, due_today], [opening(at(16))], RULES)

    assert [(left.appointment.appointment_id.int, left.urgency) for left in none.not_moved] == [
        (3, Urgency.DUE_TODAY),
        (2, Urgency.TODAY),
        (1, Urgency.COMING),
    ]
    assert [move[0] for move in moved(one)] == [3]


def test_a_slot_is_named_for_one_interview_only() -> None:
    interviews = [interview(at(9), number=1), interview(at(9), number=2)]

    plan = replan(interviews, [opening(at(10))], RULES)

    assert solutions(plan) == [[SolutionKind.SHORT_NOTICE], [SolutionKind.OPEN_SLOT]]


def test_the_rules_are_asked_of_no_opening_that_is_too_early_or_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absence of twelve weeks has thousands of openings, of which a week's can take each interview."""
    asked = list[datetime]()
    broken = Rules.broken

    def noting(rules: Rules, appointment: Appointment, given: Opening) -> set[SolutionKind] | None:
        asked.append(given.slot.start_time)
        return broken(rules, appointment, given)

    monkeypatch.setattr(Rules, "broken", noting)
    near = [at(9, day=day) for day in range(20, 28)]
    openings = [opening(at(9, day=day), assessor=f"A{day}") for day in range(84)]

    plan = replan([interview(at(9, day=20))], openings, RULES)

    assert moved(plan) == [(1, "A20", at(9, day=20), Disturbance.NONE)]
    assert sorted(asked) == near


_STARTS = [at(hour, day=day) for day in (0, 1, 2, 5) for hour in (9, 11, 14)]
_NEEDS = st.sampled_from([frozenset[Need](), frozenset({Need.WELSH}), frozenset({Need.HEARING_LOOP})])


@st.composite
def _interviews(draw: st.DrawFn) -> list[Appointment]:
    return [
        interview(
            draw(st.sampled_from(_STARTS)),
            number=number,
            due=draw(st.sampled_from([at(12), at(0, day=1), at(12, day=2)])),
            channel=draw(st.sampled_from([Channel.OFFICE, Channel.TELEPHONE])),
            needs=draw(_NEEDS),
        )
        for number in range(draw(st.integers(0, 3)))
    ]


@st.composite
def _openings(draw: st.DrawFn) -> list[Opening]:
    return [
        opening(
            draw(st.sampled_from(_STARTS)),
            assessor=f"A{number}",
            office=draw(st.sampled_from([LEEDS, BRADFORD, YORK])),
            channel=draw(st.sampled_from([Channel.OFFICE, Channel.TELEPHONE])),
            meets=draw(_NEEDS),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@given(_interviews(), _openings())
@settings(max_examples=150, deadline=None)
def test_every_interview_is_moved_by_the_rules_or_listed_and_no_plan_is_better(
    interviews: list[Appointment], openings: list[Opening]
) -> None:
    plan = replan(interviews, openings, RULES)

    by_slot = {one.slot.slot_id: one for one in openings}
    assert sorted(
        [move.appointment.appointment_id for move in plan.moves]
        + [left.appointment.appointment_id for left in plan.not_moved]
    ) == [one.appointment_id for one in interviews]
    assert len({move.slot.slot_id for move in plan.moves}) == len(plan.moves)
    assert not [move for move in plan.moves if RULES.broken(move.appointment, by_slot[move.slot.slot_id])]
    assert _marks({move.appointment.appointment_id: move.slot for move in plan.moves}, interviews) == min(
        _marks(other, interviews) for other in _all_plans(interviews, openings)
    )


def _all_plans(interviews: Sequence[Appointment], openings: Sequence[Opening]) -> list[dict[UUID, Slot]]:
    plans = []
    for choice in product([None, *openings], repeat=len(interviews)):
        taken = [one for one in choice if one is not None]
        chosen = [(who, one) for who, one in zip(interviews, choice, strict=True) if one is not None]
        twice = len({one.slot.slot_id for one in taken}) < len(taken)
        if not twice and not any(RULES.broken(who, one) != set() for who, one in chosen):
            plans.append({who.appointment_id: one.slot for who, one in chosen})
    return plans


def _marks(plan: dict[UUID, Slot], interviews: Sequence[Appointment]) -> tuple[int, ...]:
    """The terms that are weighed, the weightiest first: not moved and how urgent that is, late, disturbed."""
    moves = [(one, plan[one.appointment_id]) for one in interviews if one.appointment_id in plan]
    by_urgency = sorted(interviews, key=lambda one: (RULES.urgency(one), one.start_time, one.appointment_id))
    left = sum(len(interviews) - rank for rank, one in enumerate(by_urgency) if one.appointment_id not in plan)
    late = [slot for one, slot in moves if slot.start_time > one.target_time]
    disturbed = [slot for one, slot in moves if RULES.disturbance(one, slot) is not Disturbance.NONE]
    return len(interviews) - len(moves), left, len(late), len(disturbed)
