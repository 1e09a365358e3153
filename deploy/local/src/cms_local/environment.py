"""The environment of each process of a platform on one machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cms_local import certificates
from cms_local.layout import DATABASES, DOORS, ROOT, SERVICES, STAND_INS, Layout

_HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a process."""

    host: str
    port: int
    http_port: int | None = None
    """The port of a service's HTTP door."""

    @property
    def http(self) -> str:
        """The address of the HTTP door."""
        return f"{self.host}:{self.http_port}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def of(layout: Layout, name: str, *, time_scale: float) -> Mapping[str, str]:
    """The settings of a service or a stand-in."""
    settings = of_service if name in SERVICES else of_stand_in
    return settings(layout, name, time_scale=time_scale)


def of_service(layout: Layout, service: str, *, time_scale: float) -> Mapping[str, str]:
    """The settings of a service."""
    database = DATABASES[service]
    postgres = f"{_HOST}:{layout.postgres_port}/{database}"
    tls = certificates.files(layout.keys(""), service)
    common = _texts(
        CMS_HOST=_HOST,
        CMS_GRPC_PORT=layout.grpc_port(service),
        CMS_HTTP_PORT=layout.http_port(service),
        CMS_OPERATIONS_PORT=layout.operations_port(service),
        CMS_CORS_ORIGINS="loopback",
        CMS_REFLECTION="true",
        CMS_DATABASE_URL=f"postgresql://{database}_app@{postgres}",
        CMS_DATABASE_HOUSEKEEPING_URL=f"postgresql://{database}_housekeeping@{postgres}",
        CMS_DATABASE_OWNER_URL=f"postgresql://{database}_owner@{postgres}",
        CMS_BUS_URL=f"redis://{_HOST}:{layout.bus_port}/0",
        CMS_JWKS_FILE=layout.keys("jwks.json"),
        CMS_REVOKED_FILE=layout.keys("revoked.json"),
        CMS_TOKEN_FILE=layout.keys(f"{service}.token"),
        CMS_KEYRING_FILE=layout.keys("keyring.json"),
        CMS_SIGNING_KEY_FILE=layout.keys(f"{service}.signing.json"),
        CMS_SIGNATORIES_FILE=layout.keys("signatories.json"),
        CMS_ACCESS_LOG_FOLDER=layout.access_log(service),
        CMS_TLS_CERTIFICATE_FILE=tls.certificate,
        CMS_TLS_KEY_FILE=tls.key,
        CMS_TLS_AUTHORITY_FILE=tls.authority,
        CMS_CLOCK_OFFSET_FILE=layout.clock_file,
        CMS_TIME_SCALE=time_scale,
    )
    own = own_settings(service, addresses=_addresses(layout), keys=layout.keys(""), postcodes=layout.postcodes_file)
    return {**common, **own}


def own_settings(name: str, *, addresses: Mapping[str, Address], keys: Path, postcodes: Path) -> Mapping[str, str]:
    """The settings that only this service or stand-in has, as deploy/services.toml gives them."""
    known = {**addresses, "keys": keys, "postcodes": postcodes}
    own = SERVICES[name].settings if name in SERVICES else STAND_INS[name].settings
    return {variable: text.format_map(known) for variable, text in own.items()}


def _addresses(layout: Layout) -> Mapping[str, Address]:
    services = {
        name: Address(host=_HOST, port=layout.grpc_port(name), http_port=layout.http_port(name)) for name in SERVICES
    }
    return services | {name: Address(host=_HOST, port=layout.stand_in_port(name)) for name in (*STAND_INS, *DOORS)}


def of_stand_in(layout: Layout, stand_in: str, *, time_scale: float) -> Mapping[str, str]:
    """The settings of a stand-in."""
    common = _texts(
        CMS_SIM_HOST=_HOST,
        CMS_SIM_PORT=layout.stand_in_port(stand_in),
        CMS_SIM_CONTROL_PORT=layout.control_port(stand_in),
        CMS_SIM_DATA=layout.folder / "simulators" / stand_in,
        CMS_SIM_COPYBOOKS=ROOT / "legacy-gateway" / "src" / "legacy_gateway" / "copybooks",
        CMS_SIM_SECRETS=layout.keys("councils.json"),
        CMS_CLOCK_OFFSET_FILE=layout.clock_file,
        CMS_TIME_SCALE=time_scale,
    )
    own = own_settings(stand_in, addresses=_addresses(layout), keys=layout.keys(""), postcodes=layout.postcodes_file)
    return {**common, **own}


def _texts(**values: Any) -> Mapping[str, str]:
    return {name: str(value) for name, value in values.items()}
