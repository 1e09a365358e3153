"""Settings of intake-svc: those of every service, with its own addresses."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from chassis.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Read from the environment (`CMS_…`)."""

    grpc_port: int = 50051
    http_port: int = 8051
    postcodes_file: Path
    """The postcode directory (`chassis.postcodes`)."""
    operations_port: int = 8151
    gateway_address: str = "127.0.0.1:50054"
    """legacy-gateway, which checks records before a claim is submitted."""
    service_target_share: Annotated[float, Meta(gt=0, lt=1)] = 0.8
    """The share of calls to be answered within `service_target_seconds`."""
    service_target_seconds: Annotated[int, Meta(ge=0, le=3600)] = 20
    modulus_tables: Path | None = None
    """The folder of the tables `valacdos.txt` and `scsubtab.txt` for the modulus check of bank accounts, if there is one."""
