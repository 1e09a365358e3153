"""For tests: Notify on free ports, with a key."""

import uuid
from pathlib import Path
from typing import Any

from simulators.settings import NotifySettings, read_settings


def notify_settings(folder: Path, **given: Any) -> NotifySettings:
    """Free ports, and messages delivered at once. In `folder`: `notify/` with the ledger, and `notify.key`."""
    folder.mkdir(parents=True, exist_ok=True)
    key_file = folder / "notify.key"
    if not key_file.exists():
        key_file.write_text(f"cms3-{uuid.uuid4()}-{uuid.uuid4()}")
    usual = {"port": 0, "control_port": 0, "data": folder / "notify", "key_file": key_file, "deliver_seconds": 0.0}
    return read_settings(NotifySettings, **usual | given)
