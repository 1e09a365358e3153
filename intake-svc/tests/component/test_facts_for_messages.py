"""The facts that are needed to write to the claimant, apart from those that a council may have."""

from typing import Any


def test_the_facts_of_a_message_and_those_of_a_notice_never_come_together(desk: Any, rest: Any) -> None:
    operator, notifier, gateway = desk(), desk("SERVICE", "la-notifier"), desk("SERVICE", "legacy-gateway")
    claim_ref = operator.start()["claim"]["claimRef"]
    wishes = {"messages_by": "EMAIL", "email": "ann@example.org", "messages_discreet": True}
    operator.record(claim_ref, 1, **rest | wishes)

    of_a_message = facts(notifier, claim_ref, forMessages=True)
    of_a_notice = facts(notifier, claim_ref)
    of_a_record = facts(gateway, claim_ref, forMessages=True)

    assert of_a_message.keys() <= {
        *("title", "surname", "forenames", "address", "post_address", "language", "contact_format", "contact_unsafe"),
        *("telephone", "email", "messages_by", "messages_discreet"),
    }
    assert {name: of_a_message[name] for name in wishes} == wishes
    assert of_a_notice.keys().isdisjoint({*wishes, "telephone", "contact_format"})
    assert of_a_notice["surname"] == of_a_message["surname"]
    assert of_a_record == {}


def test_an_address_for_emails_is_asked_only_of_those_who_want_them(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    by_text = operator.record(claim_ref, 1, messages_by="TEXT")
    by_email = operator.record(claim_ref, 2, messages_by="EMAIL")

    assert "email" not in {question["id"] for question in by_text["questions"]}
    assert "email" in {question["id"] for question in by_email["questions"]}


def facts(service: Any, claim_ref: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = service.get("GetClaimFacts", claimRef=claim_ref, **more)["facts"]["answers"]
    return given
