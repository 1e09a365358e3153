"""ISCS as a process: `python -m simulators.iscs`."""

from simulators.iscs import ISCS
from simulators.record_link.server import run
from simulators.settings import IscsSettings

if __name__ == "__main__":
    run(ISCS, IscsSettings)
