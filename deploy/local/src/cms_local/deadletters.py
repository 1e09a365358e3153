"""Dead letters: events that a service could not handle, listed, and replayed when what was wrong has been put right."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from cms_local.doors import Refused
from cms_local.layout import Layout
from cms_local.operations import Found, Service, ask_all


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One event that one service could not handle. The time is ISO 8601, in UTC."""

    service: str
    event_id: str
    source: str
    type: str
    claim_ref: str
    reason: str
    failed_time: str
    replay_wanted: bool


def list_dead_letters(layout: Layout) -> Found[DeadLetter]:
    """All that wait for a person, service by service, the oldest first."""
    return ask_all(layout, _of)


def ask_for_replay(layout: Layout, event_ids: Collection[str]) -> Found[str]:
    """Has the services that could not handle these events handle them again: all events, when none is named.

    Gives the event's id once for each service that was asked. Raises Refused for what is no event's id.
    """
    return ask_all(layout, lambda service: _replay(service, event_ids))


def _of(service: Service) -> list[DeadLetter]:
    return [
        DeadLetter(
            service=service.name,
            event_id=letter["eventId"],
            source=letter["source"],
            type=letter["type"],
            claim_ref=letter["claimRef"],
            reason=letter["reason"],
            failed_time=letter["failedTime"],
            replay_wanted=letter["replayWanted"],
        )
        for page in service.pages("ListDeadLetters")
        for letter in page["deadLetters"]
    ]


def _replay(service: Service, event_ids: Collection[str]) -> list[str]:
    chosen = event_ids or [letter.event_id for letter in _of(service)]
    return [event_id for event_id in chosen if _is_replayed(service, event_id)]


def _is_replayed(service: Service, event_id: str) -> bool:
    """Whether the service has such a dead letter, and handles it again."""
    try:
        service.call("ReplayDeadLetter", eventId=event_id, requestId=str(uuid4()))
    except Refused as refused:
        if refused.code not in {"not_found", "failed_precondition"}:
            raise
        return False
    return True
