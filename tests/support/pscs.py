"""PSCS as its tests use it: lines, cycles, failures, the ledger, and the response to a file."""

from typing import Any

from simulators.clock import Clock
from simulators.pscs.server import Pscs
from simulators.pscs.testing import Maker, Response, line_values
from simulators.sftp.testing import SftpClient
from simulators.testing import HttpAnswer, call, transfer_id

TODAY = Clock().today()


def line(number: int = 1, **changes: Any) -> dict[str, Any]:
    own = {"PD-TRANSFER-ID": transfer_id(number), "CM-CLAIM-REF": f"C{number:011d}"}
    return line_values(TODAY) | own | {name.replace("_", "-"): value for name, value in changes.items()}


def cycle(pscs: Pscs) -> Any:
    return call(pscs.control_port, "POST", "/cycle").body["files"]


def fail(pscs: Pscs, **rule: Any) -> HttpAnswer:
    return call(pscs.control_port, "POST", "/failures", body={"count": 1, **rule})


def ledger(pscs: Pscs) -> Any:
    return call(pscs.control_port, "GET", "/ledger").body


def answered(pscs: Pscs, client: SftpClient, maker: Maker, content: bytes, sequence: int = 1) -> Response:
    """The response to this file."""
    client.upload(f"CMS3.PSCS.S{sequence:06d}.DAT", content)
    cycle(pscs)
    return maker.response(client.read(f"/out/CMS3.PSCS.S{sequence:06d}.RSP"))
