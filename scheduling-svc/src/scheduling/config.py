"""Settings of scheduling, read once from the environment (`CMS_…`)."""

from datetime import timedelta
from pathlib import Path

from chassis.settings import Positive, ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The settings of scheduling, beside those of every service."""

    grpc_port: int = 50052
    http_port: int = 8052
    operations_port: int = 8152
    intake_address: str = "127.0.0.1:50051"
    """Host and port of intake's gRPC door."""
    postcodes_file: Path
    """The postcode directory (`chassis.postcodes`)."""
    target_hours: Positive = 48.0
    """Hours of working time from first contact to the interview."""

    shifts_kept_days: Positive = 92.0
    """Days after its end for which a shift is kept. No method or measure reads it then."""
    appointments_kept_days: Positive = 730.0
    """Days after its end for which an appointment is kept: records are kept for 24 months."""

    public_address: str = ""
    """Address at which calendar programs reach the HTTP door, as `https://diary.example`; on one machine the door's own."""

    @property
    def diary_address(self) -> str:
        """The address before the path of a diary link."""
        return self.public_address or f"http://127.0.0.1:{self.http_port}"

    @property
    def target(self) -> timedelta:
        """The target as a length of time."""
        return timedelta(hours=self.target_hours)
