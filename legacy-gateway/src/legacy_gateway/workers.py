"""The threads that carry transfers: senders, which send and ask, and a sweeper for what a sender left behind.

Each step of a sender is short transactions with the slow calls between them, held together by a lease. What may be at
the system is committed as SENDING before the first byte goes out.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg

from chassis import crash, logs, remote, tracing
from chassis.database import Database
from chassis.errors import CmsError
from chassis.postcodes import MalformedPostcode, Postcodes
from chassis.runtime import Runtime
from chassis.vault import Vault
from chassis.workers import Turns, Worker
from legacy_gateway import mapping, metrics, service
from legacy_gateway.clients import Intake, IntakeClient, PayingSystem, RecordLinkSystem
from legacy_gateway.config import Settings
from legacy_gateway.domain import Facts, Result, State, Step, System, Transfer
from legacy_gateway.even_clock import EvenClock
from legacy_gateway.link import LinkPool
from legacy_gateway.store import leases
from legacy_gateway.store.leases import AlreadyLeased, Leased, LeaseLost

_PAUSE_SECONDS = 0.2
_SWEEP_SECONDS = 1.0
_SEND_WITHIN_SECONDS = 4.0
_LEASE_BEYOND_REPLY_SECONDS = _SEND_WITHIN_SECONDS + 2.0


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What lies outside this service, each behind its protocol."""

    intake: Intake
    systems: Mapping[System, PayingSystem]
    postcodes: Postcodes


class Sender:
    """Takes one due transfer at a time as far as it goes. Shared by all sending threads."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        outside: Outside,
        *,
        reply_seconds: float,
        time_scale: float,
        pause_seconds: float,
    ) -> None:
        """`pause_seconds` is the pause between two looks for what is due, when nothing is."""
        self._database = database
        self._vault = vault
        self._outside = outside
        self._reply_seconds = reply_seconds
        self._lease_seconds = reply_seconds + _LEASE_BEYOND_REPLY_SECONDS
        self._time_scale = time_scale
        self._clock = EvenClock()
        self._turns = Turns(pause_seconds=pause_seconds)

    @property
    def lease_seconds(self) -> float:
        """How long a lease lasts: longer than a send can take."""
        return self._lease_seconds

    def step(self) -> bool:
        """Sends or asks about the transfer that is due for longest; gives whether there may be more."""
        try:
            leased = self._turns.find(self._take)
        except AlreadyLeased:
            return True
        if leased is None:
            return False
        tracing.enter(tracing.child_of(leased.traceparent))
        if leased.transfer.state is State.UNKNOWN:
            self._ask(leased)
        else:
            self._send(leased)
        return True

    def _take(self) -> Leased | None:
        waits = service.waits(self._time_scale)
        with self._database.transaction() as conn:
            even_since = self._clock.read(conn)
            return leases.take(conn, seconds=self._lease_seconds, waits=waits, even_since=even_since)

    def _ask(self, leased: Leased) -> None:
        transfer = leased.transfer
        with self._counting_defects(leased, transfer):
            answer = self._outside.systems[transfer.system].ask(transfer.transfer_id)
            crash.point("enquiry.after_answer")
            step = transfer.asked(answer, service.waits(self._time_scale), final=leased.asks_finally)
            self._settle(leased, transfer, step, reason=answer.reason)

    def _send(self, leased: Leased) -> None:
        with self._counting_defects(leased, leased.transfer):
            payload = self._known_payload(leased) or self._new_payload(leased)
            if payload is None:
                return
            crash.point("transfer.after_facts")
            # Its connection must be closed before its lease ends and somebody asks: it sends early or not at all.
            send_by = time.monotonic() + _SEND_WITHIN_SECONDS
            with self._database.transaction() as conn:
                cipher = self._vault.cipher(conn, leased.transfer.claim_ref)
                leases.begin(conn, leased, cipher, payload, seconds=self._lease_seconds)
        crash.point("transfer.before_first_byte")
        sending = replace(leased.transfer, state=State.SENDING)
        with self._counting_defects(leased, sending):
            dialogue = mapping.phase_of(sending.system, sending.phase).dialogue
            system = self._outside.systems[sending.system]
            answer = system.send(dialogue, sending.transfer_id, payload, send_by=send_by)
            crash.point("transfer.after_reply")
            step = sending.sent(answer, service.waits(self._time_scale))
            self._settle(leased, sending, step, reason=answer.reason)
        metrics.count_attempt(sending, answer.result, answer.reason)

    @contextmanager
    def _counting_defects(self, leased: Leased, transfer: Transfer) -> Iterator[None]:
        """Where our own code fails over a transfer it is put off, or left to a person; the error goes on all the same.

        What passes by itself says nothing about the transfer: it is taken again when its lease has ended.
        """
        try:
            yield
        except Exception as error:
            if not _will_pass(error):
                step = transfer.hit_defect(service.waits(self._time_scale))
                self._settle(leased, transfer, step, reason=metrics.DEFECT)
                metrics.count_defect(transfer)
            raise

    def _known_payload(self, leased: Leased) -> bytes | None:
        if leased.sealed_payload is None:
            return None
        with self._database.transaction() as conn:
            cipher = self._vault.cipher(conn, leased.transfer.claim_ref)
            return leases.open_payload(leased.transfer, leased.sealed_payload, cipher)

    def _new_payload(self, leased: Leased) -> bytes | None:
        """The record as it will be on every attempt; None where it cannot be made, which is settled by then."""
        transfer = leased.transfer
        try:
            facts = self._outside.intake.facts(transfer.claim_ref, transfer.claim_version)
        except CmsError as error:
            # Whatever the reason, the claim must not be lost: it stays, and its age shows.
            self._settle(leased, transfer, transfer.put_off(service.waits(self._time_scale)), reason=error.reason)
            return None
        try:
            return mapping.build(transfer.system, transfer.phase, self._case(leased, facts))
        except mapping.Unfit as unfit:
            self._settle(leased, transfer, transfer.unfit(unfit.messages), reason=unfit.reason)
            metrics.FAILED_PUSHES.labels(transfer.system, "OWN_CHECK").inc()
            return None

    def _case(self, leased: Leased, facts: Facts) -> mapping.Case:
        transfer = leased.transfer
        return mapping.Case(
            claim_ref=transfer.claim_ref,
            action=transfer.action,
            office_code=leased.confirmation.office_code,
            assessor_id=leased.confirmation.assessor_id,
            facts=facts,
            authority_code=_authority_code(self._outside.postcodes, facts),
            first_phase_reference=leased.first_phase_reference,
            capital_limits=mapping.sources(transfer.system).capital_limits,
        )

    def _settle(self, leased: Leased, transfer: Transfer, step: Step, *, reason: str) -> None:
        with self._database.transaction() as conn:
            service.settle(conn, self._vault, transfer, token=leased.token, step=step)
        crash.point("transfer.after_storing")
        if step.state is State.ACCEPTED and transfer.is_last_phase:
            metrics.COMPLETION.labels(transfer.system).observe(service.completion_seconds(leased))
        _log(transfer, step.state, reason)


class Sweeper:
    """Finds what a sender began and did not come back from."""

    def __init__(self, database: Database, vault: Vault, *, lease_seconds: float, time_scale: float) -> None:
        self._database = database
        self._vault = vault
        self._lease_seconds = lease_seconds
        self._time_scale = time_scale
        self._clock = EvenClock()

    def step(self) -> bool:
        """Makes UNKNOWN of what is SENDING beyond its lease; gives whether there may be more."""
        with self._database.transaction() as conn:
            swept = service.sweep(
                conn,
                self._vault,
                scale=self._time_scale,
                lease_seconds=self._lease_seconds,
                even_since=self._clock.read(conn),
            )
        for transfer in swept:
            metrics.count_attempt(transfer, Result.NO_REPLY, "LEASE_EXPIRED")
            _log(transfer, State.UNKNOWN, "LEASE_EXPIRED")
        return bool(swept)


def workers(settings: Settings, runtime: Runtime) -> Sequence[Worker]:
    """The senders and the sweeper of a process."""
    pool = LinkPool(settings.jsaps_host, settings.jsaps_port, size=settings.senders, timeout=settings.reply_seconds)
    runtime.closing.callback(pool.close)
    outside = Outside(
        intake=IntakeClient(runtime.closing.enter_context(remote.channel(settings.intake_address)), runtime.token),
        systems={System.JSAPS: RecordLinkSystem(System.JSAPS, pool)},
        postcodes=runtime.closing.enter_context(Postcodes(settings.postcodes_file)),
    )
    scale, reply_seconds = settings.time_scale, settings.reply_seconds
    sender = Sender(
        runtime.database,
        runtime.vault,
        outside,
        reply_seconds=reply_seconds,
        time_scale=scale,
        pause_seconds=_PAUSE_SECONDS,
    )
    sweeper = Sweeper(runtime.database, runtime.vault, lease_seconds=sender.lease_seconds, time_scale=scale)
    senders = [Worker(f"sender-{number}", sender.step, pause_seconds=0) for number in range(1, settings.senders + 1)]
    return [*senders, Worker("sweeper", sweeper.step, pause_seconds=_SWEEP_SECONDS)]


def _will_pass(error: Exception) -> bool:
    """Whether the database or another service was away, or somebody else has the transfer by now."""
    if isinstance(error, CmsError):
        return error.will_pass or isinstance(error, LeaseLost)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _authority_code(postcodes: Postcodes, facts: Facts) -> str | None:
    address = facts.answers.get("address")
    try:
        place = postcodes.find(address["postcode"]) if address else None
    except MalformedPostcode:
        return None
    return place.authority_code if place else None


def _log(transfer: Transfer, state: State, reason: str) -> None:
    logs.get().info(
        "transfer",
        transfer_id=transfer.transfer_id,
        claim_ref=transfer.claim_ref,
        system=transfer.system,
        phase=transfer.phase,
        before=transfer.state,
        state=state,
        reason=reason,
    )
