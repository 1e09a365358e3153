"""CMS_PORT_BASE alone decides the addresses of a platform."""

import pytest

from cms_local.layout import SERVICES, BadBase, Layout


def test_without_a_base_addresses_are_the_documented_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_PORT_BASE", "")

    layout = Layout.from_environment()

    assert [layout.grpc_port(name) for name in SERVICES] == [50051, 50052, 50053, 50054, 50055]
    assert [layout.http_port(name) for name in SERVICES] == [8051, 8052, 8053, 8054, 8055]
    assert [layout.operations_port(name) for name in SERVICES] == [8151, 8152, 8153, 8154, 8155]
    assert (layout.stand_in_port("jsaps"), layout.control_port("jsaps")) == (9102, 9122)
    assert (layout.stand_in_port("councils"), layout.control_port("councils")) == (9106, 9126)
    assert layout.stand_in_port("councils-sftp") == 9107
    assert layout.stand_in_port("rotas") == layout.control_port("rotas") == 9110
    assert (layout.postgres_port, layout.bus_port) == (55432, 56379)


def test_a_base_moves_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_PORT_BASE", "20000")

    layout = Layout.from_environment()

    assert (layout.grpc_port("intake-svc"), layout.http_port("la-notifier")) == (20001, 20015)
    assert (layout.operations_port("intake-svc"), layout.operations_port("la-notifier")) == (20051, 20055)
    assert (layout.stand_in_port("jsaps"), layout.control_port("councils")) == (20022, 20036)
    assert layout.stand_in_port("rotas") == layout.control_port("rotas") == 20030
    assert (layout.postgres_port, layout.bus_port) == (20040, 20041)
    assert layout.folder.name == "20000"


@pytest.mark.parametrize("base", ["x", "80", "65001", "-1"])
def test_a_base_outside_the_port_range_is_refused(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv("CMS_PORT_BASE", base)

    with pytest.raises(BadBase):
        Layout.from_environment()
