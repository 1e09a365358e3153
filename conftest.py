"""Every test of the platform finds the fixtures of the chassis."""

pytest_plugins = ["chassis.testing"]
