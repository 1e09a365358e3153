"""Settings of la-notifier, read once from the environment (`CMS_…`) and checked at start."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from chassis.settings import Positive, ServiceSettings

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NOTIFY_KEY = re.compile(rf"^\S*{_UUID}-{_UUID}\Z")


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
    councils_sftp_key_file: Path
    """Our private key for the authorities' SFTP server, as ssh-keygen writes it."""
    councils_sftp_host_key_file: Path
    """The server's public key: `type base64 comment`."""
    sftp_cycle_seconds: Positive = 1800.0
    """Seconds from one cycle of files to the next."""
    scheduling_address: str = "127.0.0.1:50052"
    """Host and port of scheduling-svc's gRPC door."""
    assessment_address: str = "127.0.0.1:50053"
    """Host and port of assessment-svc's gRPC door."""
    notify_url: str = "http://127.0.0.1:9109"
    """The address of GOV.UK Notify's API."""
    notify_key_file: Path | None = None
    """The API key of Notify, as its website gives it. Without one texts and e-mails wait."""
    notify_text_template: UUID = UUID("7c0e6d2a-5b0f-4c1e-9a57-0d3f5e1b8a01")
    """The template at Notify of texts: `((body))` and nothing else."""
    notify_email_template: UUID = UUID("7c0e6d2a-5b0f-4c1e-9a57-0d3f5e1b8a02")
    """The template at Notify of e-mails: the subject `((subject))`, and `((body))`."""
    notify_file_template: UUID = UUID("7c0e6d2a-5b0f-4c1e-9a57-0d3f5e1b8a03")
    """The template at Notify of e-mails with a file: the subject `((subject))`, `((body))` and `((link))`."""
    poll_seconds: Positive = 2.0
    """Seconds after sending until an authority is first asked about a notice; doubled each time, to ten minutes."""


def read_secrets(path: Path) -> Mapping[str, bytes]:
    """The authorities' secrets by code. Raises ValueError, which holds no secret, or OSError."""
    try:
        return {code: bytes.fromhex(secret) for code, secret in json.loads(path.read_text()).items()}
    except (ValueError, TypeError, AttributeError):
        raise ValueError("the councils' secrets must be a JSON object of hex strings by authority code") from None


def read_notify_key(path: Path) -> str:
    """The API key of Notify. Raises ValueError, which holds no key, or OSError."""
    key = path.read_text().strip()
    if not _NOTIFY_KEY.search(key):
        raise ValueError(
            "the key to Notify must end in the ids of the service and of the key, as Notify's website gives it"
        )
    return key
