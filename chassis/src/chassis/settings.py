"""Settings that every service has, read once from the environment (`CMS_…`) and checked at start."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from chassis.identity import LONGEST_SECONDS, LONGEST_SERVICE_SECONDS
from chassis.origins import OriginsSetting

_PREFIX = "CMS_"

Positive = Annotated[float, Meta(gt=0, le=1e9)]
"""A number above 0; the bound above keeps out infinity."""
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
NotNegative = Annotated[float, Meta(ge=0, le=1e9)]


class SettingsError(SystemExit):
    """Settings are missing or invalid. The text names each variable and never shows its value."""


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of every service. Secrets are files, so that none shows in a process list."""

    host: str = "127.0.0.1"
    """Address to listen on: loopback on one machine, all interfaces in a container."""
    grpc_port: int
    http_port: int
    operations_port: int
    """Health, readiness and metrics."""
    reflection: bool = False
    """Whether the gRPC door describes its services to whoever asks."""
    grpc_connections: Count = 4096
    """Connections to the gRPC door."""
    grpc_calls_per_peer: Count = 512
    """Calls by gRPC that one address may have open. A proxy is one address for all its users."""
    operations_connections: Count = 2048
    """Connections to the operations port."""
    cors_origins: OriginsSetting = ""
    """Web pages that may call the HTTP door: exact origins, separated by commas; `loopback` stands for this machine's own."""
    http_connections: Count = 8192
    """Connections to the HTTP door."""
    http_connections_per_peer: Count = 4096
    """Connections from one address. A proxy is one address for all its users."""
    database_url: str
    """PostgreSQL as the `_app` role."""
    database_housekeeping_url: str
    """PostgreSQL as the `_housekeeping` role, which removes what is done with."""
    database_owner_url: str
    """PostgreSQL as the `_owner` role, for migrations."""
    bus_url: str
    """Redis."""
    bus_prefix: str = ""
    """In front of every key on the bus; tests share one."""
    jwks_file: Path
    """Public keys of the tokens' issuer."""
    revoked_file: Path | None = None
    """Subjects and tokens that no longer count; read again while it changes. Without it keys alone can be withdrawn."""
    issuer: str = "cms3-development"
    longest_token_seconds: Positive = LONGEST_SECONDS
    """The longest life of a person's token, from its issue to its expiry."""
    longest_service_token_seconds: Positive = LONGEST_SERVICE_SECONDS
    """The longest life of a service's token."""
    token_file: Path
    """This service's own tokens, as JSON by the names of the services that it calls."""
    keyring_file: Path
    """Keys that wrap the claims' data keys, and the look-up key."""
    signing_key_file: Path
    """This service's private key, by which it signs what it puts on the bus."""
    signatories_file: Path
    """The public keys of all services, by which that of others is verified."""
    access_log_folder: Path
    """The second place of the access log: a copy is appended to a file here."""
    tls_certificate_file: Path
    """This service's certificate in PEM, with its name as DNS name, and what stands between it and the authority."""
    tls_key_file: Path
    """The certificate's private key in PEM."""
    tls_authority_file: Path
    """The certificates of the authorities that callers and called services are believed by, in PEM."""
    http_tls_certificate_file: Path | None = None
    """The HTTP door's certificate in PEM; it and its key turn TLS on there. Without them a proxy in front must bring TLS."""
    http_tls_key_file: Path | None = None
    """The private key of that certificate in PEM."""
    clock_offset_file: Path | None = None
    """Seconds to add to the real time; for tests and demonstrations."""
    time_scale: Positive = 1.0
    """Shortens the waits of interface documents; anything but 1 is for tests and demonstrations."""
    keep_days: Annotated[float, Meta(ge=1, le=36525)] = 7.0
    """How long finished events and answered requests are kept: so long a repeated request gets its first answer.

    The same for all services: one that keeps longer does not believe the watermark of one that keeps shorter."""
    housekeeping_seconds: Positive = 60.0
    """How often what is done with is removed."""
    start_limit_seconds: Positive = 60.0
    """How long to wait at start for what is needed."""
    drain_seconds: NotNegative = 10.0
    """How long calls in flight may take to finish after SIGTERM."""

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """Reads the settings from the environment: `grpc_port` is `CMS_GRPC_PORT`. Blanks around a value are dropped.

        Only optional settings may be empty; an empty variable does not mean its default.
        Raises SettingsError naming every variable that is missing or invalid.
        """
        given: dict[str, Any] = {}
        problems = []
        for setting in msgspec.structs.fields(cls):
            name = _PREFIX + setting.name.upper()
            text = variables.get(name, "").strip()
            if text:
                try:
                    # Settings are read before there are threads.
                    given[setting.name] = msgspec.convert(text, setting.type, strict=False, dec_hook=_path)  # noqa: TID251
                except msgspec.ValidationError as error:
                    problems.append(f"{name}: {str(error).removesuffix(', got `str`')}")
                except UnicodeError:
                    problems.append(f"{name} is not written in UTF-8")
            elif name in variables and setting.default:
                problems.append(f"{name} is empty")
            elif setting.required:
                problems.append(f"{name} is not set")
        if problems:
            raise SettingsError(f"not started: settings: {'; '.join(problems)}")
        return cls(**given)


def _path(kind: type[Path], text: str) -> Path:
    return kind(text)
