"""How each field of a record is written: from an answer, or by a decision of the platform."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chassis import outside
from legacy_gateway.domain import Action, Facts
from legacy_gateway.mapping.schema import CONSTANT, FieldSource, Rows
from legacy_gateway.records import date_number

_PENNY = Decimal("0.01")
_MOST_LINES = 5
_CONTRIBUTION, _INCOME, _BOTH = "C", "I", "B"
_PARTNER_HOURS_LIMIT = Decimal(24)
"""From 24 hours of a partner's work there is no income-based claim (Jobseekers Act 1995, section 3)."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that a record is made from. `first_phase_reference` is empty in the first phase.

    `authority_code` is the GSS code of the address's postcode; None if the directory has no place for it. `line` is the
    record's number in a file, 0 where that is not known yet. `entry` holds the answers of one row of a table while it is
    written.
    """

    claim_ref: str
    action: Action
    office_code: str
    assessor_id: str
    facts: Facts
    authority_code: str | None
    first_phase_reference: str = ""
    transfer_id: str = ""
    line: int = 0
    entry: Mapping[str, Any] | None = None
    loan_amount: str = ""
    """The crisis loan that was offered, in pounds; empty before the decision."""

    @property
    def answers(self) -> Mapping[str, Any]:
        """The facts of the claim, or of the row that is being written."""
        return self.facts.answers if self.entry is None else self.entry

    def value(self, source: FieldSource) -> Any:
        """The first fact of a source; None if it is not known."""
        return self.answers.get(source.from_facts[0])

    def day(self, fact: str) -> date | None:
        """A fact that is a date."""
        given = self.answers.get(fact)
        return None if given is None else date.fromisoformat(given)

    def rows(self, rows: Rows) -> "Iterator[Case]":
        """A case for each row: for each entry of a group, or for an amount over zero."""
        given = self.facts.answers.get(rows.question)
        if isinstance(given, list):
            yield from (replace(self, entry=entry) for entry in given)
        elif given is not None and Decimal(str(given)) > 0:
            yield replace(self, entry={rows.question: given})

    @property
    def claim_date(self) -> date:
        """The first contact, or the day to which the claimant asks to have the claim backdated."""
        given = self.facts.answers.get("backdate_to")
        return self.facts.contact_on if given is None else date.fromisoformat(given)


Form = Callable[[Case, FieldSource], Any]
"""Gives the field's value for the codec, or None if there is none."""


def _text(case: Case, source: FieldSource) -> str | None:
    value = case.value(source)
    return None if value is None else str(value).upper()


def _texts(case: Case, source: FieldSource) -> list[str]:
    given = (case.answers.get(fact) for fact in source.from_facts)
    return [str(value).upper() for value in given if value is not None]


def _date(case: Case, source: FieldSource) -> int | None:
    day = case.day(source.from_facts[0])
    return None if day is None else date_number(day)


def _flag(case: Case, source: FieldSource) -> str | None:
    value = case.value(source)
    return None if value is None else "Y" if value else "N"


def _code(case: Case, source: FieldSource) -> str | int | None:
    value = case.value(source)
    return None if value is None else source.codes[value]


def _decimal(case: Case, source: FieldSource) -> Decimal | None:
    return _pounds(case.value(source))


def _whole(case: Case, source: FieldSource) -> int | None:
    value = case.value(source)
    return None if value is None else int(value)


def _address_lines(case: Case, source: FieldSource) -> list[str] | None:
    value = case.value(source)
    return None if value is None else [str(line).upper() for line in value["lines"]]


def _lines_and_postcode(case: Case, source: FieldSource) -> list[str] | None:
    """The lines of an address, five at most, with the postcode as one of its own or at the end of the last."""
    value = case.value(source)
    if value is None or not value.get("postcode"):
        return None if value is None else list(value["lines"])
    *lines, last = value["lines"]
    postcode = value["postcode"]
    return [*lines, last, postcode] if len(lines) + 1 < _MOST_LINES else [*lines, f"{last} {postcode}"]


def _postcode(case: Case, source: FieldSource) -> str | None:
    value = case.value(source)
    return None if value is None else str(value["postcode"]).upper()


def _divided_amount(case: Case, source: FieldSource) -> Decimal | None:
    """The amount in pounds, divided where the record has no code for its period; half a penny goes up."""
    amount, period = source.from_facts
    whole = _pounds(case.answers.get(amount))
    by = source.divided.get(str(case.answers.get(period)), 1)
    return None if whole is None else (whole / by).quantize(_PENNY, rounding=ROUND_HALF_UP)


def _loan_amount(case: Case, source: FieldSource) -> Decimal | None:
    """The amount that an assessor offered; before an offer, the amount that was asked for."""
    return _pounds(case.loan_amount or case.value(source))


def _pounds(given: Any) -> Decimal | None:
    return None if given is None else Decimal(str(given))


def _entries(case: Case, source: FieldSource) -> int:
    """The number of a group's entries."""
    return len(case.value(source) or ())


def _opposite(case: Case, source: FieldSource) -> bool | None:
    value = case.value(source)
    return None if value is None else not value


def _day_or_contact(case: Case, source: FieldSource) -> str:
    """A date, or the day of the first contact."""
    return str(case.value(source) or case.facts.contact_on.isoformat())


def _birth_of_child(case: Case, source: FieldSource) -> str | None:
    """The date of birth of the child of that name; None where two children have it, or none has."""
    name = case.value(source)
    born = {child.get("date_of_birth") for child in case.facts.answers.get("children", ()) if child.get("name") == name}
    return born.pop() if len(born) == 1 else None


def _sick_pay_ended(case: Case, source: FieldSource) -> int | None:
    """Edit rule PS0021: an employed claimant has an end; where sick pay was never due it is the eve of the illness."""
    sick_from = case.day("sick_from")
    if case.answers.get("ssp_reason") != "NE":
        return _date(case, source)
    return None if sick_from is None else date_number(sick_from - timedelta(days=1))


def _basis(case: Case, _: FieldSource) -> str:
    """I where nothing was ever paid in, B where income-based allowance is claimed too, C where it is not.

    Contributions are in JSAPS's records and not in the interview: who has worked claims on them in any case. Catalogue 1
    did not ask about an income-based claim, and had no check of the capital: what is possible there is taken to be claimed.
    """
    answers = case.answers
    within = Decimal(str(answers.get("capital", 0))) <= _capital_limit(case)
    partner_may = Decimal(str(answers.get("partner_hours", 0))) < _PARTNER_HOURS_LIMIT
    if not answers.get("ever_worked", True):
        return _INCOME if within else _CONTRIBUTION
    return _BOTH if answers.get("claims_income_based", within and partner_may) else _CONTRIBUTION


def _capital(case: Case, source: FieldSource) -> Decimal | None:
    """In pounds; zero for a claim on contributions alone."""
    return Decimal(0) if _basis(case, source) == _CONTRIBUTION else _decimal(case, source)


def _capital_limit(case: Case) -> Decimal:
    """In pounds, by the date of claim (edit rule BA0022)."""
    return Decimal(outside.edit_rules().limit("capital_limit").on(case.claim_date)) / 100


def _signing_day(case: Case, source: FieldSource) -> int | None:
    """Edit rule BA0020: from the NINO's last two digits, 00-19 gives 1 (Monday), 80-99 gives 5."""
    nino = case.value(source)
    return None if nino is None else int(nino[6:8]) // 20 + 1


def _evidence_date(case: Case, _: FieldSource) -> int | None:
    day = case.facts.evidence_on
    return None if day is None else date_number(day)


_FROM_ANSWERS: Mapping[str, Form] = {
    "as_given": Case.value,
    "text": _text,
    "texts": _texts,
    "date": _date,
    "flag": _flag,
    "opposite": _opposite,
    "code": _code,
    "decimal": _decimal,
    "divided_amount": _divided_amount,
    "loan_amount": _loan_amount,
    "whole": _whole,
    "digits": _whole,
    "entries": _entries,
    "lines": lambda case, source: None if (value := case.value(source)) is None else list(value["lines"]),
    "address_lines": _address_lines,
    "lines_and_postcode": _lines_and_postcode,
    "postcode": _postcode,
    "day_or_contact": _day_or_contact,
    "birth_of_child": _birth_of_child,
    "sick_pay_ended": _sick_pay_ended,
}

_DECIDED: Mapping[str, Form] = {
    CONSTANT: lambda _, source: source.value,
    "claim_ref": lambda case, _: case.claim_ref,
    "transfer_id": lambda case, _: case.transfer_id,
    "line": lambda case, _: case.line,
    "action": lambda case, _: "N" if case.action is Action.NEW else "C",
    "authority_code": lambda case, _: case.authority_code,
    "contact_date": lambda case, _: date_number(case.facts.contact_on),
    "claim_date": lambda case, _: date_number(case.claim_date),
    "evidence_date": _evidence_date,
    "office_code": lambda case, _: case.office_code,
    "assessor_id": lambda case, _: case.assessor_id,
    "operator": lambda case, _: case.facts.operator,
    "operator_grade": lambda case, _: case.facts.operator_grade,
    "first_phase_reference": lambda case, _: case.first_phase_reference or None,
    "basis": _basis,
    "capital": _capital,
    "signing_day": _signing_day,
}

FORMS: Mapping[str, Form] = {**_FROM_ANSWERS, **_DECIDED}
"""Every form that a file may name, besides the count of a table's rows."""
