"""A script: the questions of a set of schemes. A `Catalogue` makes it of its bank of questions and its schemes' rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from chassis.errors import CmsError, Text
from intake.domain import values
from intake.domain.rules import CelValue, Rule
from intake.domain.transliteration import RecordRule


class ScriptError(CmsError):
    """A catalogue that cannot be used. The message names the file, the place in it and what is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__("BAD_SCRIPT", message)


class Kind(StrEnum):
    """The contract's kinds of question: all that a client needs to know to drive an interview."""

    YES_NO = "YES_NO"
    CHOICE = "CHOICE"
    CHOICES = "CHOICES"
    TEXT = "TEXT"
    NAME = "NAME"
    NINO = "NINO"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    SORT_CODE = "SORT_CODE"
    ACCOUNT_NUMBER = "ACCOUNT_NUMBER"
    POSTCODE = "POSTCODE"
    DATE = "DATE"
    MONEY = "MONEY"
    NUMBER = "NUMBER"
    ADDRESS = "ADDRESS"
    GROUP = "GROUP"


class Sensitivity(StrEnum):
    """A use of an answer that is forbidden."""

    NOT_READ_BACK = "NOT_READ_BACK"
    """Never read back aloud: the claimant says it."""
    NOT_BEFORE_SECURITY = "NOT_BEFORE_SECURITY"
    """Never shown while a caller has not passed security."""
    NOT_TO_COUNCIL = "NOT_TO_COUNCIL"
    """Never sent to a local authority."""
    NOT_TO_OTHER_PARENT = "NOT_TO_OTHER_PARENT"
    """Never told to the other parent of a child maintenance case."""


class AnsweredBy(StrEnum):
    """The person who gives the answer."""

    CLAIMANT = "CLAIMANT"
    OPERATOR = "OPERATOR"
    """Decided by the operator, never asked of the caller."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the answers that a question offers; `code` is the answer's value."""

    code: str
    text: Text


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much an answer may be. They are held before anything else is done with it, and clients are told them."""

    max_length: int | None = None
    """Characters (Unicode code points) of a string as it is given; of an address, of each line."""
    maximum: Decimal | None = None
    """The largest NUMBER, or MONEY in pounds; the smallest is 0."""
    decimals: int | None = None
    """The most decimal places of a NUMBER or of MONEY."""
    max_entries: int | None = None
    """The most entries of a GROUP, choices of CHOICES, lines of an ADDRESS."""


USUAL_LIMITS: Mapping[Kind, Limits] = dict.fromkeys(Kind, Limits()) | {
    Kind.TEXT: Limits(max_length=values.MAXIMUM_TEXT),
    Kind.NAME: Limits(max_length=values.MAXIMUM_NAME),
    Kind.NINO: Limits(max_length=values.MAXIMUM_CODE),
    Kind.PHONE: Limits(max_length=values.MAXIMUM_PHONE),
    Kind.EMAIL: Limits(max_length=values.MAXIMUM_EMAIL),
    Kind.SORT_CODE: Limits(max_length=values.MAXIMUM_CODE),
    Kind.ACCOUNT_NUMBER: Limits(max_length=values.MAXIMUM_CODE),
    Kind.POSTCODE: Limits(max_length=values.MAXIMUM_CODE),
    Kind.DATE: Limits(max_length=values.MAXIMUM_CODE),
    Kind.MONEY: Limits(max_length=values.MAXIMUM_CODE, maximum=values.MAXIMUM_MONEY, decimals=2),
    Kind.ADDRESS: Limits(max_length=values.MAXIMUM_NAME, max_entries=values.MAXIMUM_LINES),
}
"""The limits of each kind, where a script says no more. NUMBER, CHOICES and GROUP have theirs from the script alone."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Something to be answered: a question, or one field of an entry in a GROUP."""

    id: str
    kind: Kind
    text: Text
    choices: tuple[Choice, ...]
    limits: Limits
    required: bool | Rule
    """A field of a group is required or not; a question may also be required by a rule."""
    seen_by: frozenset[str]
    """The services that may be given the fact."""
    needed_by: tuple[str, ...]
    """The readers of the answer: fields of outside records, and decisions of the catalogue."""

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of its choices."""
        return frozenset(choice.code for choice in self.choices)


@dataclass(frozen=True, kw_only=True)
class Check:
    """An answer is valid unless the rule is false; `problem` then describes the fault."""

    rule: Rule
    problem: Text
    field: str | None = None
    """The field of a GROUP's entry that is at fault. The check is then made for each entry, as the only one."""
    entitlement: bool = False
    """A true answer can break it: then the scheme is not due. It holds up submission. A claim that was submitted takes the
    answer all the same, for a change is reported as it is; what follows is decided by the assessor and the paying system."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """A scheme needs a question: always, or when its rule is true."""

    scheme: str
    relevant: Rule | None


@dataclass(frozen=True, kw_only=True)
class Question(Field):
    """A question; its id is also the fact's name."""

    section: str
    help: Text | None
    fields: tuple[Field, ...]
    """The fields of each entry of a GROUP."""
    relevant: Rule | None
    """Without a rule a question is always relevant; with one, only when the rule is true, not while it is unknown."""
    seconds: int
    """The average time to ask it."""
    checks: tuple[Check, ...]
    record: RecordRule | None
    """The field of a paying system's record that must hold the answer, where it limits the characters."""
    security: bool
    """Whether it may be a security question for a later caller."""
    located: bool
    """Whether its postcode must be in Great Britain and is looked up, of an ADDRESS."""
    choices_from: str | None
    """The located question whose place gives the choices of this CHOICE: codes of councils."""
    gap_allowed: bool
    """Whether a gap (NOT_KNOWN, WILL_SEND) may stand at submission although an answer is required."""
    sensitivity: frozenset[Sensitivity]
    answered_by: AnsweredBy
    needs: tuple[Need, ...] = ()
    """In a script: the schemes that ask it, each with its own rule. `relevant` is true where one of them is."""

    @cached_property
    def needed_alike(self) -> tuple[str, ...]:
        """The schemes that ask it, where all have the same rule; otherwise none."""
        alike = len({need.relevant for need in self.needs}) == 1
        return tuple(need.scheme for need in self.needs) if alike else ()

    @cached_property
    def own_checks(self) -> tuple[Check, ...]:
        """The checks that need no other answer and may depend on today, made once, when the answer is given."""
        return tuple(check for check in self.checks if check.rule.names <= {self.id, "today"})

    @cached_property
    def cross_checks(self) -> tuple[Check, ...]:
        """The checks against other answers, made whenever the interview is evaluated; they do not depend on the day."""
        return tuple(check for check in self.checks if check not in self.own_checks)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the interview, in the order of asking."""

    id: str
    name: Text


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A fact that follows from answers: true, false or a word."""

    id: str
    rule: Rule
    seen_by: frozenset[str]
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatedTable:
    """A limit that changes by law: each value holds from its day on. Rules see the value of the date of claim."""

    id: str
    unit: str
    """PENCE (whole), NUMBER or DATE."""
    source: str
    rows: tuple[tuple[date, CelValue], ...]
    """The first day of each value, the earliest first."""

    def on(self, day: date) -> "CelValue | None":
        """The value that holds on a day; None before the first."""
        return next((value for first, value in reversed(self.rows) if first <= day), None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Script:
    """The questions of a set of schemes, with one catalogue. There is one for each set, so they are compared as objects."""

    number: int
    """The catalogue's."""
    schemes: tuple[str, ...]
    sections: tuple[Section, ...]
    questions: Mapping[str, Question]
    """In the order of asking."""
    derived: tuple[Derived, ...]
    first_contact: tuple[str, ...]
    """The facts that make a first contact, once each has a value or is not relevant."""
    requests: Mapping[str, tuple[str, ...]]
    """By scheme, the facts with which its application is announced at once, before the claim is submitted."""
    order: tuple[str, ...]
    """Each question after those on which its relevance depends."""
    claim_date: str | None
    """The question whose date is the date of claim, where it is answered; otherwise that is the day of first contact."""
    tables: tuple[DatedTable, ...]
    dates: Mapping[str, tuple[date | None, date | None]]
    """By scheme, the first and the last date of claim with which it can be claimed; None: no bound."""
