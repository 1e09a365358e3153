"""Retention: erases claims whose time is over, batch by batch, and places and lifts legal holds."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from cms_local import keys
from cms_local.demo import doors_of
from cms_local.layout import Layout

_INTAKE = "intake-svc"
_MANAGER = "CMS00001"
_PAGE_SIZE = 200


def ask(layout: Layout, method: str, **body: Any) -> dict[str, Any]:
    """Calls intake as a service manager. Raises Refused, or httpx.TransportError if it does not answer."""
    token = keys.issue(layout.keys(""), "SERVICE_MANAGER", subject=_MANAGER)
    with doors_of(layout) as doors:
        return doors.call(_INTAKE, method, body, token=token)


def count(layout: Layout) -> dict[str, int]:
    """Counts the claims that are due to be erased, and those that are held; nothing is changed."""
    return ask(layout, "EraseClaims", preview=True, requestId=str(uuid4()))


def erase(layout: Layout) -> Iterator[dict[str, int]]:
    """Erases what is due, and gives the counts of each batch. Whoever ends it in between goes on with the next run.

    A batch without an erasure is the last: what is still due then is worked on by somebody.
    """
    while True:
        counts = ask(layout, "EraseClaims", requestId=str(uuid4()))
        yield counts
        if not counts["erased"] or not counts["due"]:
            return


def holds(layout: Layout) -> list[dict[str, Any]]:
    """The legal holds that stand, the oldest first."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = ask(layout, "ListLegalHolds", pageSize=_PAGE_SIZE, pageToken=token)
        found += page["legalHolds"]
        token = page["nextPageToken"]
        if not token:
            return found
