"""Settings of la-notifier, read once from the environment (`CMS_…`) and checked at start."""

import json
from collections.abc import Mapping
from pathlib import Path

from chassis.settings import Positive, ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The settings of the notifier, in addition to those of every service."""

    grpc_port: int = 50055
    http_port: int = 8055
    operations_port: int = 8155
    intake_address: str = "127.0.0.1:50051"
    """Host and port of intake's gRPC door."""
    gateway_address: str = "127.0.0.1:50054"
    """Host and port of legacy-gateway's gRPC door."""
    postcodes_file: Path
    """The postcode directory."""
    councils_url: str = "http://127.0.0.1:9106"
    """The address of the authorities' API: an authority's base is this and its code."""
    council_secrets_file: Path
    """JSON: an authority's code to its secret in hex."""
    councils_sftp_host: str = "127.0.0.1"
    councils_sftp_port: int = 9107
    councils_sftp_user: str = "cms3"
    councils_sftp_key_file: Path | None = None
    """Our private key for the authorities' SFTP server, as ssh-keygen writes it. Unset: no files are exchanged."""
    councils_sftp_host_key_file: Path | None = None
    """The server's public key: `type base64 comment`."""
    sftp_cycle_seconds: Positive = 1800.0
    """Seconds from one cycle of files to the next."""
    poll_seconds: Positive = 2.0
    """Seconds after sending until an authority is first asked about a notice; doubled each time, to ten minutes."""


def read_secrets(path: Path) -> Mapping[str, bytes]:
    """The authorities' secrets by code. Raises ValueError, which holds no secret, or OSError."""
    try:
        return {code: bytes.fromhex(secret) for code, secret in json.loads(path.read_text()).items()}
    except (ValueError, TypeError, AttributeError):
        raise ValueError("the councils' secrets must be a JSON object of hex strings by authority code") from None
