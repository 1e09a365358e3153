"""The schema of the files beside this one: what the outside systems are told, field by field, and what they refuse."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct, field

Cel = Annotated[str, Meta(min_length=1)]
"""A condition in CEL over the ids of questions, by the rules of a catalogue."""


class Source(StrEnum):
    """The source of a field's value."""

    QUESTION = "QUESTION"
    """From the answer to a question, which names the field in its `needed_by`."""
    DERIVED = "DERIVED"
    """From a derived fact of a scheme, which names the field in its `needed_by`."""
    PLATFORM = "PLATFORM"
    """From what the platform knows or counts."""
    CONSTANT = "CONSTANT"
    """It is always the same."""


class OutsideField(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of an outside record."""

    filled_from: Source = field(name="from")
    mandatory: bool | Cel = False
    """Whether the record must have a value there: always, or when the condition holds. In a table: in each entry."""
    table: str = ""
    """The table or list that holds the field, empty where it stands alone."""
    value: str = ""
    """The value of a constant field."""
    source: str = ""
    """The source of a field that the platform fills, in words."""

    def __post_init__(self) -> None:
        """Raises ValueError unless the platform's fields say whence they come, and constants what they are."""
        if self.filled_from is Source.PLATFORM and not self.source:
            raise ValueError("a field that the platform fills says its source")
        if self.filled_from is Source.CONSTANT and not (self.value or self.source):
            raise ValueError("a constant has a value")
        if self.mandatory is not False and self.filled_from not in {Source.QUESTION, Source.DERIVED}:
            raise ValueError("only a field that answers fill can be mandatory: the others always have a value")


class OutsideRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A record, notice or application that goes to an outside system, with all its fields but FILLER."""

    name: str
    """The 01 name in the copybook, `notice` or `cots`."""
    fields: Mapping[str, OutsideField]
    """By COBOL name, or by path (`notice.claimant.surname`)."""
    system: str = ""
    part: str = ""
    """The first two letters of the codes of its edit rules."""
    schemes: tuple[str, ...] = ()
    """The schemes whose claims make such a record."""
    begins_with: str = ""
    """The record whose fields come first; a field of its own takes the place of one of these."""
    sent_when: Cel | None = None
    """The condition on which it is sent at all; None: always."""


class Unit(StrEnum):
    """The unit of a limit."""

    PENCE = "PENCE"
    NUMBER = "NUMBER"


class LimitRow(Struct, frozen=True, forbid_unknown_fields=True):
    """The value of a limit for dates of claim from this day on."""

    first_day: date = field(name="from")
    value: int


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """A dated limit. A catalogue's table of the same id must have the same rows."""

    id: str
    unit: Unit
    rows: Annotated[tuple[LimitRow, ...], Meta(min_length=1)]

    def on(self, day: date) -> int:
        """The value for this date of claim; before the first row the first stands."""
        return next((row.value for row in reversed(self.rows) if row.first_day <= day), self.rows[0].value)

    def __post_init__(self) -> None:
        """Raises ValueError unless the rows are in the order of their days."""
        days = [row.first_day for row in self.rows]
        if days != sorted(set(days)):
            raise ValueError(f"{self.id}: the rows must be in the order of their days")


class Stop(StrEnum):
    """The means that keeps an answer which would break an edit rule from being sent."""

    KIND = "KIND"
    CHECK = "CHECK"
    RECORD = "RECORD"
    REQUIRED = "REQUIRED"
    RELEVANCE = "RELEVANCE"


class Keep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Answers on the right side of a rule's line."""

    field: str
    answers: Mapping[str, Any] = {}
    without: tuple[str, ...] = ()
    contact_on: date | None = None

    @property
    def questions(self) -> frozenset[str]:
        """The questions that it names."""
        return frozenset(self.answers) | frozenset(self.without)


class Break(Keep, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Answers that would break a rule, with what stops them."""

    by: Stop


class EditRule(Struct, frozen=True, forbid_unknown_fields=True):
    """An edit rule of an outside system."""

    code: Annotated[str, Meta(pattern=r"^([A-Z]{2}|\.\.)[0-9]{4}\Z")]
    fields: Annotated[tuple[str, ...], Meta(min_length=1)]
    rule: str
    """The rule in the words of the interface document."""
    refusal: str
    """The words that staff read after the field's name when a record was refused by it."""
    limit: str = ""
    platform: str = ""
    """The reason why no answer can break the rule, or not in full."""
    breaks: tuple[Break, ...] = ()
    keeps: tuple[Keep, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError unless the rule says what holds it."""
        if not self.platform and not self.breaks:
            raise ValueError(f"{self.code}: needs answers that break it, or why none can")

    def concerns(self, part: str) -> bool:
        """Whether a record of this part is held to the rule."""
        return self.code[:2] in {"..", part}


class EditRules(Struct, frozen=True, forbid_unknown_fields=True):
    """All edit rules, and the dated limits that they go by."""

    limits: tuple[Limit, ...]
    rules: tuple[EditRule, ...]

    def limit(self, name: str) -> Limit:
        """The limit of that id. Raises KeyError."""
        return {limit.id: limit for limit in self.limits}[name]

    def refusal(self, code: str) -> str | None:
        """Our words for a refusal by this code, such as `ES0021`; None for a rule that is not known here."""
        return next((rule.refusal for rule in self.rules if re.fullmatch(rule.code, code)), None)


def faults(records: Mapping[str, OutsideRecord], rules: EditRules) -> Sequence[str]:
    """Returns the contradictions in this data, in words; none where all goes together."""
    known = {name for record in records.values() for name in record.fields}
    limits = {limit.id for limit in rules.limits}
    found = [
        f"{record.name} begins with no record"
        for record in records.values()
        if record.begins_with not in {"", *records}
    ]
    codes = [rule.code for rule in rules.rules]
    found += [f"{code} is there twice" for code in sorted({code for code in codes if codes.count(code) > 1})]
    for rule in rules.rules:
        named = {*rule.fields, *(example.field for example in (*rule.breaks, *rule.keeps))}
        found += [f"{rule.code}: there is no field {name}" for name in sorted(named - known)]
        if rule.limit and rule.limit not in limits:
            found.append(f"{rule.code}: there is no limit {rule.limit}")
    return found


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the rules that was announced with its day."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]+\Z")]
    what: str
    source: str
    first_day: date = field(name="from")
    table: str = ""
    value: int | float | date | None = None
    """With `table`: the value from that day on."""
    scheme: str = ""
    closes: bool = False
    opens: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError unless it says one thing that a catalogue can have."""
        of_table = bool(self.table) and self.value is not None
        of_scheme = bool(self.scheme) and self.closes != self.opens
        if of_table == of_scheme:
            raise ValueError(f"{self.id}: needs a table and its value, or a scheme that opens or closes")


class Announced(Struct, frozen=True, forbid_unknown_fields=True):
    """Every announced change."""

    changes: tuple[Change, ...]
