"""Items that are past the deadline of their state, as each service lists them: docs/states.md has the deadlines."""

from dataclasses import dataclass

from cms_local.layout import Layout
from cms_local.operations import Found, Service, ask_all


@dataclass(frozen=True, kw_only=True)
class Late:
    """Something that has been in a state for too long. Times are ISO 8601, in UTC."""

    service: str
    state: str
    owner: str
    claim_ref: str
    since_time: str
    deadline_time: str


def list_overdue(layout: Layout) -> Found[Late]:
    """All that is overdue: service by service, state by state, the oldest first."""
    return ask_all(layout, _of)


def _of(service: Service) -> list[Late]:
    return [
        Late(
            service=service.name,
            state=late["state"],
            owner=late["owner"].removeprefix("ROLE_"),
            claim_ref=late["claimRef"],
            since_time=late["sinceTime"],
            deadline_time=late["deadlineTime"],
        )
        for page in service.pages("ListOverdue")
        for late in page["overdue"]
    ]
