"""Evidence: which facts of a claim need it, what was asked for, what was seen, and what a person decided to do without.

A need is a rule of `data/evidence.toml`: these facts, of claims for these schemes from this day on, are proved by any one of
these kinds of document. A document is one kind, asked for or seen, and the facts that it proves.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from assessment.domain.items import Checked
from assessment.domain.schemes import WITHOUT_INTERVIEW
from chassis.bank_holidays import Nation, is_bank_holiday
from chassis.errors import InvalidArgument, Text, Violation

_DAY = timedelta(days=1)
_SATURDAY = 5


class EvidenceState(StrEnum):
    """The state of a document. Only REQUESTED is not an end."""

    REQUESTED = "REQUESTED"
    SEEN = "SEEN"
    WAIVED = "WAIVED"


@dataclass(frozen=True, kw_only=True)
class Need:
    """A rule: which facts must be proved, for which schemes and first contacts, and by which kinds of document.

    `of_claimant`: whether the claimant's own document proves it; a partner's passport does not prove who the claimant is.
    """

    id: str
    name: Text
    schemes: tuple[str, ...]
    facts: tuple[str, ...]
    kinds: tuple[str, ...]
    of_claimant: bool = True
    first_day: date = date.min
    last_day: date = date.max

    def holds(self, *, schemes: Collection[str], day: date, given: Collection[str] | None) -> bool:
        """Whether a claim for these schemes, first heard of that day, needs it; `given` are its facts that say something.

        None stands for facts that are not known here yet: then whatever could be needed is.
        """
        return (
            self.first_day <= day <= self.last_day
            and not set(schemes).isdisjoint(self.schemes)
            and (given is None or not set(given).isdisjoint(self.facts))
        )


@dataclass(frozen=True, kw_only=True)
class EvidenceRules:
    """Every need, the kinds of document with their names, and how long evidence is awaited.

    `remind_before` are numbers of working days before the due day, the largest first.
    """

    needs: tuple[Need, ...]
    kinds: Mapping[str, Text]
    months: int
    longest_months: int
    remind_before: tuple[int, ...]

    def needed(self, *, schemes: Collection[str], day: date, given: Collection[str] | None) -> tuple[Need, ...]:
        """The needs of a claim. See Need.holds."""
        return tuple(need for need in self.needs if need.holds(schemes=schemes, day=day, given=given))

    def named(self, ids: Collection[str]) -> tuple[Need, ...]:
        """The needs with these ids. An id that the rules have no more is left out."""
        return tuple(need for need in self.needs if need.id in ids)

    def due_on(self, wanted: date | None, *, today: date) -> date:
        """The day until which evidence is awaited: the wanted one, or the usual one.

        Raises InvalidArgument for a day that is over, or too far ahead.
        """
        if wanted is None:
            return months_after(today, self.months)
        latest = months_after(today, self.longest_months)
        if not today <= wanted <= latest:
            fault = "is before today" if wanted < today else f"is more than {self.longest_months} months ahead"
            raise InvalidArgument.of(Violation(field="due_on", description=fault))
        return wanted

    def reminder_after(self, day: date, *, due_on: date) -> date | None:
        """The next day after `day` on which the claimant is reminded of what is due; None after the last reminder."""
        days = [working_days_before(due_on, number) for number in self.remind_before]
        return min((one for one in days if one > day), default=None)


@dataclass(frozen=True, kw_only=True)
class Document:
    """One kind of evidence of a claim: asked for, seen, or not needed after all by a person's decision.

    `facts` are those that it proves; without any it is about the claim as a whole. `due_on` is None where nobody asked.
    """

    kind: str
    state: EvidenceState
    facts: tuple[str, ...] = ()
    evidence_id: int | None = None
    requested: Checked | None = None
    due_on: date | None = None
    remind_on: date | None = None
    reminders: int = 0
    seen_on: date | None = None
    settled: Checked | None = None
    """The person who saw it or decided to do without it, and the time at which that was recorded."""
    reason: str = ""
    """The reason why a person does without it."""

    @property
    def is_outstanding(self) -> bool:
        """Whether it was asked for and is awaited still."""
        return self.state is EvidenceState.REQUESTED

    def meets(self, need: Need) -> bool:
        """Whether nothing more is wanted for the need: it was seen, or somebody decided to do without it."""
        return not self.is_outstanding and self.answers(need)

    def answers(self, need: Need) -> bool:
        """Whether it is of a kind that the need takes, and about its facts."""
        return self.kind in need.kinds and not set(self.facts).isdisjoint(need.facts)


@dataclass(frozen=True, kw_only=True)
class ClaimEvidence:
    """All evidence of one claim: what its facts need, and each document."""

    needs: tuple[Need, ...]
    documents: tuple[Document, ...] = field(default=())

    @property
    def outstanding(self) -> tuple[Document, ...]:
        """The documents that were asked for and have not come."""
        return tuple(document for document in self.documents if document.is_outstanding)

    @property
    def missing(self) -> tuple[Need, ...]:
        """Needs that nothing meets, whether or not it was asked for."""
        return tuple(need for need in self.needs if not any(found.meets(need) for found in self.documents))

    @property
    def is_complete(self) -> bool:
        """Whether all evidence is in."""
        return not self.outstanding and not self.missing

    @property
    def due_on(self) -> date | None:
        """The first day on which something is due; None where nothing is outstanding."""
        return min((found.due_on for found in self.outstanding if found.due_on), default=None)

    def complete_time(self, before: datetime | None, *, confirmed: bool, now: datetime) -> datetime | None:
        """When all evidence was in; None while something is wanted. The time that was noted `before` stands until then.

        The confirmation of the whole claim completes it: nobody wants more.
        """
        if not confirmed and not self.is_complete:
            return None
        return before or now

    def request(
        self, kinds: Sequence[str], *, facts: Sequence[str], due_on: date, remind_on: date | None, requested: Checked
    ) -> Self:
        """Asks for documents of these kinds, which prove these facts or, without any, those that need them.

        What is asked for already has the new day, and its reminders begin anew. Raises InvalidArgument for a kind given twice.
        """
        _refuse_twice(kinds)
        asked = {
            kind: Document(
                kind=kind,
                state=EvidenceState.REQUESTED,
                facts=tuple(facts) or self._facts_for(kind),
                requested=requested,
                due_on=due_on,
                remind_on=remind_on,
            )
            for kind in kinds
        }
        kept = [_asked_again(found, asked) for found in self.documents]
        new = [document for kind, document in asked.items() if kind not in {one.kind for one in self.outstanding}]
        return replace(self, documents=(*kept, *new))

    def see(self, kind: str, *, facts: Sequence[str], seen_on: date, settled: Checked) -> tuple[Self, Document]:
        """Records a document: what was asked for of this kind is settled, and otherwise it stands by itself.

        It proves these facts or, without any, those for which it was asked or that need this kind. What was seen of the kind on
        the same day is the same document, which proves these facts too. Gives the document as it is then.
        """
        asked = next((found for found in self.outstanding if found.kind == kind), None)
        same = next((found for found in self.documents if (found.kind, found.seen_on) == (kind, seen_on)), None)
        proved = tuple(facts) or (asked.facts if asked else self._facts_for(kind))
        seen = replace(
            asked or same or Document(kind=kind, state=EvidenceState.SEEN),
            state=EvidenceState.SEEN,
            facts=tuple(dict.fromkeys((*(same.facts if same and not asked else ()), *proved))),
            seen_on=seen_on,
            settled=settled,
            remind_on=None,
        )
        return self._with(asked or same, seen), seen

    def answered_anew(self, facts: Collection[str]) -> Self:
        """Evidence after these facts were answered anew: documents seen no longer prove them. Decisions to do without stand."""
        return replace(self, documents=tuple(_without(found, facts) for found in self.documents))

    def waive(self, kinds: Sequence[str], *, reason: str, settled: Checked) -> Self:
        """Does without documents of these kinds, asked for or not. Raises InvalidArgument naming kinds that nothing wants."""
        _refuse_twice(kinds)
        wanted = {found.kind for found in self.outstanding} | {kind for need in self.missing for kind in need.kinds}
        violations = [
            Violation(field=f"kinds[{index}]", description="is neither asked for nor needed")
            for index, kind in enumerate(kinds)
            if kind not in wanted
        ]
        if violations:
            raise InvalidArgument.of(*violations)
        after = self
        for kind in kinds:
            asked = next((found for found in self.outstanding if found.kind == kind), None)
            given = asked or Document(kind=kind, state=EvidenceState.WAIVED, facts=self._facts_for(kind))
            waived = replace(given, state=EvidenceState.WAIVED, settled=settled, reason=reason, remind_on=None)
            after = after._with(asked, waived)
        return after

    def _with(self, before: Document | None, after: Document) -> Self:
        if before is None:
            return replace(self, documents=(*self.documents, after))
        return replace(self, documents=tuple(after if found is before else found for found in self.documents))

    def _facts_for(self, kind: str) -> tuple[str, ...]:
        """The facts that a document of this kind is wanted for: of what is still missing, else of all that is needed.

        A document that may be somebody else's counts as the claimant's as long as the claimant needs one.
        """
        fitting = [need for need in self.missing if kind in need.kinds] or [
            need for need in self.needs if kind in need.kinds
        ]
        own = [need for need in fitting if need.of_claimant] or fitting[:1]
        return tuple(dict.fromkeys(fact for need in own for fact in need.facts))


def held_up(
    documents: Iterable[Document], *, schemes: Sequence[str], needed_by: Mapping[str, Collection[str]]
) -> set[str]:
    """The schemes that cannot be confirmed while these documents are outstanding.

    `needed_by` gives the schemes that need each fact of the claim; a fact that has none is needed by all, and so is a document
    about the claim as a whole. One whose facts the claim has no longer holds up nothing. Child maintenance waits for nothing of
    the other desk's, and a crisis loan is decided the same day on what there is.
    """
    found = set[str]()
    for document in documents:
        facts = [fact for fact in document.facts if fact in needed_by]
        needing = [set(needed_by[fact]) or set(schemes) for fact in facts]
        found |= set[str]().union(*needing) if document.facts else set(schemes)
    return (found & set(schemes)) - WITHOUT_INTERVIEW


def months_after(day: date, months: int) -> date:
    """The same day of a later month; the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    _, last = monthrange(year, month + 1)
    return date(year, month + 1, min(day.day, last))


def working_days_before(day: date, number: int) -> date:
    """The day so many working days before it, by England's bank holidays."""
    found = day
    while number:
        found -= _DAY
        number -= found.weekday() < _SATURDAY and not is_bank_holiday(found, Nation.ENGLAND)
    return found


def _without(found: Document, facts: Collection[str]) -> Document:
    if found.state is not EvidenceState.SEEN or set(found.facts).isdisjoint(facts):
        return found
    return replace(found, facts=tuple(fact for fact in found.facts if fact not in facts))


def _asked_again(found: Document, asked: Mapping[str, Document]) -> Document:
    again = asked.get(found.kind)
    if again is None or not found.is_outstanding:
        return found
    facts = tuple(dict.fromkeys((*found.facts, *again.facts)))
    return replace(again, evidence_id=found.evidence_id, facts=facts)


def _refuse_twice(kinds: Sequence[str]) -> None:
    violations = [
        Violation(field=f"kinds[{index}]", description="is given twice")
        for index, kind in enumerate(kinds)
        if kind in kinds[:index]
    ]
    if violations:
        raise InvalidArgument.of(*violations)
