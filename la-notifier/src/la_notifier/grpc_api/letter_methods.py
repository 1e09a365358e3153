"""The print queue: letters to print, and what was printed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from chassis import call
from chassis.conversions import date_message, timestamp, uuid_of
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Text, Violation
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.notifier.v1 import letters_pb2 as pb
from la_notifier.domain.letters import PrintOutcome, Recipient
from la_notifier.service import letters
from la_notifier.service.letters import Printable

_PAGE_SIZE, _LARGEST_PAGE = 10, 20
_FIRST = (date.min, datetime.min.replace(tzinfo=UTC), UUID(int=0))
_ONE_OF_BOTH = Text(en="name a recipient or letters, and not both", cy="enwch dderbynnydd neu lythyrau, nid y ddau")


class LetterMethods:
    """Shows and marks letters."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def GetLetters(self, request: pb.GetLettersRequest) -> pb.GetLettersResponse:
        """Letters to print, with the PDF."""
        if bool(request.recipient) == bool(request.letter_ids):
            raise InvalidArgument.of(Violation.of("recipient", _ONE_OF_BOTH))
        if request.letter_ids:
            ids = _ids(request.letter_ids)
            with call.current().database.transaction() as conn:
                found = letters.letters_again(conn, self._vault, ids)
            return pb.GetLettersResponse(letters=map(_letter, found))
        return self._next(request)

    def _next(self, request: pb.GetLettersRequest) -> pb.GetLettersResponse:
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        recipient = Recipient(name_of(pb.LetterRecipient, request.recipient, field="recipient"))
        place = place_of(request, datetime, datetime, UUID)
        after = _FIRST if place is None else (place[0].date(), place[1], place[2])
        with call.current().database.transaction() as conn:
            found = letters.next_to_print(conn, self._vault, recipient, after=after, limit=limit)
        return pb.GetLettersResponse(
            letters=map(_letter, found),
            next_page_token=_token(request, found[-1]) if len(found) == limit else "",
        )

    def MarkPrinted(self, request: pb.MarkPrintedRequest) -> pb.MarkPrintedResponse:
        """Marks letters as printed by the caller."""
        ids, by = _ids(request.letter_ids), call.current().identity.subject

        def mark(conn: Connection) -> Sequence[PrintOutcome]:
            return letters.mark_printed(conn, ids, by=by)

        def respond(outcomes: Sequence[PrintOutcome]) -> pb.MarkPrintedResponse:
            results = zip(request.letter_ids, outcomes, strict=True)
            return pb.MarkPrintedResponse(
                results=[
                    pb.PrintResult(letter_id=letter_id, outcome=number_of(pb.PrintOutcome, outcome))
                    for letter_id, outcome in results
                ]
            )

        return run_once(request, mark, respond)


def _ids(texts: Sequence[str]) -> Sequence[UUID]:
    return [uuid_of(text, field=f"letter_ids[{place}]") for place, text in enumerate(texts)]


def _token(request: pb.GetLettersRequest, last: Printable) -> str:
    day = datetime.combine(last.letter.due_on, time(), tzinfo=UTC)
    return token_of(request, day, last.letter.created, last.letter.letter_id)


def _letter(found: Printable) -> pb.Letter:
    letter = found.letter
    return pb.Letter(
        letter_id=str(letter.letter_id),
        recipient=number_of(pb.LetterRecipient, letter.recipient),
        claim_ref=letter.claim_ref,
        about=letter.about,
        language=number_of(common_pb2.Language, letter.language),
        state=number_of(pb.LetterState, letter.state),
        due_on=date_message(letter.due_on),
        created=timestamp(letter.created),
        printed=timestamp(letter.printed),
        authority_code=letter.authority_code or "",
        notice_id=str(letter.notice_id or ""),
        version=letter.version or 0,
        pdf=found.pdf,
    )
