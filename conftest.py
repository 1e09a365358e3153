"""Every test of the platform finds the fixtures of the chassis.

The packages chassis and simulators are imported here, before a folder of the same name can be taken for one of them.
"""

import simulators  # noqa: F401

pytest_plugins = ["chassis.testing"]
