"""The lines of the call centre: messages to the domain and back."""

from collections import Counter
from datetime import datetime
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import call, clock
from chassis.conversions import time_of, timestamp
from chassis.idempotency import run_once
from cms.intake.v1 import intake_pb2 as pb
from intake.domain import problems
from intake.domain.given import Faults
from intake.domain.lines import FIXED_SCRIPT_SECONDS, LONGEST_PERIOD, LineCounts, ServiceTarget, Staffing
from intake.service import lines
from intake.service.lines import Lines


class LineMethods:
    """The methods of IntakeService about the call centre's lines."""

    def __init__(self, service_target: ServiceTarget) -> None:
        self._service_target = service_target

    def ReportLines(self, request: pb.ReportLinesRequest) -> pb.ReportLinesResponse:
        """Takes what the switch counted."""
        return run_once(
            request,
            lambda conn: lines.report_lines(conn, _counts(request)),
            lambda changed: pb.ReportLinesResponse(changed=changed),
        )

    def GetLines(self, request: pb.GetLinesRequest) -> pb.GetLinesResponse:
        """The counts of the switch, and the operators that they call for."""
        since, until = _period(request)
        with call.current().database.transaction() as conn:
            found = lines.get_lines(conn, since=since, until=until, target=self._service_target)
        return _lines(found)


def _counts(request: pb.ReportLinesRequest) -> list[LineCounts]:
    faults, now = Faults(), clock.now()
    read = [_line(faults, f"quarter_hours[{index}]", given, now) for index, given in enumerate(request.quarter_hours)]
    faults.refuse()
    counts = [found for found in read if found]
    times = Counter(found.start for found in counts)
    for index, found in enumerate(counts):
        if times[found.start] > 1:
            faults.add(f"quarter_hours[{index}].start", problems.REPORTED_TWICE)
    faults.refuse()
    return counts


def _line(faults: Faults, place: str, given: pb.LineCounts, now: datetime) -> LineCounts | None:
    start = faults.catch(time_of, given.start, field=f"{place}.start")
    if start is None:
        return None
    found = LineCounts(
        start=start,
        offered=given.offered,
        answered=given.answered,
        abandoned=given.abandoned,
        answered_within_target=given.answered_within_target,
    )
    for field, problem in found.problems(now=now):
        faults.add(f"{place}.{field}", problem)
    return found


def _period(request: pb.GetLinesRequest) -> tuple[datetime, datetime]:
    faults = Faults()
    given: Timestamp = getattr(request, "from")
    since = faults.catch(time_of, given, field="from")
    until = faults.catch(time_of, request.until, field="until")
    if since and until and not since < until <= since + LONGEST_PERIOD:
        faults.add("until", problems.NOT_A_PERIOD.of(days=LONGEST_PERIOD.days))
    faults.refuse()
    return cast("datetime", since), cast("datetime", until)


def _lines(found: Lines) -> pb.GetLinesResponse:
    handling = found.handling
    return pb.GetLinesResponse(
        quarter_hours=[_quarter_hour(part) for part in found.quarter_hours],
        handling_time=pb.HandlingTime(
            calls=handling.calls,
            talk_seconds=handling.talk,
            hold_seconds=handling.hold,
            wrap_up_seconds=handling.wrap_up,
            seconds=handling.seconds,
        ),
        fixed_script_seconds=FIXED_SCRIPT_SECONDS,
        service_target=pb.ServiceTarget(share=found.target.share, seconds=found.target.seconds),
    )


def _quarter_hour(part: Staffing) -> pb.QuarterHour:
    counts = part.counts
    return pb.QuarterHour(
        counts=pb.LineCounts(
            start=timestamp(counts.start),
            offered=counts.offered,
            answered=counts.answered,
            abandoned=counts.abandoned,
            answered_within_target=counts.answered_within_target,
        ),
        operators_needed=part.needed,
        operators_needed_by_fixed_script=part.needed_by_fixed_script,
    )
