"""Lists of interviews, and the links by which calendar programs read assessors' diaries."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from google.type import date_pb2

from chassis import call, clock
from chassis.contract import allowed_roles
from chassis.conversions import day_of, timestamp
from chassis.database import Connection
from chassis.errors import InvalidArgument, PermissionDenied, Violation
from chassis.idempotency import Rebuildable, run_once
from chassis.identity import Identity
from chassis.pages import page_size, place_of, token_of
from cms.scheduling.v1 import exchange_pb2, scheduling_pb2
from scheduling.clients import Intake
from scheduling.domain.appointment_lists import AppointmentFilter, Place
from scheduling.domain.diary_links import DiaryLink, NoDiary, OtherAssessor
from scheduling.domain.directory import Directory
from scheduling.grpc_api.faults import refuse, unless_uuid
from scheduling.grpc_api.messages import appointment_message
from scheduling.grpc_api.showing import shown
from scheduling.service import appointment_lists, diary_links

_PAGE_SIZE = 50
_LARGEST_PAGE = 200
_ASSESSOR_ALONE = {"ASSESSOR"}
_MAY_LIST_OFFICES = {"ASSESSOR", "SERVICE_MANAGER"}
"""Roles that list interviews of offices and assessors: assessors alone those of their own office."""
_METHODS = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"].methods_by_name
_MAY_LIST, _MAY_SEE_LINKS = (allowed_roles(_METHODS[name]) for name in ("ListAppointments", "GetDiaryLinks"))


class ExchangeMethods:
    """Lists interviews; makes, shows and revokes links to diaries. `address` is that of the HTTP door for other programs."""

    def __init__(self, directory: Directory, intake: Intake, *, address: str) -> None:
        self._directory = directory
        self._intake = intake
        self._address = address

    def ListAppointments(self, request: exchange_pb2.ListAppointmentsRequest) -> exchange_pb2.ListAppointmentsResponse:
        """Interviews of a claim, an office or an assessor, soonest first."""
        if request.office:
            self._directory.office(request.office, field="office")
        if request.assessor:
            self._directory.assessor(request.assessor, field="assessor")
        wanted = _filter(request)
        purpose = self._purpose(request)
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        after = _place(request)
        with call.current().database.transaction() as conn:
            found = appointment_lists.list_appointments(conn, wanted, after=after, limit=limit + 1)
        last = Place.of(found[limit - 1]) if len(found) > limit else None
        response = exchange_pb2.ListAppointmentsResponse(
            appointments=[appointment_message(one, self._directory) for one in found[:limit]],
            next_page_token=token_of(request, last.start_time, last.appointment_id) if last else "",
        )
        return shown(response, purpose=purpose)

    def _purpose(self, request: exchange_pb2.ListAppointmentsRequest) -> str:
        """The purpose of a list. Raises PermissionDenied (`LIST_NOT_YOURS`, or as intake does for a claim)."""
        if request.claim_ref:
            return self._intake.purpose(request.claim_ref)
        if not call.current().identity.roles & _MAY_LIST_OFFICES:
            raise PermissionDenied("LIST_NOT_YOURS", "name a claim: only assessors and service managers list offices")
        return f"list of office {request.office}" if request.office else "list"

    def CreateDiaryLink(self, request: exchange_pb2.CreateDiaryLinkRequest) -> exchange_pb2.CreateDiaryLinkResponse:
        """Makes a link to the caller's own diary."""
        now = call.current()
        if not self._directory.has_assessor(now.identity.subject):
            raise NoDiary
        create = partial(diary_links.create_link, assessor_id=now.identity.subject, vault=now.vault)

        def respond(link: DiaryLink) -> exchange_pb2.CreateDiaryLinkResponse:
            path = diary_links.diary_path(link.link_id, now.vault)
            return exchange_pb2.CreateDiaryLinkResponse(link=_link(link), url=self._address + path)

        # The link's token is not among the answers that are kept.
        return run_once(request, create, respond, rebuildable=Rebuildable(keep=_kept, rebuild=_rebuilt))

    def GetDiaryLinks(self, request: exchange_pb2.GetDiaryLinksRequest) -> exchange_pb2.GetDiaryLinksResponse:
        """The links to an assessor's diary."""
        caller = call.current().identity
        own = _own_links_alone(caller)
        assessor_id = request.assessor or caller.subject
        if own and assessor_id != own:
            raise OtherAssessor
        if request.assessor:
            self._directory.assessor(assessor_id, field="assessor")
        elif not self._directory.has_assessor(assessor_id):
            raise NoDiary
        with call.current().database.transaction() as conn:
            found = diary_links.links_of(conn, assessor_id)
        return exchange_pb2.GetDiaryLinksResponse(links=[_link(link) for link in found])

    def RevokeDiaryLink(self, request: exchange_pb2.RevokeDiaryLinkRequest) -> exchange_pb2.RevokeDiaryLinkResponse:
        """Revokes a link: from now on it opens nothing."""
        refuse(unless_uuid(link_id=request.link_id))
        own = _own_links_alone(call.current().identity)
        revoke = partial(diary_links.revoke_link, link_id=UUID(request.link_id), assessor_id=own)
        return run_once(request, revoke, lambda link: exchange_pb2.RevokeDiaryLinkResponse(link=_link(link)))


def _own_links_alone(caller: Identity) -> str | None:
    """The assessor whose links alone the caller may see; None for a service manager."""
    return caller.subject if caller.roles & _MAY_SEE_LINKS == _ASSESSOR_ALONE else None


def _link(link: DiaryLink) -> exchange_pb2.DiaryLink:
    return exchange_pb2.DiaryLink(
        link_id=str(link.link_id),
        assessor_id=link.assessor_id,
        create_time=timestamp(link.create_time),
        expire_time=timestamp(link.expire_time),
        read_time=timestamp(link.read_time),
    )


def _kept(link: DiaryLink) -> dict[str, Any]:
    return {
        "link_id": str(link.link_id),
        "assessor_id": link.assessor_id,
        "create_time": link.create_time.isoformat(),
        "expire_time": link.expire_time.isoformat(),
    }


def _rebuilt(_conn: Connection, kept: Mapping[str, str]) -> DiaryLink:
    return DiaryLink(
        link_id=UUID(kept["link_id"]),
        assessor_id=kept["assessor_id"],
        create_time=datetime.fromisoformat(kept["create_time"]),
        expire_time=datetime.fromisoformat(kept["expire_time"]),
    )


def _filter(request: exchange_pb2.ListAppointmentsRequest) -> AppointmentFilter:
    if not (request.claim_ref or request.office or request.assessor):
        described = "one of claim_ref, office and assessor must be given"
        raise InvalidArgument.of(
            *(Violation(field=name, description=described) for name in ("claim_ref", "office", "assessor"))
        )
    since, until = _days(request)
    wanted = AppointmentFilter(
        claim_ref=request.claim_ref,
        office_code=request.office,
        assessor_id=request.assessor,
        since=since,
        until=until,
    )
    caller = call.current().identity
    # A caller with several roles has the rights of the widest (docs/adr/0013).
    return wanted.within_office(caller.office) if caller.roles & _MAY_LIST == _ASSESSOR_ALONE else wanted


def _days(request: exchange_pb2.ListAppointmentsRequest) -> tuple[datetime | None, datetime | None]:
    """The stretch of time in which the interviews start; None where it has no beginning or no end."""
    if request.HasField("day"):
        return _london_day(request.day)
    return (None, None) if request.claim_ref else (_midnight(clock.today()), None)


def _london_day(given: date_pb2.Date) -> tuple[datetime, datetime]:
    day = day_of(given, field="day")
    if day == date.max:
        raise InvalidArgument.of(Violation(field="day", description="is too far ahead"))
    return _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.LONDON).astimezone(UTC)


def _place(request: exchange_pb2.ListAppointmentsRequest) -> Place | None:
    place = place_of(request, datetime, UUID)
    return Place(start_time=place[0], appointment_id=place[1]) if place else None
