"""The dialogues of the record link that carry no claim: an enquiry, a withdrawal, and the list of a day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chassis.errors import Unavailable
from legacy_gateway.domain import HeldRecord, ListingChanged
from legacy_gateway.link.connection import LinkConnection
from legacy_gateway.link.frames import Completion, Reply
from legacy_gateway.link.line import Fault
from legacy_gateway.link.pool import LinkPool
from legacy_gateway.records import RecordError, date_number, decode, encode, layout

ENQUIRY_DIALOGUE = "ENQ01"
_WITHDRAWAL_DIALOGUE = "CN504"
_LIST_DIALOGUE = "REC01"
_PAGE = "RECON-PAGE"
_MOST_PAGES = 99_999


def ask(link: LinkConnection | LinkPool, transfer_id: str, *, sent_at: datetime) -> Reply:
    """Asks for the outcome of a transfer (ENQ01): ACCEPTED with the reference, REJECTED with messages, or NOT_KNOWN.

    When NOT_KNOWN is final the caller decides, by the system and by OutcomeUnknown.closed_at. Raises as `call` does.
    """
    payload = encode(layout("ENQUIRY"), {"EN-TRANSFER-ID": transfer_id})
    return link.call(ENQUIRY_DIALOGUE, transfer_id, payload, sent_at=sent_at)


def withdraw(link: LinkConnection | LinkPool, transfer_id: str, *, sent_at: datetime) -> Reply:
    """Withdraws a first phase that is to be given up (CN504): ACCEPTED, or REJECTED if a second phase uses its reference.

    It may be repeated. Raises as `call` does.
    """
    payload = encode(layout("ENQUIRY"), {"EN-TRANSFER-ID": transfer_id})
    return link.call(_WITHDRAWAL_DIALOGUE, transfer_id, payload, sent_at=sent_at)


class ListAway(Unavailable):
    """A system does not give the whole list of a day now."""

    def __init__(self, reason: str) -> None:
        super().__init__("LIST_AWAY", f"the list of the day cannot be had: {reason}")


def pages_of_day(
    link: LinkConnection | LinkPool, day: date, *, next_id: Callable[[], str], now: Callable[[], datetime]
) -> Iterator[Sequence[HeldRecord]]:
    """Lists the records that a system holds under a day (REC01), in order of receipt; asks for a page when it is read.

    `next_id` draws a fresh transfer id. Raises ListingChanged where the day's total fell between two pages, so that an entry
    may have been passed over, or where the entries are not as many as the system counts; ListAway where a page cannot be
    had; and as `call` does.
    """
    found = total = 0
    for number in range(1, _MOST_PAGES + 1):
        page = _page(link, day, number, transfer_id=next_id(), sent_at=now())
        found += len(page.entries)
        if page.total < total or found > page.total:
            raise ListingChanged("LISTING_CHANGED", "the list shrank while it was read")
        total = page.total
        yield page.entries
        if page.is_last:
            break
    if found != total:
        raise ListingChanged("LISTING_CHANGED", f"{found} entries where {total} are counted")


@dataclass(frozen=True, kw_only=True)
class _Page:
    total: int
    is_last: bool
    entries: tuple[HeldRecord, ...]


def _page(link: LinkConnection | LinkPool, day: date, number: int, *, transfer_id: str, sent_at: datetime) -> _Page:
    request = encode(layout("RECON-REQUEST"), {"RQ-DATE": date_number(day), "RQ-PAGE": number})
    reply = link.call(_LIST_DIALOGUE, transfer_id, request, sent_at=sent_at, attached=_PAGE)
    if reply.completion is not Completion.ACCEPTED or not reply.attached:
        raise ListAway(f"completion {reply.completion}")
    try:
        page = decode(layout(_PAGE), reply.attached)
    except RecordError as error:
        raise ListAway(Fault.UNREADABLE) from error
    if page["RP-DATE"] != date_number(day) or page["RP-PAGE"] != number or page["RP-COUNT"] > len(page["RP-ENTRY"]):
        raise ListAway(Fault.UNREADABLE)
    return _Page(
        total=page["RP-TOTAL"],
        is_last=page["RP-LAST-PAGE"] != "N",
        entries=tuple(
            HeldRecord(transfer_id=entry["RP-TRANSFER-ID"], legacy_ref=entry["RP-LEGACY-REF"])
            for entry in page["RP-ENTRY"][: page["RP-COUNT"]]
        ),
    )
