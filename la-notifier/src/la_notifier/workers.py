"""The notifier's threads: each repeats one function of `service`. Every channel to authorities has a crew of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.sftp import SftpClient, SftpServer
from chassis.workers import Worker
from la_notifier.channels import sftp
from la_notifier.channels.api import Councils
from la_notifier.clients import Claims, Decisions
from la_notifier.config import Settings, read_secrets
from la_notifier.domain.channels import Channel
from la_notifier.domain.notices import Waits
from la_notifier.service.filing import Filing
from la_notifier.service.lateness import tell_late
from la_notifier.service.posting import Posting
from la_notifier.service.redirecting import Successions
from la_notifier.service.reviews import Reviewer
from la_notifier.service.sending import Sender, waits_of

_PAUSE_SECONDS = 0.25
_SUCCESSIONS_SECONDS = 30.0
_LATENESS_SECONDS = 10.0
# So many that an authority which hangs holds up only its own notices.
_SENDERS, _STATUS_CHECKERS = 3, 2


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The tools that the crews work with."""

    settings: Settings
    runtime: Runtime
    waits: Callable[[], Waits]


def workers(
    settings: Settings,
    claims_of: Callable[[Runtime], Claims],
    decisions_of: Callable[[Runtime], Decisions],
    runtime: Runtime,
) -> Sequence[Worker]:
    """All threads of the notifier. Raises ValueError or OSError where the councils' secrets cannot be read."""
    waits = partial(waits_of, scale=settings.time_scale, poll_seconds=settings.poll_seconds)
    tools = Tools(settings=settings, runtime=runtime, waits=waits)
    crews = [crew(tools) for crew in CREWS.values()]
    return [
        _reviewer(tools, claims_of(runtime), decisions_of(runtime)),
        Worker("successions", Successions(runtime.database).follow_next, pause_seconds=_SUCCESSIONS_SECONDS),
        *(worker for crew in crews for worker in crew),
        Worker("lateness", partial(tell_late, runtime.database), pause_seconds=_LATENESS_SECONDS),
    ]


def _reviewer(tools: Tools, claims: Claims, decisions: Decisions) -> Worker:
    runtime = tools.runtime
    postcodes = runtime.closing.enter_context(Postcodes(tools.settings.postcodes_file))
    reviewer = Reviewer(runtime.database, runtime.vault, claims, decisions, postcodes, waits=tools.waits)
    return Worker("reviewer", reviewer.review_next, pause_seconds=_PAUSE_SECONDS)


def _api_crew(tools: Tools) -> Sequence[Worker]:
    """Sends over HTTP, and asks what the authorities hold."""
    settings, runtime = tools.settings, tools.runtime
    councils = Councils(settings.councils_url, read_secrets(settings.council_secrets_file))
    runtime.closing.callback(councils.close)
    sender = Sender(runtime.database, runtime.vault, councils, waits=tools.waits, pause_seconds=_PAUSE_SECONDS)
    return [
        *(Worker(f"sender-{number}", sender.send_next, pause_seconds=0) for number in range(1, _SENDERS + 1)),
        *(
            Worker(f"status-checker-{number}", sender.ask_next, pause_seconds=0)
            for number in range(1, _STATUS_CHECKERS + 1)
        ),
    ]


def _sftp_crew(tools: Tools) -> Sequence[Worker]:
    """Exchanges files, one authority after the other over one connection."""
    settings, runtime = tools.settings, tools.runtime
    server = SftpServer(
        host=settings.councils_sftp_host,
        port=settings.councils_sftp_port,
        user=settings.councils_sftp_user,
        key_file=settings.councils_sftp_key_file,
        host_key_file=settings.councils_sftp_host_key_file,
        part=sftp.PART,
    )
    client = SftpClient(server)
    runtime.closing.callback(client.close)
    cycle_seconds = settings.sftp_cycle_seconds * settings.time_scale
    filing = Filing(runtime.database, runtime.vault, client, waits=tools.waits, cycle_seconds=cycle_seconds)
    return [Worker("filer", filing.step, pause_seconds=_PAUSE_SECONDS)]


def _post_crew(tools: Tools) -> Sequence[Worker]:
    """Makes letters for the print queue."""
    posting = Posting(tools.runtime.database, tools.runtime.vault, waits=tools.waits)
    return [Worker("letter-writer", posting.step, pause_seconds=_PAUSE_SECONDS)]


CREWS: Mapping[Channel, Callable[[Tools], Sequence[Worker]]] = {
    Channel.API: _api_crew,
    Channel.SFTP: _sftp_crew,
    Channel.POST: _post_crew,
}
"""The workers of each channel. Work is taken by channel, so one that hangs holds up no other."""
