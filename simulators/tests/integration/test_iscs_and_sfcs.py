"""ISCS and SFCS over their real doors: they recognise a repeat, and know no withdrawal."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from simulators.clock import Clock
from simulators.errors import FrameError
from simulators.iscs import ISCS
from simulators.record_link.link import Link
from simulators.record_link.mainframe import Mainframe
from simulators.record_link.record import Value, decode
from simulators.record_link.server import MainframeServer
from simulators.sfcs import SFCS
from simulators.testing import (
    CLAIM_REF,
    Answer,
    LinkClient,
    call,
    crisis_loan_values,
    digits_of,
    income_support_values,
    transfer_id,
)

TODAY = Clock().today()
ONE, TWO = transfer_id(1), transfer_id(2)
SYSTEMS: dict[str, tuple[Mainframe, str, Callable[[date], dict[str, Value]]]] = {
    "iscs": (ISCS, "IS001", income_support_values),
    "sfcs": (SFCS, "SF001", crisis_loan_values),
}


class Sender:
    """One connection to a system, and what it sends there."""

    def __init__(self, name: str, system: MainframeServer, copybooks: Path) -> None:
        mainframe, self.dialogue, values = SYSTEMS[name]
        self.good = values(TODAY)
        self.system = system
        self.prefix = mainframe.reference_prefix
        self.link = Link(mainframe, copybooks)
        self.client = LinkClient(self.link, system.port)

    def send(self, transfer: str = ONE, **changes: Value) -> Answer:
        """Send the good record with these changes."""
        values = self.good | {name.replace("_", "-"): value for name, value in changes.items()}
        return self.client.ask(self.dialogue, transfer, values)

    @property
    def claim(self) -> object:
        """The claim as the ledger has it."""
        return call(self.system.control_port, "GET", "/ledger").body["claims"].get(CLAIM_REF)

    def order(self, failure: str, **rule: object) -> None:
        """Order a failure."""
        assert call(self.system.control_port, "POST", "/failures", body={"failure": failure, **rule}).status == 200


@pytest.fixture(params=SYSTEMS)
def sender(request: pytest.FixtureRequest, copybooks: Path) -> Iterator[Sender]:
    found = Sender(request.param, request.getfixturevalue(request.param), copybooks)
    with found.client:
        yield found


def test_a_record_is_held_under_a_reference_of_the_system(sender: Sender) -> None:
    answer = sender.send()

    assert (answer.completion, answer.legacy_ref[:2], len(answer.legacy_ref)) == ("A", sender.prefix, 12)
    assert sender.claim == {"held": 1, "duplicates": 0, "half": False}
    assert sender.client.enquire(ONE).legacy_ref == answer.legacy_ref


def test_a_repeat_is_answered_d_with_the_first_reference_and_not_held_again(sender: Sender) -> None:
    first = sender.send()

    again = sender.send()

    assert (again.completion, again.legacy_ref) == ("D", first.legacy_ref)
    assert sender.claim == {"held": 1, "duplicates": 0, "half": False}


def test_the_same_transfer_with_other_bytes_is_answered_c_and_not_held(sender: Sender) -> None:
    sender.send()

    assert sender.send(CM_TITLE="DR").completion == "C"
    assert sender.claim == {"held": 1, "duplicates": 0, "half": False}


def test_a_repeat_is_recognised_before_the_edit_rules(sender: Sender) -> None:
    first = sender.send()
    sender.order("refuse_record")

    again = sender.send()
    broken = sender.send(CM_NINO="X")

    assert (again.completion, again.legacy_ref) == ("D", first.legacy_ref)
    assert broken.completion == "C"


def test_two_new_claims_under_different_transfers_are_a_duplicate(sender: Sender) -> None:
    sender.send()
    sender.send(TWO)

    assert sender.claim == {"held": 2, "duplicates": 1, "half": False}


def test_a_change_replaces_what_is_held_which_stays_known_and_listed(sender: Sender) -> None:
    first = sender.send()
    second = sender.send(TWO, CM_ACTION="C")

    page = sender.client.ask("REC01", transfer_id(9), {"RQ-DATE": digits_of(TODAY), "RQ-PAGE": 1}).page
    listed = decode(sender.link.layout("RECON-PAGE"), page).values["RP-LEGACY-REF"]

    assert sender.claim == {"held": 1, "duplicates": 0, "half": False}
    assert sender.client.enquire(ONE).legacy_ref == first.legacy_ref
    assert isinstance(listed, list)
    assert listed[:3] == [first.legacy_ref, second.legacy_ref, ""]


def test_a_change_of_what_is_not_held_is_refused(sender: Sender) -> None:
    assert sender.send(CM_ACTION="C").codes == [f"{sender.dialogue[:2]}0013"]
    assert sender.client.enquire(ONE).completion == "R"


def test_a_lost_record_is_held_again_when_it_is_sent_again(sender: Sender) -> None:
    sender.send()
    call(sender.system.control_port, "POST", "/ledger/lose", body={"claim_ref": CLAIM_REF})

    assert sender.client.enquire(ONE).completion == "N"
    assert sender.send().completion == "A"
    assert sender.claim == {"held": 1, "duplicates": 0, "half": False}


def test_the_withdrawal_of_jsaps_is_no_dialogue_of_other_systems(sender: Sender) -> None:
    sender.client.send("ENQ01", ONE, {"EN-TRANSFER-ID": ONE}, LH_DIALOGUE="CN504")

    assert is_closed(sender.client)


@pytest.mark.parametrize("field", ["CM-EVIDENCE-COMPLETE", "CM-PARTNER-HOURS"])
def test_a_field_of_numbers_without_digits_closes_the_connection(sender: Sender, field: str) -> None:
    payload = bytearray(sender.client.payload(sender.dialogue, sender.good))
    place = sender.link.record_of(sender.dialogue).fields[field].places[0]
    payload[place] = b"\x40" * (place.stop - place.start)
    sender.client.socket.sendall(sender.client.frame(sender.dialogue, ONE, bytes(payload)))

    assert is_closed(sender.client)
    assert sender.claim is None


def is_closed(client: LinkClient) -> bool:
    try:
        return client.receive() is None
    except (ConnectionError, FrameError):
        return True
