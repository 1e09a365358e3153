"""A week's rota for all, published as the managers' rota system does: through the HTTP door, four requests at a time."""

import time
from collections.abc import Sequence
from pathlib import Path

from scheduling.domain.rotas import WEEKS_AHEAD
from simulators.clock import Clock
from simulators.failures import FailurePlan
from simulators.ledger import Ledger
from simulators.rotas.failures import RotasFailure
from simulators.rotas.planning import rotas_of_offices, weeks_from
from simulators.rotas.publishing import Publisher


def seconds_to_publish(offices: Sequence[str], *, url: str, token: str, folder: Path) -> tuple[int, float]:
    """Publishes the last week that can be published, of all assessors of these offices; gives how many, and the seconds.

    The weeks before count as published.
    """
    folder.mkdir()
    token_file = folder / "token"
    token_file.write_text(token)
    clock = Clock()
    rotas = [rota for code in offices for rota in rotas_of_offices().get(code, ())]
    weeks = weeks_from(clock.today(), ahead=WEEKS_AHEAD)
    ledger = Ledger(folder / "ledger.jsonl")
    for rota in rotas:
        ledger.append({"assessor_id": rota.assessor_id, "weeks": [week.isoformat() for week in weeks[:-1]]})
    ledger.settle()
    plan: FailurePlan[RotasFailure] = FailurePlan()
    publisher = Publisher(
        ledger,
        plan,
        clock=clock,
        rotas=rotas,
        weeks_ahead=WEEKS_AHEAD,
        scheduling_url=url,
        token_file=token_file,
        pause_seconds=1.0,
    )
    started = time.perf_counter()
    publisher.publish()
    seconds = round(time.perf_counter() - started, 1)
    ledger.close()
    if not publisher.is_complete():
        raise RuntimeError("not every rota was published")
    return len(rotas), seconds
