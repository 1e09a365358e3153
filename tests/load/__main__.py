"""`make bench`: measures the platform on one machine, and ends with a line of JSON.

It measures the platform that runs at CMS_PORT_BASE, or starts one and stops it at the end.
"""

import argparse
import json
import sys

from cms_local import platform
from cms_local.layout import Layout
from tests.load.measure import run_bench

_TIME_SCALE = 0.1
_CLAIMS_LONGER = 6


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Runs the bench and prints its figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="how long saves are measured; claims take six times as long"
    )
    parser.add_argument("--claims-seconds", type=float, help="how long claims are measured instead")
    given = parser.parse_args()
    claims_seconds = given.claims_seconds or given.seconds * _CLAIMS_LONGER
    with platform.present(Layout.from_environment(), _say, time_scale=_TIME_SCALE) as found:
        report = run_bench(found, _say, saves_seconds=given.seconds, claims_seconds=claims_seconds)
    for line in report.lines():
        _say(line)
    print(json.dumps(report.summary()))


if __name__ == "__main__":
    main()
