"""The holdings of JSAPS, asked without its doors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from simulators.clock import Clock
from simulators.jsaps import JSAPS
from simulators.ledger import Ledger
from simulators.record_link.failures import RecordsToLose
from simulators.record_link.holdings import Holdings, Submission
from simulators.testing import CLAIM_REF, NINO, transfer_id

RECEIVED = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
FIRST = Submission(
    dialogue="ES504",
    transfer_id=transfer_id(1),
    claim_ref=CLAIM_REF,
    action="N",
    nino=NINO,
    payload_sha256="0" * 64,
    received=RECEIVED,
)


@contextmanager
def opened(folder: Path, *, lag: float = 0.0) -> Iterator[Holdings]:
    ledger = Ledger(folder / "ledger.jsonl")
    yield Holdings(ledger, JSAPS, nino_key=b"key", time_scale=lag, clock=Clock())
    ledger.close()


def test_the_enquiry_lags_behind_what_is_held_and_refused(tmp_path: Path) -> None:
    with opened(tmp_path, lag=1e12) as holdings:
        held = holdings.receive(FIRST, ())
        refused = holdings.receive(replace(FIRST, transfer_id=transfer_id(2), action="X"), ())

        assert (held.completion, refused.completion) == ("A", "R")
        assert holdings.enquire(transfer_id(1)).completion == "N"
        assert holdings.enquire(transfer_id(2)).completion == "N"
        assert holdings.withdraw(transfer_id(1), received=RECEIVED).completion == "A"


def test_a_receipt_late_in_the_evening_of_summer_counts_for_londons_day(tmp_path: Path) -> None:
    summer = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)

    with opened(tmp_path) as holdings:
        holdings.receive(replace(FIRST, received=summer), ())

        assert holdings.received_on(summer.date()) == []
        assert len(holdings.received_on(datetime(2026, 7, 1, tzinfo=UTC).date())) == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["first", "second", "withdraw", "lose"]), st.integers(1, 3), st.sampled_from("NC")),
    max_size=12,
)


def take(holdings: Holdings, step: tuple[str, int, str]) -> None:
    """One step; a second phase carries the reference that the enquiry gives for the first of its number."""
    what, number, action = step
    submission = replace(FIRST, transfer_id=transfer_id(number), action=action)
    if what == "first":
        holdings.receive(submission, ())
    elif what == "second":
        reference = holdings.enquire(transfer_id(number)).legacy_ref
        second = replace(submission, dialogue="BA504", transfer_id=transfer_id(10 + number), first_reference=reference)
        holdings.receive(second, ())
    elif what == "withdraw":
        holdings.withdraw(transfer_id(number), received=RECEIVED)
    else:
        holdings.lose(RecordsToLose(claim_ref=CLAIM_REF))


@given(steps=STEPS)
def test_a_restart_knows_the_same_whatever_happened(steps: list[tuple[str, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        with opened(Path(folder)) as holdings:
            for step in steps:
                take(holdings, step)
            before = [holdings.summary(None), holdings.summary(CLAIM_REF)]
            known = [holdings.enquire(transfer_id(number)) for number in range(15)]

        with opened(Path(folder)) as again:
            assert [again.summary(None), again.summary(CLAIM_REF)] == before
            assert [again.enquire(transfer_id(number)) for number in range(15)] == known


@given(steps=STEPS)
def test_a_second_phase_never_stands_on_a_first_that_was_withdrawn(steps: list[tuple[str, int, str]]) -> None:
    with TemporaryDirectory() as folder, opened(Path(folder)) as holdings:
        for step in steps:
            take(holdings, step)

        records = holdings.summary(CLAIM_REF)["records"]
        withdrawn = {record["legacy_ref"] for record in records if record["state"] == "withdrawn"}
        assert not [
            record for record in records if record["state"] == "held" and record["first_reference"] in withdrawn
        ]
