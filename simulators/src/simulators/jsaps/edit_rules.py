"""The edit rules that look at a record by itself: data in `edit_rules.toml`, and the checks that the data names."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulators.errors import ConfigurationError
from simulators.jsaps.link import Message
from simulators.jsaps.record import Decoded, Value

RULES_FILE = Path(__file__).with_name("edit_rules.toml")
MOST_MESSAGES = 5


class CapitalLimit(BaseModel):
    """The most capital, in pounds, for dates of claim from this day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_day: date = Field(alias="from")
    pounds: Decimal


class EditRule(BaseModel):
    """One edit rule. `text` goes to the sender, `pattern` belongs to the check of that name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = Field(pattern=r"^\d{4}$")
    field: str
    dialogues: tuple[Literal["ES504", "BA504"], ...] = ("ES504", "BA504")
    check: str
    pattern: re.Pattern[str] | None = None
    text: str = Field(max_length=40)

    @model_validator(mode="after")
    def _known_check(self) -> "EditRule":
        if self.check not in CHECKS or (self.check == "pattern") != (self.pattern is not None):
            raise ValueError(f"rule {self.number} on {self.field}: no such check, or a pattern too many or too few")
        return self

    def message(self, dialogue: str) -> Message:
        """What the sender is told."""
        return Message(code=dialogue[:2] + self.number, field=self.field, text=self.text)


class RuleBook(BaseModel):
    """All edit rules, in the order in which messages come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[EditRule, ...] = Field(alias="rule")
    capital_limits: tuple[CapitalLimit, ...] = Field(alias="capital_limit", min_length=1)

    def messages(self, dialogue: str, record: Decoded, *, received_on: date) -> tuple[Message, ...]:
        """What is wrong with a record, one message a code and field; fields that cannot be read come alone."""
        rules = [rule for rule in self.rules if dialogue in rule.dialogues]
        if record.unreadable:
            return tuple(_unreadable(rules, dialogue, name) for name in record.unreadable)
        case = Case(values=record.values, received_on=received_on, capital_limits=self.capital_limits)
        found = [rule.message(dialogue) for rule in rules if not CHECKS[rule.check](rule, case)]
        return tuple({(message.code, message.field): message for message in reversed(found)}.values())[::-1]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A record under examination, with the day on which it was received."""

    values: Mapping[str, Value]
    received_on: date
    capital_limits: Sequence[CapitalLimit]

    def text(self, field: str) -> str:
        """A text field without its padding."""
        return str(self.values[field])

    def number(self, field: str) -> Decimal:
        """A numeric field."""
        return Decimal(str(self.values[field]))

    def date(self, field: str) -> date | None:
        """A date field; None when it is not a real date."""
        return real_date(int(self.number(field)))

    def entries(self, field: str) -> list[str]:
        """The entries of a table, or the one text of a field."""
        value = self.values[field]
        return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


def load_rule_book(path: Path = RULES_FILE) -> RuleBook:
    """The rules of a file. Raises ConfigurationError when it does not keep to the schema."""
    try:
        return RuleBook.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error


def real_date(digits: int) -> date | None:
    """The date that CCYYMMDD stands for; None when there is no such day."""
    try:
        return date(digits // 10_000, digits // 100 % 100, digits % 100)
    except ValueError:
        return None


def _unreadable(rules: Sequence[EditRule], dialogue: str, field: str) -> Message:
    """A field whose bytes are not what its picture says breaks its own rule; without one it is the link's affair."""
    own = next((rule for rule in rules if rule.field == field), None)
    return Message(code=own.message(dialogue).code if own else "LK0004", field=field, text="THE BYTES CANNOT BE READ")


def _matches(rule: EditRule, case: Case) -> bool:
    pattern = rule.pattern
    return pattern is not None and all(pattern.fullmatch(entry) for entry in case.entries(rule.field))


def _age(_: EditRule, case: Case) -> bool:
    """16 or over on the date of claim, under 120. A date of claim that is none has a rule of its own."""
    born, claimed = case.date("CM-DATE-OF-BIRTH"), case.date("CM-DATE-OF-CLAIM")
    if born is None or claimed is None:
        return born is not None
    return 16 <= _years_between(born, claimed) < 120


def _years_between(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _two_lines(_: EditRule, case: Case) -> bool:
    return all(line.strip() for line in case.entries("CM-ADDRESS-LINE")[:2])


def _whole_account(_: EditRule, case: Case) -> bool:
    """Zeros are 'not given', so an account of zeros beside a sort code is half an account."""
    return (case.number("CM-SORT-CODE") == 0) == (case.number("CM-ACCOUNT-NUMBER") == 0)


def _account_name(_: EditRule, case: Case) -> bool:
    return case.number("CM-ACCOUNT-NUMBER") == 0 or bool(case.text("CM-ACCOUNT-NAME").strip())


def _claim_date(_: EditRule, case: Case) -> bool:
    claimed, contact = case.date("CM-DATE-OF-CLAIM"), case.date("CM-DATE-OF-CONTACT")
    if claimed is None or contact is None:
        return False
    return _three_months_before(contact) <= claimed <= case.received_on


def _three_months_before(day: date) -> date:
    """The same day three months earlier, or that month's last day where it has no such day."""
    month = day.year * 12 + day.month - 1 - 3
    first = date(month // 12, month % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _partner(_: EditRule, case: Case) -> bool:
    flag, surname = case.text("CM-PARTNER-FLAG"), case.text("CM-PARTNER-SURNAME")
    if flag == "Y":
        return bool(surname) and case.date("CM-PARTNER-DOB") is not None
    rest = (surname, case.text("CM-PARTNER-NINO"), case.number("CM-PARTNER-DOB"), case.number("CM-PARTNER-HOURS"))
    return flag == "N" and not any(rest)


def _hours_available(_: EditRule, case: Case) -> bool:
    return case.number("JE-HOURS-AVAILABLE") >= 40 or bool(case.text("JE-RESTRICTIONS").strip())


def _last_job(_: EditRule, case: Case) -> bool:
    return case.text("JE-LAST-JOB-REASON") == "NW" or case.date("JE-LAST-JOB-ENDED") is not None


def _signing_day(_: EditRule, case: Case) -> bool:
    last_two = case.text("CM-NINO")[6:8]
    return last_two.isdecimal() and case.number("JB-SIGNING-DAY") == int(last_two) // 20 + 1


def _waiting_days(_: EditRule, case: Case) -> bool:
    return case.number("JB-WAITING-DAYS") == (0 if case.text("JB-RAPID-RECLAIM") in {"Y", "L"} else 3)


def _capital(_: EditRule, case: Case) -> bool:
    """Only income-based claims have a limit; a date of claim that is none has a rule of its own."""
    claimed = case.date("CM-DATE-OF-CLAIM")
    if case.text("JB-BASIS") not in {"I", "B"} or claimed is None:
        return True
    limits = [limit for limit in case.capital_limits if limit.first_day <= claimed] or case.capital_limits[:1]
    return 0 <= case.number("JB-CAPITAL") <= limits[-1].pounds


CHECKS: Mapping[str, Callable[[EditRule, Case], bool]] = {
    "pattern": _matches,
    "age": _age,
    "two_lines": _two_lines,
    "whole_account": _whole_account,
    "account_name": _account_name,
    "claim_date": _claim_date,
    "partner": _partner,
    "hours_available": _hours_available,
    "last_job": _last_job,
    "signing_day": _signing_day,
    "waiting_days": _waiting_days,
    "capital": _capital,
}
