"""What JSAPS answers to each dialogue when nothing fails."""

import hashlib

from simulators.clock import Clock
from simulators.errors import FrameError
from simulators.jsaps.edit_rules import RuleBook, real_date
from simulators.jsaps.holdings import Held, Holdings, Submission
from simulators.jsaps.link import RECORDS, Link, Message, Reply, Request
from simulators.jsaps.record import Decoded, Value, decode, encode

PAGE_LENGTH = 100
CRC_MISMATCH = Reply(
    completion="E", messages=(Message(code="LK0003", field="LH-PAYLOAD-CRC", text="CRC AND PAYLOAD DO NOT AGREE"),)
)


class Dialogues:
    """Answers requests from what is held."""

    def __init__(self, *, link: Link, rules: RuleBook, holdings: Holdings, clock: Clock) -> None:
        self._link = link
        self._rules = rules
        self._holdings = holdings
        self._clock = clock

    def answer(self, request: Request, *, besides: tuple[Message, ...] = ()) -> Reply:
        """The answer; `besides` are messages to refuse a record with, on top of those of the edit rules.

        Raises FrameError where the payload is not one that an answer can be given to, LedgerError where the disk fails.
        """
        if not request.intact:
            return CRC_MISMATCH
        record = decode(self._link.layout(RECORDS[request.dialogue]), request.payload)
        if request.dialogue in {"ENQ01", "CN504"}:
            return self._about_transfer(request, record)
        return self._day(record) if request.dialogue == "REC01" else self._receive(request, record, besides)

    def claim_ref(self, request: Request) -> str | None:
        """The claim that a request is about, for whom a failure is meant; None when that is not known."""
        if request.dialogue in {"ENQ01", "CN504"}:
            return self._holdings.claim_of(request.transfer_id)
        field = self._link.layout(RECORDS[request.dialogue]).fields.get("CM-CLAIM-REF")
        return None if field is None else request.payload[field.places()[0]].decode("cp285")

    def _about_transfer(self, request: Request, record: Decoded) -> Reply:
        if record.values.get("EN-TRANSFER-ID") != request.transfer_id:
            raise FrameError(f"{request.dialogue}: header and payload name different transfers")
        if request.dialogue == "ENQ01":
            return self._holdings.enquire(request.transfer_id)
        return self._holdings.withdraw(request.transfer_id, received=self._clock.now())

    def _receive(self, request: Request, record: Decoded, besides: tuple[Message, ...]) -> Reply:
        received = self._clock.now()
        messages = self._rules.messages(request.dialogue, record, received_on=self._clock.today())

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
            es_legacy_ref=text("JB-ES-LEGACY-REF"),
        )
        return self._holdings.receive(submission, (*messages, *besides))

    def _day(self, record: Decoded) -> Reply:
        """A page of the day's balance. What is no day has nothing."""
        if record.unreadable:
            raise FrameError("REC01: the payload cannot be read")
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
