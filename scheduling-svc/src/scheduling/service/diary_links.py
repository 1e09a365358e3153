"""Links to assessors' diaries, and the diary that a link opens."""

from uuid import UUID, uuid4

from chassis import clock
from chassis.database import Connection
from chassis.vault import Vault
from scheduling.domain.diary_links import (
    LINK_LASTS,
    MOST_LINKS,
    MOST_READS,
    READS_COUNTED,
    SHOWN_BACK,
    AskedTooOften,
    Calendar,
    CalendarEntry,
    DiaryLink,
    LinkUnknown,
    TooManyLinks,
    digest_of,
    path_of,
    token_of,
)
from scheduling.domain.directory import Directory
from scheduling.store import appointment_lists
from scheduling.store import diary_links as store


def diary_path(link_id: UUID, vault: Vault) -> str:
    """The path of a link. Its token follows from the link's id and the keyring, so that it need not be kept for a retry."""
    return path_of(_token(link_id, vault))


def _token(link_id: UUID, vault: Vault) -> str:
    return token_of(vault.lookup(f"diary link {link_id}"))


def create_link(conn: Connection, *, assessor_id: str, vault: Vault) -> DiaryLink:
    """Makes a link to the assessor's diary. Raises TooManyLinks."""
    link_id = uuid4()
    made = store.insert_link(
        conn,
        link_id=link_id,
        assessor_id=assessor_id,
        token_hash=digest_of(_token(link_id, vault)),
        lasts=LINK_LASTS,
        most=MOST_LINKS,
    )
    if made is None:
        raise TooManyLinks
    return made


def revoke_link(conn: Connection, *, link_id: UUID, assessor_id: str | None) -> DiaryLink:
    """Revokes the link, of this assessor where one is given. Raises LinkUnknown."""
    revoked = store.remove_link(conn, link_id, assessor_id=assessor_id)
    if revoked is None:
        raise LinkUnknown
    return revoked


def links_of(conn: Connection, assessor_id: str) -> list[DiaryLink]:
    """The links to the assessor's diary, the oldest first."""
    return store.links_of(conn, assessor_id)


def calendar_of_link(conn: Connection, token: str, *, directory: Directory) -> Calendar:
    """The interviews of the assessor whose diary the token opens. Raises LinkUnknown, AskedTooOften."""
    read = store.count_reading(conn, digest_of(token), counted=READS_COUNTED)
    if read is None:
        raise LinkUnknown
    assessor_id, reads = read
    if not directory.has_assessor(assessor_id):
        raise LinkUnknown
    if reads > MOST_READS:
        raise AskedTooOften
    now = clock.now()
    held = appointment_lists.calendar_of(conn, assessor_id, since=now - SHOWN_BACK)
    return Calendar(
        assessor_id=assessor_id,
        entries=[CalendarEntry.of(one, directory.office(one.office_code)) for one in held],
        made_time=now,
    )
