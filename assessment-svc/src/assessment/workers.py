"""The worker of assessment-svc."""

from collections.abc import Sequence

from assessment.service.evidence import remind
from chassis.runtime import Runtime
from chassis.workers import Worker

_REMINDERS_PAUSE_SECONDS = 5.0


def workers(runtime: Runtime) -> Sequence[Worker]:
    """The worker that announces reminders of evidence that is awaited, a claim at a time."""

    def reminders() -> bool:
        with runtime.database.transaction() as conn:
            return remind(conn)

    return [Worker("evidence-reminders", reminders, pause_seconds=_REMINDERS_PAUSE_SECONDS)]
