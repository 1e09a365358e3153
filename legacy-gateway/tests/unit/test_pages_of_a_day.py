"""A day's list is read page by page; pages that do not belong together are no list."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from legacy_gateway.domain import ListingChanged
from legacy_gateway.link import Completion, ListAway, Reply, pages_of_day
from legacy_gateway.records import date_number, decode, encode, layout

DAY = date(2005, 7, 11)


class System:
    """Answers REC01 with these pages, each a list of ids, the total that it tells, and changes in the record."""

    def __init__(self, *pages: tuple[Sequence[str], int], completion: Completion = Completion.ACCEPTED, **changed: Any):
        self.pages = pages
        self.completion = completion
        self.changed = changed
        self.asked: list[tuple[str, int]] = []

    def call(self, _: str, transfer_id: str, payload: bytes, **__: Any) -> Reply:
        number = decode(layout("RECON-REQUEST"), payload)["RQ-PAGE"]
        self.asked.append((transfer_id, number))
        ids, total = self.pages[number - 1]
        entries = [{"RP-TRANSFER-ID": name, "RP-LEGACY-REF": f"R{name}"[:12]} for name in ids]
        empty = {"RP-TRANSFER-ID": "", "RP-LEGACY-REF": ""}
        page = {
            "RP-DATE": date_number(DAY),
            "RP-PAGE": number,
            "RP-LAST-PAGE": "Y" if number == len(self.pages) else "N",
            "RP-TOTAL": total,
            "RP-COUNT": len(ids),
            "RP-ENTRY": [*entries, *[empty] * (100 - len(ids))],
        }
        return Reply(
            transfer_id=transfer_id,
            completion=self.completion,
            legacy_ref="",
            retry_after_seconds=0,
            messages=(),
            attached=encode(layout("RECON-PAGE"), page | self.changed),
        )


def read(system: System) -> list[str]:
    numbers = iter(range(1000))
    pages = pages_of_day(
        system,  # type: ignore[arg-type]  # what is called of it is there
        DAY,
        next_id=lambda: f"{next(numbers):026}",
        now=lambda: datetime(2005, 7, 12, tzinfo=UTC),
    )
    return [record.transfer_id for page in pages for record in page]


def names(count: int) -> list[str]:
    return [f"{number:026}" for number in range(count)]


def test_a_list_of_several_pages_is_read_in_order_each_under_a_fresh_id() -> None:
    ids = names(250)
    system = System((ids[:100], 250), (ids[100:200], 250), (ids[200:], 250))

    assert read(system) == ids
    assert [number for _, number in system.asked] == [1, 2, 3]
    assert len({transfer_id for transfer_id, _ in system.asked}) == 3


def test_an_empty_day_is_one_page() -> None:
    assert read(System(([], 0))) == []


def test_an_id_that_is_held_twice_is_listed_twice() -> None:
    assert read(System((["A" * 26, "A" * 26], 2))) == ["A" * 26] * 2


def test_a_list_that_grows_while_it_is_read_is_one_list() -> None:
    ids = names(150)

    assert read(System((ids[:100], 120), (ids[100:], 150))) == ids


@pytest.mark.parametrize(
    "pages",
    [
        [(names(100), 150), (names(149)[100:], 149)],
        [(names(100), 50), (names(10), 150)],
        [(names(100), 150), (names(40), 150)],
    ],
    ids=["the total falls", "more than are counted", "fewer than are counted"],
)
def test_pages_that_do_not_belong_together_are_no_list(pages: list[tuple[list[str], int]]) -> None:
    with pytest.raises(ListingChanged):
        read(System(*pages))


@pytest.mark.parametrize("changed", [{"RP-DATE": 20050712}, {"RP-PAGE": 9}, {"RP-COUNT": 101}])
def test_a_page_of_another_day_or_number_is_not_taken(changed: dict[str, Any]) -> None:
    with pytest.raises(ListAway):
        read(System((names(2), 2), **changed))


@pytest.mark.parametrize("completion", [Completion.BUSY, Completion.SYSTEM_ERROR, Completion.NOT_KNOWN])
def test_a_system_that_is_busy_or_in_error_gives_no_list(completion: Completion) -> None:
    with pytest.raises(ListAway):
        read(System((names(2), 2), completion=completion))
