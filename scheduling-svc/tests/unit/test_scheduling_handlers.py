from chassis.contract import events_heard_by
from scheduling.consumers import HANDLERS


def test_every_event_that_the_contract_says_is_heard_has_a_handler() -> None:
    assert set(HANDLERS) == set(events_heard_by("scheduling-svc"))
