"""Every test of the platform finds the fixtures of the chassis.

The packages chassis and simulators are imported here, before a folder of the same name can be taken for one of them.
"""

import pytest

import simulators  # noqa: F401

pytest_plugins = ["chassis.testing"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the groups that one worker runs from end to end: begun last, they would leave the other workers idle."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
