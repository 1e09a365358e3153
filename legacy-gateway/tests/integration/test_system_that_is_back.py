"""When a system answers again, the transfers that wait for it are woken in order, at a rising rate."""

from pathlib import Path
from typing import Any

from chassis.testing import eventually

IN_FIVE_MINUTES = """
    UPDATE transfers SET next_attempt_time = statement_timestamp() + interval '5 minutes'
    WHERE next_attempt_time IS NOT NULL
"""


def put_off(gateway: Any, *, claims: int) -> list[str]:
    """Claims that were tried while the system was away, to be tried again in five minutes."""
    gateway.jsaps.stop()
    made = [gateway.claim(f"C000000000{number}") for number in range(10, 10 + claims)]

    def all_tried() -> bool:
        gateway.send()
        return all(gateway.rows(claim)[0]["setbacks"] for claim in made)

    eventually(all_tried, what="a setback of every claim")
    gateway.change(IN_FIVE_MINUTES)
    return made


def due(gateway: Any) -> int:
    """How many first phases are due."""
    return int(
        gateway.change("UPDATE transfers SET woken = woken WHERE phase = 1 AND next_attempt_time < clock_timestamp()")
    )


def send_now(gateway: Any, claim_ref: str) -> None:
    gateway.change(
        "UPDATE transfers SET next_attempt_time = statement_timestamp() WHERE phase = 1 AND claim_ref = %s", claim_ref
    )
    gateway.send()


def test_transfers_go_in_order_and_not_all_at_once(gateway: Any, tmp_path: Path) -> None:
    claims = put_off(gateway, claims=16)

    with gateway.jsaps_started_again(tmp_path):
        send_now(gateway, claims[0])
        waiting = [due(gateway)]
        while gateway.send():
            waiting.append(due(gateway))

        assert waiting[0] == 2
        assert 4 <= max(waiting) < 15
        assert [gateway.states(claim) for claim in claims] == [["ACCEPTED", "ACCEPTED"]] * 16
        assert [[row["attempts"] for row in gateway.rows(claim)] for claim in claims] == [[1, 1]] * 16
        assert sorted(claims, key=lambda claim: gateway.rows(claim)[0]["updated"]) == claims


def test_a_system_that_fails_again_is_left_alone(gateway: Any, tmp_path: Path) -> None:
    claims = put_off(gateway, claims=8)

    with gateway.jsaps_started_again(tmp_path):
        send_now(gateway, claims[0])
        gateway.order("system_error")
        for _ in range(6):
            gateway.send()

    assert [gateway.rows(claim)[0]["attempts"] for claim in claims[3:]] == [0] * 5


def test_nothing_is_woken_while_the_senders_have_enough_to_do(gateway: Any, tmp_path: Path) -> None:
    [waiting] = put_off(gateway, claims=1)
    others = [gateway.claim(f"C000000000{number}") for number in range(50, 72)]

    with gateway.jsaps_started_again(tmp_path):
        send_now(gateway, others[0])
        assert gateway.rows(waiting)[0]["woken"] is False

        gateway.work_until_accepted(waiting, *others)


def test_a_record_that_fails_by_itself_is_woken_once_for_each_back_off(gateway: Any, tmp_path: Path) -> None:
    gateway.order("system_error", claim_ref="C00000000018")
    failing = gateway.claim("C00000000018")
    gateway.send()

    for other in ("C00000000026", "C00000000034", "C00000000042"):
        gateway.change(IN_FIVE_MINUTES)
        gateway.claim(other)
        gateway.work_until_accepted(other)

    assert gateway.rows(failing)[0]["attempts"] == 2


def test_an_answer_to_another_claim_does_not_shorten_a_busy_systems_wait(gateway: Any) -> None:
    gateway.order("busy", retry_after=3600, claim_ref="C00000000018")
    busy = gateway.claim("C00000000018")
    gateway.send()

    gateway.work_until_accepted(gateway.claim("C00000000026"))

    assert gateway.rows(busy)[0]["attempts"] == 1
    assert gateway.send() is False


def test_a_claim_that_waits_for_intake_is_not_woken_by_the_system(gateway: Any) -> None:
    gateway.intake.known.clear()
    gateway.hear(gateway.confirmed("C00000000018"))
    gateway.send()
    gateway.change(IN_FIVE_MINUTES)

    gateway.work_until_accepted(gateway.claim("C00000000026"))

    assert due(gateway) == 0
