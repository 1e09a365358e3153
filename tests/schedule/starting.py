"""scheduling-svc as a process: how long until its doors are open, and its address for those who call it then."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from chassis.testing import free_port, signing_files
from chassis.testing.identity import ISSUER
from tests.growth.subject import Place

_LONGEST_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Started:
    """The running service: the seconds until its doors were open, and the address of its HTTP door."""

    seconds: float
    url: str


@contextmanager
def service_at(place: Place, *, postcodes: Path) -> Iterator[Started]:
    """Starts the service on this place's database, waits until it is ready, and ends it. RuntimeError if it is not."""
    port, http_port = free_port(), free_port()
    own_key, signatories = signing_files(place.folder, "scheduling-svc")
    settings = {
        "GRPC_PORT": "0",
        "HTTP_PORT": str(http_port),
        "OPERATIONS_PORT": str(port),
        "DATABASE_URL": place.urls.app,
        "DATABASE_HOUSEKEEPING_URL": place.urls.housekeeping,
        "DATABASE_OWNER_URL": place.urls.owner,
        "BUS_URL": place.servers.bus_url,
        "BUS_PREFIX": place.bus_prefix,
        "JWKS_FILE": str(place.tokens.jwks_file),
        "ISSUER": ISSUER,
        "TOKEN_FILE": str(place.tokens.service_file("scheduling-svc")),
        "KEYRING_FILE": str(place.tokens.keyring_file),
        "SIGNING_KEY_FILE": str(own_key),
        "SIGNATORIES_FILE": str(signatories),
        "ACCESS_LOG_FOLDER": str(place.folder / "access-log"),
        "POSTCODES_FILE": str(postcodes),
    }
    started = time.perf_counter()
    with (place.folder / "scheduling.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduling"],
            env={**os.environ, **{f"CMS_{name}": value for name, value in settings.items()}},
            stdout=log,
            stderr=log,
        )
    try:
        while not _is_ready(port):
            if process.poll() is not None or time.perf_counter() - started > _LONGEST_SECONDS:
                raise RuntimeError((place.folder / "scheduling.log").read_text()[-2000:])
            time.sleep(0.05)
        yield Started(seconds=round(time.perf_counter() - started, 1), url=f"http://127.0.0.1:{http_port}")
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2.0).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
