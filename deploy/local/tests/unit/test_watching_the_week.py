"""A scrape of the gateway says how much is open, or that nothing is known."""

from cms_local.replay.outside import Counts
from cms_local.replay.watching import Sample, backlog_in

BREAKERS = '# TYPE gateway_breaker_state gauge\ngateway_breaker_state{system="ISCS"} 0.0\n'
TRANSFERS = (
    "# TYPE gateway_transfers gauge\n"
    'gateway_transfers{state="WAITING",system="ISCS"} 2.0\n'
    'gateway_transfers{state="HELD",system="ISCS"} 1.0\n'
    'gateway_transfers{state="ACCEPTED",system="ISCS"} 7.0\n'
)


def is_quiet(scraped: str) -> bool:
    counts = Counts(attempts=1, failed=0)
    return Sample(seconds=1.0, counts=counts, backlog=backlog_in(scraped), untold=0).is_quiet


def test_open_transfers_are_counted_by_system() -> None:
    assert backlog_in(BREAKERS + TRANSFERS) == {"ISCS": 3}
    assert not is_quiet(BREAKERS + TRANSFERS)


def test_a_gateway_with_nothing_open_is_quiet() -> None:
    assert is_quiet(BREAKERS)


def test_a_gateway_whose_database_does_not_answer_is_not_quiet() -> None:
    assert backlog_in("# TYPE gateway_transfers gauge\n") is None
    assert not is_quiet("# TYPE gateway_transfers gauge\n")
