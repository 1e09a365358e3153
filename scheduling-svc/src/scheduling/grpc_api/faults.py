"""The faults of requests that the contract's own rules do not find."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from chassis.conversions import is_uuid
from chassis.errors import InvalidArgument, Violation
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import appointments_pb2
from scheduling.domain.directory import Directory
from scheduling.domain.slots import SlotId
from scheduling.domain.travel import PostcodeNeeded
from scheduling.grpc_api.messages import Timed, time_in

_NOT_OURS = "is not one that this service gave"


def refuse(violations: Iterator[Violation]) -> None:
    """Raises InvalidArgument naming these fields, if there are any."""
    found = list(violations)
    if found:
        raise InvalidArgument.of(*found)


def unless_one_of(**given: object) -> Iterator[Violation]:
    """Exactly one of these fields must be given."""
    if sum(bool(value) for value in given.values()) != 1:
        for name in given:
            yield Violation(field=name, description=f"exactly one of {', '.join(given)} must be given")


def unless_uuid(**given: str) -> Iterator[Violation]:
    """Those of these fields that are given must be UUIDs."""
    for name, text in given.items():
        if text and not is_uuid(text):
            yield Violation(field=name, description=_NOT_OURS)


def unless_slot_id(*, slot_id: str) -> Iterator[Violation]:
    """The id of a slot, if it is given, must be one."""
    try:
        if slot_id:
            SlotId.read(slot_id)
    except ValueError:
        yield Violation(field="slot_id", description=_NOT_OURS)


def unless_slot_ids(field: str, slot_ids: Sequence[str]) -> Iterator[Violation]:
    """Each of these must be the id of a slot."""
    for index, slot_id in enumerate(slot_ids):
        try:
            SlotId.read(slot_id)
        except ValueError:
            yield Violation(field=f"{field}[{index}]", description=_NOT_OURS)


def time_faults(request: Timed) -> Iterator[Violation]:
    """`from` and `until` must be times, in this order."""
    times: list[datetime | None] = []
    for name in ("from", "until"):
        try:
            times.append(time_in(request, name))
        except InvalidArgument as error:
            yield from error.violations
    if len(times) == 2 and None not in times and times[1] < times[0]:  # type: ignore[operator]
        yield Violation(field="until", description="is before from")


def language_faults(language: str, directory: Directory) -> Iterator[Violation]:
    """A language that is named must be in the list of languages."""
    if language and language not in directory.languages:
        yield Violation(field="language", description=f"is none of {', '.join(sorted(directory.languages))}")


def visit_faults(request: Timed) -> Iterator[Violation]:
    """For a home visit it must be known where the claimant lives."""
    if request.channel == common_pb2.CHANNEL_HOME_VISIT and not request.postcode:
        yield PostcodeNeeded.FAULT


def needs_faults(needs: Sequence[int]) -> Iterator[Violation]:
    """Each need must be one."""
    for index, need in enumerate(needs):
        if need == appointments_pb2.APPOINTMENT_NEED_UNSPECIFIED:
            yield Violation(field=f"needs[{index}]", description="names no need")
