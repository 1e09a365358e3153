"""The one list of services and stand-ins: deploy/services.toml, read once and checked."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

FILE = Path(__file__).resolve().parents[3] / "services.toml"

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
ModulePath = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
Place = Annotated[int, Meta(ge=1, le=9)]
StandInPlace = Annotated[int, Meta(ge=1, le=10)]
LAST_WITH_CONTROL = 9
"""Stand-ins beyond this place have no port for a control door of their own."""


class BadList(ValueError):
    """Entries of deploy/services.toml have the same name, place or database, or one lacks a part."""


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service. Its fields are explained in deploy/services.toml."""

    name: Name
    place: Place
    module: ModulePath
    contract: str
    database: Word
    settings: dict[str, str] = {}

    @property
    def package(self) -> str:
        """The contract's package: `intake` of `cms.intake.v1.IntakeService`."""
        return self.contract.split(".")[1]


class StandIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stand-in for an outside system."""

    name: Name
    place: StandInPlace
    module: ModulePath
    calls: str = ""
    role: str = "SERVICE"
    subject: str = ""
    one_door: bool = False
    published: bool = False
    doors: dict[Name, Place] = {}
    settings: dict[str, str] = {}


class ServiceList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All services and all stand-ins, in the order in which they are started."""

    services: list[Service]
    stand_ins: list[StandIn]


def decode(text: bytes) -> ServiceList:
    """Reads a list. Raises msgspec.ValidationError, and BadList where two entries collide."""
    found = msgspec.toml.decode(text, type=ServiceList)
    outside = [
        door for stand_in in found.stand_ins for door in ((stand_in.name, stand_in.place), *stand_in.doors.items())
    ]
    _unique("name", [service.name for service in found.services] + [name for name, _ in outside])
    _unique("place", [service.place for service in found.services])
    _unique("place", [place for _, place in outside])
    _unique("database", [service.database for service in found.services])
    for stand_in in found.stand_ins:
        if stand_in.calls and stand_in.calls not in {service.name for service in found.services}:
            raise BadList(f"{stand_in.name} calls {stand_in.calls}, which is no service")
        if stand_in.place > LAST_WITH_CONTROL and not stand_in.one_door:
            raise BadList(f"the place {stand_in.place} of {stand_in.name} has one door")
    return found


def _unique(field: str, values: Iterable[object]) -> None:
    twice = [str(value) for value, count in Counter(values).items() if count > 1]
    if twice:
        raise BadList(f"two entries have the {field} {', '.join(twice)}")


@cache
def the_list() -> ServiceList:
    """The list of this project."""
    return decode(FILE.read_bytes())
