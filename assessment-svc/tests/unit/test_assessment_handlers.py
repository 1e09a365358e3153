from assessment.consumers import HANDLERS
from chassis import contract


def test_every_event_that_the_contract_says_is_heard_has_a_handler() -> None:
    assert set(HANDLERS) == set(contract.events_heard_by("assessment-svc"))
