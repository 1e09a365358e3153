"""The load of offices."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from chassis import call, clock
from chassis.conversions import date_message, day_of, timestamp
from chassis.enums import number_of
from chassis.errors import Violation
from chassis.pages import page_size, place_of, token_of
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import load_pb2
from scheduling.domain.directory import Directory
from scheduling.domain.load import DayLoad, together
from scheduling.domain.offices import Channel
from scheduling.domain.remedies import Suggestion
from scheduling.grpc_api.faults import refuse
from scheduling.grpc_api.messages import office_message
from scheduling.service import load
from scheduling.service.load import OfficeLoads

USUAL_PAGE_SIZE = 50
LARGEST_PAGE_SIZE = 100
WEEKS_AHEAD = 11
"""The last day that can be asked for: rotas reach as far as the days after it need."""


class LoadMethods:
    """Tells of the load of offices."""

    def __init__(self, directory: Directory, target: timedelta) -> None:
        self._directory = directory
        self._target = target

    def GetOfficeLoad(self, request: load_pb2.GetOfficeLoadRequest) -> load_pb2.GetOfficeLoadResponse:
        """Capacity, booked and expected demand by office and day."""
        first, last = _days(request)
        size = page_size(request, usual=USUAL_PAGE_SIZE, largest=LARGEST_PAGE_SIZE)
        number = max(1, size // ((last - first).days + 1))
        left = self._offices_left(request)
        page = left[:number]
        with call.current().database.transaction() as conn:
            found = load.loads_of(conn, self._directory, page, first=first, last=last, target=self._target)
        response = load_pb2.GetOfficeLoadResponse(
            days=[day for code in page for day in self._office_days(found, code)],
            weeks_of_history=found.learnt.weeks,
            compute_time=timestamp(found.scene.now),
            demand_dispersion=found.learnt.dispersion,
        )
        if request.office_code:
            response.remedies.extend(self._remedy(channel, one) for channel, one in found.remedies(request.office_code))
        if len(left) > number:
            response.next_page_token = token_of(request, page[-1])
        return response

    def _offices_left(self, request: load_pb2.GetOfficeLoadRequest) -> list[str]:
        """The codes of the offices that are asked for and were not on the pages before."""
        place = place_of(request, str)
        if request.office_code:
            return [self._directory.office(request.office_code).code]
        codes = sorted(office.code for office in self._directory.offices)
        return [code for code in codes if place is None or code > place[0]]

    def _office_days(self, found: OfficeLoads, code: str) -> Iterator[load_pb2.OfficeDay]:
        office = office_message(self._directory.office(code))
        for day, channels in found.days(code).items():
            whole = together(list(channels.values()))
            yield load_pb2.OfficeDay(
                office=office,
                day=date_message(day),
                capacity=whole.capacity,
                booked=whole.booked,
                forecast=round(whole.demand, 2),
                breach_expected=whole.breach_expected,
                breach_probability=round(whole.breach_probability, 3),
                expected_breaches=round(whole.late, 2),
                expected_elsewhere=round(whole.elsewhere, 2),
                channels=[_channel(channel, one) for channel, one in channels.items()],
            )

    def _remedy(self, channel: Channel, suggestion: Suggestion) -> load_pb2.Remedy:
        return load_pb2.Remedy(
            kind=number_of(load_pb2.RemedyKind, suggestion.remedy),
            channel=number_of(common_pb2.Channel, channel),
            day=date_message(suggestion.day),
            slots=suggestion.slots,
            from_office=office_message(self._directory.office(suggestion.from_office)),
            breaches_before=round(suggestion.late_before, 2),
            breaches_after=round(suggestion.late_after, 2),
            lender_breaches_before=round(suggestion.lender_before, 2),
            lender_breaches_after=round(suggestion.lender_after, 2),
        )


def _channel(channel: Channel, day: DayLoad) -> load_pb2.ChannelLoad:
    return load_pb2.ChannelLoad(
        channel=number_of(common_pb2.Channel, channel),
        capacity=day.capacity,
        booked=day.booked,
        forecast=round(day.demand, 2),
        breach_probability=round(day.breach_probability, 3),
        expected_breaches=round(day.late, 2),
        expected_elsewhere=round(day.elsewhere, 2),
        free=day.free,
    )


def _days(request: load_pb2.GetOfficeLoadRequest) -> Sequence[date]:
    """The first day, today at the earliest, and the last one. Raises InvalidArgument."""
    first, last = day_of(getattr(request, "from"), field="from"), day_of(request.until, field="until")
    refuse(_day_faults(first, last))
    return max(first, clock.today()), last


def _day_faults(first: date, last: date) -> Iterator[Violation]:
    today = clock.today()
    if last < today:
        yield Violation(field="until", description="is past")
    elif last > today + timedelta(weeks=WEEKS_AHEAD):
        yield Violation(field="until", description="is more than eleven weeks ahead")
    elif last < first:
        yield Violation(field="until", description="is before from")
