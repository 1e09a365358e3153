"""Every test of the platform finds the fixtures of the chassis.

The packages chassis and simulators are imported here, before a folder of the same name can be taken for one of them.
"""

import pytest

import simulators  # noqa: F401

pytest_plugins = ["chassis.testing"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts tests of a group first. A group stays on one worker: the others do the many small tests beside it and after it."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
