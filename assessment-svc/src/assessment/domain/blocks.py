"""The blocks that keep schemes from being confirmed, by name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assessment.domain.assessments import Assessment
from assessment.domain.items import Facts, Item, ItemStatus
from assessment.domain.schemes import CRISIS_LOAN, WITHOUT_INTERVIEW, Desk


class BlockKind(StrEnum):
    """The kind of a block that keeps a scheme from being confirmed."""

    UNCHECKED = "UNCHECKED"
    DISPUTED = "DISPUTED"
    PROPOSAL = "PROPOSAL"
    INTERVIEW = "INTERVIEW"
    EVIDENCE = "EVIDENCE"
    NOT_STARTED = "NOT_STARTED"
    DECISION = "DECISION"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Something that holds up these schemes. `name`: the fact or the document; empty where it is the whole claim."""

    kind: BlockKind
    name: str = ""
    schemes: tuple[str, ...]


def blocks_of(current: Assessment, facts: Facts, *, desks: frozenset[Desk]) -> list[Block]:
    """The blocks of the schemes that are left at these desks. `current` must be synchronised with `facts`.

    Evidence is kept apart from items: what of it is awaited holds up schemes too.
    """
    left = current.left_at(desks)
    if current.state.is_end or not left:
        return []
    return [*_of_the_claim(current, left, desks), *_of_items(current, facts, left)]


def _of_the_claim(current: Assessment, left: tuple[str, ...], desks: frozenset[Desk]) -> list[Block]:
    found = [] if desks & current.begun else [Block(kind=BlockKind.NOT_STARTED, schemes=left)]
    waiting = tuple(scheme for scheme in left if scheme not in WITHOUT_INTERVIEW)
    if current.appointment_id is None and waiting:
        found.append(Block(kind=BlockKind.INTERVIEW, schemes=waiting))
    if CRISIS_LOAN in left:
        found.append(Block(kind=BlockKind.DECISION, schemes=(CRISIS_LOAN,)))
    return found


def _of_items(current: Assessment, facts: Facts, left: Sequence[str]) -> list[Block]:
    return [
        Block(kind=kind, name=item.fact, schemes=needed)
        for item in current.items.values()
        if (needed := item.needed_by(left))
        for kind in _kinds(item, facts)
    ]


def _kinds(item: Item, facts: Facts) -> Iterator[BlockKind]:
    if item.status is ItemStatus.DISPUTED:
        yield BlockKind.DISPUTED
    elif not item.settled:
        yield BlockKind.UNCHECKED
    if item.fact in facts.proposed:
        yield BlockKind.PROPOSAL
