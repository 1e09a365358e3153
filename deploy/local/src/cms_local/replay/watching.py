"""Watches the week: how many attempts the outside systems have seen, and how many transfers the gateway still has."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from cms_local.layout import Layout
from cms_local.replay.outside import Counts, counts_of

_EVERY_SECONDS = 1.0
_OPEN = frozenset({"WAITING", "SENDING", "UNKNOWN", "HELD"})
_ALWAYS_SHOWN = "gateway_breaker_state"
"""A gauge that has a sample for every system whenever the gateway's database answers."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look, `seconds` after the beginning. `backlog` is by system, and None while the gateway does not answer.

    `untold` is how many events of assessment-svc the gateway has not heard of yet; None while that cannot be told.
    """

    seconds: float
    counts: Counts
    backlog: Mapping[str, int] | None
    untold: int | None

    @property
    def is_quiet(self) -> bool:
        """Whether every confirmation was heard of, and no transfer is open."""
        return self.untold == 0 and self.backlog is not None and not any(self.backlog.values())


@dataclass(kw_only=True)
class Watcher:
    """Looks once a second, in a thread of its own, until it is stopped."""

    layout: Layout
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=2.0)
        self._stopping = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Looks a last time, and stops."""
        self._stopping.set()
        self._thread.join()
        self.look()
        self._client.close()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def look(self) -> Sample:
        """Takes a sample."""
        sample = Sample(
            seconds=self.seconds,
            counts=counts_of(self.layout, self._client),
            backlog=self._backlog(),
            untold=self._untold(),
        )
        self.samples.append(sample)
        return sample

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            self.look()

    def _backlog(self) -> Mapping[str, int] | None:
        text = self._scraped("legacy-gateway")
        return None if text is None else backlog_in(text)

    def _untold(self) -> int | None:
        text = self._scraped("assessment-svc")
        shown = _values(text, "chassis_outbox_unfinished") if text is not None else []
        return sum(value for _, value in shown) if shown else None

    def _scraped(self, service: str) -> str | None:
        """The service's metrics as it shows them; None while it does not answer."""
        address = f"http://127.0.0.1:{self.layout.operations_port(service)}/metrics"
        try:
            return self._client.get(address).raise_for_status().text
        except httpx.HTTPError:  # it was killed, or starts: the next look finds it
            return None


def backlog_in(scraped: str) -> Mapping[str, int] | None:
    """The open transfers of each system in a scrape of the gateway; None where its database did not answer.

    A scrape without the database shows no state at all. Nothing open then means nothing known.
    """
    if not _values(scraped, _ALWAYS_SHOWN):
        return None
    backlog: dict[str, int] = {}
    for labels, value in _values(scraped, "gateway_transfers"):
        if labels["state"] in _OPEN:
            backlog[labels["system"]] = backlog.get(labels["system"], 0) + value
    return backlog


def _values(scraped: str, name: str) -> list[tuple[Mapping[str, str], int]]:
    """The samples of a gauge."""
    return [
        (sample.labels, int(sample.value))
        for family in text_string_to_metric_families(scraped)
        for sample in family.samples
        if sample.name == name
    ]
