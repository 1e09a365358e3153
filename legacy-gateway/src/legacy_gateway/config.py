"""Settings, read once from the environment (`CMS_…`) and checked at start."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from chassis.settings import Positive, ServiceSettings
from legacy_gateway.link import MOST_CONNECTIONS

Senders = Annotated[int, Meta(ge=1, le=MOST_CONNECTIONS)]
"""A system's own threads that send, each with a connection; a system takes 16 from all replicas together."""


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The settings of legacy-gateway. `time_scale` shortens the back-off and the waits of the interface document."""

    grpc_port: int = 50054
    http_port: int = 8054
    operations_port: int = 8154
    intake_address: str = "127.0.0.1:50051"
    assessment_address: str = "127.0.0.1:50053"
    iscs_host: str = "127.0.0.1"
    iscs_port: int = 9101
    iscs_senders: Senders = 4
    jsaps_host: str = "127.0.0.1"
    jsaps_port: int = 9102
    jsaps_senders: Senders = 4
    sfcs_host: str = "127.0.0.1"
    sfcs_port: int = 9103
    sfcs_senders: Senders = 2
    pscs_host: str = "127.0.0.1"
    pscs_port: int = 9104
    pscs_user: str = "cms3gway"
    pscs_key_file: Path
    """Our private key for PSCS's SFTP door, as ssh-keygen writes it."""
    pscs_host_key_file: Path
    """PSCS's public key: `type base64 comment`."""
    pscs_senders: Senders = 2
    """Threads that make the records of the next file; one more exchanges files, on the one connection."""
    file_seconds: Positive = 60.0
    """How long an exchange of files may take as a whole."""
    cms_cots_url: str = "http://127.0.0.1:9105"
    cms_cots_senders: Senders = 2
    cms_cots_token_file: Path
    """The bearer token that CMS-COTS knows the gateway by; read at each call."""
    reply_seconds: Positive = 10.0
    """How long a system may take to reply. Not scaled: the interface document does not name it."""
    reconcile_hour: Annotated[int, Meta(ge=2, le=23)] = 5
    """The hour in London from which the balance of the day before is due: after the systems' night, before the offices open."""
    postcodes_file: Path
    """The postcode directory that `chassis.postcodes` built."""
