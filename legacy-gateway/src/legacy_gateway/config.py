"""Settings, read once from the environment (`CMS_…`) and checked at start."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from chassis.settings import Positive, ServiceSettings
from legacy_gateway.link import MOST_CONNECTIONS


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The settings of legacy-gateway. `time_scale` shortens the back-off and the waits of the interface document."""

    grpc_port: int = 50054
    http_port: int = 8054
    operations_port: int = 8154
    intake_address: str = "127.0.0.1:50051"
    jsaps_host: str = "127.0.0.1"
    jsaps_port: int = 9102
    reply_seconds: Positive = 10.0
    """How long JSAPS may take to reply. Not scaled: the interface document does not name it."""
    senders: Annotated[int, Meta(ge=1, le=MOST_CONNECTIONS)] = 4
    """Threads that send, each with a connection; JSAPS takes 16 from all replicas together."""
    postcodes_file: Path
    """The postcode directory that `chassis.postcodes` built."""
