"""Settings, read once from the environment (`CMS_…`) and checked at start."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings
from legacy_gateway.link import MOST_CONNECTIONS


class Settings(ServiceSettings):
    """The settings of legacy-gateway. `time_scale` shortens the waits of the interface document and the back-off."""

    grpc_port: int = 50054
    http_port: int = 8054
    intake_address: str = "127.0.0.1:50051"
    jsaps_host: str = "127.0.0.1"
    jsaps_port: int = 9102
    reply_seconds: float = Field(default=10.0, gt=0)
    """How long JSAPS may take to reply. Not scaled: it is a patience of ours, no wait of the document."""
    senders: int = Field(default=4, ge=1, le=MOST_CONNECTIONS)
    """Threads that send, each with a connection; JSAPS takes 16 of all replicas together."""
    postcodes_file: Path
    """The postcode directory that `chassis.postcodes` built."""
