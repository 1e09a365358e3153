"""The table of outside systems whose ledgers the audit reads. A further system is a further row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PayingSystem:
    """A system that pays claims of some schemes, and how the ledger at its control door is read."""

    name: str
    stand_in: str
    """The stand-in of deploy/services.toml whose control door serves the ledger."""
    schemes: frozenset[str]
    phases: tuple[str, ...]
    """Fields of a claim's entry that count its records, in the order in which they are sent: held whole, each is 1."""

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Whether it holds the claim's first record, on which the others stand."""
        return bool(entry.get(self.phases[0]))

    def lacks(self, entry: Mapping[str, Any]) -> str:
        """Says what is missing where it does not hold the first record."""
        return "has lost the first phase" if any(entry.get(phase) for phase in self.phases) else "holds nothing"

    def holds_whole(self, entry: Mapping[str, Any]) -> bool:
        """Whether it holds each phase once."""
        return all(entry.get(phase, 0) == 1 for phase in self.phases)


PAYING_SYSTEMS = (
    PayingSystem(
        name="ISCS",
        stand_in="iscs",
        schemes=frozenset({"INCOME_SUPPORT"}),
        phases=("held",),
    ),
    PayingSystem(
        name="JSAPS",
        stand_in="jsaps",
        schemes=frozenset({"JOBSEEKERS_ALLOWANCE"}),
        phases=("es_held", "ba_held"),
    ),
    PayingSystem(
        name="PSCS",
        stand_in="pscs",
        schemes=frozenset({"INCAPACITY_BENEFIT"}),
        phases=("held",),
    ),
    PayingSystem(
        name="SFCS",
        stand_in="sfcs",
        schemes=frozenset({"CRISIS_LOAN"}),
        phases=("held",),
    ),
    PayingSystem(
        name="CMS_COTS",
        stand_in="cms-cots",
        schemes=frozenset({"CHILD_MAINTENANCE"}),
        phases=("held",),
    ),
)
COUNCILS = "councils"
"""The stand-in whose control door serves what the local authorities hold."""
NOTIFY = "notify"
"""The stand-in whose control door serves the texts and e-mails that were taken."""


def systems_of(schemes: Collection[str]) -> list[PayingSystem]:
    """The systems that pay these schemes."""
    return [system for system in PAYING_SYSTEMS if not system.schemes.isdisjoint(schemes)]


def without_system(schemes: Collection[str]) -> list[str]:
    """Those of the schemes that no system here pays yet."""
    return sorted(scheme for scheme in schemes if not systems_of([scheme]))
