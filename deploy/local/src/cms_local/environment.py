"""What each process is told by its environment."""

from collections.abc import Mapping
from typing import Any

from cms_local.layout import DATABASES, ROOT, SERVICES, Layout

_HOST = "127.0.0.1"


def of_service(layout: Layout, service: str, *, time_scale: float) -> Mapping[str, str]:
    """The settings of a service."""
    database = DATABASES[service]
    postgres = f"{_HOST}:{layout.postgres_port}/{database}"
    return _texts(
        CMS_HOST=_HOST,
        CMS_GRPC_PORT=layout.grpc_port(service),
        CMS_HTTP_PORT=layout.http_port(service),
        CMS_DATABASE_URL=f"postgresql://{database}_app@{postgres}",
        CMS_DATABASE_OWNER_URL=f"postgresql://{database}_owner@{postgres}",
        CMS_BUS_URL=f"redis://{_HOST}:{layout.bus_port}/0",
        CMS_JWKS_FILE=layout.keys("jwks.json"),
        CMS_TOKEN_FILE=layout.keys(f"{service}.token"),
        CMS_KEYRING_FILE=layout.keys("keyring.json"),
        CMS_COUNCIL_SECRETS_FILE=layout.keys("councils.json"),
        CMS_CLOCK_OFFSET_FILE=layout.clock_file,
        CMS_TIME_SCALE=time_scale,
        CMS_POSTCODES_FILE=layout.postcodes_file,
        CMS_INTAKE_ADDRESS=f"{_HOST}:{layout.grpc_port('intake-svc')}",
        CMS_JSAPS_HOST=_HOST,
        CMS_JSAPS_PORT=layout.simulator_port("jsaps"),
        CMS_COUNCILS_URL=f"http://{_HOST}:{layout.simulator_port('councils')}",
    )


def of_simulator(layout: Layout, simulator: str, *, time_scale: float) -> Mapping[str, str]:
    """The settings of a stand-in."""
    return _texts(
        CMS_SIM_HOST=_HOST,
        CMS_SIM_PORT=layout.simulator_port(simulator),
        CMS_SIM_CONTROL_PORT=layout.control_port(simulator),
        CMS_SIM_DATA=layout.folder / "simulators" / simulator,
        CMS_SIM_COPYBOOKS=ROOT / "legacy-gateway" / "src" / "legacy_gateway" / "copybooks",
        CMS_SIM_SECRETS=layout.keys("councils.json"),
        CMS_CLOCK_OFFSET_FILE=layout.clock_file,
        CMS_TIME_SCALE=time_scale,
    )


def of(layout: Layout, name: str, *, time_scale: float) -> Mapping[str, str]:
    """The settings of a service or a stand-in."""
    settings = of_service if name in SERVICES else of_simulator
    return settings(layout, name, time_scale=time_scale)


def _texts(**values: Any) -> Mapping[str, str]:
    return {name: str(value) for name, value in values.items()}
