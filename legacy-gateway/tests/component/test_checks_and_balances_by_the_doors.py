"""Checks of records, refusals with their questions, and balances, through the gateway's doors."""

import uuid
from collections.abc import Callable
from typing import Any

import psycopg

from chassis import clock
from chassis.bus import Bus
from chassis.inbox import Event
from chassis.runtime import Process
from chassis.testing import Client, DatabaseUrls, Tokens, deliver, eventually
from legacy_gateway.domain import Facts
from simulators.record_link.server import MainframeServer
from simulators.testing import call
from tests.support.gateway.doors import CLAIM, SERVICE, Intake, ask, post, state_of

WORK = "work item C0000000001Y"


def test_showing_a_refusal_with_its_question_is_logged(
    *,
    process: Process,
    bus: Bus,
    tokens: Tokens,
    intake_door: tuple[Intake, int],
    facts: Callable[..., Facts],
    confirmation: Callable[..., Event],
    database_urls: DatabaseUrls,
) -> None:
    intake_door[0].given = facts(hours_available=12.0)
    token = tokens.issue("PROCESSING_OFFICER", subject="PO1")
    deliver(bus, confirmation(CLAIM), hearer="legacy-gateway")
    eventually(lambda: state_of(process, token) == "REJECTED", what="the refusal")

    answer = post(process, {"claimRef": CLAIM}, token, **{"cms-purpose": WORK}).json()

    [message] = answer["transfers"][0]["messages"]
    assert (message["code"], message["field"], message["questionId"]) == (
        "ES0020",
        "JE-HOURS-AVAILABLE",
        "hours_available",
    )
    assert message["ask"]["en"].startswith("Ask how many hours")
    assert message["ask"]["cy"].startswith("Gofynnwch sawl awr")
    with psycopg.connect(database_urls.owner) as conn:
        shown = conn.execute(
            "SELECT subject, claim_ref, outcome FROM access_log WHERE purpose = %s", [f"work item {CLAIM}"]
        ).fetchall()
    assert set(shown) == {("PO1", CLAIM, "SHOWN")}


def test_a_record_is_checked_by_the_facts_that_intake_has(
    process: Process,
    tokens: Tokens,
    intake_door: tuple[Intake, int],
    facts: Callable[..., Facts],
    database_urls: DatabaseUrls,
) -> None:
    intake_door[0].given = facts(hours_available=12.0, nino=None)
    operator = Client(process=process, service=SERVICE, token=tokens.issue("OPERATOR", subject="OP1"))

    problems = operator.call("CheckRecord", claimRef=CLAIM).body["problems"]

    assert [(one["system"], one["code"], one["field"], one["questionId"]) for one in problems] == [
        ("SYSTEM_JSAPS", "GW0001", "CM-NINO", "nino"),
        ("SYSTEM_JSAPS", "ES0020", "JE-HOURS-AVAILABLE", "hours_available"),
    ]
    assert [one["text"] for one in problems] == ["is missing", "is under 40 hours, and no restriction says why"]
    assert all(one["ask"]["en"] and one["ask"]["cy"] and not one["needsPerson"] for one in problems)
    with psycopg.connect(database_urls.owner) as conn:
        shown = conn.execute("SELECT subject, claim_ref, outcome FROM access_log").fetchall()
    assert shown == [("OP1", CLAIM, "SHOWN")]


def test_a_record_is_checked_by_facts_that_are_given(
    process: Process, tokens: Tokens, intake_door: tuple[Intake, int], facts: Callable[..., Facts]
) -> None:
    operator = Client(process=process, service=SERVICE, token=tokens.issue("OPERATOR"))
    child = {"name": "Kyle", "date_of_birth": "2000-01-01"}
    wrong = {"children": [child] * 11, "other_income": "none", "date_of_birth": [], "capital": "NaN", "nino": None}
    given = [{"name": name, "value": value} for name, value in {**facts().answers, **wrong}.items()]
    contact = "2005-07-11T09:00:00Z"

    answer = operator.call(
        "CheckRecord",
        claimRef=CLAIM,
        facts={"schemes": ["SCHEME_INCOME_SUPPORT"], "firstContactTime": contact, "facts": given},
    )

    found = {(one["field"], one["code"], one["needsPerson"]) for one in answer.body["problems"]}
    assert ("IS-CHILD", "GW0004", True) in found
    assert {("IS-INCOME", "GW0002", False), ("CM-DATE-OF-BIRTH", "GW0002", False)} <= found
    assert {("IS-CAPITAL", "GW0002", False), ("CM-NINO", "GW0001", False), ("IS-GROUP", "GW0001", False)} <= found
    assert intake_door[0].asked == []


def test_a_balance_now_finds_what_was_lost_and_a_person_closes_it(
    *, process: Process, bus: Bus, tokens: Tokens, jsaps: MainframeServer, confirmation: Callable[..., Event]
) -> None:
    officer = tokens.issue(roles=["PROCESSING_OFFICER"], subject="PO000001")
    deliver(bus, confirmation(CLAIM), hearer="legacy-gateway")
    eventually(lambda: state_of(process, officer) == "ACCEPTED", seconds=15, what="the claim held by JSAPS")
    order = {"claim_ref": CLAIM, "dialogue": "ES504"}
    assert call(jsaps.control_port, "POST", "/ledger/lose", body=order).body["lost"] == 1
    today = clock.today()
    day = {"year": today.year, "month": today.month, "day": today.day}

    def clerical() -> Any:
        balanced = ask(process, "Reconcile", officer, system="SYSTEM_JSAPS", date=day, requestId=str(uuid.uuid4()))
        return not balanced["inProgress"] and balanced["balance"]["clerical"] == "1" and balanced["balance"]

    eventually(clerical, seconds=15, what="the lost first phase")

    balanced = clerical()
    [missing] = balanced["missingThere"]
    assert (balanced["captured"], balanced["accepted"], balanced["unexplained"]) == ("2", "1", "0")
    assert missing["cause"] == "DIFFERENCE_CAUSE_FIRST_PHASE_LOST"
    assert ask(process, "ListDifferences", officer)["differences"] == [missing]
    closing = {"differenceId": missing["differenceId"], "reason": "DIFFERENCE_REASON_HELD_THERE"}
    closed = ask(process, "CloseDifference", officer, **closing, requestId=str(uuid.uuid4()))["difference"]
    assert (closed["state"], closed["closedBy"]) == ("DIFFERENCE_STATE_CLOSED", "PO000001")
    assert ask(process, "ListDifferences", officer)["differences"] == []
    assert ask(process, "CloseDifference", officer, **closing, requestId=str(uuid.uuid4())) == "failed_precondition"


def test_a_balance_of_a_day_to_come_is_refused(process: Process, tokens: Tokens) -> None:
    officer = tokens.issue(roles=["PROCESSING_OFFICER"], subject="PO000001")
    day = {"year": 2999, "month": 1, "day": 1}

    answer = ask(process, "Reconcile", officer, system="SYSTEM_JSAPS", date=day, requestId=str(uuid.uuid4()))

    assert answer == "failed_precondition"
