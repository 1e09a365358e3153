"""The notifier's threads: each repeats one function of `service`."""

from collections.abc import Callable, Sequence
from functools import partial

from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.workers import Worker
from la_notifier.channels.api import Councils
from la_notifier.clients import Claims
from la_notifier.config import Settings, read_secrets
from la_notifier.service.reviews import Reviewer
from la_notifier.service.sending import Sender, waits_of

_PAUSE_SECONDS = 0.25
# So many that an authority which hangs holds up only its own notices.
_SENDERS, _STATUS_CHECKERS = 3, 2


def workers(settings: Settings, claims_of: Callable[[Runtime], Claims], runtime: Runtime) -> Sequence[Worker]:
    """All threads of the notifier. Raises ValueError or OSError where the councils' secrets cannot be read."""
    waits = partial(waits_of, scale=settings.time_scale, poll_seconds=settings.poll_seconds)
    postcodes = runtime.closing.enter_context(Postcodes(settings.postcodes_file))
    councils = Councils(settings.councils_url, read_secrets(settings.council_secrets_file))
    runtime.closing.callback(councils.close)
    reviewer = Reviewer(runtime.database, runtime.vault, claims_of(runtime), postcodes, waits=waits)
    sender = Sender(runtime.database, runtime.vault, councils, waits=waits, pause_seconds=_PAUSE_SECONDS)
    return [
        Worker("reviewer", reviewer.review_next, pause_seconds=_PAUSE_SECONDS),
        *(Worker(f"sender-{number}", sender.send_next, pause_seconds=0) for number in range(1, _SENDERS + 1)),
        *(
            Worker(f"status-checker-{number}", sender.ask_next, pause_seconds=0)
            for number in range(1, _STATUS_CHECKERS + 1)
        ),
    ]
