"""The events that the notifier hears: each makes its claim due for review."""

from collections.abc import Mapping

from chassis.inbox import Handler
from la_notifier.service.reviews import hear, hear_decision

HANDLERS: Mapping[str, Handler] = {
    "FirstContactRecorded": hear,
    "ClaimSubmitted": hear,
    "ClaimAmended": hear,
    "ClaimWithdrawn": hear,
    "DecisionRecorded": hear_decision,
}
