"""Finding the transfers that a sender began and did not come back from."""

from legacy_gateway import metrics
from legacy_gateway.domain import Result, State
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.settling import log_step, settle
from legacy_gateway.store import leases

_LEASE_EXPIRED = "LEASE_EXPIRED"


def sweep(resources: Resources) -> bool:
    """Makes every transfer UNKNOWN that is still SENDING after its lease; says whether there may be more.

    Never WAITING: the record may be held. The lease outlives the sender's own time-out, at which it closes its
    connection; but a sender that was stopped, and not ended, may have it open still. So the transfer keeps the name of its
    sender, and an `N` is not final until that process is known to be gone, or says that it has closed the connection.
    """
    resources.watch.tell_closed(resources.database)
    with resources.database.transaction() as conn:
        resources.watch.look(conn)
    with resources.database.transaction() as conn:
        steady_since = resources.clock.steady_since(conn)
        swept = leases.expired(conn, seconds=resources.lease_seconds, steady_since=steady_since)
        for transfer, token in swept:
            step = transfer.lease_expired(resources.waits)
            settle(conn, resources.vault, transfer, token=token, step=step, reason=_LEASE_EXPIRED)
    for transfer, _ in swept:
        metrics.count_attempt(transfer, Result.NO_REPLY, _LEASE_EXPIRED)
        log_step(transfer, State.UNKNOWN, _LEASE_EXPIRED)
    return bool(swept)
