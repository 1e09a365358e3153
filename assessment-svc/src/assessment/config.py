"""The service's settings, read from the environment (`CMS_…`)."""

from pathlib import Path

from chassis.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The service's ports, the addresses of the services that it asks, and its targets."""

    grpc_port: int = 50053
    http_port: int = 8053
    operations_port: int = 8153
    intake_address: str = "127.0.0.1:50051"
    """The gRPC address of intake-svc."""
    gateway_address: str = "127.0.0.1:50054"
    """The gRPC address of legacy-gateway."""
    notifier_address: str = "127.0.0.1:50055"
    """The gRPC address of la-notifier."""
    targets_file: Path | None = None
    """The targets of the claims' clocks, in the form of data/targets.toml; absent: that file itself."""
