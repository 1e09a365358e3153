"""Notify over its real doors, by its own client: messages, what becomes of them, and every failure."""

import io
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient
from notifications_python_client.utils import prepare_upload

from simulators.errors import ConfigurationError
from simulators.notify.server import Notify
from simulators.notify.templates import load_templates
from simulators.notify.testing import notify_settings
from simulators.notify.tokens import ServiceKey, read_key
from simulators.settings import NotifySettings
from simulators.testing import CLAIM_REF, call

TEXT, EMAIL, FILE = load_templates()
NUMBER, ADDRESS = "07700 900123", "mary@example.org"


@pytest.fixture
def settings(tmp_path: Path) -> NotifySettings:
    return notify_settings(tmp_path, clock_offset_file=tmp_path / "clock-offset")


@pytest.fixture
def notify(settings: NotifySettings) -> Iterator[Notify]:
    stand_in = Notify(settings)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def client(notify: Notify, settings: NotifySettings) -> NotificationsAPIClient:
    return client_of(notify, settings)


def client_of(notify: Notify, settings: NotifySettings) -> NotificationsAPIClient:
    key = settings.key_file.read_text()
    return NotificationsAPIClient(key, base_url=f"http://127.0.0.1:{notify.port}", timeout=5)


def send_text(client: NotificationsAPIClient, **changes: Any) -> Any:
    given = {"phone_number": NUMBER, "template_id": TEXT, "reference": "R-1"}
    personalisation = {"body": f"Your appointment is on Monday. Ref {CLAIM_REF}"}
    return client.send_sms_notification(**{**given, "personalisation": personalisation, **changes})


def send_email(client: NotificationsAPIClient, **changes: Any) -> Any:
    given = {"email_address": ADDRESS, "template_id": EMAIL, "reference": "R-2"}
    return client.send_email_notification(**{**given, "personalisation": {"subject": "S", "body": "B"}, **changes})


def fail(notify: Notify, failure: str, **rule: object) -> None:
    assert call(notify.control_port, "PUT", "/failures", body={"failure": failure, **rule}).status == 200


def ledger(notify: Notify, claim_ref: str = "") -> Any:
    return call(notify.control_port, "GET", f"/ledger{claim_ref and '?claim_ref=' + claim_ref}").body


def refusal(error: pytest.ExceptionInfo[APIError]) -> tuple[int, str]:
    found = error.value.message
    return error.value.status_code, found[0]["error"] if isinstance(found, list) else found


def move_clock(settings: NotifySettings, seconds: float) -> None:
    assert settings.clock_offset_file is not None
    settings.clock_offset_file.write_text(str(seconds))


def test_a_text_and_an_email_are_delivered_and_found_by_id_and_by_reference(
    notify: Notify, client: NotificationsAPIClient
) -> None:
    text = send_text(client)
    email = send_email(client)

    assert text["content"]["body"].endswith(CLAIM_REF)
    told = client.get_notification_by_id(email["id"])
    assert (told["status"], told["type"], told["email_address"], told["subject"]) == (
        "delivered",
        "email",
        ADDRESS,
        "S",
    )
    assert [one["id"] for one in client.get_all_notifications(reference="R-1")["notifications"]] == [text["id"]]
    assert client.get_all_notifications(reference="R-3")["notifications"] == []
    assert [one["id"] for one in client.get_all_notifications()["notifications"]] == [email["id"], text["id"]]
    assert [entry["reference"] for entry in ledger(notify)["claims"][CLAIM_REF]] == ["R-1"]
    said = call(notify.control_port, "GET", f"/messages?claim_ref={CLAIM_REF}").body["messages"]
    assert [one["recipient"] for one in said] == [NUMBER]


def test_an_email_with_a_file_tells_where_it_can_be_fetched(client: NotificationsAPIClient) -> None:
    link = prepare_upload(io.BytesIO(b"%PDF-1.4 list"), filename="list.pdf")

    told = send_email(client, template_id=FILE, personalisation={"subject": "S", "body": "B", "link": link})

    assert "https://documents.service.gov.uk/d/" in told["content"]["body"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"phone_number": "0113 496 0000"}, (400, "ValidationError")),
        ({"template_id": str(uuid.UUID(int=0))}, (400, "BadRequestError")),
        ({"template_id": EMAIL}, (400, "BadRequestError")),
        ({"personalisation": {"text": "x"}}, (400, "BadRequestError")),
        ({"personalisation": {"body": "x" * 919}}, (400, "BadRequestError")),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(
    notify: Notify, client: NotificationsAPIClient, changes: dict[str, Any], error: tuple[int, str]
) -> None:
    with pytest.raises(APIError) as caught:
        send_text(client, **changes)

    assert refusal(caught) == error
    assert ledger(notify)["messages"] == 0


def test_a_letter_is_not_ours_to_send(client: NotificationsAPIClient) -> None:
    with pytest.raises(APIError) as caught:
        client.send_precompiled_letter_notification("R-9", io.BytesIO(b"%PDF-1.4"))

    assert refusal(caught) == (400, "BadRequestError")


def test_one_reference_sent_twice_is_two_messages(notify: Notify, client: NotificationsAPIClient) -> None:
    send_text(client)
    send_text(client)

    assert ledger(notify)["duplicates"] == 1
    assert len(client.get_all_notifications(reference="R-1")["notifications"]) == 2


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ("bounce", "permanent-failure"),
        ("temporary_failure", "temporary-failure"),
        ("technical_failure", "technical-failure"),
        ("never", "sending"),
        ("delay", "sending"),
    ],
)
def test_a_message_that_was_taken_may_not_arrive(
    notify: Notify, client: NotificationsAPIClient, settings: NotifySettings, failure: str, status: str
) -> None:
    fail(notify, failure, claim_ref=CLAIM_REF, seconds=3600)

    number = send_text(client)["id"]

    assert client.get_notification_by_id(number)["status"] == status
    move_clock(settings, 3601)
    late = client.get_notification_by_id(number)["status"]
    assert late == ("delivered" if failure == "delay" else status)
    assert client.get_notification_by_id(send_email(client)["id"])["status"] == "delivered"


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ("rate_limited", (429, "RateLimitError")),
        ("over_daily_limit", (429, "TooManyRequestsError")),
        ("system_error", (500, "Exception")),
        ("unavailable", (503, "Exception")),
        ("forbidden", (403, "AuthError")),
        ("refuse_recipient", (400, "ValidationError")),
    ],
)
def test_a_failure_keeps_a_message_from_being_taken(
    notify: Notify, client: NotificationsAPIClient, failure: str, error: tuple[int, str]
) -> None:
    fail(notify, failure, count=1)

    with pytest.raises(APIError) as caught:
        send_text(client)

    assert refusal(caught) == error
    assert ledger(notify)["messages"] == 0
    send_text(client)


def test_a_message_whose_answer_is_lost_is_found_by_its_reference(
    notify: Notify, client: NotificationsAPIClient
) -> None:
    fail(notify, "lose_reply", method="POST", count=1)

    with pytest.raises(APIError) as caught:
        send_text(client)

    assert caught.value.response is None
    assert len(client.get_all_notifications(reference="R-1")["notifications"]) == 1


def test_the_list_may_show_a_message_late(
    notify: Notify, client: NotificationsAPIClient, settings: NotifySettings
) -> None:
    fail(notify, "list_late", seconds=60, count=1)

    number = send_text(client)["id"]

    assert client.get_all_notifications(reference="R-1")["notifications"] == []
    assert client.get_notification_by_id(number)["status"] == "delivered"
    move_clock(settings, 61)
    assert len(client.get_all_notifications(reference="R-1")["notifications"]) == 1


def test_a_message_is_told_of_for_a_week(client: NotificationsAPIClient, settings: NotifySettings) -> None:
    number = send_text(client)["id"]

    move_clock(settings, 7 * 86_400 + 60)

    with pytest.raises(APIError) as caught:
        client.get_notification_by_id(number)
    assert refusal(caught) == (404, "NoResultFound")
    assert client.get_all_notifications(reference="R-1")["notifications"] == []


def test_more_than_the_limit_of_a_minute_is_answered_429(tmp_path: Path) -> None:
    settings = notify_settings(tmp_path, per_minute=2)
    stand_in = Notify(settings)
    stand_in.start()
    try:
        client = client_of(stand_in, settings)
        send_text(client)
        send_text(client)
        with pytest.raises(APIError) as caught:
            send_text(client)
        assert refusal(caught) == (429, "RateLimitError")
    finally:
        stand_in.stop()


def test_a_reply_may_be_huge(notify: Notify, client: NotificationsAPIClient) -> None:
    fail(notify, "huge_reply", method="GET", megabytes=1)

    with pytest.raises(APIError):
        client.get_all_notifications(reference="R-1")


def test_only_a_fresh_token_of_the_key_comes_in(notify: Notify, settings: NotifySettings) -> None:
    key = read_key(settings.key_file)

    def status(secret: str, **claims: object) -> int:
        token = jwt.encode(claims, secret, algorithm="HS256")
        headers = {"Authorization": f"Bearer {token}"}
        return call(notify.port, "GET", "/v2/notifications", headers=headers).status

    now = int(time.time())
    assert status(key.secret, iss=key.service_id, iat=now) == 200
    assert status("0" * 36, iss=key.service_id, iat=now) == 403
    assert status(key.secret, iss="another", iat=now) == 403
    assert status(key.secret, iss=key.service_id, iat=now - 31) == 403
    assert status(key.secret, iss=key.service_id) == 403
    assert call(notify.port, "GET", "/v2/notifications").status == 403


def test_a_key_file_without_a_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("cms3-secret")

    with pytest.raises(ConfigurationError, match="holds no API key"):
        read_key(file)
    file.write_text(f"a-name-{uuid.UUID(int=1)}-{uuid.UUID(int=2)}\n")
    assert read_key(file) == ServiceKey(service_id=str(uuid.UUID(int=1)), secret=str(uuid.UUID(int=2)))


def test_the_ledger_outlives_a_restart_and_names_nobody(settings: NotifySettings) -> None:
    first = Notify(settings)
    first.start()
    send_text(client_of(first, settings))
    before = ledger(first)
    first.stop()

    second = Notify(settings)
    second.start()
    try:
        assert ledger(second) == before
        assert ledger(second, CLAIM_REF)["messages"] == 1
    finally:
        second.stop()
    kept = (settings.data / "ledger.jsonl").read_text()
    assert all(word not in kept for word in (NUMBER, "appointment"))
