"""The differences between the paying systems are in their own modules and maps, and nowhere else."""

import re
from pathlib import Path

import pytest

import legacy_gateway
from legacy_gateway import data, mapping
from legacy_gateway.domain import System
from legacy_gateway.mapping.sources import SourcesError, read_sources
from legacy_gateway.systems import DEPLOYED, RULES, SYSTEM_OF_SCHEME

PACKAGE = Path(legacy_gateway.__file__).parent
OWN = {"systems", "mapping", "config.py"}
"""The places where a system may be named, beside the list of names in the domain and that of the copybooks."""
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


@pytest.mark.parametrize("scheme", SYSTEM_OF_SCHEME)
def test_each_scheme_that_a_system_pays_has_a_target_for_its_decision(scheme: str) -> None:
    """Without one no acceptance of such a claim could be stored."""
    assert any(scheme in target.working_days for target in data.targets())


def test_a_map_of_a_record_that_is_not_described_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "wprs.toml"
    path.write_text(
        'code_parts = ["WF"]\n[[phase]]\nnumber = 1\ndialogue = "WF001"\nrecord = "WPRS-CLAIM"\n[fields.WPRS-CLAIM]\n',
        encoding="utf-8",
    )

    with pytest.raises(SourcesError, match=r"wprs\.toml: WPRS-CLAIM is not described in chassis\.outside"):
        read_sources(path)
