"""The checks that the edit rules name: each tells whether a record keeps to a rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from simulators.record_link.record import Scalar, Value
from simulators.record_link.rule import EditRule, Limit


@dataclass(frozen=True, kw_only=True)
class Case:
    """A record under examination, with the day on which it was received."""

    values: Mapping[str, Value]
    received_on: date
    limits: Mapping[str, Sequence[Limit]]

    def text(self, field: str) -> str:
        """A text field without its padding."""
        return str(self.values[field])

    def number(self, field: str) -> Decimal:
        """A numeric field."""
        return Decimal(str(self.values[field]))

    def date(self, field: str) -> date | None:
        """A date field; None when it is not a real date."""
        return real_date(int(self.number(field)))

    def entries(self, field: str) -> list[Scalar]:
        """The entries of a table, or the one value of a field."""
        value = self.values[field]
        return value if isinstance(value, list) else [value]

    def limit(self, name: str) -> Decimal | None:
        """The limit in pounds on the date of claim; None where that is no date. The first stands for earlier days."""
        claimed = self.date("CM-DATE-OF-CLAIM")
        if claimed is None:
            return None
        limits = [limit for limit in self.limits[name] if limit.first_day <= claimed] or self.limits[name][:1]
        return limits[-1].pounds


def real_date(digits: int) -> date | None:
    """The date that CCYYMMDD stands for; None when there is no such day."""
    try:
        return date(digits // 10_000, digits // 100 % 100, digits % 100)
    except ValueError:
        return None


def _matches(rule: EditRule, case: Case) -> bool:
    pattern = rule.pattern
    return pattern is not None and all(pattern.fullmatch(str(entry)) for entry in case.entries(rule.field))


def _age(rule: EditRule, case: Case) -> bool:
    """16 or over on the date of claim, under 120. A date of claim that is none has a rule of its own."""
    born, claimed = case.date(rule.field), case.date("CM-DATE-OF-CLAIM")
    if born is None or claimed is None:
        return born is not None
    return 16 <= _years_between(born, claimed) < 120


def _years_between(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _two_lines(rule: EditRule, case: Case) -> bool:
    return all(str(line).strip() for line in case.entries(rule.field)[:2])


def _whole_account(_: EditRule, case: Case) -> bool:
    """Zeros are 'not given', so an account of zeros beside a sort code is half an account."""
    return (case.number("CM-SORT-CODE") == 0) == (case.number("CM-ACCOUNT-NUMBER") == 0)


def _account_name(rule: EditRule, case: Case) -> bool:
    return case.number("CM-ACCOUNT-NUMBER") == 0 or bool(case.text(rule.field).strip())


def _claim_date(rule: EditRule, case: Case) -> bool:
    claimed, contact = case.date(rule.field), case.date("CM-DATE-OF-CONTACT")
    if claimed is None or contact is None:
        return False
    return _three_months_before(contact) <= claimed <= case.received_on


def _three_months_before(day: date) -> date:
    """The same day three months earlier, or that month's last day where it has no such day."""
    month = day.year * 12 + day.month - 1 - 3
    first = date(month // 12, month % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _partner(rule: EditRule, case: Case) -> bool:
    flag, surname = case.text(rule.field), case.text("CM-PARTNER-SURNAME")
    if flag == "Y":
        return bool(surname) and case.date("CM-PARTNER-DOB") is not None
    rest = (surname, case.text("CM-PARTNER-NINO"), case.number("CM-PARTNER-DOB"), case.number("CM-PARTNER-HOURS"))
    return flag == "N" and not any(rest)


def _given_date(rule: EditRule, case: Case) -> bool:
    return case.date(rule.field) is not None


def _not_after_claim(rule: EditRule, case: Case) -> bool:
    """A date of claim that is none has a rule of its own."""
    day, claimed = case.date(rule.field), case.date("CM-DATE-OF-CLAIM")
    return day is not None and (claimed is None or day <= claimed)


def _certificate(rule: EditRule, case: Case) -> bool:
    return case.number(rule.field) <= case.number("PD-MED-CERT-TO")


def _one_of(rule: EditRule, case: Case) -> bool:
    return case.text(rule.field) in rule.values


def _under(rule: EditRule, case: Case) -> bool:
    return rule.number_of_rule is not None and case.number(rule.field) < rule.number_of_rule


def _within_limit(rule: EditRule, case: Case) -> bool:
    """A date of claim that is none has a rule of its own."""
    limit = case.limit(rule.limit)
    return limit is None or 0 <= case.number(rule.field) <= limit


def _hours_available(rule: EditRule, case: Case) -> bool:
    return case.number(rule.field) >= 40 or bool(case.text("JE-RESTRICTIONS").strip())


def _signing_day(rule: EditRule, case: Case) -> bool:
    last_two = case.text("CM-NINO")[6:8]
    return last_two.isdecimal() and case.number(rule.field) == int(last_two) // 20 + 1


def _waiting_days(rule: EditRule, case: Case) -> bool:
    return case.number(rule.field) == (0 if case.text("JB-RAPID-RECLAIM") in {"Y", "L"} else 3)


def _loan(rule: EditRule, case: Case) -> bool:
    """Over nothing, and with the debt that there is not over the limit."""
    amount, limit = case.number(rule.field), case.limit(rule.limit)
    return amount > 0 and (limit is None or amount + case.number("SF-EXISTING-DEBT") <= limit)


def _counted(rule: EditRule, case: Case) -> bool:
    """Checks that as many entries as the count says are filled, in front, and that the rest are blank or zero.

    An entry is filled when each field that it needs is given.
    """
    count = int(case.number(rule.field))
    entries = list(zip(*(case.entries(field) for field in rule.needed), strict=True))
    others = list(zip(*(case.entries(field) for field in rule.besides), strict=True)) or [()] * len(entries)
    if count > len(entries):
        return False
    blank = [not any(entry) and not any(other) for entry, other in zip(entries, others, strict=True)]
    return all(all(entry) for entry in entries[:count]) and all(blank[count:])


CHECKS: Mapping[str, Callable[[EditRule, Case], bool]] = {
    "pattern": _matches,
    "age": _age,
    "two_lines": _two_lines,
    "whole_account": _whole_account,
    "account_name": _account_name,
    "claim_date": _claim_date,
    "partner": _partner,
    "given_date": _given_date,
    "not_after_claim": _not_after_claim,
    "certificate": _certificate,
    "one_of": _one_of,
    "under": _under,
    "within_limit": _within_limit,
    "hours_available": _hours_available,
    "signing_day": _signing_day,
    "waiting_days": _waiting_days,
    "loan": _loan,
    "counted": _counted,
}
