"""The service's settings, read from the environment (`CMS_…`)."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Ports of its own, and where intake is."""

    grpc_port: int = 50053
    http_port: int = 8053
    intake_address: str = "127.0.0.1:50051"
    """gRPC address of intake-svc, whose record the facts are."""
