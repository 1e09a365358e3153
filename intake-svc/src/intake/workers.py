"""The worker of intake-svc."""

from collections.abc import Sequence

from chassis.runtime import Runtime
from chassis.workers import Worker
from intake.service.calls import end_forgotten_calls, end_forgotten_wrap_ups

_SWEEP_PAUSE_SECONDS = 5.0


def workers(runtime: Runtime) -> Sequence[Worker]:
    """The sweeper of calls and wrap-ups that nobody ended."""

    def sweep() -> bool:
        with runtime.database.transaction() as conn:
            calls = end_forgotten_calls(conn)
            return end_forgotten_wrap_ups(conn) or calls

    return [Worker("call-sweeper", sweep, pause_seconds=_SWEEP_PAUSE_SECONDS)]
