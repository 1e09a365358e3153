"""The telephone switch as a process: `python -m simulators.switch`."""

from simulators.logs import configure_logs
from simulators.process import run_until_stopped
from simulators.settings import SwitchSettings, read_settings
from simulators.switch.server import Switch

if __name__ == "__main__":
    configure_logs("telephone-switch")
    run_until_stopped(Switch(read_settings(SwitchSettings)))
