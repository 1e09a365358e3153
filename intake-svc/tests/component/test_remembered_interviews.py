"""What the service remembers of an interview changes nothing of what a caller is answered."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chassis.memory import Memory
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, settings_for
from intake.__main__ import service
from intake.config import Settings

SECOND_NINO = "AB123457C"


@pytest.fixture
def other_process(database_urls: DatabaseUrls, servers: Servers, bus_prefix: str, tokens: Tokens) -> Iterator[Process]:
    """A second replica on the same database, which remembers what it saved itself."""
    settings: Any = settings_for(
        Settings, "intake-svc", urls=database_urls, servers=servers, bus_prefix=bus_prefix, tokens=tokens
    )
    made = Process(service(settings))
    made.database.open()
    made.http.start()
    yield made
    made.http.stop(5.0)
    made.database.close()
    made.runtime.bus.close()


def forget(process: Process) -> None:
    """As a process that has just been started."""
    process.database.memory = Memory()


def interviews(operator: Any, answers: dict[str, Any], nino: str, before_each: Callable[[], object]) -> list[Any]:
    """What an operator is shown of a claim, from the first question to the last correction, without its reference."""
    claim_ref = operator.start(nino)["claim"]["claimRef"]
    shown = []
    given = [(name, value) for name, value in answers.items() if name not in ("nino", "language")]
    for version, first in enumerate(range(0, len(given), 7), start=1):
        before_each()
        shown.append(operator.record(claim_ref, version, **dict(given[first : first + 7])))
    for changes in ({"has_partner": False}, {"surname": "Łukasz"}, {"has_partner": True, "surname": "Hughes"}):
        before_each()
        shown.append(operator.amend(claim_ref, shown[-1]["version"], **changes)["interview"])
        before_each()
        shown.append(operator.call("GetInterview", claimRef=claim_ref)["interview"])
    before_each()
    operator.submit(claim_ref, shown[-1]["version"])
    shown.append(operator.call("GetInterview", claimRef=claim_ref)["interview"])
    return [{**interview, "claimRef": ""} for interview in shown]


def test_an_interview_is_the_same_whether_it_is_remembered_or_read(
    desk: Any, process: Process, couple_with_children: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = desk()
    read = interviews(operator, couple_with_children, "AB123456C", lambda: forget(process))
    looks, recall = [], Memory.recall

    def noting(memory: Memory, record: str, **at: Any) -> Any:
        looks.append(recall(memory, record, **at))
        return looks[-1]

    monkeypatch.setattr(Memory, "recall", noting)
    recalled = interviews(operator, couple_with_children, SECOND_NINO, lambda: None)

    assert [_without_nino(interview) for interview in recalled] == [_without_nino(interview) for interview in read]
    assert len(looks) == len(recalled) + 1
    assert all(looks)


def _without_nino(interview: dict[str, Any]) -> dict[str, Any]:
    return interview | {"questions": [part for part in interview["questions"] if part["id"] != "nino"]}


def test_what_another_replica_saved_is_seen_by_one_that_remembers_the_version_before(
    desk: Any, other_process: Process, tokens: Tokens, single_tenant: dict[str, Any]
) -> None:
    here = desk()
    token = tokens.issue("OPERATOR", subject="OP000001")
    there = type(here)(here._client, other_process, token=token, purpose="")
    claim_ref = here.start()["claim"]["claimRef"]
    here.record(claim_ref, 1, surname="Hughes")
    there.record(claim_ref, 2, surname="Jones", tenure=single_tenant["tenure"])

    seen = here.call("GetInterview", claimRef=claim_ref)["interview"]
    saved = here.record(claim_ref, 3, forenames="Ann")

    for interview in (seen, saved):
        answers = {part["id"]: part.get("answer") for part in interview["questions"]}
        assert (answers["surname"], answers["tenure"]) == ("Jones", single_tenant["tenure"])
    assert saved["version"] == 4


def test_a_save_that_is_refused_leaves_nothing_to_be_remembered(desk: Any, refused: Any) -> None:
    operator = desk()
    taken = operator.start("AB123456C")["claim"]["claimRef"]
    claim_ref = operator.start(SECOND_NINO)["claim"]["claimRef"]
    with pytest.raises(refused) as refusal:
        operator.record(claim_ref, 1, nino="AB123456C", surname="Hughes")
    interview = operator.record(claim_ref, 1, forenames="Ann")

    assert refusal.value.reason == "OPEN_CLAIM"
    assert taken != claim_ref
    answers = {part["id"]: part.get("answer") for part in interview["questions"]}
    assert (answers["nino"], answers.get("surname"), answers["forenames"]) == (SECOND_NINO, None, "Ann")


def test_who_works_in_another_language_is_not_shown_what_is_remembered_in_this_one(desk: Any, book: Any) -> None:
    claim_ref = desk().start(language="EN")["claim"]["claimRef"]
    saved = desk().record(claim_ref, 1, surname="Hughes", language="CY")
    book(claim_ref)

    seen = desk("ASSESSOR", "AS000001", "A1", office="100101").call("GetInterview", claimRef=claim_ref)["interview"]
    seen_by_the_operator = desk().call("GetInterview", claimRef=claim_ref)["interview"]

    texts = [{part["id"]: part["text"] for part in shown["questions"]}["surname"] for shown in (saved, seen)]
    assert texts == ["What is your surname or family name?", "Beth yw eich cyfenw neu eich enw teuluol?"]
    assert seen_by_the_operator == saved
