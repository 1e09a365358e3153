"""The councils' API as a process: `python -m simulators.councils`."""

from simulators.councils.server import Councils
from simulators.logs import configure_logs
from simulators.process import run_until_stopped
from simulators.settings import CouncilsSettings, read_settings

if __name__ == "__main__":
    configure_logs("councils")
    run_until_stopped(Councils(read_settings(CouncilsSettings)))
