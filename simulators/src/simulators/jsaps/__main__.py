"""JSAPS as a process: `python -m simulators.jsaps`."""

from simulators.jsaps import JSAPS
from simulators.record_link.server import run
from simulators.settings import JsapsSettings

if __name__ == "__main__":
    run(JSAPS, JsapsSettings)
