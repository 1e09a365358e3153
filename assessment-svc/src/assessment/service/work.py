"""The list of an office's work, or of caseworkers'."""

from collections.abc import Sequence

from assessment.domain.refusals import OfficeRequired, OtherOffice
from assessment.domain.schemes import Desk
from assessment.domain.work import Place, WorkFilter, WorkItem
from assessment.service.reading import desks_of_caller
from assessment.store import work as store
from chassis import call
from chassis.database import Connection


def office_to_list(wanted: str) -> str | None:
    """The office whose work the caller may list: an assessor's own, none for a caseworker.

    Raises OfficeRequired, OtherOffice.
    """
    if Desk.ASSESSOR not in desks_of_caller():
        return None
    office = call.current().identity.office
    if office is None:
        raise OfficeRequired
    if wanted not in ("", office):
        raise OtherOffice
    return office


def list_work(conn: Connection, wanted: WorkFilter, *, after: Place | None, limit: int) -> Sequence[WorkItem]:
    """At most `limit` work items after the place: open work before work that is done, the oldest submission first."""
    return store.list_work(conn, wanted, after=after, limit=limit)
