"""`make bench-transfers`: records a second through the whole gateway, and beside it by other means.

Everything runs on this machine: a durable PostgreSQL and bus, ISCS's stand-in, which is healthy, and
an intake and an assessment that answer from memory, each a process. docs/performance.md tells what each guarantees.
"""

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict

from tests.transfers.contenders import CONTENDERS
from tests.transfers.place import place
from tests.transfers.waiting import cost


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _load() -> str:
    """The machine's load in the last minute: with other work on it the figures are those of a busy machine."""
    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    """Prints a line for each measurement, and last all in JSON."""
    parser = argparse.ArgumentParser(prog="make bench-transfers", description=__doc__)
    parser.add_argument("--records", type=int, default=3000, help="confirmed claims for each contender")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="whom to measure")
    parser.add_argument("--waiting", default="3000,30000,300000", help="numbers of waiting claims to take work from")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped even then
    rates: dict[str, float] = {}
    cpu: dict[str, float] = {}
    with place() as found:
        for name in filter(None, given.contenders.split(",")):
            rate = CONTENDERS[name](found, given.records)
            rates[name], cpu[name] = round(rate.each_second, 1), round(rate.cpu_ms, 2)
            _say(f"{name}: {rates[name]} records a second, {cpu[name]} ms of a processor each, load {_load()}")
        costs = []
        for waiting in filter(None, given.waiting.split(",")):
            costs.append(asdict(cost(found, int(waiting))))
            _say(f"{costs[-1]}, load {_load()}")
    ratios = {name: round(rates["gateway"] / rate, 2) for name, rate in rates.items() if "gateway" in rates}
    summary = {"records": given.records, "rates": rates, "gateway_beside": ratios, "cpu_ms": cpu, "waiting": costs}
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
