"""deploy/services.toml is the one list of services: what cannot read it agrees with it."""

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from chassis import contract
from cms_local.environment import Address, own_settings
from cms_local.layout import DOORS, ROOT, SERVICES, STAND_INS, Layout
from cms_local.services import FILE, BadList, Service, StandIn, decode

DOCUMENTED = Layout(None)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
every_stand_in = pytest.mark.parametrize("stand_in", STAND_INS.values(), ids=list(STAND_INS))


@every_service
def test_service_has_a_folder_with_a_package_of_its_name(service: Service) -> None:
    folder = ROOT / service.name
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]

    assert project["name"] == service.name
    assert f'name="{service.name}"' in (folder / "src" / service.module / "__main__.py").read_text()
    assert (folder / "migrations").is_dir()


def test_list_holds_the_services_of_the_contract() -> None:
    assert {name: service.package for name, service in SERVICES.items()} == contract.packages()


@every_service
def test_contract_has_the_service(service: Service) -> None:
    module = import_module(f"cms.{service.package}.v1.{service.package}_pb2")

    assert service.contract in {found.full_name for found in module.DESCRIPTOR.services_by_name.values()}


@every_service
def test_tools_of_the_project_know_the_service(service: Service) -> None:
    tool = PYPROJECT["tool"]
    contracts = tool["importlinter"]["contracts"]
    [apart] = [found for found in contracts if found["id"] == "apart"]
    layered = [found for found in contracts if found["type"] == "layers" and service.module in found["containers"]]

    assert any(Path(service.name).match(member) for member in tool["uv"]["workspace"]["members"])
    assert f"{service.name}/src" in tool["mypy"]["mypy_path"]
    assert service.module in tool["importlinter"]["root_packages"]
    assert service.module in apart["modules"]
    assert len(layered) == 1


@every_service
def test_default_ports_of_the_service_are_those_of_the_list(service: Service) -> None:
    settings = import_module(f"{service.module}.config").Settings
    defaults = {field.name: field.default for field in msgspec.structs.fields(settings)}

    assert defaults["grpc_port"] == DOCUMENTED.grpc_port(service.name)
    assert defaults["http_port"] == DOCUMENTED.http_port(service.name)
    assert defaults["operations_port"] == DOCUMENTED.operations_port(service.name)


@every_service
def test_compose_starts_the_service_with_its_settings(service: Service) -> None:
    grpc, http = DOCUMENTED.grpc_port(service.name), DOCUMENTED.http_port(service.name)
    operations = DOCUMENTED.operations_port(service.name)
    postgres = f"postgres:5432/{service.database}"

    block = COMPOSE["services"][service.name]

    assert block == {
        **COMPOSE["x-service"],
        "build": {"context": ".", "args": {"SERVICE": service.name, "MODULE": service.module}},
        "image": f"cms3/{service.name}",
        "volumes": ["prepared:/prepared:ro", f"{service.name}-access-log:/access-log"],
        "environment": {
            **COMPOSE["x-settings"],
            "CMS_GRPC_PORT": str(grpc),
            "CMS_HTTP_PORT": str(http),
            "CMS_OPERATIONS_PORT": str(operations),
            "CMS_DATABASE_URL": f"postgresql://{service.database}_app@{postgres}",
            "CMS_DATABASE_HOUSEKEEPING_URL": f"postgresql://{service.database}_housekeeping@{postgres}",
            "CMS_DATABASE_OWNER_URL": f"postgresql://{service.database}_owner@{postgres}",
            "CMS_TOKEN_FILE": f"/prepared/keys/{service.name}.token",
            "CMS_SIGNING_KEY_FILE": f"/prepared/keys/{service.name}.signing.json",
            "CMS_TLS_CERTIFICATE_FILE": f"/prepared/keys/tls/{service.name}/tls.pem",
            "CMS_TLS_KEY_FILE": f"/prepared/keys/tls/{service.name}/tls.key",
            **own_settings(
                service.name,
                addresses=addresses_in_containers(),
                keys=Path("/prepared/keys"),
                postcodes=Path("/prepared/postcodes.sqlite"),
            ),
        },
        "ports": [f"127.0.0.1:{port}:{port}" for port in (grpc, http, operations)],
    }


def addresses_in_containers() -> dict[str, Address]:
    services = {
        name: Address(host=name, port=DOCUMENTED.grpc_port(name), http_port=DOCUMENTED.http_port(name))
        for name in SERVICES
    }
    hosts = {name: name for name in STAND_INS} | {door: stand_in.name for door, stand_in in DOORS.items()}
    return services | {name: Address(host=host, port=DOCUMENTED.stand_in_port(name)) for name, host in hosts.items()}


@every_stand_in
def test_compose_starts_the_stand_in_with_its_settings(stand_in: StandIn) -> None:
    control = DOCUMENTED.control_port(stand_in.name)

    block = COMPOSE["services"][stand_in.name]

    assert block["command"] == ["python3", "-m", stand_in.module]
    assert block["environment"] == {
        **COMPOSE["x-stand-in-settings"],
        "CMS_SIM_PORT": str(DOCUMENTED.stand_in_port(stand_in.name)),
        "CMS_SIM_CONTROL_PORT": str(control),
        **own_settings(
            stand_in.name,
            addresses=addresses_in_containers(),
            keys=Path("/prepared/keys"),
            postcodes=Path("/prepared/postcodes.sqlite"),
        ),
    }
    published = [DOCUMENTED.stand_in_port(stand_in.name)] if stand_in.published else []
    assert block["ports"] == [f"127.0.0.1:{port}:{port}" for port in (*published, control)]


def test_compose_starts_nothing_that_is_not_on_the_list() -> None:
    others = {"postgres", "redis", "prometheus", "prepare"}

    assert set(COMPOSE["services"]) == {*SERVICES, *STAND_INS} | others


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_is_bounded(name: str) -> None:
    block = COMPOSE["services"][name]

    assert {"mem_limit", "cpus", "pids_limit"} <= block.keys()
    assert block["logging"]["options"]["max-size"]
    assert all("size=" in mounted for mounted in block.get("tmpfs", ()))


def test_prometheus_scrapes_every_service() -> None:
    configuration = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    [job] = configuration["scrape_configs"]

    assert job["static_configs"] == [{"targets": [f"{name}:{DOCUMENTED.operations_port(name)}" for name in SERVICES]}]


@every_service
def test_readme_lists_the_service_with_its_ports(service: Service) -> None:
    ports = r" \| ".join(str(first + service.place) for first in (50050, 8050, 8150))
    row = rf"\| \[{service.name}\]\({service.name}/README.md\) \| .* \| {ports} \|"

    assert re.search(row, (ROOT / "README.md").read_text())


NEW = {
    "name": "casework-svc",
    "place": 9,
    "module": "casework",
    "contract": "cms.casework.v1.X",
    "database": "casework",
}


def with_another(**fields: Any) -> bytes:
    """The list of the project and one more service, with these fields in the place of its own."""
    entry = "\n".join(f"{name} = {json.dumps(value)}" for name, value in {**NEW, **fields}.items())
    return f"{FILE.read_text()}\n[[services]]\n{entry}\n".encode()


def test_another_entry_adds_another_service() -> None:
    assert decode(with_another()).services[-1].package == "casework"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "intake-svc"}, "name intake-svc"),
        ({"name": "jsaps"}, "name jsaps"),
        ({"name": "councils-sftp"}, "name councils-sftp"),
        ({"place": 1}, "place 1"),
        ({"database": "intake"}, "database intake"),
    ],
)
def test_two_entries_cannot_share_a_name_a_place_or_a_database(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadList, match=message):
        decode(with_another(**fields))


@pytest.mark.parametrize("fields", [{"place": 10}, {"name": "Casework"}, {"database": "a-b"}, {"port": 1}])
def test_an_entry_that_breaks_the_schema_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(with_another(**fields))
