"""`make bench-transfers`: records a second through the whole gateway, and beside it by other means.

Everything runs on this machine: a PostgreSQL and a bus that keep what they have said, ISCS's stand-in, which is healthy, and
an intake and an assessment that answer from memory, each a process. docs/performance.md tells what each guarantees.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict

from tests.transfers.contenders import CONTENDERS
from tests.transfers.place import place
from tests.transfers.waiting import cost


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Prints a line for each measurement, and last all in JSON."""
    parser = argparse.ArgumentParser(prog="make bench-transfers", description=__doc__)
    parser.add_argument("--records", type=int, default=3000, help="confirmed claims for each contender")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="whom to measure")
    parser.add_argument("--waiting", default="3000,30000,300000", help="numbers of waiting claims to take work from")
    given = parser.parse_args()
    rates: dict[str, float] = {}
    with place() as found:
        for name in filter(None, given.contenders.split(",")):
            rates[name] = round(CONTENDERS[name](found, given.records).each_second, 1)
            _say(f"{name}: {rates[name]} records a second, load {os.getloadavg()[0]:.1f}")
        costs = []
        for waiting in filter(None, given.waiting.split(",")):
            costs.append(asdict(cost(found, int(waiting))))
            _say(f"{costs[-1]}, load {os.getloadavg()[0]:.1f}")
    ratios = {name: round(rates["gateway"] / rate, 2) for name, rate in rates.items() if "gateway" in rates}
    print(json.dumps({"records": given.records, "rates": rates, "gateway_beside": ratios, "waiting": costs}))


if __name__ == "__main__":
    main()
