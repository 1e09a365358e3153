"""A claim keeps the catalogue with which it was taken, until its operator moves the draft to the newest one."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.runtime import NotReady, Process
from chassis.testing import DatabaseUrls, SettingsOf, running
from cms.intake.v1 import events_pb2
from intake.__main__ import service
from intake.catalogue import CATALOGUES, load_catalogue
from intake.config import Settings

SERVICE = "cms.intake.v1.IntakeService"
NINO = "AB123456C"
JSA, IS, IB, LOAN = (
    f"SCHEME_{name}" for name in ("JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT", "INCAPACITY_BENEFIT", "CRISIS_LOAN")
)
PERSON = dict.fromkeys(["language", "surname", "forenames", "date_of_birth", "nino", "address"], "{}") | {
    "postcode_again": '{ relevant = "has(address.listed) && !address.listed" }',
    "council": '{ relevant = "has(address.councils) && size(address.councils) > 0" }',
}
IS_GROUP = """
[[questions]]
id = "is_group"
kind = "CHOICE"
text = { en = "Why can you not work?", cy = "Pam na allwch weithio?" }
choices = [
    { code = "SK", text = { en = "Illness", cy = "Salwch" } },
    { code = "CA", text = { en = "Caring", cy = "Gofalu" } },
]
seconds = 10
seen_by = ["legacy-gateway"]
sensitivity = ["NOT_READ_BACK"]
answered_by = "OPERATOR"
"""


def scheme(name: str, *, top: str = "", **questions: str) -> str:
    """A scheme's file: the person, and these questions with what is said of each."""
    asked = "".join(f"{question} = {said}\n" for question, said in (PERSON | questions).items())
    return f'scheme = "{name}"\n{top}\n[first_contact]\nfacts = ["surname", "address"]\n[questions]\n{asked}'


@pytest.fixture(scope="module")
def first_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with the first catalogue alone."""
    folder = tmp_path_factory.mktemp("first")
    shutil.copytree(CATALOGUES / "1", folder / "1")
    return folder


@pytest.fixture(scope="module")
def both(first_only: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with a second catalogue, of several schemes; it does not have the title REV any more."""
    folder = tmp_path_factory.mktemp("both") / "catalogues"
    shutil.copytree(first_only, folder)
    second = shutil.copytree(first_only / "1", folder / "2")
    top = (second / "catalogue.toml").read_text(encoding="utf-8").replace("number = 1", "number = 2")
    day = clock.today() - timedelta(days=30)
    top += f"""
        [tables.capital_limit]
        unit = "PENCE"
        source = "test"
        rows = [{{ from = 1988-04-11, value = 800000 }}, {{ from = {day}, value = 1600000 }}]
    """
    (second / "catalogue.toml").write_text(top, encoding="utf-8")
    identity = second / "questions" / "identity.toml"
    text = identity.read_text(encoding="utf-8")
    rev = next(line for line in text.splitlines() if 'code = "REV"' in line)
    identity.write_text(text.replace(rev + "\n", ""), encoding="utf-8")
    work = second / "questions" / "work.toml"
    work.write_text(work.read_text(encoding="utf-8") + IS_GROUP, encoding="utf-8")
    schemes = {
        "income_support": scheme(
            "INCOME_SUPPORT",
            is_group="{}",
            capital="{}",
            wishes_backdating="{}",
            backdate_to='{ relevant = "wishes_backdating" }',
            other_income='{ relevant = "capital <= capital_limit" }',
        ),
        "incapacity": scheme("INCAPACITY_BENEFIT", top="claimed_from = 1995-04-13\nclaimed_until = 2008-10-26"),
        "loan": scheme("CRISIS_LOAN", top="claimed_from = 2050-04-01", part_time_hours="{}"),
    }
    for name, written in schemes.items():
        (second / f"{name}.toml").write_text(written, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rest(single_tenant: dict[str, Any]) -> dict[str, Any]:
    """The answers of a single tenant to the first catalogue, beyond those that the call was started with."""
    asked = load_catalogue(CATALOGUES / "1").bank.keys() - {"nino", "language"}
    return {name: value for name, value in single_tenant.items() if name in asked}


def facts(desk: Any, claim_ref: str, version: int) -> Any:
    """The gateway's facts at a version."""
    found = desk("SERVICE", "legacy-gateway").get("GetClaimFacts", claimRef=claim_ref, version=version)["facts"]
    return {name: found.get(name) for name in ("schemes", "answers", "recordForms", "version")}


@pytest.fixture
def process(settings_of: SettingsOf, postcodes_file: Path, both: Path) -> Iterator[Process]:
    """The service with both catalogues."""
    settings = settings_of(Settings, "intake-svc", postcodes_file=postcodes_file)
    with running(service(settings, catalogues_folder=both)) as started:
        yield started


def question(interview: Any, name: str) -> Any:
    return next(part for part in interview["questions"] if part["id"] == name)


def names(interview: Any) -> set[str]:
    return {part["id"] for part in interview["questions"]}


def test_a_claim_keeps_its_catalogue_when_another_is_deployed(
    released: Any, first_only: Path, both: Path, rest: Any
) -> None:
    with released(first_only) as desk:
        operator = desk()
        ref = operator.start(NINO)["claim"]["claimRef"]
        version = operator.record(ref, 1, **rest, title="REV")["version"]
        before = [facts(desk, ref, at) for at in range(1, version + 1)]
    with released(both) as desk:
        operator = desk()
        assert [facts(desk, ref, at) for at in range(1, version + 1)] == before
        interview = operator.get("GetInterview", claimRef=ref)["interview"]
        assert interview["scriptVersion"] == 1
        assert question(interview, "title")["answer"] == "REV"
        assert operator.start("CE123456A")["interview"]["scriptVersion"] == 2


def test_a_release_without_a_catalogue_in_use_does_not_start(
    desk: Any, process: Process, settings_of: SettingsOf, postcodes_file: Path, first_only: Path
) -> None:
    desk().start(NINO)
    older = service(settings_of(Settings, "intake-svc", postcodes_file=postcodes_file), catalogues_folder=first_only)

    with pytest.raises(NotReady, match=r"bound to catalogues that this release does not have: 2"):
        older.prepare(process.runtime)


def test_a_draft_is_moved_to_the_newest_catalogue_when_its_operator_wants_it(
    released: Any, first_only: Path, both: Path, rest: Any
) -> None:
    with released(first_only) as desk:
        operator = desk()
        ref = operator.start(NINO)["claim"]["claimRef"]
        version = operator.record(ref, 1, **rest, title="REV")["version"]
        before = facts(desk, ref, version)
    with released(both) as desk:
        operator = desk()
        request = {"claimRef": ref, "version": version, "requestId": "5f0e8a0a-6f0e-4a43-9d5b-0d2f3c1b7a55"}
        moved = operator.get("MoveToCatalogue", **request)

        assert moved["interview"]["scriptVersion"] == 2
        changes = {change["questionId"]: (change.get("old"), change["new"]) for change in moved["changes"]}
        assert changes == {"catalogue": (1, 2), "title": ("REV", None)}
        assert {change["scriptVersion"] for change in moved["changes"]} == {2}
        assert "answer" not in question(moved["interview"], "title")
        assert question(moved["interview"], "surname")["answer"] == rest["surname"]
        assert operator.get("MoveToCatalogue", **request) == moved
        assert facts(desk, ref, version) == before
        assert before["answers"]["title"] == "REV"
        assert "title" not in facts(desk, ref, version + 1)["answers"]
        again = operator.once("MoveToCatalogue", claimRef=ref, version=version + 1)
        assert (again["interview"]["version"], again["changes"]) == (version + 1, [])
        operator.submit(ref, version + 1)
        refused = operator.try_once("MoveToCatalogue", claimRef=ref, version=version + 2)
        assert refused.reason == "CLAIM_SUBMITTED"


def test_one_call_takes_a_claim_for_several_schemes(desk: Any) -> None:
    operator = desk()
    started = operator.start(NINO, schemes=[JSA, IS])
    ref = started["claim"]["claimRef"]

    interview = operator.record(ref, 1, capital="12000.00", hours_available=30)

    assert started["claim"]["schemes"] == [IS, JSA]
    assert question(interview, "surname")["schemes"] == [IS, JSA]
    assert question(interview, "is_group")["schemes"] == [IS]
    assert question(interview, "restrictions")["schemes"] == [JSA]
    assert question(interview, "is_group")["sensitivity"] == ["SENSITIVITY_NOT_READ_BACK"]
    assert question(interview, "is_group")["answeredBy"] == "ANSWERED_BY_OPERATOR"
    assert question(interview, "surname")["answeredBy"] == "ANSWERED_BY_CLAIMANT"


def test_a_limit_is_that_of_the_date_of_claim(desk: Any) -> None:
    operator = desk()
    ref = operator.start(NINO, schemes=[IS])["claim"]["claimRef"]
    within = operator.record(ref, 1, capital="12000.00")

    earlier = (clock.today() - timedelta(days=60)).isoformat()
    above = operator.record(ref, 2, wishes_backdating=True, backdate_to=earlier)

    assert "other_income" in names(within)
    assert "other_income" not in names(above)


def test_a_call_for_another_scheme_makes_another_claim(desk: Any) -> None:
    operator = desk()
    first = operator.start(NINO)["claim"]["claimRef"]

    second = operator.start(NINO, schemes=[IS])
    both = operator.start(NINO, schemes=[IS, JSA])

    assert second["resumed"] is False
    assert second["claim"]["claimRef"] != first
    assert both["resumed"] is True
    assert both["claim"]["claimRef"] == second["claim"]["claimRef"]


@pytest.mark.parametrize(
    ("closed", "day"), [(IB, "closed to new claims on 2008-10-27"), (LOAN, "only from 2050-04-01")]
)
def test_a_scheme_that_cannot_be_claimed_on_the_day_is_refused_with_that_day(desk: Any, closed: str, day: str) -> None:
    operator = desk()
    ref = operator.start(NINO)["claim"]["claimRef"]

    body = {"purpose": "CALL_PURPOSE_NEW", "language": "LANGUAGE_EN", "caller": {"relation": "CALLER_RELATION_SELF"}}
    refusals = [
        operator.try_once("StartCall", **body, schemes=[JSA, closed]),
        operator.try_once("ChangeSchemes", claimRef=ref, version=1, schemes=[JSA, closed]),
    ]

    for refusal in refusals:
        assert (refusal.reason, refusal.fields) == ("SCHEME_CLOSED", {"schemes[1]"})
        assert day in refusal.text


def test_an_answer_that_no_scheme_needs_any_more_is_kept_and_comes_back(desk: Any, rest: Any) -> None:
    operator = desk()
    ref = operator.start(NINO, schemes=[JSA, IS])["claim"]["claimRef"]
    full = operator.record(ref, 1, **rest, is_group="SK")

    changed = operator.once("ChangeSchemes", claimRef=ref, version=2, schemes=[IS])["interview"]
    back = operator.once("ChangeSchemes", claimRef=ref, version=3, schemes=[IS, JSA])["interview"]

    assert "job_goal_1" not in names(changed)
    assert question(changed, "is_group")["answer"] == "SK"
    assert {part["id"]: part.get("answer") for part in back["questions"]} == {
        part["id"]: part.get("answer") for part in full["questions"]
    }
    entries = operator.get("GetHistory", claimRef=ref)["entries"]
    assert [(entry["old"], entry["new"]) for entry in entries if entry["questionId"] == "schemes"] == [
        (["INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE"], ["INCOME_SUPPORT"]),
        (["INCOME_SUPPORT"], ["INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE"]),
    ]
    assert operator.try_once("ChangeSchemes", claimRef=ref, version=3, schemes=[IS]).reason == "STALE_VERSION"
    assert operator.submit(ref, 4)["schemes"] == [IS, JSA]
    assert operator.try_once("ChangeSchemes", claimRef=ref, version=5, schemes=[IS]).reason == "CLAIM_SUBMITTED"


def test_a_first_contact_is_announced_again_with_the_schemes_that_are_claimed_now(
    desk: Any, rest: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk()
    ref = operator.start(NINO, schemes=[JSA, IS])["claim"]["claimRef"]
    operator.record(ref, 1, **rest)

    operator.once("ChangeSchemes", claimRef=ref, version=2, schemes=[IS])

    with psycopg.connect(database_urls.owner) as conn:
        told = conn.execute(
            "SELECT version, payload FROM outbox WHERE claim_ref = %s AND type LIKE '%%FirstContactRecorded' ORDER BY version",
            [ref],
        ).fetchall()
    assert [
        (version, len(events_pb2.FirstContactRecorded.FromString(payload).schemes)) for version, payload in told
    ] == [
        (2, 2),
        (3, 1),
    ]


def test_a_scheme_of_another_open_claim_is_not_taken_into_a_draft(desk: Any) -> None:
    operator = desk()
    operator.start(NINO)
    ref = operator.start(NINO, schemes=[IS])["claim"]["claimRef"]

    refused = operator.try_once("ChangeSchemes", claimRef=ref, version=1, schemes=[IS, JSA])

    assert (refused.reason, refused.fields) == ("OPEN_CLAIM", {"schemes"})


def test_schemes_are_changed_only_in_ones_own_call(desk: Any) -> None:
    ref = desk().start(NINO)["claim"]["claimRef"]

    for method, more in (("ChangeSchemes", {"schemes": [IS]}), ("MoveToCatalogue", {})):
        assert desk(subject="OP000002").try_once(method, claimRef=ref, version=1, **more).reason == "CALL_REQUIRED"


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_facts_at_every_version_stay_what_they_were(
    released: Any, first_only: Path, both: Path, rest: dict[str, Any], seed: int
) -> None:
    draw, steps, seen = random.Random(seed), Steps(rest=rest), dict[int, Any]()
    with released(first_only) as desk:
        ref = desk().start(NINO)["claim"]["claimRef"]
        for _ in range(4):
            seen[steps.version] = facts(desk, ref, steps.version)
            steps.answer(desk(), ref, draw)
        seen[steps.version] = facts(desk, ref, steps.version)
    with released(both) as desk:
        assert {at: facts(desk, ref, at) for at in seen} == seen
        for step in (steps.answer, steps.move, steps.change_schemes, steps.answer, steps.change_schemes, steps.answer):
            step(desk(), ref, draw)
            seen[steps.version] = facts(desk, ref, steps.version)
        assert {at: facts(desk, ref, at) for at in seen} == seen


@dataclass(kw_only=True)
class Steps:
    """The steps of an operator on a draft, drawn at random."""

    rest: dict[str, Any]
    version: int = 1

    def answer(self, operator: Any, ref: str, draw: random.Random) -> None:
        """Answers some of the questions that apply."""
        asked = sorted(names(operator.get("GetInterview", claimRef=ref)["interview"]) & self.rest.keys())
        given = {name: self.rest[name] for name in draw.sample(asked, min(6, len(asked)))}
        self.version = operator.record(ref, self.version, **given)["version"]

    def move(self, operator: Any, ref: str, _draw: random.Random) -> None:
        """Moves the draft to the newest catalogue."""
        self._bound(operator.once("MoveToCatalogue", claimRef=ref, version=self.version))

    def change_schemes(self, operator: Any, ref: str, draw: random.Random) -> None:
        """Changes its schemes."""
        schemes = draw.choice([[JSA], [IS], [IS, JSA]])
        self._bound(operator.once("ChangeSchemes", claimRef=ref, version=self.version, schemes=schemes))

    def _bound(self, changed: Any) -> None:
        self.version = changed["interview"]["version"]


def test_a_repeat_of_a_start_names_the_schemes_of_that_moment(desk: Any) -> None:
    operator, request_id = desk(), str(uuid4())
    first = operator.start(NINO, requestId=request_id)

    operator.once("ChangeSchemes", claimRef=first["claim"]["claimRef"], version=1, schemes=[IS])

    assert operator.start(NINO, requestId=request_id) == first
