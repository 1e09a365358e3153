"""The workers of intake-svc."""

from collections.abc import Sequence

from chassis.runtime import Runtime
from chassis.workers import Worker
from intake.service import searches, security
from intake.service.calls import end_forgotten_calls, end_forgotten_wrap_ups

_SWEEP_PAUSE_SECONDS = 5.0
_PRUNE_PAUSE_SECONDS = 60.0


def workers(runtime: Runtime) -> Sequence[Worker]:
    """The sweeper of calls and wrap-ups that nobody ended, and the pruner of tries at security questions and of searches."""

    def sweep() -> bool:
        with runtime.database.transaction() as conn:
            calls = end_forgotten_calls(conn)
            return end_forgotten_wrap_ups(conn) or calls

    def prune() -> bool:
        with runtime.database.transaction() as conn:
            tries = security.prune(conn)
            return searches.prune(conn) or tries

    return [
        Worker("call-sweeper", sweep, pause_seconds=_SWEEP_PAUSE_SECONDS),
        Worker("try-pruner", prune, pause_seconds=_PRUNE_PAUSE_SECONDS),
    ]
