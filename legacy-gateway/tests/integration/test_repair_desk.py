"""The repair desk over a real ledger: histories, retries, cancellations, acts with many transfers."""

from typing import Any

import psycopg
import pytest

from legacy_gateway.domain import State, System
from legacy_gateway.domain.desk import ActKind, Filter, Outcome
from legacy_gateway.service import acts, changes, desk
from legacy_gateway.service.acts import Done
from legacy_gateway.service.stalls import tell_stalled
from legacy_gateway.store import chosen

OFFICER = "PO000001"


def act(gateway: Any, kind: ActKind, *transfer_ids: str) -> Done:
    with gateway.database.transaction() as conn:
        return acts.act_on_named(conn, gateway.vault, kind, transfer_ids, reason="the map is mended", by=OFFICER)


def outcomes(done: Done) -> list[Outcome]:
    return [result.outcome for result in done.results]


def history(gateway: Any, transfer_id: str) -> list[tuple[str, str, str]]:
    with gateway.database.transaction() as conn:
        return [(entry.state, entry.by, entry.words) for entry in desk.history_of(conn, gateway.vault, transfer_id)]


def clerical(gateway: Any, claim_ref: str, *, attempts: int, defects: int = 10) -> None:
    """Leaves the first phase to a person, as ten defects do."""
    gateway.change(
        "UPDATE transfers SET state = 'CLERICAL', next_attempt_time = NULL, attempts = %s, payload = %s, defects = %s"
        " WHERE claim_ref = %s AND phase = 1",
        attempts,
        b"" if attempts else None,
        defects,
        claim_ref,
    )


def test_each_state_of_a_transfer_is_in_its_history(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until_accepted(claim_ref)

    first, second = (row["transfer_id"] for row in gateway.rows(claim_ref))

    assert history(gateway, first) == [("WAITING", "", ""), ("SENDING", "", ""), ("ACCEPTED", "", "")]
    assert [state for state, _, _ in history(gateway, second)] == ["WAITING", "SENDING", "ACCEPTED"]


def test_a_confirmation_that_comes_twice_leaves_one_history(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.hear(gateway.confirmed(claim_ref))

    with gateway.database.transaction() as conn:
        assert conn.execute("SELECT count(*) AS count FROM transfer_events").fetchone() == {"count": 2}


def test_a_history_is_only_added_to(gateway: Any) -> None:
    gateway.claim()

    for statement in ("DELETE FROM transfer_events", "UPDATE transfer_events SET reason = 'x'"):
        with pytest.raises(psycopg.errors.RaiseException):
            gateway.change(statement)


def test_a_retried_transfer_goes_at_once_and_the_history_says_by_whom_and_why(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.change("UPDATE transfers SET next_attempt_time = now() + interval '1 hour' WHERE phase = 1")
    transfer_id = gateway.rows(claim_ref)[0]["transfer_id"]

    done = act(gateway, ActKind.RETRY, transfer_id)
    gateway.work_until_accepted(claim_ref)

    assert outcomes(done) == [Outcome.SENT_NOW]
    assert history(gateway, transfer_id)[1] == ("WAITING", OFFICER, "the map is mended")


def test_a_transfer_in_a_persons_hands_goes_on_after_a_defect_is_mended(gateway: Any) -> None:
    claim_ref = gateway.claim()
    clerical(gateway, claim_ref, attempts=0)

    done = act(gateway, ActKind.RETRY, gateway.rows(claim_ref)[0]["transfer_id"])
    gateway.work_until_accepted(claim_ref)

    assert outcomes(done) == [Outcome.SENT_NOW]
    assert gateway.held(claim_ref)["es_held"] == 1


def test_a_record_that_may_be_held_is_asked_about_before_it_is_sent_again(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until(claim_ref, "ACCEPTED", "WAITING")
    clerical(gateway, claim_ref, attempts=1)
    recording = gateway.recorded()

    done = act(gateway, ActKind.RETRY, gateway.rows(claim_ref)[0]["transfer_id"])
    gateway.work_until_accepted(claim_ref)

    assert outcomes(done) == [Outcome.ASKED_NOW]
    assert gateway.rows(claim_ref)[0]["transfer_id"] not in {transfer_id for transfer_id, _ in recording.sent}
    assert gateway.held(claim_ref) | {"duplicates": 0} == gateway.held(claim_ref)


def test_a_refused_record_is_made_anew_and_sent_when_the_map_is_mended(gateway: Any) -> None:
    gateway.order("refuse_record", count=1)
    claim_ref = gateway.claim()
    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")
    refused = gateway.rows(claim_ref)[0]

    done = act(gateway, ActKind.RETRY, refused["transfer_id"])
    again = act(gateway, ActKind.RETRY, refused["transfer_id"])

    assert (outcomes(done), outcomes(again)) == ([Outcome.MADE_ANEW], [Outcome.ENDED])
    assert [(row["state"], row["action"], row["claim_version"]) for row in gateway.rows(claim_ref, 2)] == [
        ("WAITING", "NEW", refused["claim_version"])
    ] * 2
    assert gateway.rows(claim_ref)[0]["corrected"]


def test_a_cancelled_claim_is_never_sent(gateway: Any) -> None:
    claim_ref = gateway.claim()

    done = act(gateway, ActKind.CANCEL, gateway.rows(claim_ref)[0]["transfer_id"])

    assert outcomes(done) == [Outcome.CANCELLED]
    assert gateway.states(claim_ref) == ["CANCELLED", "CANCELLED"]
    assert not gateway.send()


def test_a_second_phase_that_is_cancelled_takes_its_first_back(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.work_until(claim_ref, "ACCEPTED", "WAITING")
    first, second = (row["transfer_id"] for row in gateway.rows(claim_ref))

    done = act(gateway, ActKind.CANCEL, second, first, "Z" * 26)
    changes.withdraw_first_phase(gateway.resources)

    assert outcomes(done) == [Outcome.CANCELLED, Outcome.HELD_THERE, Outcome.NOT_FOUND]
    assert gateway.states(claim_ref) == ["CANCELLED", "CANCELLED"]
    assert not gateway.held(claim_ref)["es_held"]


def test_an_act_with_a_filter_works_through_what_was_chosen_and_can_be_stopped(gateway: Any) -> None:
    claims = [gateway.claim(f"C0000000{number:04}") for number in range(3)]
    wanted = Filter(system=System.JSAPS, state=State.WAITING)
    with gateway.database.transaction() as conn:
        previewed = acts.preview_chosen(conn, ActKind.CANCEL, wanted)
        begun = acts.begin(conn, gateway.vault, ActKind.CANCEL, wanted, rate=6000, reason="paid by hand", by=OFFICER)
    assert begun.act is not None
    assert (previewed.counts, begun.act.total) == ([(Outcome.CANCELLED, 6)], 6)

    acts.work_next(gateway.database)
    with gateway.database.transaction() as conn:
        stopped = acts.stop(conn, gateway.vault, begun.act.act_id, by=OFFICER)
    gateway.change("UPDATE bulk_acts SET next_time = now()")

    assert not acts.work_next(gateway.database)
    assert dict(stopped.counts) == {Outcome.CANCELLED: 1, Outcome.NOT_YET: 5}
    assert sorted(gateway.states(claims[0])) == ["CANCELLED", "CANCELLED"]
    assert gateway.states(claims[1]) == ["WAITING", "WAITING"]


def test_an_act_ends_when_it_is_through(gateway: Any) -> None:
    gateway.claim()
    with gateway.database.transaction() as conn:
        wanted = Filter(system=System.JSAPS)
        begun = acts.begin(conn, gateway.vault, ActKind.RETRY, wanted, rate=6000, reason="x", by=OFFICER)
    assert begun.act is not None

    for _ in range(3):
        gateway.change("UPDATE bulk_acts SET next_time = now()")
        acts.work_next(gateway.database)

    with gateway.database.transaction() as conn:
        found = acts.stop(conn, gateway.vault, begun.act.act_id, by=OFFICER)
    assert (found.finished_time is not None, found.stopped_time) == (True, None)
    assert dict(found.counts) == {Outcome.SENT_NOW: 1, Outcome.WAITS_FOR_ANOTHER: 1}


def test_a_list_goes_by_system_state_and_age_in_pages(gateway: Any) -> None:
    gateway.claim("C00000000000")
    gateway.work_until_accepted("C00000000000")
    for number in (1, 2):
        gateway.claim(f"C0000000{number:04}")

    def listed(wanted: Filter, **more: Any) -> list[str]:
        with gateway.database.transaction() as conn:
            page = desk.list_transfers(conn, gateway.vault, wanted, **{"after": None, "limit": 100} | more)
        return [shown.transfer.claim_ref for shown in page.transfers]

    with gateway.database.transaction() as conn:
        first = desk.list_transfers(conn, gateway.vault, Filter(), after=None, limit=3)
    assert listed(Filter()) == ["C00000000001"] * 2 + ["C00000000002"] * 2
    assert [one.transfer.claim_ref for one in first.transfers] == ["C00000000001"] * 2 + ["C00000000002"]
    assert listed(Filter(), after=first.end) == ["C00000000002"]
    assert listed(Filter(state=State.ACCEPTED)) == ["C00000000000"] * 2
    assert listed(Filter(system=System.ISCS)) == []
    assert listed(Filter(older_than=first.transfers[0].created)) == []


def test_rejections_are_grouped_by_cause(gateway: Any) -> None:
    gateway.order("refuse_record", count=2)
    for number in range(2):
        gateway.work_until(gateway.claim(f"C0000000{number:04}"), "REJECTED", "CANCELLED")

    with gateway.database.transaction() as conn:
        [cause] = desk.list_rejections(conn, System.JSAPS)
        alike = chosen.transfer_ids(conn, Filter(code=cause.rejections.code, field=cause.rejections.field), limit=9)
        others = chosen.transfer_ids(conn, Filter(code="ES9999"), limit=9)
    assert (cause.rejections.count, len(alike), others) == (2, 2, [])
    assert cause.text

    act(gateway, ActKind.RETRY, alike[0])
    act(gateway, ActKind.CANCEL, alike[1])
    with gateway.database.transaction() as conn:
        assert desk.list_rejections(conn, None) == []


def test_a_stall_is_told_once_for_each_stay_in_a_state(gateway: Any) -> None:
    claim_ref = gateway.claim()
    gateway.change("UPDATE transfers SET created = created - interval '61 minutes'")

    def told() -> int:
        tell_stalled(gateway.database)
        return sum(event["type"].endswith("TransferStalled") for event in gateway.events())

    assert told() == told() == 1
    clerical(gateway, claim_ref, attempts=0)
    assert told() == 1
    gateway.change("UPDATE transfers SET updated = now() - interval '6 days' WHERE state = 'CLERICAL'")
    assert told() == told() == 2
    gateway.change("UPDATE transfers SET updated = now() - interval '7 days' WHERE state = 'CLERICAL'")
    assert told() == 3
