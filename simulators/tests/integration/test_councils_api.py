"""The councils' API over its real doors: receipts, loading, refusals and every failure."""

import http.client
import json
import time
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.councils.server import Councils
from simulators.settings import CouncilsSettings
from simulators.testing import CLAIM_REF, HttpAnswer, call, good_notice, signature, wait_until

LEEDS, CARDIFF = "E08000035", "W06000015"
SECRETS = {LEEDS: bytes.fromhex("00ff" * 16), CARDIFF: bytes.fromhex("11ee" * 16)}


def post(
    councils: Councils, *, authority: str = LEEDS, headers: dict[str, str] | None = None, **changes: Any
) -> HttpAnswer:
    notice = good_notice(Clock().today(), **changes)
    body = json.dumps(notice).encode()
    right = {
        "X-Signature": signature(SECRETS.get(authority, b""), body),
        "Idempotency-Key": f"{notice['notice_id']}:{notice['version']}",
    }
    return call(councils.port, "POST", f"/{authority}/hb-notices", body=body, headers=right | (headers or {}))


def get(councils: Councils, notice_id: str = "N-1") -> HttpAnswer:
    return call(councils.port, "GET", f"/{LEEDS}/hb-notices/{notice_id}")


def wait_until_loaded(councils: Councils, notice_id: str = "N-1") -> None:
    wait_until(lambda: get(councils, notice_id).body["state"] == "LOADED")


def order(councils: Councils, failure: str, **rule: object) -> None:
    assert call(councils.control_port, "POST", "/failures", body={"failure": failure, **rule}).status == 200


def ledger(councils: Councils) -> Any:
    return call(councils.control_port, "GET", f"/ledger?claim_ref={CLAIM_REF}").body


def faults(answer: HttpAnswer) -> list[str]:
    assert answer.status == 422
    return [error["field"] for error in answer.body["errors"]]


def test_a_notice_is_receipted_and_then_loaded(councils: Councils) -> None:
    answer = post(councils)
    first = get(councils).body
    wait_until_loaded(councils)

    assert answer.status == 202
    assert answer.body["receipt"]
    assert first["version"] == 1
    assert first["state"] in {"RECEIVED", "LOADED"}
    [notice] = ledger(councils)["claims"][CLAIM_REF]
    assert (notice["loaded_version"], notice["most_loads_of_a_version"]) == (1, 1)


def test_the_same_notice_again_gives_the_same_receipt_and_is_loaded_once(councils: Councils) -> None:
    first = post(councils)
    wait_until_loaded(councils)

    again = post(councils)

    assert (again.status, again.body) == (200, first.body)
    assert ledger(councils)["versions"] == {"RECEIVED": 0, "LOADED": 1, "REFUSED": 0}
    assert ledger(councils)["duplicates"] == 0


def test_a_later_version_supersedes_and_an_earlier_one_then_conflicts(councils: Councils) -> None:
    later = post(councils, version=3, supersedes=2)

    assert later.status == 202
    assert post(councils, version=2, supersedes=1).status == 409
    assert get(councils).body["version"] == 3


def test_the_latest_version_is_loaded_after_an_earlier_one(councils: Councils) -> None:
    post(councils)
    wait_until_loaded(councils)

    post(councils, version=2, supersedes=1, kind="CHANGE")
    wait_until(lambda: get(councils).body == {"version": 2, "state": "LOADED", "reason": ""})

    [notice] = ledger(councils)["claims"][CLAIM_REF]
    assert [(version["version"], version["kind"]) for version in notice["versions"]] == [
        (1, "INTENTION"),
        (2, "CHANGE"),
    ]


def test_a_claim_loaded_under_two_notices_is_a_duplicate(councils: Councils) -> None:
    for notice_id in ("N-1", "N-2"):
        post(councils, notice_id=notice_id)
        wait_until_loaded(councils, notice_id)

    assert ledger(councils)["duplicates"] == 1


def test_the_same_version_with_other_content_is_refused(councils: Councils) -> None:
    post(councils)

    assert faults(post(councils, seeks="HB")) == ["version"]
    assert faults(post(councils, claim_ref="C9999999999Z")) == ["claim_ref"]


@pytest.mark.parametrize("given", ["", "sha256=00", "sha256=é"])
def test_a_wrong_signature_is_401_in_json(councils: Councils, given: str) -> None:
    answer = post(councils, headers={"X-Signature": given})

    assert answer.status == 401
    assert answer.body["error"]
    assert ledger(councils)["notices"] == 0


def test_another_authoritys_secret_does_not_sign(councils: Councils) -> None:
    body = json.dumps(good_notice(Clock().today())).encode()

    answer = post(councils, headers={"X-Signature": signature(SECRETS[CARDIFF], body)})

    assert answer.status == 401


def test_an_authority_that_is_not_known_is_404(councils: Councils) -> None:
    assert post(councils, authority="E07000999").status == 404
    assert call(councils.port, "GET", "/E07000999/hb-notices/N-1").status == 404


def test_a_notice_that_is_not_held_is_404(councils: Councils) -> None:
    assert get(councils).status == 404


def test_the_key_must_be_the_bodys_and_the_authority_the_one_called(councils: Councils) -> None:
    assert faults(post(councils, headers={"Idempotency-Key": "N-1:2"})) == ["Idempotency-Key"]
    assert faults(post(councils, authority=CARDIFF)) == ["authority_code"]


def test_broken_fields_are_named_and_nothing_is_held(councils: Councils) -> None:
    answer = post(councils, first_contact_on="2026-02-31", bank={"sort_code": "1"})

    assert sorted(faults(answer)) == ["bank", "first_contact_on"]
    assert ledger(councils)["notices"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(councils: Councils, body: bytes) -> None:
    answer = call(
        councils.port,
        "POST",
        f"/{LEEDS}/hb-notices",
        body=body,
        headers={"X-Signature": signature(SECRETS[LEEDS], body)},
    )

    assert answer.status == 422


@pytest.mark.parametrize(("failure", "status"), [("unavailable", 503), ("too_many", 429)])
def test_an_authority_that_is_away_says_when_to_come_again(councils: Councils, failure: str, status: int) -> None:
    order(councils, failure, count=1, retry_after=3, authority=LEEDS)

    answer, again = post(councils), post(councils)

    assert (answer.status, answer.headers["Retry-After"]) == (status, "3")
    assert again.status == 202


def test_a_failure_for_another_authority_or_method_leaves_this_one_alone(councils: Councils) -> None:
    order(councils, "unavailable", authority=CARDIFF)
    order(councils, "unavailable", method="GET")

    assert post(councils).status == 202
    assert get(councils).status == 503


def test_a_refusal_by_order_names_the_field(councils: Councils) -> None:
    order(councils, "invalid", count=1, field="address.postcode")

    assert faults(post(councils)) == ["address.postcode"]
    assert ledger(councils)["notices"] == 0


def test_a_lost_reply_leaves_the_notice_held(councils: Councils) -> None:
    order(councils, "lose_reply", count=1, claim_ref=CLAIM_REF)

    with pytest.raises((http.client.HTTPException, ConnectionError)):
        post(councils)

    assert post(councils).status == 200
    assert call(councils.control_port, "GET", "/failures/counts").body == {"counts": {"lose_reply": 1}}


def test_a_slow_answer_comes_late(councils: Councils) -> None:
    order(councils, "slow", seconds=0.3)
    began = time.monotonic()

    assert post(councils).status == 202
    assert time.monotonic() - began >= 0.3


def test_a_load_can_be_refused_with_a_reason(councils: Councils) -> None:
    order(councils, "refuse_load", count=1, reason="not in this district")

    answer = post(councils)
    wait_until(lambda: get(councils).body["state"] == "REFUSED")

    assert answer.status == 202
    assert get(councils).body["reason"] == "not in this district"
    assert ledger(councils)["claims"][CLAIM_REF][0]["loaded_version"] is None


def test_a_restart_finds_the_ledger_and_loads_what_was_not_loaded(councils_settings: CouncilsSettings) -> None:
    before = Councils(councils_settings.model_copy(update={"load_seconds": 3600.0}))
    before.start()
    receipt = post(before).body
    before.stop()

    after = Councils(councils_settings)
    after.start()
    wait_until(lambda: get(after).body["state"] == "LOADED")

    assert post(after).body == receipt
    after.stop()


def test_the_ledger_names_nobody(councils_settings: CouncilsSettings, councils: Councils) -> None:
    post(councils)

    text = (councils_settings.data / "ledger.jsonl").read_text()

    assert CLAIM_REF in text
    assert all(value not in text for value in ("Brien", "AB123456C", "High St", "1980-02-29"))


def test_both_doors_say_that_they_are_ready(councils: Councils) -> None:
    assert call(councils.control_port, "GET", "/healthz").status == 200
    assert call(councils.control_port, "GET", "/readyz").status == 200
