"""What the audit makes of what was told and what is held."""

from typing import Any

import pytest

from cms_local.audit import Findings, Ledgers, _count
from cms_local.told import Told

REF = "C0000000000A"
WHOLE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
LOADED = {
    "authority_code": "E08000035",
    "versions": [{"version": 1, "kind": "INTENTION"}, {"version": 2, "kind": "CLAIM"}],
    "loaded_version": 2,
    "most_loads_of_a_version": 1,
}


def findings(jsaps: dict[str, Any], notices: list[dict[str, Any]], *, state: str = "SUBMITTED") -> Findings:
    told = Told(claim_ref=REF, steps={"SUBMITTED", "CONFIRMED"}, wants_notice=True)
    ledgers = Ledgers(jsaps={REF: jsaps} if jsaps else {}, councils={REF: notices} if notices else {})
    found = Findings()
    _count(found, told, ledgers, state)
    return found


def test_a_claim_held_whole_and_loaded_is_sound() -> None:
    assert findings(WHOLE, [LOADED]).sound


@pytest.mark.parametrize(
    ("jsaps", "notices", "state", "wrong"),
    [
        ({}, [LOADED], "SUBMITTED", "lost"),
        (WHOLE, [], "SUBMITTED", "lost"),
        (WHOLE, [LOADED], "not_found", "lost"),
        (WHOLE, [LOADED], "DRAFT", "lost"),
        (WHOLE | {"ba_held": 0, "half": True}, [LOADED], "SUBMITTED", "half_transfers"),
        (WHOLE | {"duplicates": 1}, [LOADED], "SUBMITTED", "duplicates"),
        (WHOLE, [LOADED | {"most_loads_of_a_version": 2}], "SUBMITTED", "duplicates"),
        (WHOLE, [LOADED, LOADED], "SUBMITTED", "duplicates"),
    ],
)
def test_what_is_missing_halved_or_doubled_is_counted(
    jsaps: dict[str, Any], notices: list[dict[str, Any]], state: str, wrong: str
) -> None:
    found = findings(jsaps, notices, state=state)

    assert not found.sound
    assert found.counts()[wrong] == 1


def test_a_notice_of_which_only_the_intention_is_loaded_is_not_yet_sound() -> None:
    found = findings(WHOLE, [LOADED | {"loaded_version": 1}])

    assert (found.lost, found.sound) == (0, False)
