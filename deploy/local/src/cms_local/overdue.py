"""What has been in a state for longer than its deadline, service by service: docs/states.md has the deadlines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import dict_row

import assessment.deadlines
import intake.deadlines
import la_notifier.deadlines
import legacy_gateway.deadlines
import scheduling.deadlines
from chassis import clock
from chassis.deadlines import Deadline, overdue
from cms_local.layout import DATABASES, Layout

DEADLINES: Mapping[str, Sequence[Deadline]] = {
    "intake-svc": intake.deadlines.DEADLINES,
    "scheduling-svc": scheduling.deadlines.DEADLINES,
    "assessment-svc": assessment.deadlines.DEADLINES,
    "legacy-gateway": legacy_gateway.deadlines.DEADLINES,
    "la-notifier": la_notifier.deadlines.DEADLINES,
}


@dataclass(frozen=True, kw_only=True)
class Late:
    """One thing that somebody has to see to."""

    service: str
    state: str
    owner: str
    reference: str
    since: datetime


def list_overdue(layout: Layout) -> list[Late]:
    """All that is overdue by the platform's clock: service by service, state by state, the oldest first."""
    clock.configure(layout.clock_file)
    found: list[Late] = []
    for service, deadlines in DEADLINES.items():
        database = DATABASES[service]
        url = f"postgresql://{database}_owner@127.0.0.1:{layout.postgres_port}/{database}"
        with psycopg.connect(url, row_factory=dict_row) as conn:
            found += [Late(service=service, **vars(late)) for late in overdue(conn, deadlines)]
    return found
