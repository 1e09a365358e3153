"""The edit rules of the systems, run on a record before it is sent: a record that breaks one is never sent.

A rule is a pure function that names the fields at fault, by docs/interfaces/legacy.md, "Edit rules". Limits, words and the
list of rules are data (`chassis.outside`). Rules on what a system holds, and on the link and the file, are not here: only the
system can tell.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from chassis import outside
from legacy_gateway.mapping.calendar import months_before, real_date, years_between

_NINO = re.compile("(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")
_NAME = re.compile("[A-Z](?:[ '-]?[A-Z])*[ '-]?")
_LINE = re.compile("[A-Z0-9 ,.'/&()-]*")
_POSTCODE = re.compile("[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}")
_AUTHORITY = re.compile("(?:E06|E07|E08|E09|W06|S12|N09)[0-9]{6}")
_OFFICE = re.compile("[0-9]{6}")
_YOUNGEST, _OLDEST = 16, 120
_OWN_HOURS, _PARTNER_HOURS, _FULL_HOURS = Decimal(16), Decimal(24), Decimal(40)
_MONTHS_BEFORE_CONTACT = 3
_WAITING_DAYS = 3
_MAY_BE_ZERO = "IS-INC-AMOUNT"


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A record by its COBOL names, as its system reads it, on the London day on which it is sent."""

    values: Mapping[str, Any]
    sent_on: date

    def day(self, field: str) -> date | None:
        """A date field; None where it is zero or no date."""
        return real_date(self.values[field])

    def over(self, name: str, pounds: Decimal) -> bool:
        """Whether an amount is over a dated limit, by the date of claim. Where that is no date, its own rule says so."""
        day = self.day("CM-DATE-OF-CLAIM")
        return day is not None and pounds * 100 > outside.edit_rules().limit(name).on(day)


Rule = Callable[[Examined], Iterable[str]]
"""Names the fields of a record that break the rule; none where the record keeps it."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A broken rule: its code and the field at fault."""

    code: str
    field: str


def broken_rules(part: str, examined: Examined) -> Iterator[Broken]:
    """Every rule that a record of this part (IS, ES, BA, SF, PS) breaks, in the order of the document."""
    for code, rule in RULES.items():
        if code[:2] in {"..", part}:
            yield from (Broken(code=f"{part}{code[2:]}", field=field) for field in rule(examined))


def _unless(pattern: re.Pattern[str], field: str) -> Rule:
    return lambda examined: () if pattern.fullmatch(examined.values[field]) else (field,)


def _surnames(examined: Examined) -> Iterator[str]:
    partner = examined.values["CM-PARTNER-SURNAME"]
    yield from _unless(_NAME, "CM-SURNAME")(examined)
    if partner and not _NAME.fullmatch(partner):
        yield "CM-PARTNER-SURNAME"


def _age(examined: Examined) -> Iterator[str]:
    born, claimed = examined.day("CM-DATE-OF-BIRTH"), examined.day("CM-DATE-OF-CLAIM")
    if born is None or (claimed is not None and not _YOUNGEST <= years_between(born, claimed) < _OLDEST):
        yield "CM-DATE-OF-BIRTH"


def _address(examined: Examined) -> Iterator[str]:
    lines = examined.values["CM-ADDRESS-LINE"]
    if not all(line.strip() for line in lines[:2]) or not all(_LINE.fullmatch(line) for line in lines):
        yield "CM-ADDRESS-LINE"


def _account(examined: Examined) -> Iterator[str]:
    sort_code, number = examined.values["CM-SORT-CODE"], examined.values["CM-ACCOUNT-NUMBER"]
    if sort_code == 0 and number != 0:
        yield "CM-SORT-CODE"
    if number == 0 and sort_code != 0:
        yield "CM-ACCOUNT-NUMBER"


def _account_name(examined: Examined) -> Iterator[str]:
    name = examined.values["CM-ACCOUNT-NAME"]
    has_account = examined.values["CM-ACCOUNT-NUMBER"] != 0
    if not _LINE.fullmatch(name) or (has_account and not name.strip()):
        yield "CM-ACCOUNT-NAME"


def _claim_date(examined: Examined) -> Iterator[str]:
    claimed, contact = examined.day("CM-DATE-OF-CLAIM"), examined.day("CM-DATE-OF-CONTACT")
    earliest = None if contact is None else months_before(contact, _MONTHS_BEFORE_CONTACT)
    if claimed is None or earliest is None or not earliest <= claimed <= examined.sent_on:
        yield "CM-DATE-OF-CLAIM"


def _partner(examined: Examined) -> Iterator[str]:
    values, flag = examined.values, examined.values["CM-PARTNER-FLAG"]
    if flag == "Y":
        if not values["CM-PARTNER-SURNAME"].strip():
            yield "CM-PARTNER-SURNAME"
        if examined.day("CM-PARTNER-DOB") is None:
            yield "CM-PARTNER-DOB"
    elif flag == "N":
        rest = ("CM-PARTNER-NINO", "CM-PARTNER-SURNAME", "CM-PARTNER-DOB", "CM-PARTNER-HOURS")
        yield from (field for field in rest if values[field])
    else:
        yield "CM-PARTNER-FLAG"


def _capital_of(field: str) -> Rule:
    def rule(examined: Examined) -> Iterable[str]:
        capital = examined.values[field]
        return (field,) if capital < 0 or examined.over("capital_limit", capital) else ()

    return rule


def _hours_worked(examined: Examined) -> Iterator[str]:
    if examined.values["IS-HOURS-WORKED"] >= _OWN_HOURS:
        yield "IS-HOURS-WORKED"
    if examined.values["CM-PARTNER-HOURS"] >= _PARTNER_HOURS:
        yield "CM-PARTNER-HOURS"


def _expected_birth(examined: Examined) -> Iterator[str]:
    if examined.values["IS-GROUP"] == "PR" and examined.day("IS-EXPECTED-BIRTH") is None:
        yield "IS-EXPECTED-BIRTH"


def _counts(examined: Examined) -> Iterator[str]:
    for table, count in (("IS-CHILD", "IS-CHILD-COUNT"), ("IS-INCOME", "IS-INCOME-COUNT")):
        rows, filled = examined.values[table], examined.values[count]
        if filled > len(rows):
            yield count
        inside = (field for row in rows[:filled] for field, value in row.items() if not value and field != _MAY_BE_ZERO)
        beyond = (field for row in rows[filled:] for field, value in row.items() if value)
        yield from dict.fromkeys((*inside, *beyond))


def _hours_available(examined: Examined) -> Iterator[str]:
    if examined.values["JE-HOURS-AVAILABLE"] < _FULL_HOURS and not examined.values["JE-RESTRICTIONS"].strip():
        yield "JE-HOURS-AVAILABLE"


def _last_job(examined: Examined) -> Iterator[str]:
    if examined.values["JE-LAST-JOB-REASON"] != "NW" and examined.day("JE-LAST-JOB-ENDED") is None:
        yield "JE-LAST-JOB-ENDED"


def _signing_day(examined: Examined) -> Iterator[str]:
    digits = examined.values["CM-NINO"][6:8]
    if not digits.isdecimal() or examined.values["JB-SIGNING-DAY"] != int(digits) // 20 + 1:
        yield "JB-SIGNING-DAY"


def _waiting_days(examined: Examined) -> Iterator[str]:
    wanted = 0 if examined.values["JB-RAPID-RECLAIM"] in {"Y", "L"} else _WAITING_DAYS
    if examined.values["JB-WAITING-DAYS"] != wanted:
        yield "JB-WAITING-DAYS"


def _jobseekers_capital(examined: Examined) -> Iterable[str]:
    return _capital_of("JB-CAPITAL")(examined) if examined.values["JB-BASIS"] in {"I", "B"} else ()


def _sick_from(examined: Examined) -> Iterator[str]:
    sick, claimed = examined.day("PD-SICK-FROM"), examined.day("CM-DATE-OF-CLAIM")
    if sick is None or (claimed is not None and sick > claimed):
        yield "PD-SICK-FROM"


def _sick_pay(examined: Examined) -> Iterator[str]:
    if examined.values["PD-EMPLOYMENT"] == "E":
        if examined.day("PD-SSP-ENDED") is None:
            yield "PD-SSP-ENDED"
        if not examined.values["PD-SSP-REASON"].strip():
            yield "PD-SSP-REASON"


def _certificate(examined: Examined) -> Iterator[str]:
    begins, ends = examined.values["PD-MED-CERT-FROM"], examined.values["PD-MED-CERT-TO"]
    if begins > ends:
        yield "PD-MED-CERT-TO"


def _loan(examined: Examined) -> Iterator[str]:
    amount, owed = examined.values["SF-AMOUNT"], examined.values["SF-EXISTING-DEBT"]
    if amount <= 0 or examined.over("crisis_loan_debt_cap", amount + owed):
        yield "SF-AMOUNT"


def _interim(examined: Examined) -> Iterator[str]:
    if examined.values["SF-REASON"] == "AF" and examined.values["SF-INTERIM-CONSIDERED"] != "Y":
        yield "SF-INTERIM-CONSIDERED"


RULES: Mapping[str, Rule] = {
    "..0001": _unless(_NINO, "CM-NINO"),
    "..0002": _surnames,
    "..0003": _unless(_NAME, "CM-FORENAMES"),
    "..0004": _age,
    "..0005": _address,
    "..0006": _unless(_POSTCODE, "CM-POSTCODE"),
    "..0007": _unless(_AUTHORITY, "CM-LA-CODE"),
    "..0008": _account,
    "..0009": _claim_date,
    "..0010": _partner,
    "..0011": _unless(_OFFICE, "CM-OFFICE-CODE"),
    "..0012": _account_name,
    "IS0020": _capital_of("IS-CAPITAL"),
    "IS0021": _hours_worked,
    "IS0022": _expected_birth,
    "IS0023": _counts,
    "ES0020": _hours_available,
    "ES0021": _last_job,
    "BA0020": _signing_day,
    "BA0021": _waiting_days,
    "BA0022": _jobseekers_capital,
    "PS0020": _sick_from,
    "PS0021": _sick_pay,
    "PS0022": _certificate,
    "SF0020": _loan,
    "SF0021": _interim,
}
"""By code; `..` stands for every part."""
NOT_IN_A_RECORD = frozenset(
    {"..0013", "ES0030", "ES0031", "BA0017", "LK0003", "PF0001", "PF0002", "PF0003", "PF0004", "PF0005"}
)
"""Rules on what a system holds, on the link and on the file: no record shows by itself whether it keeps them."""
