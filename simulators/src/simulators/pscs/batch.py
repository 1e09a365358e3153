"""The files: a batch of details as it comes in, and the response that goes out, by the copybooks' layouts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.record_link.copybook import read_layouts
from simulators.record_link.link import Message
from simulators.record_link.record import Decoded, Value, decode, encode

__all__ = ["Batch", "Detail", "FileRefusedError", "Files", "Message", "Outcome"]

RECORD_LENGTH = 1_000
MOST_DETAILS = 10_000
LONGEST_FILE = (MOST_DETAILS + 2) * RECORD_LENGTH
HASH_MODULUS = 10**12
LAST_SEQUENCE = 999_999
_NAME = re.compile(r"CMS3\.PSCS\.S(\d{6})\.DAT")

GAP = Message(code="PF0001", field="PH-FILE-SEQUENCE", text="NOT THE SEQUENCE THAT IS EXPECTED")
OTHER_NAME = Message(code="PF0001", field="PH-FILE-SEQUENCE", text="NOT THE SEQUENCE OF THE FILES NAME")
REPEAT = Message(code="PF0002", field="PH-FILE-SEQUENCE", text="THIS SEQUENCE HAS BEEN TAKEN")
COUNT = Message(code="PF0003", field="PT-DETAIL-COUNT", text="NOT THE COUNT OF THE DETAILS")
STRUCTURE = Message(code="PF0003", field="PR-TYPE", text="HEADER, DETAILS, TRAILER ARE NEEDED")
LINES = Message(code="PF0003", field="PD-LINE", text="LINES ARE COUNTED FROM 1")
HASH_TOTAL = Message(code="PF0004", field="PT-HASH-TOTAL", text="NOT THE SUM OF LINES AND NINOS")
LENGTH = Message(code="PF0005", field="PSCS-RECORD", text="NOT A MULTIPLE OF 1000 BYTES")


class FileRefusedError(Exception):
    """The file is refused whole, with this message."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.code)
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One line of a batch."""

    transfer_id: str
    record: Decoded

    def text(self, field: str) -> str:
        """A text field."""
        return str(self.record.values[field])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a line: held under a reference, or refused with one message."""

    transfer_id: str
    claim_ref: str
    action: str
    legacy_ref: str = ""
    message: Message | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A file that has been answered: taken with an outcome for each line, or refused with a message."""

    sequence: int
    outcomes: tuple[Outcome, ...] = ()
    message: Message | None = None

    @property
    def claim_refs(self) -> set[str]:
        """The claims in it."""
        return {outcome.claim_ref for outcome in self.outcomes}


def sequence_of(name: str) -> int | None:
    """The sequence in a file's name; None when it is not a name of the interface."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def following(sequence: int) -> int:
    """The next sequence: 999999 is followed by 000001."""
    return sequence % LAST_SEQUENCE + 1


class Files:
    """Reads batches and writes responses."""

    def __init__(self, copybooks: Path) -> None:
        self._layouts = read_layouts(copybooks, "pscs.cpy", "pscsrsp.cpy")

    def read(self, content: bytes, *, sequence: int) -> list[Detail]:
        """The details of a file whose name has this sequence. Raises FileRefusedError."""
        if not content or len(content) % RECORD_LENGTH:
            raise FileRefusedError(LENGTH)
        records = [content[start : start + RECORD_LENGTH] for start in range(0, len(content), RECORD_LENGTH)]
        if not 3 <= len(records) <= MOST_DETAILS + 2:
            raise FileRefusedError(STRUCTURE)
        header = self._structured("PSCS-HEADER", records[0], {"PH-TYPE": "0", "PH-SOURCE": "CMS3GWAY"})
        if header.values["PH-FILE-SEQUENCE"] != sequence:
            raise FileRefusedError(OTHER_NAME)
        trailer = self._structured("PSCS-TRAILER", records[-1], {"PT-TYPE": "9"})
        details = list(self._details(records[1:-1]))
        if trailer.values["PT-DETAIL-COUNT"] != len(details):
            raise FileRefusedError(COUNT)
        if trailer.values["PT-HASH-TOTAL"] != _hash_total(details):
            raise FileRefusedError(HASH_TOTAL)
        return details

    def response(self, batch: Batch, *, header_sequence: int | None = None, count: int | None = None) -> bytes:
        """The response file. `header_sequence` and `count` put others in the place of the right ones."""
        header: dict[str, Value] = {
            "RH-TYPE": "0",
            "RH-FILE-SEQUENCE": header_sequence or batch.sequence,
            "RH-RESULT": "R" if batch.message else "A",
        }
        if batch.message:
            header |= {"RH-MSG-CODE": batch.message.code, "RH-MSG-TEXT": batch.message.text}
        trailer: dict[str, Value] = {
            "RT-TYPE": "9",
            "RT-DETAIL-COUNT": len(batch.outcomes) if count is None else count,
        }
        lines = [encode(self._layouts["PSCS-RSP-DETAIL"], _line(outcome)) for outcome in batch.outcomes]
        return b"".join(
            (
                encode(self._layouts["PSCS-RSP-HEADER"], header),
                *lines,
                encode(self._layouts["PSCS-RSP-TRAILER"], trailer),
            )
        )

    def _details(self, records: Sequence[bytes]) -> Iterator[Detail]:
        for number, record in enumerate(records, start=1):
            decoded = self._structured("PSCS-DETAIL", record, {"PD-TYPE": "1"})
            if decoded.values["PD-LINE"] != number:
                raise FileRefusedError(LINES)
            yield Detail(transfer_id=str(decoded.values["PD-TRANSFER-ID"]), record=decoded)

    def _structured(self, layout: str, record: bytes, constants: Mapping[str, str]) -> Decoded:
        """The record, whose bytes can all be read, with these constants in it. Raises FileRefusedError."""
        decoded = decode(self._layouts[layout], record)
        if decoded.unreadable or any(decoded.values[name] != value for name, value in constants.items()):
            raise FileRefusedError(STRUCTURE)
        return decoded


def _hash_total(details: Sequence[Detail]) -> int:
    return sum(number * _digits(detail.text("CM-NINO")) for number, detail in enumerate(details, 1)) % HASH_MODULUS


def _digits(nino: str) -> int:
    """The six digits of a NINO; 0 for what is none, which an edit rule refuses."""
    return int(nino[2:8]) if re.fullmatch("[0-9]{6}", nino[2:8]) else 0


def _line(outcome: Outcome) -> dict[str, Value]:
    values: dict[str, Value] = {
        "RD-TYPE": "1",
        "RD-TRANSFER-ID": outcome.transfer_id,
        "RD-COMPLETION": "R" if outcome.message else "A",
        "RD-LEGACY-REF": outcome.legacy_ref,
    }
    if outcome.message:
        message = outcome.message
        values |= {"RD-MSG-CODE": message.code, "RD-MSG-FIELD": message.field, "RD-MSG-TEXT": message.text}
    return values
