"""The headers of every response of the HTTP door, the logging of refusals, and the web pages that may call (CORS)."""

import json
from collections.abc import Callable, Mapping

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.chain import Chain
from chassis.http_door import application
from chassis.origins import Origins
from chassis.testing.sites import as_json, count, reason_of

SERVICE = "/cms.scheduling.v1.SchedulingService"
READ, CHANGE = f"{SERVICE}/GetAppointment", f"{SERVICE}/BookAppointment"
CLAIM = "C0000000000A"
ASK = {"claimRef": CLAIM}
TRACE = "0af7651916cd43dd8448eb211c80319c"
ASKED: Mapping[str, Callable[[FlaskClient], TestResponse]] = {
    "an answer": lambda door: door.post(READ, json=ASK, headers={"Traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}),
    "a path": lambda door: door.get("/", headers={"Traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}),
    "a verb": lambda door: door.put(READ, headers={"Traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}),
    "a preflight": lambda door: door.options(
        READ,
        headers={
            "Traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
            "Origin": "https://desk.example",
            "Access-Control-Request-Method": "POST",
        },
    ),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED.keys())
def test_every_response_may_not_be_kept_or_guessed_at_and_tells_its_trace(
    door: FlaskClient, ask: Callable[[FlaskClient], TestResponse]
) -> None:
    answer = ask(door)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Traceparent"].split("-")[1] == TRACE


def test_a_refusal_is_found_in_the_log_by_the_trace_of_its_response(
    door: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    by_the_door, by_the_chain = door.put(READ), door.post(READ, json=ASK)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    traces = {line["trace_id"]: line["reason"] for line in lines}
    assert traces[by_the_door.headers["Traceparent"].split("-")[1]] == "VERB"
    assert by_the_chain.headers["Traceparent"].split("-")[1] in traces


def test_a_flood_of_refusals_is_counted_whole_and_logged_in_part(
    door: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    before = count("VERB")

    for _ in range(300):
        door.put(READ)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert count("VERB") == before + 300
    assert 0 < len(lines) < 150


def test_a_flood_of_calls_without_a_token_is_logged_in_part(
    door: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(200):
        door.post(READ, json=ASK)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 0 < len(lines) < 150
    assert {line["reason"] for line in lines} == {"NO_TOKEN"}


def test_without_a_token_the_scheme_is_told(door: FlaskClient) -> None:
    answer = door.post(READ, json=ASK)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_defect_is_internal(door: FlaskClient, passport: dict[str, str]) -> None:
    answer = door.post(f"{SERVICE}/FindSlots", json={"postcode": "CANARY"}, headers=passport)

    assert (answer.status_code, as_json(answer)["code"]) == (500, "internal")
    assert "CANARY" not in answer.text


ALLOWED_ORIGINS = [
    "https://desk.example",
    "http://localhost:5173",
    "http://127.0.0.1",
    "https://localhost:1",
    "http://[::1]:80",
]
OTHER_ORIGINS = [
    "null", "https://desk.example.evil", "https://evil.example", "http://desk.example", "https://desk.example:444",
    "http://localhost.evil", "http://localhost:1:2", "https://desk.example/", "https://xdesk.example", "",
]  # fmt: skip
SENT_BY_CLIENTS = [
    "authorization", "cms-purpose", "connect-protocol-version", "connect-timeout-ms", "content-encoding", "content-type",
    "grpc-timeout", "traceparent", "x-grpc-web", "x-user-agent",
]  # fmt: skip


@pytest.mark.parametrize("origin", ALLOWED_ORIGINS)
def test_a_page_of_an_allowed_origin_may_call(door: FlaskClient, passport: dict[str, str], origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }

    preflight = door.options(READ, headers=asked)
    answer = door.post(READ, json=ASK, headers=passport | {"Origin": origin})
    refused = door.post(READ, json=ASK, headers={"Origin": origin})

    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert set(SENT_BY_CLIENTS) <= set(preflight.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert int(preflight.headers["Access-Control-Max-Age"]) > 0
    for given in (preflight, answer, refused):
        assert given.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in given.vary
        assert "Access-Control-Allow-Credentials" not in given.headers
        assert {"grpc-status", "grpc-message", "grpc-status-details-bin", "traceparent"} <= set(
            given.headers["Access-Control-Expose-Headers"].lower().split(", ")
        )


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_a_page_of_another_origin_may_not_call(door: FlaskClient, origin: str) -> None:
    preflight = door.options(READ, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    answer = door.post(READ, json=ASK, headers={"Origin": origin})

    assert (preflight.status_code, reason_of(preflight)) == (403, "ORIGIN")
    for given in (preflight, answer):
        assert "Access-Control-Allow-Origin" not in given.headers
        assert "Origin" in given.vary


def test_without_the_setting_no_page_may_call(chain: Chain) -> None:
    door = application(chain, Origins()).test_client()

    preflight = door.options(READ, headers={"Origin": "http://localhost", "Access-Control-Request-Method": "POST"})

    assert preflight.status_code == 403
    assert "Access-Control-Allow-Origin" not in preflight.headers
