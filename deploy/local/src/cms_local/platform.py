"""Starts and stops the whole platform on one machine, and describes it in platform.json."""

import fcntl
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import httpx

from chassis import clock, embedded, postcodes
from chassis.authorities import AuthorityTable
from cms_local import certificates, environment, keys, processes
from cms_local.layout import DATABASES, MODULES, SERVICES, STAND_INS, Layout
from cms_local.processes import Running

_READY_SECONDS = 60.0
_SERVERS = ("postgres", "bus")
_LOOK_SECONDS = 1.0
"""How often the age of tokens and certificates is looked at."""
_MORNING = time_of_day(8, 50)

Say = Callable[[str], None]


class NotStarted(Exception):
    """A process did not become ready; the text names it and its log."""


class DayPassed(Exception):
    """The platform's clock cannot begin on a day that its data has lived past."""


class NoSuchProcess(LookupError):
    """No process of this name belongs to the platform."""


@dataclass(kw_only=True)
class Platform:
    """The processes of a platform. `time_scale` shortens the waits of the interface documents."""

    layout: Layout
    time_scale: float
    running: dict[str, Running] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Settings of services and stand-ins by name, for every start of theirs. They override the usual ones."""
    _stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    _renewing: threading.Thread | None = field(default=None, repr=False)

    @classmethod
    def read(cls, layout: Layout) -> "Platform | None":
        """Reads platform.json; None where there is none."""
        if not layout.platform_file.exists():
            return None
        described = json.loads(layout.platform_file.read_text())
        running = {
            entry["name"]: Running(name=entry["name"], pid=entry["pid"], born=entry["born"])
            for entry in described["processes"]
        }
        return cls(layout=layout, time_scale=described["time_scale"], running=running)

    def write(self) -> None:
        """Writes platform.json: every process, its addresses, and where its log is."""
        layout = self.layout
        description = {
            "time_scale": self.time_scale,
            "folder": str(layout.folder),
            "open_folder": str(layout.open_folder),
            "database_url": f"postgresql://postgres@127.0.0.1:{layout.postgres_port}",
            "bus_url": f"redis://127.0.0.1:{layout.bus_port}/0",
            "jwks_file": str(layout.keys("jwks.json")),
            "processes": [asdict(running) | self._addresses(running.name) for running in self.running.values()],
        }
        scratch = layout.platform_file.with_suffix(".new")
        scratch.write_text(json.dumps(description, indent=2))
        scratch.replace(layout.platform_file)

    def _addresses(self, name: str) -> dict[str, Any]:
        layout = self.layout
        if name in SERVICES:
            return {
                "grpc": f"127.0.0.1:{layout.grpc_port(name)}",
                "http": f"http://127.0.0.1:{layout.http_port(name)}",
                "operations": f"http://127.0.0.1:{layout.operations_port(name)}",
                "database": DATABASES[name],
                "log": str(layout.log(name)),
            }
        if name in STAND_INS:
            return {
                "address": f"127.0.0.1:{layout.stand_in_port(name)}",
                "control": f"http://127.0.0.1:{layout.control_port(name)}",
                "log": str(layout.log(name)),
            }
        port = layout.postgres_port if name == "postgres" else layout.bus_port
        return {"address": f"127.0.0.1:{port}"}

    def is_alive(self, name: str) -> bool:
        """Whether the process of this name runs."""
        return name in self.running and processes.is_alive(self.running[name])

    def anything_alive(self) -> bool:
        """Whether any process of it runs."""
        return any(processes.is_alive(running) for running in self.running.values())

    def start(self, name: str, *, extra: Mapping[str, str] | None = None) -> None:
        """Starts one process, unless it runs already. Raises NoSuchProcess, embedded.ServerFailed.

        `extra` is added to the environment of a service or stand-in for this start alone, and overrides its settings.
        """
        if self.is_alive(name):
            return
        if name == "postgres":
            self._start_postgres()
        elif name == "bus":
            valkey = embedded.start_valkey(self.layout.folder / "bus", port=self.layout.bus_port)
            self.running[name] = processes.identify(name, valkey.pid)
            processes.adopt(valkey.process)
        elif name in MODULES:
            usual = environment.of(self.layout, name, time_scale=self.time_scale)
            settings = {**usual, **self.settings.get(name, {}), **(extra or {})}
            log = self.layout.log(name)
            self.running[name] = processes.start_module(name, MODULES[name], environment=settings, log=log)
        else:
            raise NoSuchProcess(f"there is no process {name}; choose one of {', '.join([*_SERVERS, *MODULES])}")
        self.write()

    def _start_postgres(self) -> None:
        layout = self.layout
        folder = postgres_folder(layout)
        postgres = embedded.start_postgres(folder, port=layout.postgres_port, open_folder=layout.open_folder)
        self.running["postgres"] = processes.identify("postgres", postgres.pid)
        processes.adopt(postgres.process)
        for database in DATABASES.values():
            embedded.create_database(postgres.url, database)
        embedded.close_maintenance_databases(postgres.url)

    def stop(self, name: str, *, number: int = signal.SIGTERM) -> None:
        """Stops one process and waits for its end. Raises NoSuchProcess."""
        if name not in self.running:
            raise NoSuchProcess(f"no process {name} was started; choose one of {', '.join(self.running)}")
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every connection to close.
        chosen = signal.SIGINT if name == "postgres" and number == signal.SIGTERM else number
        processes.stop(self.running[name], number=chosen)

    def keep_renewing(self) -> None:
        """Renews tokens and certificates before they end, until `stop_all`: the platform lives longer than they do."""
        self._renewing = threading.Thread(target=self._renew, name="renewing", daemon=True)
        self._renewing.start()

    def _renew(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            keys.renew_tokens(self.layout.keys(""))
            certificates.renew(self.layout.keys(""))

    def stop_all(self) -> None:
        """Stops services first, then stand-ins, then the servers, and removes platform.json."""
        self._stopping.set()
        if self._renewing is not None:
            self._renewing.join()
        for names in (SERVICES, STAND_INS, _SERVERS):
            present = [name for name in names if name in self.running]
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(self.stop, present))
        self.layout.platform_file.unlink(missing_ok=True)

    def wait_until_ready(self, *, names: tuple[str, ...] = (*STAND_INS, *SERVICES)) -> None:
        """Waits until all of these are ready. Raises NotStarted with the name of the first that ended or is not."""
        until = time.monotonic() + _READY_SECONDS
        with httpx.Client(timeout=2.0) as client:
            for name in names:
                while not self._is_ready(client, name):
                    if not self.is_alive(name) or time.monotonic() > until:
                        log = self.layout.log(name)
                        raise NotStarted(f"{name} did not become ready; its log, {log}, ends:\n{_end_of(log)}")
                    time.sleep(0.05)
                    processes.reap()

    def _is_ready(self, client: httpx.Client, name: str) -> bool:
        port = self.layout.operations_port(name) if name in SERVICES else self.layout.control_port(name)
        try:
            answer = client.get(f"http://127.0.0.1:{port}/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK and answer.json().get("status") != "degraded"


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])


def postgres_folder(layout: Layout) -> Path:
    """PostgreSQL's data folder: in the platform's folder, or in the open one where its user may not enter that."""
    folder = layout.folder if embedded.server_may_enter(layout.folder) else layout.open_folder
    return folder / "postgres"


def has_data(layout: Layout) -> bool:
    """Whether a platform has run here, and its data was not removed."""
    return layout.folder.exists() and postgres_folder(layout).exists()


def begin_on(layout: Layout, day: date) -> None:
    """Sets the clock of a platform that does not run to ten to nine in the morning of a day, London time.

    A platform whose clock is on that day already goes on from there. Raises DayPassed where there is data that has lived past
    it: the clock never goes back under data.
    """
    layout.folder.mkdir(parents=True, exist_ok=True)
    clock.configure(layout.clock_file)
    begin = datetime.combine(day, _MORNING, tzinfo=clock.LONDON)
    if has_data(layout):
        if clock.today() == day:
            return
        if clock.now() > begin:
            raise DayPassed(
                f"the data in {layout.folder} has lived until {clock.today()}, past {day}: remove it by `make clean`, or "
                "choose another platform by CMS_PORT_BASE"
            )
    clock.advance(begin - clock.now())


def prepare(layout: Layout, say: Say) -> None:
    """Makes the keys and the postcode directory where they are absent.

    The authorities are those of the platform's day and of the real one: the directory knows today's districts alone.
    """
    layout.folder.mkdir(parents=True, exist_ok=True)
    clock.configure(layout.clock_file)
    known = AuthorityTable.load()
    codes = known.codes(clock.today()) | known.codes((clock.now() - clock.offset()).date())
    keys.make_keys(layout.keys(""), authority_codes=codes)
    _ensure_postcodes(layout, say)


def _ensure_postcodes(layout: Layout, say: Say) -> None:
    """Of platforms that start at the same time, as those of the tests do, one builds the directory and the others wait."""
    layout.postcodes_file.parent.mkdir(parents=True, exist_ok=True)
    with layout.postcodes_file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not layout.postcodes_file.exists():
            say("building the postcode directory (2.7 million postcodes, once)")
        postcodes.ensure(layout.postcodes_file)


def start(layout: Layout, say: Say, *, time_scale: float = 1.0) -> Platform:
    """Starts the platform and waits until it is ready. Stops it again and raises NotStarted or embedded.ServerFailed."""
    prepare(layout, say)
    platform = Platform(layout=layout, time_scale=time_scale)
    platform.keep_renewing()
    try:
        for name in _SERVERS:
            say(f"starting {name}")
            platform.start(name)
        say("starting stand-ins and services")
        for name in MODULES:
            platform.start(name)
        platform.wait_until_ready()
    except BaseException:
        platform.stop_all()
        raise
    return platform


@contextmanager
def present(layout: Layout, say: Say, *, time_scale: float) -> Iterator[Platform]:
    """Gives the platform that runs already; otherwise starts one and stops it at the end."""
    found = Platform.read(layout)
    if found is not None and found.anything_alive():
        yield found
        return
    started = start(layout, say, time_scale=time_scale)
    try:
        yield started
    finally:
        say("stopping")
        started.stop_all()


def remove(layout: Layout) -> None:
    """Removes the data of a platform that was stopped."""
    for folder in (layout.folder, layout.open_folder):
        if folder.exists():
            shutil.rmtree(folder)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raises KeyboardInterrupt on SIGTERM, as on Ctrl-C, and ignores both from then on, so that stopping is not stopped."""

    def interrupt(_number: int, _frame: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    yield


def wait_until_stopped(layout: Layout) -> None:
    """Waits until somebody else stops the platform."""
    while layout.platform_file.exists():
        time.sleep(0.2)
        processes.reap()


def stop_present(layout: Layout) -> None:
    """Stops all processes that run now, also those that `cms start` started later."""
    found = Platform.read(layout)
    if found is not None:
        found.stop_all()
