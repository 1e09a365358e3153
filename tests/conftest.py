"""Tests across services have a whole platform."""

from cms_local.testing import platform_under_test

__all__ = ["platform_under_test"]
