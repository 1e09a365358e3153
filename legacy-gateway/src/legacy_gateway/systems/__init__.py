"""The systems that pay: a module for each, with its rules and how it is reached. This is the only list of them."""

from collections.abc import Mapping
from types import MappingProxyType

from legacy_gateway.domain import Rules, System
from legacy_gateway.systems import cms_cots, iscs, jsaps, pscs, sfcs
from legacy_gateway.systems.deployed import Deployed, DeployedFiles
from legacy_gateway.systems.protocol import Asked, FileSystem, PayingSystem, RecordSystem

__all__ = [
    "DEPLOYED",
    "RULES",
    "SYSTEM_OF_SCHEME",
    "Asked",
    "Deployed",
    "DeployedFiles",
    "FileSystem",
    "PayingSystem",
    "RecordSystem",
]

DEPLOYED: tuple[Deployed | DeployedFiles, ...] = (
    iscs.SYSTEM,
    jsaps.SYSTEM,
    pscs.SYSTEM,
    sfcs.SYSTEM,
    cms_cots.SYSTEM,
)

RULES: Mapping[System, Rules] = MappingProxyType({one.rules.system: one.rules for one in DEPLOYED})
"""The rules of each system that this release feeds."""

SYSTEM_OF_SCHEME: Mapping[str, System] = MappingProxyType(
    {scheme: one.rules.system for one in DEPLOYED for scheme in one.rules.schemes}
)
"""The system that pays each scheme. What is confirmed for another scheme waits for the release that carries it."""
