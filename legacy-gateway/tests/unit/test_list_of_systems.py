"""What differs between the paying systems stands in their own modules and maps, and nowhere else."""

import re
from pathlib import Path

import pytest

import legacy_gateway
from legacy_gateway import mapping
from legacy_gateway.domain import System
from legacy_gateway.systems import DEPLOYED, RULES, SYSTEM_OF_SCHEME

PACKAGE = Path(legacy_gateway.__file__).parent
OWN = {"systems", "mapping", "config.py"}
"""Where a system may be named, beside the list of names in the domain and that of the copybooks."""
LISTS = {Path("domain/systems.py"), Path("records/layouts.py")}
GENERAL = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] not in OWN and path.relative_to(PACKAGE) not in LISTS
)
OF_ONE_SYSTEM = re.compile(
    rf"System\.[A-Z]|\b({'|'.join(System)})\b|\b(IS|ES|BA|SF|PS)[0-9]{{3,4}}\b|\"(IS|JSA|IB|SF)\"|\b(JSAPS-|ISCS-|SFCS-)"
)


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_general_code_names_no_system_and_none_of_its_codes(path: Path) -> None:
    assert OF_ONE_SYSTEM.findall(path.read_text(encoding="utf-8")) == []


def test_each_deployed_system_is_listed_once_and_each_scheme_has_one_system() -> None:
    assert len(RULES) == len(DEPLOYED)
    assert len(SYSTEM_OF_SCHEME) == sum(len(rules.schemes) for rules in RULES.values())


@pytest.mark.parametrize("system", RULES)
def test_each_phase_of_a_deployed_system_has_a_record(system: System) -> None:
    numbers = [phase.number for phase in mapping.sources(system).phases]

    assert numbers == list(range(1, RULES[system].phases + 1))


@pytest.mark.parametrize("system", RULES)
def test_a_system_that_pays_a_repeat_twice_has_a_time_after_which_not_known_is_final(system: System) -> None:
    rules = RULES[system]

    assert rules.recognises_repeat is (rules.final_after_closing_seconds == 0)
    assert rules.withdraws_first_phase is bool(rules.withdrawn_code)
