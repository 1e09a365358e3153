"""The list of an office's work."""

from collections.abc import Sequence

from assessment.domain.refusals import OfficeRequired, OtherOffice
from assessment.domain.work import Place, WorkFilter, WorkItem
from assessment.store import work as store
from chassis import call
from chassis.database import Connection


def office_to_list(wanted: str) -> str:
    """The office whose work the caller may list: their own. Raises OfficeRequired, OtherOffice."""
    office = call.current().identity.office
    if office is None:
        raise OfficeRequired
    if wanted not in ("", office):
        raise OtherOffice
    return office


def list_work(conn: Connection, wanted: WorkFilter, *, after: Place | None, limit: int) -> Sequence[WorkItem]:
    """At most `limit` work items after the place: open work before confirmed work, the oldest submission first."""
    return store.list_work(conn, wanted, after=after, limit=limit)
