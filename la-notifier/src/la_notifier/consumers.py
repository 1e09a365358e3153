"""What the notifier hears: each event only says that a claim's notices must be looked at again."""

from collections.abc import Mapping

from chassis.inbox import Handler
from la_notifier.service.looks import hear

HANDLERS: Mapping[str, Handler] = {"FirstContactRecorded": hear, "ClaimSubmitted": hear, "ClaimAmended": hear}
