"""Appointments tell where and when somebody will be: who is shown one is in the access log first."""

from collections.abc import Iterator
from typing import TypeVar

from google.protobuf.message import Message

from chassis import access_log, call, contract
from cms.scheduling.v1 import appointments_pb2

Response = TypeVar("Response", bound=Message)


def shown(response: Response, *, purpose: str) -> Response:
    """The response, once the access log has a row for each claim whose appointment is in it.

    `purpose` stands for what the caller did not name by `cms-purpose`. Raises Unavailable if the log cannot be written.
    """
    claims = sorted({one.claim_ref for one in _appointments(response)})
    if not claims:
        return response
    with call.current().database.transaction() as conn:
        for claim_ref in claims:
            access_log.record_access(conn, claim_ref=claim_ref, purpose=call.current().purpose or purpose)
    return response


def _appointments(message: Message) -> Iterator[appointments_pb2.Appointment]:
    if isinstance(message, appointments_pb2.Appointment):
        yield message
        return
    for _, child in contract.children(message):
        yield from _appointments(child)
