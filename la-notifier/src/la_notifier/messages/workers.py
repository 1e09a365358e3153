"""The threads of messages to claimants: each repeats one function of `service`."""

from collections.abc import Sequence
from functools import partial

from chassis.runtime import Runtime
from chassis.workers import Worker
from la_notifier.config import Settings, read_notify_key
from la_notifier.messages.channels.notify import Notify, Templates
from la_notifier.messages.clients import Sources
from la_notifier.messages.data.wording import wording
from la_notifier.messages.service.papers import list_as_file
from la_notifier.messages.service.sending import Sender, waits_of
from la_notifier.messages.service.writing import Writer

_PAUSE_SECONDS = 0.25
_WRITERS, _SENDERS = 2, 2


def message_workers(settings: Settings, sources: Sources, runtime: Runtime) -> Sequence[Worker]:
    """The threads that write, send and ask. Raises ValueError or OSError where the key to Notify cannot be read."""
    wording()  # read before there are threads
    waits = partial(waits_of, scale=settings.time_scale)
    writer = Writer(runtime.database, runtime.vault, sources, waits=waits)
    # Two, because the reminders of all of tomorrow's appointments are due at one time.
    writing = [
        Worker(f"message-writer-{number}", writer.write_next, pause_seconds=_PAUSE_SECONDS)
        for number in range(1, _WRITERS + 1)
    ]
    if settings.notify_key_file is None:
        return writing
    templates = Templates(
        text=settings.notify_text_template,
        email=settings.notify_email_template,
        email_with_file=settings.notify_file_template,
    )
    notify = Notify(settings.notify_url, read_notify_key(settings.notify_key_file), templates)
    runtime.closing.callback(notify.close)
    sender = Sender(
        runtime.database,
        runtime.vault,
        notify,
        list_as_file=list_as_file,
        waits=waits,
        pause_seconds=_PAUSE_SECONDS,
    )
    return [
        *writing,
        *(Worker(f"message-sender-{number}", sender.send_next, pause_seconds=0) for number in range(1, _SENDERS + 1)),
        Worker("message-checker", sender.ask_next, pause_seconds=0),
    ]
