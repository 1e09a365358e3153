"""The service's settings, read from the environment (`CMS_…`)."""

from pathlib import Path

from chassis.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The service's ports, and intake's address."""

    grpc_port: int = 50053
    http_port: int = 8053
    operations_port: int = 8153
    intake_address: str = "127.0.0.1:50051"
    """The gRPC address of intake-svc."""
    targets_file: Path | None = None
    """The targets of the claims' clocks, in the form of data/targets.toml; absent: that file itself."""
