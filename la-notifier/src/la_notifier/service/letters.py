"""The print queue: letters to authorities and to claimants, which a person prints and marks as printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from chassis import access_log, clock
from chassis.database import Connection
from chassis.vault import Vault
from la_notifier.domain.letters import (
    KEPT_AFTER_PRINTING,
    LetterState,
    PrintOutcome,
    QueuedLetter,
    Recipient,
)
from la_notifier.service import settling
from la_notifier.store import letters, versions

_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Printable:
    """A letter with the PDF; without bytes where it was cancelled, or printed so long ago that they are gone."""

    letter: QueuedLetter
    pdf: bytes


def queue_letter(conn: Connection, vault: Vault, letter: QueuedLetter, pdf: bytes) -> None:
    """Puts a letter in the print queue, once for its id and once for a version of a notice."""
    letters.add(conn, vault, letter, pdf)


def next_to_print(
    conn: Connection, vault: Vault, recipient: Recipient, *, after: tuple[date, datetime, UUID], limit: int
) -> Sequence[Printable]:
    """The letters that are to be printed next, the earliest due first. The access log is written for each."""
    rows = letters.to_print(conn, recipient, after=after, limit=limit)
    return [_shown(conn, vault, row) for row in rows]


def letters_again(conn: Connection, vault: Vault, letter_ids: Sequence[UUID]) -> Sequence[Printable]:
    """Letters by their ids, to print them once more, as far as there are such. The access log is written for each."""
    return [_shown(conn, vault, row) for row in letters.letters(conn, letter_ids)]


def mark_printed(conn: Connection, letter_ids: Sequence[UUID], *, by: str) -> Sequence[PrintOutcome]:
    """Marks letters as printed by a person: what became of each, in the order of the request. A printed notice is sent."""
    # Locked in one order, so that two people who mark the same letters do not wait for each other.
    places = sorted(range(len(letter_ids)), key=lambda place: letter_ids[place])
    outcomes = {place: _mark(conn, letter_ids[place], by) for place in places}
    return [outcomes[place] for place in range(len(letter_ids))]


def tidy(conn: Connection) -> bool:
    """Takes out what was superseded, and drops what was printed long ago; returns whether there may be more."""
    cancelled = letters.cancel_ended(conn, most=_AT_ONCE)
    forgotten = letters.forget_printed(conn, before=clock.now() - KEPT_AFTER_PRINTING, most=_AT_ONCE)
    return _AT_ONCE in (cancelled, forgotten)


def _shown(conn: Connection, vault: Vault, row: dict[str, object]) -> Printable:
    letter = letters.letter_of(row)
    access_log.record_access(conn, claim_ref=letter.claim_ref, purpose=f"letter {letter.letter_id}")
    return Printable(letter=letter, pdf=letters.pdf_of(conn, vault, row))


def _mark(conn: Connection, letter_id: UUID, by: str) -> PrintOutcome:
    letter = letters.lock(conn, letter_id)
    if letter is None:
        return PrintOutcome.NOT_FOUND
    if letter.state is LetterState.PRINTED:
        return PrintOutcome.PRINTED_BEFORE
    if letter.state is LetterState.CANCELLED or not _is_gone(conn, letter):
        letters.cancel(conn, letter_id)
        return PrintOutcome.CANCELLED
    letters.mark_printed(conn, letter_id, now=clock.now(), by=by)
    return PrintOutcome.PRINTED


def _is_gone(conn: Connection, letter: QueuedLetter) -> bool:
    """Whether the letter may go: its version counts as sent from now on, unless that was superseded meanwhile."""
    if letter.notice_id is None or letter.version is None:
        return True
    version = versions.lock(conn, letter.notice_id, letter.version)
    if version is None or not version.is_waiting or not version.is_wanted:
        return False
    settling.save(conn, version, version.gone())
    return True
