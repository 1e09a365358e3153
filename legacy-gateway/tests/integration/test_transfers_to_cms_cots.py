"""Child maintenance to CMS-COTS: the adapter against its stand-in, and the whole way inside the gateway."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.errors import Unavailable
from chassis.http_line import HttpLine
from chassis.inbox import Event
from chassis.testing import eventually
from chassis.workers import Turns
from legacy_gateway import mapping
from legacy_gateway.domain import Action, Facts, Result, System, SystemAnswer, new_transfer_id
from legacy_gateway.service.lost_records import reconcile
from legacy_gateway.service.reconciling import Reconciliation
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sending import send_next
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.systems.cms_cots import RULES, CmsCots
from simulators.cots.server import Cots
from simulators.settings import CotsSettings, read_settings
from simulators.testing import call

CLAIM = "C00000000018"
REPLY_SECONDS = 0.5
MAINTENANCE: dict[str, Any] = {
    "surname": "O’Brien-Łukasz",
    "maintenance_role": "PARENT_WITH_CARE",
    "contact_unsafe": True,
    "other_parent_surname": "Grant",
    "other_parent_forenames": "Darren",
    "children": [{"name": "Jade", "date_of_birth": "1996-06-05", "relationship": "SON_OR_DAUGHTER"}],
    "children_nights": [{"name": "Jade", "nights": 52.0}],
    "arrangement": "NONE",
}
AWAY = {"answer_late", "close_mid_request", "cut_reply", "garble", "hang", "lose_reply", "slow_body", "system_error"}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("a-token-of-the-tests")
    return path


@pytest.fixture
def stand_in(tmp_path: Path, token_file: Path) -> Iterator[Cots]:
    settings = read_settings(CotsSettings, port=0, control_port=0, data=tmp_path / "cots", token_file=token_file)
    started = Cots(settings)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def cots(stand_in: Cots, token_file: Path) -> Iterator[CmsCots]:
    system = CmsCots(_line(f"http://127.0.0.1:{stand_in.port}", token_file))
    yield system
    system.close()


def _line(url: str, token_file: Path) -> HttpLine:
    return HttpLine(url, token_file=token_file, size=2, seconds=REPLY_SECONDS, most_bytes=65_536)


def order(stand_in: Cots, failure: str, **rule: Any) -> None:
    """Orders a failure of the stand-in."""
    answer = call(stand_in.control_port, "POST", "/failures", body={"failure": failure, "count": 1, **rule})
    assert answer.status == 200, answer.body


def held(stand_in: Cots, claim_ref: str = CLAIM) -> int:
    """How many applications the stand-in holds of the claim."""
    entry = call(stand_in.control_port, "GET", f"/ledger?claim_ref={claim_ref}").body["claims"].get(claim_ref)
    return int(entry["held"]) if entry else 0


@dataclass(kw_only=True)
class Application:
    """An application that is good, under a transfer id of its own."""

    cots: CmsCots
    payload: bytes
    transfer_id: str

    def send(self, payload: bytes | None = None, *, send_by: float | None = None) -> SystemAnswer:
        by = time.monotonic() + 4 if send_by is None else send_by
        return self.cots.send(1, self.transfer_id, payload or self.payload, send_by=by)

    def ask(self) -> SystemAnswer:
        return self.cots.ask(self.transfer_id)


@pytest.fixture
def application(cots: CmsCots, facts: Callable[..., Facts]) -> Application:
    transfer_id = new_transfer_id()
    case = mapping.Case(
        claim_ref=CLAIM,
        action=Action.NEW,
        office_code="100123",
        assessor_id="ASSESS01",
        facts=facts(**MAINTENANCE),
        authority_code=None,
        transfer_id=transfer_id,
    )
    return Application(cots=cots, payload=mapping.build(System.CMS_COTS, 1, case), transfer_id=transfer_id)


def test_application_is_held_and_a_repeat_is_recognised(stand_in: Cots, application: Application) -> None:
    first, again, asked = application.send(), application.send(), application.ask()

    assert first == SystemAnswer(result=Result.HELD, legacy_ref="CC0000000001")
    assert (again, asked) == (first, first)
    assert held(stand_in) == 1


def test_a_record_that_was_never_sent_is_not_known(application: Application) -> None:
    assert application.ask().result is Result.NOT_KNOWN


def test_same_key_with_another_body_is_a_conflict(application: Application) -> None:
    application.send()

    other = application.payload.replace(b'"safe_contact":false', b'"safe_contact":true')

    assert application.send(other) == SystemAnswer(result=Result.CONFLICT, reason="OTHER_PAYLOAD")


@pytest.mark.parametrize("failure", sorted(AWAY))
def test_without_a_readable_answer_it_may_be_held(stand_in: Cots, application: Application, failure: str) -> None:
    order(stand_in, failure, call="POST", seconds=60)
    begun = time.monotonic()

    answer = application.send()

    assert answer.result is Result.NO_REPLY
    assert time.monotonic() - begun < 2 * REPLY_SECONDS
    assert application.ask().result is (Result.HELD if held(stand_in) else Result.NOT_KNOWN)


@pytest.mark.parametrize("seconds", [0, 0.02])
def test_body_that_never_ends_is_given_up(stand_in: Cots, application: Application, seconds: float) -> None:
    order(stand_in, "endless_body", seconds=seconds)
    begun = time.monotonic()

    answer = application.send()

    assert (answer.result, answer.reason) == (Result.NO_REPLY, "TIMED_OUT" if seconds else "TOO_LONG")
    assert time.monotonic() - begun < 2 * REPLY_SECONDS
    assert application.send().result is Result.HELD


@pytest.mark.parametrize("failure", ["unavailable", "too_many"])
def test_busy_system_says_when_to_come_again(stand_in: Cots, application: Application, failure: str) -> None:
    order(stand_in, failure, retry_after=7)

    assert application.send() == SystemAnswer(result=Result.BUSY, reason="BUSY", retry_after_seconds=7.0)


def test_refused_connection_sends_nothing(stand_in: Cots, application: Application, token_file: Path) -> None:
    late = application.send(send_by=time.monotonic() - 1)
    away = CmsCots(_line("http://127.0.0.1:1", token_file))
    refused = away.send(1, application.transfer_id, application.payload, send_by=time.monotonic() + 4)
    away.close()

    assert (late.result, refused.result) == (Result.NOT_SENT, Result.NOT_SENT)
    assert held(stand_in) == 0


def test_token_is_read_at_each_call(application: Application, token_file: Path) -> None:
    token = token_file.read_text()

    token_file.write_text("another")
    wrong = application.send()
    token_file.unlink()
    missing = application.send()
    token_file.write_text(token)

    assert (wrong.result, wrong.reason) == (Result.SYSTEM_ERROR, "NOT_ADMITTED")
    assert (missing.result, missing.reason) == (Result.NOT_SENT, "NOT_EQUIPPED")
    assert application.send().result is Result.HELD


def test_refusal_names_the_field_in_our_own_words(stand_in: Cots, application: Application) -> None:
    words = {"code": "CC0001", "text": "AB123456C of Donna Walker"}
    order(stand_in, "refuse_application", field="children.0.name", **words)

    answer = application.send()

    [message] = answer.messages
    assert answer.result is Result.REFUSED
    assert (message.code, message.field, message.question_id) == ("CC0001", "cots.children.name", "children_nights")
    assert "Walker" not in message.text


@pytest.mark.parametrize("field", ["", "x" * 60, "applicant.nino.AB123456C"])
def test_field_that_is_not_known_is_left_out(stand_in: Cots, application: Application, field: str) -> None:
    order(stand_in, "refuse_application", field=field, code="XX0001")

    [message] = application.send().messages

    assert (message.code, message.field, message.question_id) == (mapping.NO_RULE, "", "")


def test_call_under_way_ends_when_the_connections_are_reset(
    stand_in: Cots, application: Application, token_file: Path
) -> None:
    order(stand_in, "hang")
    url = f"http://127.0.0.1:{stand_in.port}"
    patient = CmsCots(HttpLine(url, token_file=token_file, size=1, seconds=30, most_bytes=65_536))

    with ThreadPoolExecutor() as others:
        sending = others.submit(replace(application, cots=patient).send)
        eventually(lambda: call(stand_in.control_port, "GET", "/failures/counts").body["counts"], what="it hangs")
        patient.reset()
        answer = sending.result(timeout=5)
    patient.close()

    assert (answer.result, answer.reason) == (Result.NO_REPLY, "CONNECTION_LOST")


def test_list_of_a_day_comes_page_by_page(stand_in: Cots, cots: CmsCots, application: Application) -> None:
    ids = [new_transfer_id() for _ in range(101)]
    for one in ids:
        payload = application.payload.replace(application.transfer_id.encode(), one.encode())
        assert cots.send(1, one, payload, send_by=time.monotonic() + 4).result is Result.HELD

    pages = list(cots.held_on(clock.today()))

    assert [len(page) for page in pages] == [100, 1]
    assert [record.transfer_id for page in pages for record in page] == ids
    assert [list(page) for page in cots.held_on(clock.today() - timedelta(days=1))] == [[]]


@pytest.mark.parametrize("failure", ["unavailable", "garble", "cut_reply", "endless_body", "system_error"])
def test_list_that_cannot_be_had_is_told(stand_in: Cots, cots: CmsCots, failure: str) -> None:
    order(stand_in, failure, call="LIST", seconds=0)

    with pytest.raises(Unavailable):
        list(cots.held_on(clock.today()))


@dataclass(kw_only=True)
class Outside:
    """The gateway, with CMS-COTS beside it."""

    gateway: Any
    stand_in: Cots
    resources: Resources
    facts: Callable[..., Facts]
    confirmation: Callable[..., Event]

    def claim(self, claim_ref: str = CLAIM, **answers: Any) -> str:
        """A confirmed application for child maintenance."""
        self.gateway.intake.known[claim_ref, 7] = self.facts(**MAINTENANCE | answers)
        self.gateway.hear(self.confirmation(claim_ref, schemes=["CHILD_MAINTENANCE"]))
        return claim_ref

    def work_until(self, *states: str, claim_ref: str = CLAIM, generation: int = 1) -> None:
        """Steps until the claim's transfers are in these states."""

        def there() -> bool:
            send_next(self.resources, System.CMS_COTS)
            sweep(self.resources)
            return bool(self.gateway.states(claim_ref, generation) == list(states))

        eventually(there, seconds=15, what=f"{states}")


@pytest.fixture
def outside(
    gateway: Any, stand_in: Cots, cots: CmsCots, facts: Callable[..., Facts], confirmation: Callable[..., Event]
) -> Outside:
    resources = replace(
        gateway.resources,
        systems={**gateway.resources.systems, System.CMS_COTS: cots},
        turns={**gateway.resources.turns, System.CMS_COTS: Turns(pause_seconds=0)},
    )
    return Outside(gateway=gateway, stand_in=stand_in, resources=resources, facts=facts, confirmation=confirmation)


def test_confirmed_application_is_held_once(outside: Outside) -> None:
    outside.claim()

    outside.work_until("ACCEPTED")

    [row] = outside.gateway.rows(CLAIM)
    assert row["legacy_ref"] == "CC0000000001"
    assert held(outside.stand_in) == 1


def test_unknown_application_is_asked_about_and_held_once(outside: Outside) -> None:
    for number, failure in enumerate(sorted(AWAY)):
        claim_ref = f"C{number:011}"
        order(outside.stand_in, failure, claim_ref=claim_ref, seconds=60)
        outside.claim(claim_ref)

        outside.work_until("ACCEPTED", claim_ref=claim_ref)

        assert held(outside.stand_in, claim_ref) == 1, failure


def test_refused_application_is_corrected_under_another_key(outside: Outside, amendment: Callable[..., Event]) -> None:
    order(outside.stand_in, "refuse_application", field="applicant.postcode", code="CC0006")
    outside.claim()
    outside.work_until("REJECTED")

    outside.gateway.intake.known[CLAIM, 8] = outside.facts(**MAINTENANCE)
    outside.gateway.hear(amendment(CLAIM, version=8))
    outside.work_until("ACCEPTED", generation=2)

    assert held(outside.stand_in) == 1


def test_application_without_a_child_is_not_sent(outside: Outside) -> None:
    outside.claim(children_nights=[])

    outside.work_until("REJECTED")

    assert held(outside.stand_in) == 0


@pytest.mark.usefixtures("clock_file")
def test_application_lost_overnight_is_found_by_the_balance_and_held_again(outside: Outside, cots: CmsCots) -> None:
    outside.claim()
    outside.work_until("ACCEPTED")
    work = Reconciliation(
        database=outside.gateway.database,
        database_url=outside.gateway.url,
        rules=RULES,
        adapter=cots,
        hour=5,
        lease_seconds=5.0,
        time_scale=outside.resources.time_scale,
    )
    outside.gateway.change("UPDATE transfers SET updated = updated - interval '1 second'")
    assert call(outside.stand_in.control_port, "POST", "/ledger/lose", body={"claim_ref": CLAIM}).body == {"lost": 1}
    now = clock.now().astimezone(clock.LONDON)
    clock.advance((now + timedelta(days=1)).replace(hour=6, minute=0) - now)

    while reconcile(work):
        pass
    assert held(outside.stand_in) == 0
    eventually(lambda: send_next(outside.resources, System.CMS_COTS) and held(outside.stand_in) == 1, what="held again")

    outside.work_until("ACCEPTED")


def test_change_is_left_to_a_caseworker(facts: Callable[..., Facts], application: Application) -> None:
    case = mapping.Case(
        claim_ref=CLAIM,
        action=Action.CHANGE,
        office_code="100123",
        assessor_id="ASSESS01",
        facts=facts(**MAINTENANCE),
        authority_code=None,
        transfer_id=application.transfer_id,
    )

    with pytest.raises(mapping.Unfit) as unfit:
        mapping.build(System.CMS_COTS, 1, case)

    assert unfit.value.needs_person
    assert [message.code for message in unfit.value.messages] == [mapping.NO_CHANGES]


def test_application_that_was_lost_overnight_is_sent_again_under_its_key(
    outside: Outside, books_of: Callable[..., Any]
) -> None:
    outside.claim()
    outside.work_until("ACCEPTED")
    [before] = outside.gateway.rows(CLAIM)
    books = books_of(System.CMS_COTS, outside.resources.systems[System.CMS_COTS], outside.stand_in.control_port)
    books.let_it_settle()
    books.lose(CLAIM)
    books.next_morning()

    books.run()
    outside.work_until("ACCEPTED")

    [after] = outside.gateway.rows(CLAIM)
    assert (after["transfer_id"], after["payload"], after["attempts"]) == (before["transfer_id"], before["payload"], 2)
    assert held(outside.stand_in) == 1
