"""SFCS as a process: `python -m simulators.sfcs`."""

from simulators.record_link.server import run
from simulators.settings import SfcsSettings
from simulators.sfcs import SFCS

if __name__ == "__main__":
    run(SFCS, SfcsSettings)
