"""The targets of a claim's clocks, from `targets.toml` or another file of its form."""

from datetime import date
from pathlib import Path

import msgspec

from assessment.domain.clocks import Clock, Target, Targets

FILE = Path(__file__).with_name("targets.toml")


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts": "from"}):
    scheme: str
    clock: Clock
    starts: date
    working_days: float


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    targets: list[_Row]


def read(path: Path = FILE) -> Targets:
    """The targets of a file. Raises OSError, and msgspec.ValidationError or DecodeError where it has another form."""
    rows = msgspec.toml.decode(path.read_bytes(), type=_File).targets
    return Targets(
        [Target(scheme=row.scheme, clock=row.clock, starts=row.starts, working_days=row.working_days) for row in rows]
    )
