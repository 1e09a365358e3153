"""JSAPS as a process: `python -m simulators.jsaps`."""

from simulators.jsaps.server import Jsaps
from simulators.logs import configure_logs
from simulators.process import run_until_stopped
from simulators.settings import JsapsSettings, read_settings

if __name__ == "__main__":
    configure_logs("jsaps")
    run_until_stopped(Jsaps(read_settings(JsapsSettings)))
