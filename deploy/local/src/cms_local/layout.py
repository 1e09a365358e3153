"""The ports and folders of a platform on one machine. CMS_PORT_BASE moves all of them."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cms_local.services import the_list

ROOT = Path(__file__).resolve().parents[4]
"""The folder of the whole project."""

SERVICES = {service.name: service for service in the_list().services}
STAND_INS = {stand_in.name: stand_in for stand_in in the_list().stand_ins}
DOORS = {door: stand_in for stand_in in STAND_INS.values() for door in stand_in.doors}
"""The stand-ins that have a further door, by the door's name."""
MODULES = {service.name: service.module for service in SERVICES.values()} | {
    stand_in.name: stand_in.module for stand_in in STAND_INS.values()
}
DATABASES = {service.name: service.database for service in SERVICES.values()}


class BadBase(ValueError):
    """CMS_PORT_BASE is not a port with room for the platform's ports above it."""


@dataclass(frozen=True)
class Layout:
    """Addresses and folders of one platform. Without a `base` they are the documented ones; `name` names its folder."""

    base: int | None
    name: str = ""
    prepared: Path | None = None
    """In a container: the folder that `cms_local.containers` has prepared."""

    @classmethod
    def from_environment(cls) -> "Layout":
        """Reads CMS_PREPARED_FOLDER, or else CMS_PORT_BASE; empty counts as unset. Raises BadBase."""
        if prepared := os.environ.get("CMS_PREPARED_FOLDER"):
            return cls(None, prepared=Path(prepared))
        given = os.environ.get("CMS_PORT_BASE", "")
        if not given:
            return cls(None)
        if not given.isdecimal() or not 1024 <= int(given) <= 65000:
            raise BadBase("CMS_PORT_BASE must be a number from 1024 to 65000")
        return cls(int(given))

    @classmethod
    def all_present(cls) -> "list[Layout]":
        """The platforms of this project's folder that may have data, those with a base first."""
        run = ROOT / ".run"
        bases = sorted(int(path.name) for path in run.iterdir() if path.name.isdecimal()) if run.exists() else []
        return [*(cls(base) for base in bases), cls(None)]

    def grpc_port(self, service: str) -> int:
        """Port of a service's gRPC door."""
        place = SERVICES[service].place
        return 50050 + place if self.base is None else self.base + place

    def http_port(self, service: str) -> int:
        """Port of a service's HTTP door."""
        place = SERVICES[service].place
        return 8050 + place if self.base is None else self.base + 10 + place

    def operations_port(self, service: str) -> int:
        """Port of a service's health, readiness and metrics."""
        place = SERVICES[service].place
        return 8150 + place if self.base is None else self.base + 50 + place

    def stand_in_port(self, stand_in: str) -> int:
        """Port on which a stand-in serves what the outside system serves; of a further door by that door's name."""
        place = DOORS[stand_in].doors[stand_in] if stand_in in DOORS else STAND_INS[stand_in].place
        return 9100 + place if self.base is None else self.base + 20 + place

    def control_port(self, stand_in: str) -> int:
        """Port of a stand-in's control door, which may be the one that it serves."""
        if STAND_INS[stand_in].one_door:
            return self.stand_in_port(stand_in)
        place = STAND_INS[stand_in].place
        return 9120 + place if self.base is None else self.base + 30 + place

    @property
    def postgres_port(self) -> int:
        """PostgreSQL's port."""
        return 55432 if self.base is None else self.base + 40

    @property
    def bus_port(self) -> int:
        """The port of the bus."""
        return 56379 if self.base is None else self.base + 41

    @property
    def folder(self) -> Path:
        """The folder of this platform alone."""
        return self.prepared or ROOT / ".run" / (self.name or str(self.base or ""))

    @property
    def open_folder(self) -> Path:
        """A folder that every user may enter, for PostgreSQL where its user may not enter the project's folder."""
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path("/var/tmp") / f"cms3-{mark}"  # noqa: S108 - a folder of its own, named by the project's place

    @property
    def postcodes_file(self) -> Path:
        """The postcode directory, shared by all platforms of this project's folder."""
        return ROOT / ".run" / "postcodes.sqlite"

    @property
    def platform_file(self) -> Path:
        """The description of all processes and their addresses."""
        return self.folder / "platform.json"

    @property
    def clock_file(self) -> Path:
        """The file with the seconds by which the platform's clock is ahead."""
        return self.folder / "clock-offset"

    @property
    def acknowledged_file(self) -> Path:
        """The file of claims that were acknowledged on this machine: the audit holds the outside ledgers against it."""
        return self.folder / "acknowledged.jsonl"

    def keys(self, name: str) -> Path:
        """The file of keys or tokens with this name."""
        return self.folder / "keys" / name

    def access_log(self, service: str) -> Path:
        """The folder of the copy of a service's access log."""
        return Path("/access-log") / service if self.prepared else self.folder / "access-log" / service

    def log(self, name: str) -> Path:
        """The log of the process with this name."""
        return self.folder / "logs" / f"{name}.log"
