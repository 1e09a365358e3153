"""Failures of our own code over one claim or notice: it is put off and must not hold up others."""

import psycopg
from prometheus_client import Counter

from chassis import logs, metrics
from chassis.errors import CmsError

FAILURES = Counter(
    "notifier_failures_total",
    "Failures of our own code over a claim or a notice, which was put off and will be overdue until this is mended.",
    labelnames=("act",),
    registry=metrics.REGISTRY,
)


def report(act: str, error: Exception, **about: object) -> None:
    """Counts and logs a failure over one claim or notice. Raises the error itself where it concerns every one of them.

    That is the case when intake or the database is away: the worker then rests before it goes on.
    """
    if isinstance(error, CmsError) and error.will_pass:
        raise error
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        raise error
    FAILURES.labels(act).inc()
    logs.get().error(f"{act} failed", error=type(error).__name__, location=logs.location_of(error), **about)
