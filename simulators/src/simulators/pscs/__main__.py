"""PSCS as a process: `python -m simulators.pscs`."""

from simulators.logs import configure_logs
from simulators.process import run_until_stopped
from simulators.pscs.server import Pscs
from simulators.settings import PscsSettings, read_settings

if __name__ == "__main__":
    configure_logs("pscs")
    run_until_stopped(Pscs(read_settings(PscsSettings)))
