"""For tests: batches that are right, responses as they were read, and a client of the SFTP door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from simulators.pscs.batch import HASH_MODULUS
from simulators.record_link.copybook import read_layouts
from simulators.record_link.record import Value, decode
from simulators.testing import common_values, digits_of, encode_record

Result = TypeVar("Result")


def line_values(today: date) -> dict[str, Value]:
    """A good line."""
    return common_values(today) | {
        "CM-BENEFIT": "IB",
        "PD-SICK-FROM": digits_of(today),
        "PD-EMPLOYMENT": "U",
        "PD-INCAPACITY": "CHEST DISEASE",
        "PD-SPECIAL-TREATMENT": "NO",
        "PD-HOSPITAL": "N",
        "PD-ADULT-DEPENDANT": "N",
    }


class Maker:
    """Makes batch files and reads responses, by the layouts of the copybooks."""

    def __init__(self, copybooks: Path) -> None:
        self._layouts = read_layouts(copybooks, "pscs.cpy", "pscsrsp.cpy")

    def batch(
        self,
        sequence: int,
        lines: Sequence[Mapping[str, Value]],
        *,
        count: int | None = None,
        hash_total: int | None = None,
    ) -> bytes:
        """A file; `count` and `hash_total` put wrong ones in the place of the right ones."""
        total = sum(number * int(str(line["CM-NINO"])[2:8]) for number, line in enumerate(lines, 1)) % HASH_MODULUS
        records = [
            self._record("PSCS-HEADER", {"PH-TYPE": "0", "PH-SOURCE": "CMS3GWAY", "PH-FILE-SEQUENCE": sequence}),
            *(
                self._record("PSCS-DETAIL", {"PD-TYPE": "1", "PD-LINE": number, **line})
                for number, line in enumerate(lines, 1)
            ),
            self._record(
                "PSCS-TRAILER",
                {
                    "PT-TYPE": "9",
                    "PT-DETAIL-COUNT": len(lines) if count is None else count,
                    "PT-HASH-TOTAL": total if hash_total is None else hash_total,
                },
            ),
        ]
        return b"".join(records)

    def response(self, content: bytes) -> "Response":
        """A response file as it is; its records are 200 bytes each."""
        records = [content[start : start + 200] for start in range(0, len(content), 200)]
        header = decode(self._layouts["PSCS-RSP-HEADER"], records[0]).values
        lines = [decode(self._layouts["PSCS-RSP-DETAIL"], record).values for record in records[1:-1]]
        trailer = decode(self._layouts["PSCS-RSP-TRAILER"], records[-1]).values
        return Response(
            sequence=int(str(header["RH-FILE-SEQUENCE"])),
            result=str(header["RH-RESULT"]),
            code=str(header["RH-MSG-CODE"]),
            lines=lines,
            count=int(str(trailer["RT-DETAIL-COUNT"])),
        )

    def _record(self, layout: str, values: Mapping[str, Value]) -> bytes:
        return encode_record(self._layouts[layout], values)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response file that was read."""

    sequence: int
    result: str
    code: str
    lines: Sequence[Mapping[str, Value]]
    count: int

    @property
    def completions(self) -> list[str]:
        """The completion of each line, with the message's code where it was refused."""
        return [f"{line['RD-COMPLETION']}{line['RD-MSG-CODE']}" for line in self.lines]
