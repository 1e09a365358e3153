"""The queue of call-backs: what is due, taking one, and what came of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import NotFound
from intake.domain.call_back import CallBack, CallBackOutcome
from intake.domain.claim import value_of
from intake.domain.interview import Answers
from intake.domain.search import CallBackSearch
from intake.service.access import cipher_of
from intake.service.calls import end_own_wrap_ups
from intake.store.answers import load_answers
from intake.store.call_backs import (
    CallBackFound,
    find_call_backs,
    lock_call_back,
    lock_next_call_back,
    save_call_back,
)
from intake.store.claims import load_claim


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How to reach a person; `telephone` is empty where none is known, `address` where no letter is due."""

    name: str
    telephone: str
    address: tuple[str, ...]
    is_unsafe: bool
    """Whether contact may put the person in danger."""


@dataclass(frozen=True, kw_only=True)
class CallBackTaken:
    """A call-back that the caller has taken, and how to reach the person."""

    call_back: CallBack
    contact: Contact


def list_call_backs(conn: Connection, search: CallBackSearch) -> list[CallBack]:
    """Call-backs that match, the one that is due first at the top."""
    return find_call_backs(conn, search, now=clock.now(), real_now=real_now())


def take_call_back(conn: Connection, call_id: UUID | None, *, language: str | None) -> CallBackTaken:
    """Takes this call-back, or without a call_id the one that has been due for longest, for a quarter of an hour.

    Raises NotFound where there is none, and what `CallBack.take` raises.
    """
    now, real = clock.now(), real_now()
    if call_id is not None:
        found = lock_call_back(conn, call_id)
    else:
        next_one = lock_next_call_back(conn, language=language, now=now, real_now=real)
        if next_one is None:
            raise NotFound("NO_CALL_BACK", "no call-back is due")
        found = next_one
    # After the wait for a lock, so that nobody waits for these calls meanwhile.
    end_own_wrap_ups(conn)
    taken = found.call_back.take(call.current().identity.subject, now=now, real_now=real)
    save_call_back(conn, taken)
    return _with_contact(conn, found, taken)


def show_taken(conn: Connection, call_id: UUID) -> CallBackTaken:
    """The call-back for the repeat of the request that took it. Raises FailedPrecondition where it is no longer taken."""
    found = lock_call_back(conn, call_id)
    found.call_back.expect_taken_by(call.current().identity.subject)
    return _with_contact(conn, found, found.call_back)


def record_call_back(conn: Connection, call_id: UUID, outcome: CallBackOutcome) -> CallBack:
    """Records what came of a call-back that the caller has taken. Raises NotFound and what `CallBack.record` raises."""
    found = lock_call_back(conn, call_id)
    recorded = found.call_back.record(outcome, operator=call.current().identity.subject, at=clock.now())
    save_call_back(conn, recorded)
    return recorded


def real_now() -> datetime:
    """The real time, by which leases run."""
    return datetime.now(UTC)


def _with_contact(conn: Connection, found: CallBackFound, call_back: CallBack) -> CallBackTaken:
    claim = load_claim(conn, call_back.claim_ref, caller=call.current().identity.subject)
    cipher = cipher_of(claim)
    answers = load_answers(conn, cipher, version=claim.claim.version)
    caller = found.caller(cipher)
    access_log.record_access(conn, claim_ref=call_back.claim_ref, purpose=f"call back {call_back.call_id}")
    contact = Contact(
        name=caller.name if caller.is_representative else _name(answers),
        telephone=str(value_of(answers, "telephone") or ""),
        address=tuple(_address(answers)) if call_back.is_letter else (),
        is_unsafe=_is_unsafe(answers),
    )
    return CallBackTaken(call_back=call_back, contact=contact)


def _is_unsafe(answers: Answers) -> bool:
    return value_of(answers, "contact_unsafe") is True


def _name(answers: Answers) -> str:
    parts = (value_of(answers, name) for name in ("title", "forenames", "surname"))
    return " ".join(str(part) for part in parts if part)


def _address(answers: Answers) -> list[str]:
    """The address for letters, or else the claimant's; where contact is unsafe, none but the one named as safe."""
    address = value_of(answers, "post_address")
    if address is None and not _is_unsafe(answers):
        address = value_of(answers, "address")
    if not isinstance(address, dict):
        return []
    lines = address.get("lines")
    return [*(str(line) for line in (lines if isinstance(lines, list) else [])), str(address.get("postcode", ""))]
