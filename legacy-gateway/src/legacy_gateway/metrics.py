"""The metrics of transfers. All labels come from closed lists."""

from datetime import timedelta

from prometheus_client import Counter, Histogram

from chassis import clock
from chassis.database import Connection
from chassis.metrics import REGISTRY
from chassis.state_gauges import Samples, StateGauge
from legacy_gateway.domain import Breaker, Exchange, Result, State, System, Transfer
from legacy_gateway.store import balances, batches, decisions, differences, systems, transfers, uncarried
from legacy_gateway.systems import RULES

DEFECT = "DEFECT"
"""The reason if our own code failed."""

DONE_FOR = timedelta(hours=1)
"""Accepted and cancelled transfers are counted for this long: a scrape must not read the whole history."""

_BREAKER_VALUES = {Breaker.CLOSED: 0.0, Breaker.DRAINING: 1.0, Breaker.OPEN: 2.0}

ATTEMPTS = Counter(
    "gateway_transfer_attempts_total",
    "Attempts at sending a record, by result and reason.",
    ["system", "phase", "result", "reason"],
    registry=REGISTRY,
)
FAILED_PUSHES = Counter(
    "gateway_failed_pushes_total",
    "Attempts after which the record was not known to be held, and records that could not be made.",
    ["system", "reason"],
    registry=REGISTRY,
)
COMPLETION = Histogram(
    "gateway_transfer_completion_seconds",
    "From the confirmation until the system held the whole claim.",
    ["system"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200, 86400, 172800, 604800),
    registry=REGISTRY,
)


FILE_EXCHANGES = Counter(
    "gateway_file_exchanges_total",
    "Exchanges of files that were begun, by system and result: a fault of the line, or what is wrong with a file.",
    ["system", "result"],
    registry=REGISTRY,
)


def count_file(system: System, result: str) -> None:
    """Counts an exchange of files."""
    FILE_EXCHANGES.labels(system, result).inc()


def count_attempt(transfer: Transfer, result: Result, reason: str) -> None:
    """Counts an attempt that was begun, once."""
    ATTEMPTS.labels(transfer.system, str(transfer.phase), result, reason).inc()
    if result is not Result.HELD:
        FAILED_PUSHES.labels(transfer.system, reason).inc()


def count_defect(transfer: Transfer) -> None:
    """Counts a failure of our own code; if the record was being sent, it counts as an attempt too."""
    if transfer.state is State.SENDING:
        count_attempt(transfer, Result.NO_REPLY, DEFECT)
    else:
        FAILED_PUSHES.labels(transfer.system, DEFECT).inc()


def _transfers(conn: Connection) -> Samples:
    rows = transfers.count_by_state(conn, done_since=clock.now() - DONE_FOR)
    return [((row["system"], row["state"]), float(row["count"])) for row in rows]


def _oldest_waiting(conn: Connection) -> Samples:
    oldest = transfers.oldest_under_way(conn)
    return [
        ((system,), (clock.now() - oldest[system]).total_seconds() if system in oldest else 0.0) for system in RULES
    ]


def _undecided(conn: Connection) -> Samples:
    return [((row["scheme"],), float(row["count"])) for row in decisions.counts(conn)]


def _uncarried(conn: Connection) -> Samples:
    return [((scheme,), float(count)) for scheme, count in uncarried.count_by_scheme(conn).items()]


def _unexplained(conn: Connection) -> Samples:
    found = differences.unexplained_by_system(conn)
    return [((system,), float(found.get(system, 0))) for system in RULES]


def _last_balanced(conn: Connection) -> Samples:
    return [((system,), moment.timestamp()) for system, moment in balances.last_done(conn).items()]


def _breakers(conn: Connection) -> Samples:
    return [((system,), _BREAKER_VALUES[systems.gate(conn, system).breaker]) for system in RULES]


def _holds(conn: Connection) -> Samples:
    return [((system,), float(systems.gate(conn, system).hold is not None)) for system in RULES]


def _files(conn: Connection) -> Samples:
    return [((row["system"], row["state"]), float(row["count"])) for row in batches.count_by_state(conn)]


def _oldest_file(conn: Connection) -> Samples:
    oldest = {row["system"]: row["oldest"] for row in batches.count_by_state(conn)}
    by_files = [system for system, rules in RULES.items() if rules.exchange is Exchange.FILES]
    return [
        ((system,), (clock.now() - oldest[system]).total_seconds() if system in oldest else 0.0) for system in by_files
    ]


GAUGES = (
    StateGauge(
        name="gateway_transfers",
        help="Transfers by system and state; of those accepted or cancelled, the last hour's.",
        labels=("system", "state"),
        read=_transfers,
    ),
    StateGauge(
        name="gateway_oldest_waiting_seconds",
        help="Age of the oldest transfer that is to be sent, being sent or unknown; 0 when there is none.",
        labels=("system",),
        read=_oldest_waiting,
    ),
    StateGauge(
        name="gateway_uncarried_schemes",
        help="Confirmed schemes of claims that no system carries yet, by scheme.",
        labels=("scheme",),
        read=_uncarried,
    ),
    StateGauge(
        name="gateway_reconciliation_unexplained",
        help="Differences between the ledger and the systems' lists that nothing explains yet.",
        labels=("system",),
        read=_unexplained,
    ),
    StateGauge(
        name="gateway_reconciliation_last_success_timestamp_seconds",
        help="When the last scheduled balance of a day ended; before the first one, when the first transfer was made.",
        labels=("system",),
        read=_last_balanced,
    ),
    StateGauge(
        name="gateway_breaker_state",
        help="The breaker of a system: 0 closed, 1 draining what waited, 2 open, so that nothing is sent but a probe.",
        labels=("system",),
        read=_breakers,
    ),
    StateGauge(
        name="gateway_system_held",
        help="1 while somebody's order holds the system, so that nothing is sent to it.",
        labels=("system",),
        read=_holds,
    ),
    StateGauge(
        name="gateway_files",
        help="Files that are not answered, by system and state: one at most for each system.",
        labels=("system", "state"),
        read=_files,
    ),
    StateGauge(
        name="gateway_oldest_file_seconds",
        help="Age of the file that is not answered; 0 when there is none.",
        labels=("system",),
        read=_oldest_file,
    ),
    StateGauge(
        name="gateway_undecided_claims",
        help="Claims that their systems hold whole and on which nobody has decided, by scheme.",
        labels=("scheme",),
        read=_undecided,
    ),
)
