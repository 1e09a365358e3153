"""Settings that every service has, read once from the environment (`CMS_…`) and checked at start."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

OptionalFile = Annotated[Path | None, BeforeValidator(lambda value: value or None)]


class ServiceSettings(BaseSettings):
    """What a service needs to run. Files are used for secrets, so that none shows in a process list."""

    # An error of validation would print what was given, addresses with their passwords included.
    model_config = SettingsConfigDict(env_prefix="CMS_", extra="ignore", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    """Address to listen on: loopback on one machine, all interfaces in a container."""
    grpc_port: int
    http_port: int
    database_url: str
    """PostgreSQL as the `_app` role."""
    database_owner_url: str
    """PostgreSQL as the `_owner` role, for migrations."""
    bus_url: str
    """Redis."""
    bus_prefix: str = ""
    """In front of every key on the bus; tests share one."""
    jwks_file: Path
    """Public keys of the tokens' issuer."""
    issuer: str = "cms3-development"
    token_file: Path
    """This service's own token."""
    keyring_file: Path
    """Keys that wrap the claims' data keys, and the look-up key."""
    clock_offset_file: OptionalFile = None
    """Seconds to add to the real time; for tests and demonstrations."""
    time_scale: float = Field(default=1.0, gt=0)
    """Shortens the waits of interface documents; anything but 1 is for tests and demonstrations."""
    keep_days: float = Field(default=7.0, ge=1)
    """How long finished events and answered requests are kept: so long a repeated request gets its first answer."""
    housekeeping_seconds: float = Field(default=60.0, gt=0)
    """How often what is done with is removed."""
    processor: int | None = Field(default=None, ge=0)
    """The processor on which all of this process' threads stay, where it is to keep to one."""
    start_limit_seconds: float = Field(default=60.0, gt=0)
    """How long to wait at start for what is needed."""
    drain_seconds: float = Field(default=10.0, ge=0)
    """How long calls in flight may take to finish after SIGTERM."""
