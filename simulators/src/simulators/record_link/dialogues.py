"""The answers of a mainframe to each dialogue when nothing fails."""

import hashlib

from simulators.clock import Clock, london_day
from simulators.errors import FrameError
from simulators.record_link.checks import real_date
from simulators.record_link.edit_rules import RuleBook
from simulators.record_link.held import Held
from simulators.record_link.holdings import Holdings, Submission
from simulators.record_link.link import Link, Message, Reply, Request
from simulators.record_link.mainframe import BALANCE, ENQUIRY, Mainframe, Phase
from simulators.record_link.record import CODE_PAGE, Decoded, Value, decode, encode

PAGE_LENGTH = 100
CRC_MISMATCH = Reply(
    completion="E", messages=(Message(code="LK0003", field="LH-PAYLOAD-CRC", text="CRC AND PAYLOAD DO NOT AGREE"),)
)


class Dialogues:
    """Answers requests from what is held."""

    def __init__(self, mainframe: Mainframe, *, link: Link, rules: RuleBook, holdings: Holdings, clock: Clock) -> None:
        self._phases = mainframe.by_dialogue
        self._link = link
        self._rules = rules
        self._holdings = holdings
        self._clock = clock

    def answer(self, request: Request, *, besides: tuple[Message, ...] = (), until_night: bool = False) -> Reply:
        """The answer; `besides` are messages to refuse a record with, on top of those of the edit rules.

        What is held `until_night` alone is forgotten when its day is over.

        Raises FrameError where the payload is not one that an answer can be given to, LedgerError where the disk fails.
        """
        if not request.intact:
            return CRC_MISMATCH
        record = decode(self._link.record_of(request.dialogue), request.payload)
        if record.without_digits:
            raise FrameError(
                f"{request.dialogue}: fields of numbers without digits: {', '.join(record.without_digits)}"
            )
        if phase := self._phases.get(request.dialogue):
            return self._receive(phase, request, record, besides, until_night=until_night)
        return self._day(record) if request.dialogue == BALANCE else self._about_transfer(request, record)

    def is_record(self, request: Request) -> bool:
        """Whether the request brings a record of a claim, and does not ask about one."""
        return request.dialogue in self._phases

    def claim_ref(self, request: Request) -> str | None:
        """The claim that a request is about, for whom a failure is meant; None when that is not known."""
        if request.dialogue in self._phases:
            field = self._link.record_of(request.dialogue).fields["CM-CLAIM-REF"]
            return request.payload[field.places[0]].decode(CODE_PAGE)
        return self._holdings.claim_of(request.transfer_id)

    def _about_transfer(self, request: Request, record: Decoded) -> Reply:
        if record.values.get("EN-TRANSFER-ID") != request.transfer_id:
            raise FrameError(f"{request.dialogue}: header and payload name different transfers")
        if request.dialogue == ENQUIRY:
            return self._holdings.enquire(request.transfer_id)
        return self._holdings.withdraw(request.transfer_id, received=self._clock.now())

    def _receive(
        self, phase: Phase, request: Request, record: Decoded, besides: tuple[Message, ...], *, until_night: bool
    ) -> Reply:
        received = self._clock.now()
        messages = self._rules.messages(request.dialogue, record, received_on=london_day(received))

        def text(field: str) -> str:
            return str(record.values.get(field, ""))

        submission = Submission(
            dialogue=request.dialogue,
            transfer_id=request.transfer_id,
            claim_ref=text("CM-CLAIM-REF"),
            action=text("CM-ACTION"),
            nino=text("CM-NINO"),
            payload_sha256=hashlib.sha256(request.payload).hexdigest(),
            received=received,
            first_reference=text(phase.reference_field),
            until_night=until_night,
        )
        return self._holdings.receive(submission, (*messages, *besides))

    def _day(self, record: Decoded) -> Reply:
        """A page of the day's balance. What is no day has nothing."""
        digits, page = int(str(record.values["RQ-DATE"])), int(str(record.values["RQ-PAGE"]))
        day = real_date(digits)
        held = self._holdings.received_on(day) if day else []
        return Reply(completion="A", page=self._page(digits, page, held))

    def _page(self, digits: int, page: int, held: list[Held]) -> bytes:
        entries = held[(page - 1) * PAGE_LENGTH : page * PAGE_LENGTH] if page else []
        values: dict[str, Value] = {
            "RP-DATE": digits,
            "RP-PAGE": page,
            "RP-LAST-PAGE": "Y" if page * PAGE_LENGTH >= len(held) else "N",
            "RP-TOTAL": len(held),
            "RP-COUNT": len(entries),
            "RP-TRANSFER-ID": [entry.transfer_id for entry in entries],
            "RP-LEGACY-REF": [entry.legacy_ref for entry in entries],
        }
        return encode(self._link.layout("RECON-PAGE"), values)
