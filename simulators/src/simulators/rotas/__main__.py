"""The managers' rota system as a process: `python -m simulators.rotas`."""

from simulators.logs import configure_logs
from simulators.process import run_until_stopped
from simulators.rotas.server import RotaSystem
from simulators.settings import RotasSettings, read_settings

if __name__ == "__main__":
    configure_logs("rotas")
    run_until_stopped(RotaSystem(read_settings(RotasSettings)))
