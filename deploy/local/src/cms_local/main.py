"""The `cms` command: the whole platform on one machine."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from chassis import clock
from chassis.embedded import ServerFailed
from cms.common.v1 import common_pb2
from cms_local import deadletters, form, keys, overdue, platform, staffing
from cms_local.audit import Findings, LedgerAway, audit
from cms_local.demo import Outcome, run_demo
from cms_local.doors import Refused
from cms_local.economics import economics
from cms_local.layout import SERVICES, STAND_INS, BadBase, Layout
from cms_local.maps.commands import app as maps_app
from cms_local.operations import Found
from cms_local.platform import DayPassed, NoSuchProcess, NotStarted, Platform
from cms_local.replay.commands import replay_week
from cms_local.script.commands import app as script_app

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
clock_app = typer.Typer(no_args_is_help=True, help="The platform's clock.")
deadletters_app = typer.Typer(no_args_is_help=True, help="Events that a service could not handle.")
calls_app = typer.Typer(no_args_is_help=True, help="The call centre.")
app.add_typer(clock_app, name="clock")
app.add_typer(calls_app, name="calls")
app.add_typer(form.app, name="form")
app.add_typer(deadletters_app, name="deadletters")
script_app.command(name="economics")(economics)
app.add_typer(script_app, name="script")
app.add_typer(maps_app, name="maps")
app.command(name="replay-week")(replay_week)

console = Console()
errors = Console(stderr=True)
_WIDE = 500
"""Columns of a list, whatever the terminal has: an id that is cut off is of no use."""

Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of a table.")]
On = Annotated[
    datetime | None,
    typer.Option(
        "--on", formats=["%Y-%m-%d"], help="The day on which the platform's clock begins, such as 2005-07-11."
    ),
]
DEMO_TIME_SCALE = 0.1
DEMO_DAY = datetime(2005, 7, 11)  # noqa: DTZ001 - a day, as the options give one
"""A Monday of the month in which most of CMS2's transfers failed. Every scheme could be claimed."""
ROLES = tuple(name.removeprefix("ROLE_") for name in common_pb2.Role.keys() if name != "ROLE_UNSPECIFIED")  # noqa: SIM118


def _say(text: str) -> None:
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def _fail(text: str, *, status: int = 1) -> typer.Exit:
    _say(f"cms: {text}")
    return typer.Exit(status)


def _layout() -> Layout:
    try:
        return Layout.from_environment()
    except BadBase as error:
        raise _fail(str(error)) from error


def _running(*, status: int = 1) -> Platform:
    """Reads the platform that was started here. Exits with this status where there is none."""
    found = Platform.read(_layout())
    if found is None:
        raise _fail("no platform runs here: start it with `cms up`", status=status)
    return found


@app.command()
def up(
    time_scale: Annotated[float, typer.Option(min=0.001, help="Shortens the waits of the interface documents.")] = 1.0,
    on: On = None,
) -> None:
    """Start everything, wait until it is ready, and stop it on Ctrl-C."""
    layout = _layout()
    found = Platform.read(layout)
    if found is not None and found.anything_alive():
        raise _fail("a platform runs here already: see `cms status`, or stop it with `cms stop`")
    _begin_on(layout, on)
    try:
        with platform.interruptible():
            _show(platform.start(layout, _say, time_scale=time_scale))
            console.print("Ready. Ctrl-C stops everything.", highlight=False)
            platform.wait_until_stopped(layout)
    except KeyboardInterrupt:
        _say("stopping")
    except (NotStarted, ServerFailed) as error:
        raise _fail(
            f"{error}\nIf another program has the port, CMS_PORT_BASE chooses others: see README.md."
        ) from error
    finally:
        platform.stop_present(layout)


def _begin_on(layout: Layout, on: datetime | None) -> None:
    """Sets the clock of a platform that is about to start. One that runs already must be on that day."""
    if on is None:
        return
    found = Platform.read(layout)
    clock.configure(layout.clock_file)
    if found is None or not found.anything_alive():
        try:
            platform.begin_on(layout, on.date())
        except DayPassed as error:
            raise _fail(str(error)) from error
    elif clock.today() != on.date():
        raise _fail(f"the platform that runs here is at {clock.today()}: stop it with `cms stop`")


def _show(found: Platform) -> None:
    # Narrow enough for a terminal of 80 columns: an address that is cut off is of no use.
    table = Table("name", "state", "pid", "address (gRPC)", "HTTP", "operations", box=None, padding=(0, 1, 0, 0))
    for row in _rows(found):
        addresses = (row[name].removeprefix("http://") for name in ("serves", "http", "operations"))
        table.add_row(row["name"], row["state"], str(row["pid"]), *addresses)
    console.print(table)
    console.print(f"Logs are in {found.layout.folder / 'logs'}", highlight=False, soft_wrap=True)
    clock.configure(found.layout.clock_file)
    if clock.offset():
        console.print(f"The platform's clock is at {clock.now():%Y-%m-%d %H:%M} UTC.", highlight=False)
    if found.time_scale != 1:
        console.print(f"Waits of the interface documents are scaled by {found.time_scale:g}.", highlight=False)


def _rows(found: Platform) -> list[dict[str, Any]]:
    """The processes of platform.json, with their state, their main, HTTP and operations addresses."""
    rows: list[dict[str, Any]] = json.loads(found.layout.platform_file.read_text())["processes"]
    for row in rows:
        row["state"] = "runs" if found.is_alive(row["name"]) else "stopped"
        row["serves"] = row.get("grpc") or row.get("address", "")
        row["http"] = row.get("http") or row.get("control", "")
        row.setdefault("operations", "")
    return rows


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show every process, its state and its addresses. Exit status 1 unless all of them run."""
    found = _running()
    if as_json:
        print(json.dumps({"time_scale": found.time_scale, "processes": _rows(found)}))
    else:
        _show(found)
    if not all(found.is_alive(name) for name in found.running):
        raise typer.Exit(1)


@app.command()
def stop(name: Annotated[str, typer.Argument(help="One process; without it, all.")] = "") -> None:
    """Stop one process, or everything."""
    found = _running()
    try:
        if name:
            found.stop(name)
        else:
            found.stop_all()
    except NoSuchProcess as error:
        raise _fail(str(error)) from error


@app.command()
def purge() -> None:
    """Stop every platform of this project's folder and remove its data."""
    for layout in Layout.all_present():
        platform.stop_present(layout)
        platform.remove(layout)


@app.command()
def start(name: str) -> None:
    """Start one process that was stopped, and wait until it is ready."""
    found = _running()
    try:
        found.start(name)
        if name in SERVICES or name in STAND_INS:
            found.wait_until_ready(names=(name,))
    except (NoSuchProcess, NotStarted, ServerFailed) as error:
        raise _fail(str(error)) from error


@app.command()
def demo(*, as_json: Json = False, on: On = None) -> None:
    """Carry more than thirty claims of every scheme, and audit what came of them.

    On a platform without data the clock begins on 11 July 2005, unless --on names another day.
    """
    layout = _layout()
    _begin_on(layout, on or (None if platform.has_data(layout) else DEMO_DAY))
    try:
        with platform.present(layout, _say, time_scale=DEMO_TIME_SCALE) as found:
            outcome = run_demo(layout, _say)
            time_scale = found.time_scale
    except (NotStarted, ServerFailed, LedgerAway) as error:
        raise _fail(str(error)) from error
    if not as_json:
        _show_timelines(outcome)
    for title, why in outcome.failures.items():
        _say(f"FAILED {title}: {why}")
    about = {"systems": outcome.findings.systems, "seconds": round(outcome.seconds, 1), "time_scale": time_scale}
    print(json.dumps(outcome.findings.counts() | about))
    if not outcome.good:
        raise typer.Exit(1)


def _show_timelines(outcome: Outcome) -> None:
    for journey in outcome.journeys:
        console.print(f"[bold]{journey.claim_ref}[/bold]  {journey.case.title}", highlight=False)
        console.print(
            "   ".join(f"{seconds:.1f}s {what}" for seconds, what in journey.timeline), highlight=False, soft_wrap=True
        )


@app.command()
def token(
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    office: Annotated[str | None, typer.Option(help="Six digits, for an assessor.")] = None,
    authority: Annotated[str | None, typer.Option(help="GSS code, for a council officer.")] = None,
    sub: Annotated[str, typer.Option(help="Staff id: at most eight of A-Z0-9.")] = "STAFF001",
    grade: Annotated[str | None, typer.Option(help="AA, AO or EO, for an operator.")] = None,
    *,
    folder: Annotated[
        Path | None, typer.Option("--keys", envvar="CMS_KEYS_FOLDER", help="Folder of keys of a platform elsewhere.")
    ] = None,
) -> None:
    """Print a token for development, and nothing else."""
    folder = folder or _layout().keys("")
    if role.upper() not in ROLES:
        raise _fail(f"there is no role {role}; choose one of {', '.join(ROLES)}")
    if role.upper() != "SERVICE" and not re.fullmatch("[A-Z0-9]{1,8}", sub):
        raise _fail("--sub must be at most eight of A-Z and 0-9")
    if not (folder / "issuer.pem").exists():
        raise _fail("there is no key yet: start a platform once with `cms up`")
    print(keys.issue(folder, role.upper(), subject=sub, office=office, authority=authority, grade=grade))


NOTHING_TO_AUDIT, NOT_AUDITED = 2, 3


@app.command(name="audit")
def audit_command(*, as_json: Json = False) -> None:
    """Hold every acknowledged claim against every outside ledger.

    Exit status 0: all is well. 1: something is missing, doubled, halved or late. 2: there is nothing to audit. 3: a ledger
    or a service could not be asked.
    """
    findings = _audited(_running(status=NOTHING_TO_AUDIT).layout)
    if as_json:
        print(json.dumps(asdict(findings)))
    elif not findings.empty:
        _show_findings(findings)
    if findings.empty:
        raise _fail("there is nothing to audit: no claim was acknowledged here", status=NOTHING_TO_AUDIT)
    if not findings.sound:
        raise typer.Exit(1)


def _audited(layout: Layout) -> Findings:
    clock.configure(layout.clock_file)
    try:
        return audit(layout)
    except LedgerAway as error:
        raise _fail(str(error), status=NOT_AUDITED) from error
    except httpx.TransportError as error:
        raise _fail(f"a service does not answer: {error}", status=NOT_AUDITED) from error


def _show_findings(findings: Findings) -> None:
    table = Table("what", "count")
    for name, count in findings.counts().items():
        table.add_row(name.replace("_", " "), str(count))
    for name, count in findings.systems.items():
        table.add_row(f"held whole by {name}", str(count))
    console.print(table)
    for line in findings.lines():
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command(name="overdue")
def overdue_command(*, as_json: Json = False) -> None:
    """List everything that is past the deadline of its state.

    Exit status 1 when there is any, 2 when a service could not be asked.
    """
    found = overdue.list_overdue(_running().layout)
    _list(found, ("service", "state", "owner", "claim_ref", "since_time", "deadline_time"), as_json=as_json)
    _refuse_if_away(found)
    if found.items:
        raise typer.Exit(1)


def _list(found: Found[Any], columns: Sequence[str], *, as_json: bool) -> None:
    rows = [asdict(item) for item in found.items]
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[name]) for name in columns))
    Console(width=_WIDE).print(table)


def _refuse_if_away(found: Found[Any]) -> None:
    for line in found.away:
        _say(f"cms: {line}")
    if found.away:
        raise typer.Exit(2)


@clock_app.command(name="show")
def clock_show() -> None:
    """Show the platform's time and how far it is ahead."""
    clock.configure(_layout().clock_file)
    offset = clock.offset()
    apart = f"ahead by {offset}" if offset >= timedelta() else f"behind by {-offset}"
    console.print(f"{clock.now():%Y-%m-%d %H:%M:%S} UTC, {apart}", highlight=False)


_DURATION = re.compile(r"([0-9]+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@clock_app.command(name="advance")
def clock_advance(by: Annotated[str, typer.Argument(help="Such as 30m, 12h, 3d.")]) -> None:
    """Move the platform's clock forward."""
    match = _DURATION.fullmatch(by)
    if match is None:
        raise _fail("give a number and a unit, one of s, m, h, d and w, such as 3d")
    layout = _layout()
    layout.folder.mkdir(parents=True, exist_ok=True)
    clock.configure(layout.clock_file)
    clock.advance(timedelta(**{_UNITS[match[2]]: int(match[1])}))
    clock_show()


@clock_app.command(name="reset")
def clock_reset() -> None:
    """Set the platform's clock to the real time."""
    _layout().clock_file.unlink(missing_ok=True)
    clock_show()


@calls_app.command(name="staffing")
def calls_staffing(
    day: Annotated[str, typer.Option(help="A day of London, such as 2005-07-11; today without it.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Show the calls of a day by the quarter of an hour, and the operators that they need.

    At the present handling time, and at that of the fixed script. Exit status 2 when intake could not be asked.
    """
    layout = _running().layout
    clock.configure(layout.clock_file)
    try:
        of_day = datetime.fromisoformat(day).replace(tzinfo=clock.LONDON) if day else clock.now()
    except ValueError as error:
        raise _fail("--day must be a day such as 2005-07-11") from error
    since, until = staffing.day_of(of_day)
    try:
        found = staffing.ask(layout, since=since, until=until)
    except (Refused, httpx.TransportError) as error:
        raise _fail(f"intake cannot be asked: {error}", status=2) from error
    if as_json:
        print(json.dumps(found.lines))
        return
    table = Table(*staffing.COLUMNS, box=None, padding=(0, 1, 0, 0))
    for row in found.rows():
        table.add_row(*row)
    console.print(table)
    console.print(found.summary(), highlight=False, soft_wrap=True)


@deadletters_app.command(name="list")
def deadletters_list(*, as_json: Json = False) -> None:
    """List the dead letters of all services. Exit status 2 when a service could not be asked."""
    found = deadletters.list_dead_letters(_running().layout)
    _list(found, ("service", "event_id", "type", "claim_ref", "reason", "failed_time"), as_json=as_json)
    _refuse_if_away(found)


@deadletters_app.command(name="replay")
def deadletters_replay(
    event_ids: Annotated[list[str] | None, typer.Argument(help="All, when none is named.")] = None,
) -> None:
    """Have dead letters handled again.

    Exit status 1 when an event that was named is no dead letter of any service, 2 when a service could not be asked.
    """
    named = event_ids or []
    try:
        found = deadletters.ask_for_replay(_running().layout, named)
    except Refused as error:
        raise _fail(str(error)) from error
    console.print(f"{len(found.items)} to be replayed; `cms deadletters list` shows what is left", highlight=False)
    _refuse_if_away(found)
    unknown = [event_id for event_id in named if event_id not in found.items]
    if unknown:
        raise _fail(f"no service has a dead letter of {', '.join(unknown)}")
