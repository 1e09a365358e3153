"""CMS-COTS by its HTTP door and its control door."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.cots.server import Cots
from simulators.cots.testing import good_application
from simulators.settings import CotsSettings, read_settings
from simulators.testing import CLAIM_REF, HttpAnswer, call, transfer_id, wait_until

TODAY = Clock().today()
TOKEN = "a-token-of-the-tests"
HOLDS_NOTHING = {"hang", "refuse", "close_mid_request", "unavailable", "too_many", "system_error", "conflict"}


@pytest.fixture
def settings(tmp_path: Path) -> CotsSettings:
    (tmp_path / "token").write_text(TOKEN)
    return read_settings(
        CotsSettings,
        port=0,
        control_port=0,
        data=tmp_path / "cots",
        token_file=tmp_path / "token",
        clock_offset_file=tmp_path / "offset",
    )


@pytest.fixture
def cots(settings: CotsSettings) -> Iterator[Cots]:
    stand_in = Cots(settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


def ask(cots: Cots, method: str, path: str, *, body: object = None, token: str = TOKEN, **headers: str) -> HttpAnswer:
    shown = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return call(cots.port, method, path, body=body, headers=shown)


def post(cots: Cots, application: dict[str, Any]) -> HttpAnswer:
    return ask(cots, "POST", "/v1/applications", body=application, Idempotency_Key=application["transfer_id"])


def by_transfer(cots: Cots, number: int = 1) -> HttpAnswer:
    return ask(cots, "GET", f"/v1/applications/by-transfer/{transfer_id(number)}")


def held_on(cots: Cots, query: str) -> HttpAnswer:
    return ask(cots, "GET", f"/v1/applications?{query}")


def fail(cots: Cots, **rule: Any) -> None:
    assert call(cots.control_port, "POST", "/failures", body={"count": 1, **rule}).status == 200


def ledger(cots: Cots) -> Any:
    return call(cots.control_port, "GET", "/ledger").body


def test_application_is_registered_and_found_by_its_transfer(cots: Cots) -> None:
    answer = post(cots, good_application())

    assert (answer.status, answer.body) == (201, {"application_id": "CC0000000001", "status": "REGISTERED"})
    assert (by_transfer(cots).status, by_transfer(cots).body) == (200, answer.body)
    assert by_transfer(cots, 2).status == 404
    assert ledger(cots)["claims"] == {CLAIM_REF: {"held": 1, "duplicates": 0}}


def test_repeat_is_recognised_by_key_and_equal_json(cots: Cots) -> None:
    first = post(cots, good_application())
    other_order = dict(reversed(good_application().items()))

    again, other = post(cots, other_order), post(cots, good_application(safe_contact=False))

    assert (again.status, again.body) == (200, first.body)
    assert other.status == 409
    assert ledger(cots)["claims"][CLAIM_REF] == {"held": 1, "duplicates": 0}


def test_second_application_of_a_claim_is_a_duplicate(cots: Cots) -> None:
    post(cots, good_application(1))
    post(cots, good_application(2))

    assert ledger(cots)["claims"][CLAIM_REF] == {"held": 2, "duplicates": 1}


def changed(part: str, **changes: Any) -> dict[str, Any]:
    whole = good_application()
    return whole | {part: whole[part] | changes}


@pytest.mark.parametrize(
    ("application", "code", "field"),
    [
        (changed("applicant", nino="BG123456A"), "CC0001", "applicant.nino"),
        (changed("other_parent", nino="QQ123456C"), "CC0001", "other_parent.nino"),
        (changed("applicant", postcode="LS14AP"), "CC0006", "applicant.postcode"),
        (changed("applicant", date_of_birth="1980-02-30"), "CC0099", "applicant.date_of_birth"),
        (changed("applicant", date_of_birth="19800229"), "CC0099", "applicant.date_of_birth"),
        (changed("applicant", date_of_birth="1880-02-28"), "CC0024", "applicant.date_of_birth"),
        (changed("applicant", language="FR"), "CC0099", "applicant.language"),
        (changed("bank", sort_code="12-34-56"), "CC0099", "bank.sort_code"),
        (changed("bank", account_number="1234567"), "CC0099", "bank.account_number"),
        (good_application(role="FATHER"), "CC0099", "role"),
        (good_application(opening_arrears=350.0), "CC0099", "opening_arrears"),
        (good_application(safe_contact="yes"), "CC0099", "safe_contact"),
        (good_application(children=[]), "CC0099", "children"),
        (good_application(arrears_as_at=(TODAY + timedelta(days=2)).isoformat()), "CC0022", "arrears_as_at"),
        (good_application(shoe_size=44), "CC0099", "shoe_size"),
        ({name: value for name, value in good_application().items() if name != "role"}, "CC0099", "role"),
    ],
)
def test_application_that_breaks_a_rule_is_refused(
    cots: Cots, application: dict[str, Any], code: str, field: str
) -> None:
    answer = post(cots, application)

    assert answer.status == 422
    assert [(one["code"], one["field"]) for one in answer.body["errors"]] == [(code, field)]
    assert ledger(cots)["claims"] == {}


def test_key_that_is_not_the_transfer_id_is_refused(cots: Cots) -> None:
    answer = ask(cots, "POST", "/v1/applications", body=good_application(), Idempotency_Key=transfer_id(9))

    assert [one["field"] for one in answer.body["errors"]] == ["transfer_id"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 10_000])
def test_body_that_is_no_application_is_refused(cots: Cots, body: bytes) -> None:
    assert ask(cots, "POST", "/v1/applications", body=body, Idempotency_Key=transfer_id(1)).status == 422


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_only_who_shows_the_token_is_let_in(cots: Cots, method: str) -> None:
    assert ask(cots, method, "/v1/applications", body={}, token="another").status == 401


def test_length_that_is_too_great_is_refused_unread(cots: Cots) -> None:
    with socket.create_connection(("127.0.0.1", cots.port), timeout=5) as connection:
        connection.sendall(b"POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n\r\n")

        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_list_of_a_day_comes_in_pages(cots: Cots) -> None:
    for number in range(1, 202):
        post(cots, good_application(number, claim_ref=f"C{number:011d}"))

    first = held_on(cots, f"received_on={TODAY}").body
    second = held_on(cots, f"received_on={TODAY}&after={first['next']}").body
    third = held_on(cots, f"received_on={TODAY}&after={second['next']}").body

    pages = [page["applications"] for page in (first, second, third)]
    assert [len(page) for page in pages] == [100, 100, 1]
    assert first["next"] == pages[0][-1]["application_id"]
    assert "next" not in third
    assert [row["transfer_id"] for page in pages for row in page] == [transfer_id(number) for number in range(1, 202)]


@pytest.mark.parametrize("query", ["", "received_on=2005-13-01", f"received_on={TODAY}&after=CC9999999999"])
def test_list_that_cannot_be_had_is_refused(cots: Cots, query: str) -> None:
    assert held_on(cots, query).status == 422


def test_day_without_receipts_is_an_empty_list(cots: Cots) -> None:
    assert held_on(cots, "received_on=2005-07-11").body == {"applications": []}


def test_application_lost_overnight_is_held_no_more(cots: Cots) -> None:
    post(cots, good_application())

    lost = call(cots.control_port, "POST", "/ledger/lose", body={"claim_ref": CLAIM_REF}).body

    assert lost == {"lost": 1}
    assert by_transfer(cots).status == 404
    assert held_on(cots, f"received_on={TODAY}").body == {"applications": []}
    assert post(cots, good_application()).status == 201


@pytest.mark.parametrize(
    ("failure", "status", "header"),
    [
        ({"failure": "unavailable", "retry_after": 7}, 503, "7"),
        ({"failure": "too_many", "retry_after": 3}, 429, "3"),
        ({"failure": "system_error"}, 500, None),
        ({"failure": "conflict"}, 409, None),
        ({"failure": "refuse_application", "field": "role"}, 422, None),
    ],
)
def test_failure_is_answered_and_nothing_held(
    cots: Cots, failure: dict[str, Any], status: int, header: str | None
) -> None:
    fail(cots, **failure)

    answer = post(cots, good_application())

    assert (answer.status, answer.headers.get("Retry-After")) == (status, header)
    assert ledger(cots)["claims"] == {}
    assert post(cots, good_application()).status == 201


@pytest.mark.parametrize("failure", ["lose_reply", "cut_reply", "garble", "close_mid_request", "refuse"])
def test_answer_is_lost(cots: Cots, failure: str) -> None:
    fail(cots, failure=failure)

    with pytest.raises((OSError, http.client.HTTPException, json.JSONDecodeError)):
        post(cots, good_application())

    assert bool(ledger(cots)["claims"]) == (failure not in HOLDS_NOTHING)


@pytest.mark.parametrize("failure", ["answer_late", "slow_body"])
def test_answer_comes_late(cots: Cots, failure: str) -> None:
    fail(cots, failure=failure, seconds=0.2, claim_ref=CLAIM_REF, call="POST")
    begun = time.monotonic()

    answer = post(cots, good_application())

    assert answer.status == 201
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_body_never_ends(cots: Cots, seconds: float) -> None:
    fail(cots, failure="endless_body", seconds=seconds, call="BY_TRANSFER")
    post(cots, good_application())

    connection = http.client.HTTPConnection("127.0.0.1", cots.port, timeout=5)
    connection.request(
        "GET", f"/v1/applications/by-transfer/{transfer_id(1)}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    response = connection.getresponse()
    assert response.status == 200
    assert response.read(20) == b" " * 20
    response.close()
    connection.close()


def test_call_is_never_answered(cots: Cots) -> None:
    fail(cots, failure="hang")
    connection = http.client.HTTPConnection("127.0.0.1", cots.port, timeout=0.2)
    connection.request("GET", "/v1/applications", headers={"Authorization": f"Bearer {TOKEN}"})

    with pytest.raises(TimeoutError):
        connection.getresponse()

    connection.close()
    assert ledger(cots)["claims"] == {}


def test_everything_is_there_after_a_restart(settings: CotsSettings) -> None:
    first = Cots(settings)
    first.start()
    for number in (1, 2):
        post(first, good_application(number, claim_ref=f"C{number:011d}"))
    call(first.control_port, "POST", "/ledger/lose", body={"claim_ref": "C00000000001"})
    before = ledger(first)
    first.stop()

    second = Cots(settings)
    second.start()
    try:
        assert ledger(second) == before
        assert (by_transfer(second, 1).status, by_transfer(second, 2).status) == (404, 200)
        assert post(second, good_application(2, claim_ref="C00000000002")).status == 200
    finally:
        second.stop()


def test_stand_in_stops_while_a_call_hangs(settings: CotsSettings) -> None:
    stand_in = Cots(settings)
    stand_in.start()
    fail(stand_in, failure="hang")
    connection = http.client.HTTPConnection("127.0.0.1", stand_in.port, timeout=5)
    connection.request("GET", "/v1/applications", headers={"Authorization": f"Bearer {TOKEN}"})
    wait_until(lambda: call(stand_in.control_port, "GET", "/failures/counts").body["counts"] == {"hang": 1})

    stand_in.stop()

    connection.close()


def test_system_that_is_down_answers_nobody_until_the_time_is_over(cots: Cots) -> None:
    fail(cots, failure="down", seconds=0.3)

    for _ in range(2):
        with pytest.raises((OSError, http.client.HTTPException)):
            post(cots, good_application())

    wait_until(lambda: answers(cots))
    assert post(cots, good_application()).status == 201


def answers(cots: Cots) -> bool:
    try:
        return by_transfer(cots).status == 404
    except (OSError, http.client.HTTPException):
        return False
