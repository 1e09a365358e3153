"""The database's clock is put forward while a record may be at JSAPS: no wait ends early, and nothing is held twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chassis.database import Database
from legacy_gateway.domain import SystemAnswer
from legacy_gateway.service.database_clock import DatabaseClock
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sweeping import sweep

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
AN_HOUR_AGO = """
    UPDATE transfers SET connection_closed_time = connection_closed_time - interval '1 hour',
        next_attempt_time = next_attempt_time - interval '1 hour', lease_until = lease_until - interval '1 hour'
"""
KEPT_AN_HOUR_AGO = """
    UPDATE clock_watches SET steady_since = steady_since - interval '1 hour', watched = watched - interval '1 hour'
"""


def put_forward(gateway: Any, *clocks: DatabaseClock) -> None:
    """An hour forward is, for the ledger, all of it an hour ago; these clocks were read before that."""
    gateway.change(AN_HOUR_AGO)
    for clock in clocks:
        watch = clock._watch
        assert watch is not None
        clock._watch = replace(
            watch,
            ahead_least=watch.ahead_least - 3600,
            ahead_most=watch.ahead_most - 3600,
            steady_since=watch.steady_since - timedelta(hours=1),
        )


def restarted(gateway: Any) -> Resources:
    """The resources of a gateway that starts on the same machine."""
    resources: Resources = replace(gateway.resources, clock=DatabaseClock("a machine"))
    return resources


def test_a_clock_put_forward_does_not_double_an_unknown_record(gateway: Any) -> None:
    gateway.order("hold_late", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]

    put_forward(gateway, gateway.resources.clock)

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_clock_put_forward_does_not_end_a_senders_lease(gateway: Any) -> None:
    sweeper = restarted(gateway)
    sweep(sweeper)

    def around(send: Any) -> SystemAnswer:
        put_forward(gateway, sweeper.clock)
        assert sweep(sweeper) is False
        answer: SystemAnswer = send()
        return answer

    gateway.recorded(around)
    claim_ref = gateway.claim()
    gateway.send()

    assert gateway.states(claim_ref) == ["ACCEPTED", "WAITING"]


def lose_a_sender(gateway: Any) -> str:
    """A record that was begun by a process that is gone, whose lease has ended; gives its claim."""

    def around(_: Any) -> SystemAnswer:
        raise KeyboardInterrupt

    gateway.recorded(around)
    claim_ref: str = gateway.claim()
    try:
        gateway.send()
    except KeyboardInterrupt:
        gateway.expire_leases()
    return claim_ref


def test_a_gateway_that_restarts_more_often_than_its_lease_still_sweeps(gateway: Any) -> None:
    claim_ref = lose_a_sender(gateway)
    assert sweep(restarted(gateway)) is False
    gateway.change(KEPT_AN_HOUR_AGO)

    assert sweep(restarted(gateway)) is True

    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]


def test_a_clock_that_jumped_between_two_processes_is_trusted_from_now_on(gateway: Any) -> None:
    claim_ref = lose_a_sender(gateway)
    sweep(restarted(gateway))
    gateway.change(KEPT_AN_HOUR_AGO)
    gateway.change("UPDATE clock_watches SET ahead_least = ahead_least - 3600, ahead_most = ahead_most - 3600")

    assert sweep(restarted(gateway)) is False

    assert gateway.states(claim_ref) == ["SENDING", "WAITING"]


def test_a_process_that_was_stopped_while_it_saved_holds_up_no_other(gateway: Any, database: Database) -> None:
    sweep(restarted(gateway))

    with database.transaction() as stopped:
        stopped.execute("SELECT 1 FROM clock_watches FOR UPDATE")
        assert sweep(restarted(gateway)) is False


def test_another_machines_view_of_the_clock_is_not_used(gateway: Any, database: Database) -> None:
    sweep(restarted(gateway))
    gateway.change(KEPT_AN_HOUR_AGO)

    with database.transaction() as conn:
        here, there = (DatabaseClock(name).steady_since(conn) for name in ("a machine", "another machine"))

    assert there - here > timedelta(minutes=59)
