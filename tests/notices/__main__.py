"""`make bench-notices`: notices a second through the notifier, beside a bare loop that posts ready-made ones.

Everything runs on this machine: a durable PostgreSQL, and the councils' stand-in, which is healthy and
writes each notice to its disk before it answers. Intake and gateway answer from memory. docs/performance.md tells what each
does.
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from chassis.workers import Worker
from la_notifier.channels.api import Councils, Outgoing
from la_notifier.domain.notices import SendResult
from la_notifier.service.filing import Filing
from la_notifier.service.reviews import Reviewer
from la_notifier.service.sending import Sender, waits_of
from simulators.testing import call
from tests.notices.place import BY_API, BY_SFTP, Place, place

_SENDERS, _STATUS_CHECKERS = 3, 2
"""The numbers that `la_notifier.workers` has."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The time that a number of notices took: on the clock, and of a processor without PostgreSQL and the stand-in."""

    seconds: float
    processor_seconds: float


class Watch:
    """Takes the time from its making on."""

    def __init__(self) -> None:
        self._begun, self._processor_begun = time.perf_counter(), time.process_time()

    def taken(self) -> Taken:
        """The time until now."""
        return Taken(
            seconds=time.perf_counter() - self._begun,
            processor_seconds=time.process_time() - self._processor_begun,
        )


_waits = partial(waits_of, scale=0.01, poll_seconds=2.0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def claims(number: int, letter: str) -> Sequence[str]:
    """References of this many claims."""
    return [f"C{number:010}{letter}" for number in range(number)]


def _reviewed(found: Place, number: int, letter: str, postcode: str) -> Taken:
    """The time in which one reviewer makes so many notices."""
    found.tell_of(claims(number, letter), postcode=postcode)
    reviewer = Reviewer(found.database, found.vault, found.claims, found.claims, found.postcodes, waits=_waits)
    watch = Watch()
    while reviewer.review_next():
        pass
    return watch.taken()


def _until(workers: Sequence[Worker], is_done: Callable[[], bool]) -> Taken:
    """The time until the workers have done it."""
    waiting, watch = threading.Event(), Watch()
    for worker in workers:
        worker.start()
    while not is_done():
        waiting.wait(0.05)
    took = watch.taken()
    for worker in workers:
        worker.stop()
    for worker in workers:
        worker.join(10)
    return took


def bare(found: Place, number: int) -> Taken:
    """The time in which a loop posts so many ready-made notices over one connection, signed, and looks at the answers."""
    answers = found.claims.facts("C00000000001").answers
    made = [_ready_made(claim_ref, answers) for claim_ref in claims(number, "B")]
    with closing(Councils(found.url, {BY_API["code"]: found.secret})) as councils:
        watch = Watch()
        results = {councils.send(one).result for one in made}
        took = watch.taken()
    assert results == {SendResult.SENT}
    return took


def _ready_made(claim_ref: str, answers: Mapping[str, Any]) -> Outgoing:
    notice_id = str(uuid.uuid4())
    body = {
        "notice_id": notice_id,
        "version": 1,
        "kind": "INTENTION",
        "authority_code": BY_API["code"],
        "claim_ref": claim_ref,
        "benefit": "JSA_UNDECIDED",
        "seeks": "BOTH",
        **dict.fromkeys(("first_contact_on", "intention_on"), "2026-11-30"),
        **dict.fromkeys(("claim_due_on", "proof_due_on"), "2026-12-30"),
        "claimant": {name: answers[name] for name in ("surname", "forenames", "date_of_birth")},
        "address": answers["address"],
        "tenancy": {"kind": answers["tenure"]},
        "language": "EN",
    }
    return Outgoing(notice_id=notice_id, version=1, authority_code=BY_API["code"], body=json.dumps(body).encode())


def by_api(found: Place, number: int) -> tuple[Taken, Taken]:
    """The times for making so many notices, and for sending them until each is LOADED."""
    making = _reviewed(found, number, "A", BY_API["postcode"])
    with closing(Councils(found.url, {BY_API["code"]: found.secret})) as councils:
        sender = Sender(found.database, found.vault, councils, waits=_waits, pause_seconds=0.25)
        crew = [Worker(f"sender-{one}", sender.send_next, pause_seconds=0) for one in range(_SENDERS)]
        crew += [Worker(f"status-checker-{one}", sender.ask_next, pause_seconds=0) for one in range(_STATUS_CHECKERS)]
        return making, _until(crew, lambda: found.count("LOADED") == number)


def by_sftp(found: Place, number: int, loaded_before: int) -> tuple[Taken, Taken]:
    """The times for making so many notices, and for two cycles: the file's, and the one that takes the acknowledgement in."""
    making = _reviewed(found, number, "C", BY_SFTP["postcode"])
    filing = Filing(found.database, found.vault, found.sftp, waits=_waits, cycle_seconds=0.01)
    watch = Watch()
    while found.count("LOADED") < loaded_before + number:
        if filing.step():
            call(found.control, "POST", "/cycle", body={})
    return making, watch.taken()


def main() -> None:
    """Prints a line for each measurement, and last all in JSON."""
    parser = argparse.ArgumentParser(prog="make bench-notices", description=__doc__)
    parser.add_argument("--notices", type=int, default=1000, help="notices for each")
    number = parser.parse_args().notices
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with place() as found:
        making, sending = by_api(found, number)
        alone = bare(found, number)
        _, filing = by_sftp(found, number, number)
    taken = {"bare": alone, "made": making, "api": sending, "sftp": filing}
    rates = {name: round(number / one.seconds, 1) for name, one in taken.items()}
    cpu = {name: round(1000 * one.processor_seconds / number, 2) for name, one in taken.items()}
    for name, rate in rates.items():
        _say(f"{name}: {rate} notices a second, {cpu[name]} ms of a processor each, load {os.getloadavg()[0]:.1f}")
    beside = round(rates["api"] / rates["bare"], 2)
    print(json.dumps({"notices": number, "rates": rates, "cpu_ms": cpu, "api_beside_bare": beside}))


if __name__ == "__main__":
    main()
