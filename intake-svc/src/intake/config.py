"""Settings of intake-svc: those of every service, with its own addresses."""

from pathlib import Path

from chassis.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Read from the environment (`CMS_…`)."""

    grpc_port: int = 50051
    http_port: int = 8051
    postcodes_file: Path
    """The postcode directory (`chassis.postcodes`)."""
    operations_port: int = 8151
