"""Decisions about amendments: pure, and walked through against a small model of a system's holdings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_gateway.domain import Action, Rules, State, System
from legacy_gateway.domain.changes import Course, Decision, Entry, decide

JSAPS = Rules(
    system=System.JSAPS,
    schemes=("JOBSEEKERS_ALLOWANCE",),
    phases=2,
    recognises_repeat=False,
    withdraws_first_phase=True,
)
ISCS = Rules(system=System.ISCS, schemes=("INCOME_SUPPORT",), recognises_repeat=True)
FIRST, SECOND, BOTH = frozenset({1}), frozenset({2}), frozenset({1, 2})


def entry(phase: int, state: str, *, generation: int = 1, version: int = 7, **more: bool) -> Entry:
    untouched = more.pop("untouched", state in {"WAITING", "HELD"})
    return Entry(
        transfer_id=f"{generation}.{phase}",
        generation=generation,
        phase=phase,
        state=State(state),
        claim_version=version,
        untouched=untouched,
        **more,
    )


def claim(first: str, second: str, *, generation: int = 1, version: int = 7, **more: bool) -> list[Entry]:
    return [
        entry(1, first, generation=generation, version=version, **more),
        entry(2, second, generation=generation, version=version),
    ]


def test_an_amendment_that_feeds_no_field_of_the_system_does_nothing() -> None:
    for states in (("WAITING", "WAITING"), ("ACCEPTED", "ACCEPTED"), ("REJECTED", "CANCELLED"), ("UNKNOWN", "WAITING")):
        assert decide(claim(*states), {8: frozenset()}, JSAPS) == Decision(course=Course.NOTHING)


def test_an_amendment_that_the_record_has_taken_in_does_nothing() -> None:
    assert decide(claim("ACCEPTED", "ACCEPTED", version=8), {7: BOTH, 8: BOTH}, JSAPS).course is Course.NOTHING


def test_a_waiting_record_that_was_never_made_takes_the_amendment_in() -> None:
    decision = decide(claim("WAITING", "WAITING"), {8: FIRST, 9: frozenset()}, JSAPS)

    assert decision == Decision(course=Course.MOVE_ON, version=8, moved=("1.1", "1.2"))


@pytest.mark.parametrize("first", ["SENDING", "UNKNOWN"])
def test_an_amendment_waits_while_a_record_is_under_way(first: str) -> None:
    assert decide(claim(first, "WAITING"), {8: BOTH}, JSAPS) == Decision(course=Course.HOLD, version=8)
    assert decide([entry(1, first)], {8: FIRST}, ISCS) == Decision(course=Course.HOLD, version=8)


def test_an_amendment_waits_while_a_sender_prepares_the_record() -> None:
    assert decide(claim("WAITING", "WAITING", untouched=False), {8: BOTH}, JSAPS).course is Course.HOLD


def test_an_amendment_waits_for_a_person_and_for_a_withdrawal() -> None:
    assert decide(claim("CLERICAL", "WAITING"), {8: BOTH}, JSAPS).course is Course.HOLD
    assert decide(claim("ACCEPTED", "CANCELLED", being_withdrawn=True), {8: BOTH}, JSAPS).course is Course.HOLD


def test_an_amendment_that_touches_a_held_first_phase_withdraws_it() -> None:
    decision = decide(claim("ACCEPTED", "WAITING"), {8: BOTH}, JSAPS)

    assert decision == Decision(course=Course.WITHDRAW, version=8, cancelled=("1.2",), withdrawn="1.1")


def test_an_amendment_of_the_second_phase_alone_leaves_the_first_as_it_is() -> None:
    decision = decide(claim("ACCEPTED", "WAITING"), {8: SECOND}, JSAPS)

    assert decision == Decision(course=Course.MOVE_ON, version=8, moved=("1.2",), due="1.2")


def test_a_system_that_withdraws_no_first_phase_gets_the_second_first() -> None:
    decision = decide(claim("ACCEPTED", "WAITING"), {8: BOTH}, replace(JSAPS, withdraws_first_phase=False))

    assert decision == Decision(course=Course.HOLD, version=8, due="1.2")


def test_a_change_of_what_is_held_is_sent_as_every_phase() -> None:
    decision = decide(claim("ACCEPTED", "ACCEPTED"), {8: SECOND}, JSAPS)

    assert decision == Decision(course=Course.SEND, version=8, actions={1: Action.CHANGE, 2: Action.CHANGE})


def test_after_its_withdrawal_the_claim_goes_as_new() -> None:
    entries = [*claim("CANCELLED", "CANCELLED"), *claim("HELD", "HELD", generation=2, version=8)]

    assert decide(entries, {8: FIRST}, JSAPS).actions == {1: Action.NEW, 2: Action.NEW}


def test_a_correction_goes_at_once_as_what_is_held() -> None:
    nothing_held = decide(claim("REJECTED", "WAITING"), {8: FIRST}, JSAPS)
    half_held = decide(claim("ACCEPTED", "REJECTED"), {8: SECOND}, JSAPS)

    assert nothing_held == Decision(
        course=Course.SEND,
        version=8,
        actions={1: Action.NEW, 2: Action.NEW},
        cancelled=("1.2",),
        corrected=("1.1",),
    )
    assert half_held == Decision(
        course=Course.SEND, version=8, actions={1: Action.CHANGE, 2: Action.NEW}, corrected=("1.2",)
    )


def test_an_amendment_does_not_begin_again_what_somebody_gave_up() -> None:
    assert decide(claim("CANCELLED", "CANCELLED"), {8: BOTH}, JSAPS) == Decision(course=Course.NOTHING)


def test_a_first_phase_whose_second_was_given_up_is_withdrawn() -> None:
    decision = decide(claim("ACCEPTED", "CANCELLED"), {}, JSAPS)

    assert decision == Decision(course=Course.WITHDRAW, withdrawn="1.1")
    assert decide(claim("ACCEPTED", "REJECTED"), {}, JSAPS) == Decision(course=Course.NOTHING)


def test_the_second_phase_of_a_half_held_claim_goes_on() -> None:
    assert decide(claim("ACCEPTED", "WAITING"), {}, JSAPS) == Decision(course=Course.NOTHING, due="1.2")
    assert decide([entry(1, "ACCEPTED"), entry(2, "WAITING", is_due=True)], {}, JSAPS) == Decision(
        course=Course.NOTHING
    )


def test_a_held_change_whose_amendment_was_taken_in_is_dropped() -> None:
    entries = [*claim("ACCEPTED", "ACCEPTED", version=8), *claim("HELD", "HELD", generation=2, version=8)]

    assert decide(entries, {8: BOTH}, JSAPS) == Decision(course=Course.NOTHING, cancelled=("2.1", "2.2"))


@dataclass
class Record:
    """A record that the model's system holds."""

    action: Action
    version: int
    reference: str
    live: bool = True
    replaces: "Record | None" = None


@dataclass
class Model:
    """A system with these rules, by the interface document. It asserts that no record breaks them."""

    rules: Rules
    held: dict[int, list[Record]] = field(default_factory=lambda: {1: [], 2: []})

    def live(self, phase: int) -> list[Record]:
        return [record for record in self.held[phase] if record.live]

    def take(self, sent: "Row", first_reference: str) -> None:
        live = self.live(sent.phase)
        if sent.phase > 1:
            assert first_reference in {record.reference for record in self.live(1)}, "BA0017"
        if sent.action is Action.NEW:
            assert not live, "two new records: a duplicate, which is paid twice"
        else:
            assert live, "a change without a held new record"
        versions = [record.version for record in live]
        assert not versions or max(versions) <= sent.version, "an older version after a newer one"
        for record in live:
            record.live = False
        self.held[sent.phase].append(
            Record(
                action=sent.action,
                version=sent.version,
                reference=sent.transfer_id,
                replaces=live[0] if live else None,
            )
        )

    def withdraw(self, reference: str) -> None:
        found = next(record for record in self.held[1] if record.reference == reference)
        if found.live:
            found.live = False
            if found.replaces is not None:
                found.replaces.live = True


@dataclass
class Row:
    """A row of the ledger."""

    transfer_id: str
    generation: int
    phase: int
    state: State
    version: int
    action: Action
    made: bool = False
    due: bool = False
    withdrawing: bool = False
    corrected: bool = False

    def entry(self) -> Entry:
        return Entry(
            transfer_id=self.transfer_id,
            generation=self.generation,
            phase=self.phase,
            state=self.state,
            claim_version=self.version,
            untouched=not self.made,
            is_due=self.due,
            being_withdrawn=self.withdrawing,
            is_corrected=self.corrected,
        )


class Walk:
    """A claim at a system, with its ledger, as the store and the senders treat it."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.phases = range(1, rules.phases + 1)
        self.system = Model(rules)
        self.fed: dict[int, frozenset[int]] = {}
        self.version = 7
        self.given_up = False
        self.rows = [self.row(1, phase, State.WAITING, 7, Action.NEW) for phase in self.phases]
        self.rows[0].due = True

    @staticmethod
    def row(generation: int, phase: int, state: State, version: int, action: Action) -> Row:
        return Row(f"{generation}.{phase}", generation, phase, state, version, action)

    def of(self, *states: State) -> list[Row]:
        return [row for row in self.rows if row.state in states]

    def turn(self) -> None:
        decision = decide([row.entry() for row in self.rows], self.fed, self.rules)
        by_id = {row.transfer_id: row for row in self.rows}
        for name in decision.cancelled:
            assert by_id[name].state in {State.WAITING, State.HELD}
            by_id[name].state, by_id[name].due = State.CANCELLED, False
        for name in decision.moved:
            assert by_id[name].state is State.WAITING
            assert not by_id[name].made
            by_id[name].version = decision.version
        for name in decision.corrected:
            by_id[name].corrected = True
        if decision.due:
            by_id[decision.due].due = True
        if decision.withdrawn:
            assert by_id[decision.withdrawn].state is State.ACCEPTED
            by_id[decision.withdrawn].withdrawing = True
        if decision.holds:
            self.hold(decision.version)
        if decision.course is Course.SEND:
            for row in self.of(State.HELD):
                row.state, row.action, row.due = State.WAITING, decision.actions[row.phase], row.phase == 1
        self.check()

    def hold(self, version: int) -> None:
        held = self.of(State.HELD)
        if not held:
            generation = max(row.generation for row in self.rows) + 1
            held = [self.row(generation, phase, State.HELD, version, Action.CHANGE) for phase in self.phases]
            self.rows += held
        for row in held:
            row.version = version

    def check(self) -> None:
        under_way = {row.generation for row in self.of(State.WAITING, State.SENDING, State.UNKNOWN)}
        held = {row.generation for row in self.of(State.HELD)}
        assert len(under_way) <= 1
        assert len(held) <= 1
        assert not held or not under_way or max(under_way) < max(held)

    def amend(self, phases: Iterable[int]) -> None:
        self.version += 1
        self.fed[self.version] = frozenset(phases) & set(self.phases)
        self.turn()

    def step(self, outcome: str) -> bool:
        """Goes on with what is under way; says whether anything was."""
        for row in self.rows:
            if row.withdrawing and row.state is State.ACCEPTED:
                if outcome != "fails":
                    self.system.withdraw(row.transfer_id)
                    row.state, row.withdrawing = State.CANCELLED, False
                    self.turn()
                return True
        for row in self.of(State.WAITING):
            if row.due:
                row.made, row.due = True, False
                row.state = State.SENDING
                self.answer(row, outcome)
                return True
        for row in self.of(State.SENDING, State.UNKNOWN):
            self.answer(row, "held" if outcome == "lost" else outcome)
            return True
        return False

    def answer(self, row: Row, outcome: str) -> None:
        first = next((one.transfer_id for one in self.rows if (one.generation, one.phase) == (row.generation, 1)), "")
        is_held = row.transfer_id in {record.reference for record in self.system.held[row.phase]}
        if outcome in {"held", "lost"} or (is_held and outcome == "refused"):
            if not is_held:
                self.system.take(row, first)
            row.state = State.ACCEPTED if outcome != "lost" else State.UNKNOWN
        elif outcome == "refused":
            row.state = State.REJECTED
        elif not is_held:
            row.state, row.due = State.WAITING, True
        else:
            row.state = State.UNKNOWN
        if row.state is State.REJECTED:
            self.turn()
        elif row.state is State.ACCEPTED and not self.of(State.HELD):
            for after in self.of(State.WAITING):
                after.due = after.due or (after.generation, after.phase) == (row.generation, row.phase + 1)

    def give_up(self) -> None:
        """An officer cancels what can be cancelled."""
        for row in self.rows:
            if row.state is State.HELD or (row.state is State.WAITING and not row.made):
                row.state, row.due = State.CANCELLED, False
                self.given_up = True
        self.turn()


AMENDMENTS = st.tuples(st.just("amend"), st.sampled_from([frozenset(), FIRST, SECOND, BOTH]))
STEPS = st.tuples(st.just("step"), st.sampled_from(["held", "lost", "fails", "refused"]))
OTHERS = st.tuples(st.sampled_from(["turn", "give_up"]), st.none())


@settings(deadline=None, max_examples=200)
@given(rules=st.sampled_from([JSAPS, ISCS]), acts=st.lists(st.one_of(AMENDMENTS, STEPS, STEPS, OTHERS), max_size=40))
def test_changes_go_in_order_and_nothing_is_held_twice(rules: Rules, acts: list[tuple[str, object]]) -> None:
    walk = Walk(rules)
    for act, value in acts:
        match act:
            case "amend":
                walk.amend(value)  # type: ignore[arg-type]
            case "step":
                walk.step(str(value))
            case "turn":
                walk.turn()
            case _:
                walk.give_up()
        walk.check()

    while walk.step("held") or walk.of(State.HELD):
        walk.turn()
    walk.turn()

    live = [walk.system.live(phase) for phase in walk.phases]
    assert all(len(records) <= 1 for records in live)
    refused = any(row.state is State.REJECTED and not row.corrected for row in walk.rows)
    if walk.given_up or refused:
        return
    assert all(len(records) == 1 for records in live)
    for phase, (record,) in zip(walk.phases, live, strict=True):
        assert record.version >= max([7, *(v for v, phases in walk.fed.items() if phase in phases)])
