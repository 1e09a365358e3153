"""A call has a deadline, and what it asks of others ends with it."""

import time
from typing import Any, cast

import pytest

from chassis import call
from chassis.call import Call
from chassis.errors import DeadlineExceeded
from chassis.identity import Identity
from cms.scheduling.v1 import scheduling_pb2


def call_with(seconds: float) -> Call:
    nothing = cast(Any, None)  # neither database nor keys are asked
    return Call(
        method="/s/m",
        response=scheduling_pb2.GetAppointmentResponse,
        identity=Identity(subject="OP1", roles=frozenset()),
        database=nothing,
        vault=nothing,
        deadline=time.monotonic() + seconds,
    )


def test_a_timeout_outside_a_call_is_unchanged() -> None:
    assert call.within_deadline(12.0) == 12.0


def test_a_timeout_inside_a_call_ends_with_its_deadline() -> None:
    with call.entered(call_with(1.0)):
        assert call.within_deadline(0.5) == 0.5
        assert 0.5 < call.within_deadline(12.0) <= 1.0


def test_no_other_service_is_called_after_the_deadline() -> None:
    with call.entered(call_with(-1.0)), pytest.raises(DeadlineExceeded):
        call.within_deadline(12.0)


def test_a_finished_call_is_no_longer_the_current_one() -> None:
    with call.entered(call_with(1.0)) as present:
        assert call.current() is present

    with pytest.raises(LookupError):
        call.current()
