"""A client of the services' OperationsService, over the HTTP doors that platform.json names, with a token of SUPPORT."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from cms_local import keys
from cms_local.doors import PASSING, Doors, Refused
from cms_local.layout import Layout

METHODS = "cms.operations.v1.OperationsService"
_PAGE_SIZE = 500
_PATIENCE_SECONDS = 10.0

Item = TypeVar("Item")


class Away(Exception):
    """A service does not answer; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service's operations."""

    name: str
    doors: Doors
    token: str

    def call(self, method: str, **body: Any) -> dict[str, Any]:
        """The response of a method. Raises Away, or Refused."""
        try:
            return self.doors.once(self.name, f"{METHODS}/{method}", body, token=self.token)
        except httpx.TransportError as error:
            raise Away(f"{self.name} does not answer at {self.doors.address(self.name)}") from error
        except Refused as error:
            if error.code in PASSING:
                raise Away(f"{self.name} cannot answer now: {error.code} {error.reason}") from error
            raise

    def pages(self, method: str) -> Iterator[dict[str, Any]]:
        """Every page of a list."""
        token = ""
        while True:
            page = self.call(method, pageSize=_PAGE_SIZE, pageToken=token)
            yield page
            token = page["nextPageToken"]
            if not token:
                return


@dataclass(frozen=True, kw_only=True)
class Found(Generic[Item]):
    """The items that the services gave, and a line for each service that is away."""

    items: list[Item]
    away: list[str]


def ask_all(layout: Layout, ask: Callable[[Service], list[Item]]) -> Found[Item]:
    """Asks each service in turn; those that are away are left out and named."""
    items, away = list[Item](), list[str]()
    addresses = _addresses(layout)
    token = keys.issue(layout.keys(""), "SUPPORT", subject="CMS00001")
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        doors = Doors(address=addresses.__getitem__, client=client)
        for name in addresses:
            try:
                items += ask(Service(name=name, doors=doors, token=token))
            except Away as error:
                away.append(str(error))
    return Found(items=items, away=away)


def _addresses(layout: Layout) -> dict[str, str]:
    """The HTTP doors of the services, by their names."""
    processes = json.loads(layout.platform_file.read_text())["processes"]
    return {process["name"]: process["http"] for process in processes if "grpc" in process}
