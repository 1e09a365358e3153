"""GOV.UK Notify as a process: `python -m simulators.notify`."""

from simulators.logs import configure_logs
from simulators.notify.server import Notify
from simulators.process import run_until_stopped
from simulators.settings import NotifySettings, read_settings

if __name__ == "__main__":
    configure_logs("notify")
    run_until_stopped(Notify(read_settings(NotifySettings)))
