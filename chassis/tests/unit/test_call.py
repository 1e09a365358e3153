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


def test_outside_of_a_call_a_worker_waits_as_long_as_it_says() -> None:
    assert call.within_deadline(12.0) == 12.0


def test_inside_of_a_call_others_get_no_more_time_than_is_left() -> None:
    with call.entered(call_with(1.0)):
        assert call.within_deadline(0.5) == 0.5
        assert 0.5 < call.within_deadline(12.0) <= 1.0


def test_when_nothing_is_left_nobody_is_asked() -> None:
    with call.entered(call_with(-1.0)), pytest.raises(DeadlineExceeded):
        call.within_deadline(12.0)


def test_a_call_that_is_over_is_no_more_the_present_one() -> None:
    with call.entered(call_with(1.0)) as present:
        assert call.current() is present

    with pytest.raises(LookupError):
        call.current()
