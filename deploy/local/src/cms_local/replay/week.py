"""The week itself: loads the claims once, and lets the week pass over them for every seed."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

import httpx

from chassis import clock
from cms_local import keys, platform
from cms_local.acknowledged import read
from cms_local.demo import doors_of
from cms_local.layout import Layout
from cms_local.platform import Platform, Say
from cms_local.replay import outside, snapshot
from cms_local.replay.loading import load
from cms_local.replay.outcome import Outcome, outcome_of
from cms_local.replay.population import population
from cms_local.replay.trouble import GATEWAY, Outages, Troubles, troubles
from cms_local.replay.watching import Sample, Watcher
from cms_local.systems import PAYING_SYSTEMS

MONDAY = date(2005, 7, 11)
_NINE = time_of_day(9)
_DAYS = 5
_LONGEST_SECONDS = 600.0
_TICK_SECONDS = 0.2
_QUIET_LOOKS = 5
_NEEDED_TO_LOAD = ("intake-svc", "scheduling-svc", "assessment-svc")
_ROTAS = "rotas"
"""The managers' rota system: without it nobody holds an interview."""
_NEEDED_TO_SEND = ("intake-svc", "assessment-svc", "legacy-gateway")
_SYSTEMS = tuple(system.stand_in for system in PAYING_SYSTEMS)
_GATEWAY_SETTINGS = {"CMS_ISCS_SENDERS": "4", "CMS_JSAPS_SENDERS": "12"}
"""JSAPS carries three records in four."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How the week is shortened: the waits of the interface documents, the time-outs, and the days."""

    time_scale: float
    reply_seconds: float
    day_seconds: float

    @property
    def hour_seconds(self) -> float:
        """Real seconds of one of the week's hours."""
        return self.day_seconds / 24


@dataclass(frozen=True, kw_only=True)
class Week:
    """A week that has passed."""

    seed: int
    scale: Scale
    outcome: Outcome
    samples: Sequence[Sample]
    troubles: Troubles
    seconds: float

    @property
    def attempts(self) -> int:
        """Attempts at records that the outside systems have seen."""
        return self.samples[-1].counts.attempts

    @property
    def failed(self) -> int:
        """Those of them that failed."""
        return self.samples[-1].counts.failed


class NothingKept(Exception):
    """There are no loaded claims to begin with."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A platform of its own for the week, stopped at its end, and removed unless `keep`. `say` shows progress."""

    layout: Layout
    scale: Scale
    size: int
    rate: float
    keep: bool
    """Whether its folder, with the loaded claims, the logs and the outside ledgers, stays when it is stopped."""
    again: bool
    """Whether it begins with the claims that an earlier run loaded and kept."""
    say: Say

    def run(self, seeds: Sequence[int]) -> Iterator[Week]:
        """Loads the claims by the first seed and gives the week of each seed when it has passed.

        Raises NotStarted or embedded.ServerFailed where the platform does not start, NothingKept where `again` finds no
        claims.
        """
        if self.again and not platform.has_data(self.layout):
            raise NothingKept(f"no claims were kept in {self.layout.folder}: run it once with --keep")
        try:
            refs = list(read(self.layout.acknowledged_file)) if self.again else self._load_anew(seeds[0])
            for seed in seeds:
                yield self._week(refs, seed)
        finally:
            platform.stop_present(self.layout)
            if not self.keep:
                platform.remove(self.layout)

    def _load_anew(self, seed: int) -> list[str]:
        """Loads the claims on an empty platform whose clock begins on the Monday."""
        platform.stop_present(self.layout)
        platform.remove(self.layout)
        platform.begin_on(self.layout, MONDAY)
        platform.prepare(self.layout, self.say)
        return self._load(seed)

    def _load(self, seed: int) -> list[str]:
        """Loads the claims through the doors, and keeps the databases as they are then."""
        self.say(f"loading {self.size} confirmed claims through the doors")
        with self._running(_NEEDED_TO_LOAD, (_ROTAS,)) as found, doors_of(self.layout) as doors:
            cases = population(seed, size=self.size, today=clock.today())
            refs = load(self.layout, doors, cases, seed=seed, progress=self._progress)
            for name in (_ROTAS, *_NEEDED_TO_LOAD):
                found.stop(name)
            snapshot.keep(f"postgresql://postgres@127.0.0.1:{self.layout.postgres_port}")
        return refs

    def _progress(self, done: int) -> None:
        if done % 200 == 0:
            self.say(f"{done} of {self.size} loaded")

    def _week(self, refs: Sequence[str], seed: int) -> Week:
        self.say(f"seed {seed}: the week begins")
        self._as_it_was_loaded()
        settings = {GATEWAY: _GATEWAY_SETTINGS | {"CMS_REPLY_SECONDS": f"{self.scale.reply_seconds:g}"}}
        # PSCS answers every half hour; its stand-in scales the setting.
        cycle = self.scale.hour_seconds / 2 / self.scale.time_scale
        settings["pscs"] = {"CMS_SIM_CYCLE_SECONDS": f"{cycle:g}"}
        with self._running(_NEEDED_TO_SEND, _SYSTEMS, settings=settings) as found, doors_of(self.layout) as doors:
            outside.fail(self.layout, doors.client, seed=seed, rate=self.rate)
            passing = _Passing(
                replay=self, platform=found, client=doors.client, seed=seed, watcher=Watcher(layout=self.layout)
            )
            seconds = passing.until_quiet()
            outside.mend(self.layout, doors.client)
            _set_clock(self.layout, MONDAY + timedelta(days=_DAYS + 4))
            token = keys.issue(self.layout.keys(""), "SUPPORT", subject="REPLAY")
            days = [MONDAY + timedelta(days=number) for number in range(_DAYS + 3)]
            outcome = outcome_of(self.layout, doors, token, refs, days=days)
        return Week(
            seed=seed,
            scale=self.scale,
            outcome=outcome,
            samples=passing.watcher.samples,
            troubles=passing.troubles,
            seconds=seconds,
        )

    def _as_it_was_loaded(self) -> None:
        """Sets databases, bus, outside ledgers and clock to the end of the loading."""
        shutil.rmtree(self.layout.folder / "simulators", ignore_errors=True)
        shutil.rmtree(self.layout.folder / "bus", ignore_errors=True)
        found = Platform(layout=self.layout, time_scale=self.scale.time_scale)
        found.start("postgres")
        snapshot.restore(f"postgresql://postgres@127.0.0.1:{self.layout.postgres_port}")
        found.stop_all()
        _set_clock(self.layout, MONDAY)

    @contextmanager
    def _running(
        self,
        services: Sequence[str],
        stand_ins: Sequence[str],
        *,
        settings: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Iterator[Platform]:
        """Starts these processes and waits until they are ready; stops them at the end."""
        found = Platform(layout=self.layout, time_scale=self.scale.time_scale, settings=settings or {})
        found.keep_renewing()
        try:
            for name in ("postgres", "bus", *stand_ins, *services):
                found.start(name)
            found.wait_until_ready(names=(*stand_ins, *services))
            yield found
        finally:
            found.stop_all()


@dataclass(kw_only=True)
class _Passing:
    """A week that passes: the clock goes on, disasters come, and the watcher looks."""

    replay: Replay
    platform: Platform
    client: httpx.Client
    seed: int
    watcher: Watcher

    def __post_init__(self) -> None:
        outages = Outages(iscs=self._take_iscs_down, pscs=self._silence_pscs)
        self.troubles = troubles(self.platform, outages, seed=self.seed, hours=24.0 * _DAYS)

    def until_quiet(self) -> float:
        """Lets the week pass until nothing is open any more and every disaster has come; returns the seconds.

        Raises TimeoutError after ten minutes.
        """
        self.watcher.start()
        try:
            while not self._is_quiet():
                if self.watcher.seconds > _LONGEST_SECONDS:
                    raise TimeoutError(f"not quiet after {_LONGEST_SECONDS:g} seconds")
                hours = self.watcher.seconds / self.replay.scale.hour_seconds
                _set_clock(self.replay.layout, MONDAY, hours=hours)
                self.troubles.happen(hours)
                time.sleep(_TICK_SECONDS)
        finally:
            self.watcher.stop()
        return self.watcher.seconds

    def _is_quiet(self) -> bool:
        last = self.watcher.samples[-_QUIET_LOOKS:]
        seen = len(last) == _QUIET_LOOKS and not self.troubles.to_come
        return seen and all(sample.is_quiet for sample in last)

    def _take_iscs_down(self, hours: float) -> None:
        scale = self.replay.scale
        seconds = hours * scale.hour_seconds / scale.time_scale
        outside.take_down(self.replay.layout, self.client, "iscs", seconds=seconds)

    def _silence_pscs(self, hours: float) -> None:
        outside.silence(self.replay.layout, self.client, seconds=hours * self.replay.scale.hour_seconds)


def _set_clock(layout: Layout, day: date, *, hours: float = 0.0) -> None:
    clock.configure(layout.clock_file)
    target = datetime.combine(day, _NINE, tzinfo=clock.LONDON) + timedelta(hours=hours)
    clock.advance(target - clock.now())
