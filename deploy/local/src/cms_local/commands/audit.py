"""The command `cms audit`."""

import json
from dataclasses import asdict

import httpx
import typer
from rich.table import Table

from chassis import clock
from cms_local.audit import Findings, LedgerAway, audit
from cms_local.commands.terminal import Json, console, fail, running_platform
from cms_local.layout import Layout

NOTHING_TO_AUDIT, NOT_AUDITED = 2, 3


def audit_command(*, as_json: Json = False) -> None:
    """Hold every acknowledged claim against every outside ledger.

    Exit status 0: all is well. 1: something is missing, doubled, halved or late. 2: there is nothing to audit. 3: a ledger
    or a service could not be asked.
    """
    findings = _audited(running_platform(status=NOTHING_TO_AUDIT).layout)
    if as_json:
        print(json.dumps(asdict(findings)))
    elif not findings.empty:
        _show_findings(findings)
    if findings.empty:
        raise fail("there is nothing to audit: no claim was acknowledged here", status=NOTHING_TO_AUDIT)
    if not findings.sound:
        raise typer.Exit(1)


def _audited(layout: Layout) -> Findings:
    clock.configure(layout.clock_file)
    try:
        return audit(layout)
    except LedgerAway as error:
        raise fail(str(error), status=NOT_AUDITED) from error
    except httpx.TransportError as error:
        raise fail(f"a service does not answer: {error}", status=NOT_AUDITED) from error


def _show_findings(findings: Findings) -> None:
    table = Table("what", "count")
    for name, count in findings.counts().items():
        table.add_row(name.replace("_", " "), str(count))
    for name, count in findings.systems.items():
        table.add_row(f"held whole by {name}", str(count))
    console.print(table)
    for line in findings.lines():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
