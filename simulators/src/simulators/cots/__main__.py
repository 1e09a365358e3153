"""CMS-COTS as a process: `python -m simulators.cots`."""

from simulators.cots.server import Cots
from simulators.logs import configure_logs
from simulators.process import run_until_stopped
from simulators.settings import CotsSettings, read_settings

if __name__ == "__main__":
    configure_logs("cms-cots")
    run_until_stopped(Cots(read_settings(CotsSettings)))
