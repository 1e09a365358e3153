"""For tests: batches that are right, responses as they were read, and a client of the SFTP door."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import asyncssh

from simulators.pscs.batch import HASH_MODULUS
from simulators.record_link.copybook import read_layouts
from simulators.record_link.record import Value, decode
from simulators.settings import PscsSettings
from simulators.testing import common_values, digits_of, encode_record

Result = TypeVar("Result")


def make_keys(folder: Path) -> dict[str, Path]:
    """The host's key and a user's: settings of PSCS, and `client_key` and `known_hosts` for the client."""
    host, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    paths = {name: folder / name for name in ("host_key", "authorized_keys", "client_key", "known_hosts")}
    host.write_private_key(paths["host_key"])
    client.write_private_key(paths["client_key"])
    client.write_public_key(paths["authorized_keys"])
    paths["known_hosts"].write_bytes(b"* " + host.export_public_key())
    return paths


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


class SftpClient:
    """A session of SFTP; `patience` is in seconds, for each request."""

    def __init__(
        self,
        settings: PscsSettings,
        keys: Mapping[str, Path],
        port: int,
        *,
        user: str | None = None,
        patience: float = 10.0,
    ) -> None:
        self._patience = patience
        self._loop = asyncio.new_event_loop()
        self._open: AbstractAsyncContextManager[Any] = asyncssh.connect(
            "127.0.0.1",
            port,
            username=user or settings.user,
            client_keys=[str(keys["client_key"])],
            known_hosts=str(keys["known_hosts"]),
            config=None,
            agent_path=None,
        )

    def __enter__(self) -> Self:
        try:
            self._connection = self._wait(self._open.__aenter__())
            self._sftp: asyncssh.SFTPClient = self._wait(self._connection.start_sftp_client())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.abort()
        self._wait(self._connection.wait_closed())
        self._loop.close()

    def upload(self, name: str, content: bytes) -> None:
        """Write a file in in/ under another name, and rename it."""
        self.write(f"{name}.PART", content)
        self._wait(self._sftp.rename(f"/in/{name}.PART", f"/in/{name}"))

    def write(self, name: str, content: bytes, *, folder: str = "in") -> None:
        """Write a file."""
        self._wait(self._write(f"/{folder}/{name}", content))

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        return self._wait(self._read(path))

    def names(self, folder: str) -> list[str]:
        """What lies in a folder."""
        return sorted(str(name) for name in self._wait(self._sftp.listdir(folder)) if str(name) not in {".", ".."})

    def changed(self, path: str) -> float:
        """A file's time of change."""
        return float(self._wait(self._sftp.stat(path)).mtime or 0)

    async def _write(self, path: str, content: bytes) -> None:
        async with self._sftp.open(path, "wb") as file:
            await file.write(content)

    async def _read(self, path: str) -> bytes:
        async with self._sftp.open(path, "rb") as file:
            return cast(bytes, await file.read())

    def _wait(self, asked: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(asyncio.wait_for(asked, timeout=self._patience))
