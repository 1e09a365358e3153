"""The findings of the audit, by what was acknowledged and what is held."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis import clock
from cms_local.acknowledged import Acknowledged, note, read
from cms_local.audit import Findings, LedgerAway, Ledgers, _count
from cms_local.lateness import Way, notice_is_late
from cms_local.layout import Layout
from cms_local.systems import PAYING_SYSTEMS

REF = "C0000000000A"
WHOLE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
LOADED: dict[str, Any] = {
    "authority_code": "E08000035",
    "versions": [{"version": 1, "kind": "INTENTION"}, {"version": 2, "kind": "CLAIM"}],
    "loaded_version": 2,
    "most_loads_of_a_version": 1,
}


@dataclass(frozen=True, kw_only=True)
class AnswersOfTests:
    """Answers that the test gives in place of the services."""

    states: Mapping[str, str]
    ways: Mapping[str, Way]
    waits: Mapping[str, Collection[str]]

    def state(self, claim_ref: str) -> str:
        return self.states[claim_ref]

    def waiting(self, claim_ref: str) -> Collection[str]:
        return self.waits[claim_ref]

    def way(self, claim_ref: str) -> Way:
        return self.ways[claim_ref]


def findings(
    jsaps: dict[str, Any],
    notices: list[dict[str, Any]],
    *,
    state: str = "SUBMITTED",
    ago: timedelta = timedelta(),
    schemes: Collection[str] = ("JOBSEEKERS_ALLOWANCE",),
    confirmed: Collection[str] = (),
    waits: Collection[str] = (),
    references: Collection[str] = (),
) -> Findings:
    then = clock.now() - ago
    claim = Acknowledged(
        claim_ref=REF,
        steps={"SUBMITTED": then, "CONFIRMED": then},
        schemes=set(schemes),
        confirmed_schemes=set(confirmed),
        wants_notice=True,
    )
    nothing: dict[str, Any] = {system.name: {} for system in PAYING_SYSTEMS}
    paying = nothing | {"JSAPS": {REF: jsaps} if jsaps else {}}
    messages = {REF: [{"reference": reference} for reference in references]}
    ledgers = Ledgers(paying=paying, councils={REF: notices} if notices else {}, messages=messages)
    found = Findings()
    answers = AnswersOfTests(states={REF: state}, ways={REF: ("API", "E08000035")}, waits={REF: waits})
    _count(found, claim, ledgers, answers)
    return found


def test_a_claim_held_whole_and_loaded_is_sound_and_counted_for_its_system() -> None:
    found = findings(WHOLE, [LOADED])

    assert found.sound
    assert found.systems["JSAPS"] == 1
    assert findings(WHOLE | {"ba_held": 0}, [LOADED]).systems["JSAPS"] == 0


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
def test_missing_halved_and_doubled_claims_are_counted(
    jsaps: dict[str, Any], notices: list[dict[str, Any]], state: str, wrong: str
) -> None:
    found = findings(jsaps, notices, state=state)

    assert not found.sound
    assert found.counts()[wrong] == 1


def test_a_message_that_notify_took_twice_is_a_duplicate() -> None:
    assert findings(WHOLE, [LOADED], references=["M-1", "M-2"]).sound
    assert findings(WHOLE, [LOADED], references=["M-1", "M-1"]).duplicates == 1


@pytest.mark.parametrize("kind", ["CHANGE", "AWARD"])
def test_a_notice_that_followed_the_claim_was_loaded_too(kind: str) -> None:
    versions = [*LOADED["versions"], {"version": 3, "kind": kind}]

    assert findings(WHOLE, [LOADED | {"versions": versions, "loaded_version": 3}]).sound


def test_a_second_phase_whose_first_was_lost_is_a_finding_of_its_own() -> None:
    assert findings(WHOLE | {"es_held": 0}, [LOADED]).lost_claims == {
        REF: "confirmed, and JSAPS has lost the first phase"
    }


def test_a_claim_whose_authority_loaded_only_the_intention_is_not_yet_sound() -> None:
    found = findings(WHOLE, [LOADED | {"loaded_version": 1}])

    assert (found.lost, found.sound) == (0, False)


HALF = WHOLE | {"ba_held": 0, "half": True}
INTENDED = LOADED | {"loaded_version": 1}


@pytest.mark.parametrize(
    ("jsaps", "notices", "ago", "late"),
    [
        ({}, [LOADED], timedelta(minutes=59), ""),
        ({}, [LOADED], timedelta(minutes=61), "JSAPS"),
        (HALF, [LOADED], timedelta(minutes=61), "JSAPS"),
        (WHOLE, [INTENDED], timedelta(hours=23), ""),
        (WHOLE, [INTENDED], timedelta(hours=25), "authority"),
        (WHOLE, [], timedelta(hours=25), "authority"),
        (WHOLE, [LOADED], timedelta(days=300), ""),
    ],
)
def test_a_claim_not_held_in_time_is_late_and_the_finding_names_the_system(
    jsaps: dict[str, Any], notices: list[dict[str, Any]], ago: timedelta, late: str
) -> None:
    found = findings(jsaps, notices, ago=ago)

    assert found.late == bool(late) == bool(found.late_claims)
    assert late in found.late_claims.get(REF, "")
    assert not (found.late and found.sound)


def test_a_claim_that_is_late_in_two_places_is_one_late_claim() -> None:
    found = findings({}, [], ago=timedelta(days=2))

    assert found.late == 1
    assert "JSAPS" in found.late_claims[REF]
    assert "authority" in found.late_claims[REF]


FRIDAY = datetime(2026, 8, 28, 12, tzinfo=UTC)
"""The Monday after it is a bank holiday in England; Scotland's was on the third."""


@pytest.mark.parametrize(
    ("way", "days", "late"),
    [
        (("API", "E07000026"), 1.1, True),
        (("SFTP", "E07000026"), 4.0, False),
        (("SFTP", "E07000026"), 4.1, True),
        (("SFTP", "S12000005"), 3.0, False),
        (("SFTP", "S12000005"), 3.1, True),
        (("POST", "E07000026"), 8.9, False),
        (("POST", "E07000026"), 11.1, True),
    ],
)
def test_a_notice_is_late_by_the_working_days_of_its_channel_and_nation(way: Way, days: float, *, late: bool) -> None:
    assert notice_is_late(FRIDAY, lambda: way, now=FRIDAY + timedelta(days=days)) is late


NO_SYSTEM, BOTH = ["WINTER_FUEL"], ["WINTER_FUEL", "JOBSEEKERS_ALLOWANCE"]


def test_a_scheme_that_no_system_pays_is_lost_unless_it_waits() -> None:
    lost, waits = findings({}, [LOADED], schemes=NO_SYSTEM), findings({}, [LOADED], schemes=NO_SYSTEM, waits=NO_SYSTEM)

    assert lost.lost_claims == {REF: "confirmed, and no system pays WINTER_FUEL, nor does it wait for one"}
    assert not lost.sound
    assert waits.sound
    assert (waits.confirmed, waits.payable, waits.accepted, waits.waiting) == (1, 0, 0, 1)


def test_a_claim_for_two_schemes_is_carried_for_one_and_waits_for_the_other() -> None:
    found = findings(WHOLE, [LOADED], schemes=BOTH, confirmed=BOTH, waits=NO_SYSTEM)
    held_nowhere = findings({}, [LOADED], schemes=BOTH, confirmed=BOTH, waits=NO_SYSTEM)

    assert found.sound
    assert (found.payable, found.accepted, found.waiting) == (1, 1, 1)
    assert held_nowhere.lost_claims == {REF: "confirmed, and JSAPS holds nothing"}


def test_only_the_schemes_that_were_confirmed_must_be_carried() -> None:
    found = findings({}, [LOADED], schemes=BOTH, confirmed=NO_SYSTEM, waits=NO_SYSTEM)

    assert found.sound
    assert (found.payable, found.waiting) == (0, 1)


WITHDRAWN = LOADED | {"versions": [*LOADED["versions"], {"version": 3, "kind": "WITHDRAWN"}], "loaded_version": 3}


def test_a_withdrawn_claim_need_not_be_held_and_its_authority_must_know() -> None:
    told, untold = (findings({}, [notice], state="WITHDRAWN", ago=timedelta(days=9)) for notice in (WITHDRAWN, LOADED))

    assert told.sound
    assert (told.withdrawn, told.payable, told.lost, told.late) == (1, 0, 0, 0)
    assert findings({}, [], state="WITHDRAWN").sound
    assert not untold.sound


def test_findings_are_empty_until_a_claim_is_acknowledged() -> None:
    assert Findings().empty
    assert not findings({}, []).empty


def test_a_ledger_that_cannot_be_read_is_named_with_its_address() -> None:
    refusing = httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(503)))

    with pytest.raises(
        LedgerAway, match=r"^the ledger of ISCS cannot be read at http://127\.0\.0\.1:20031/ledger: .*503.*$"
    ):
        Ledgers.read(Layout(20000), refusing)


def test_a_step_counts_from_its_first_acknowledgement(tmp_path: Path) -> None:
    note(tmp_path / "file", REF, "SUBMITTED", schemes=["JOBSEEKERS_ALLOWANCE"], wants_notice=True)
    first = read(tmp_path / "file")[REF].steps
    note(tmp_path / "file", REF, "SUBMITTED", schemes=[])
    note(tmp_path / "file", REF, "CONFIRMED", schemes=["JOBSEEKERS_ALLOWANCE"])

    claim = read(tmp_path / "file")[REF]

    assert claim.steps["SUBMITTED"] == first["SUBMITTED"] < claim.steps["CONFIRMED"]
    assert (claim.schemes, claim.wants_notice) == ({"JOBSEEKERS_ALLOWANCE"}, True)
    assert claim.to_carry == {"JOBSEEKERS_ALLOWANCE"}
