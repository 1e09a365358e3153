"""Which facts need evidence, from `evidence.toml` beside this module."""

from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from assessment.domain.evidence import EvidenceRules, Need
from assessment.domain.schemes import CHILD_MAINTENANCE, CRISIS_LOAN
from chassis.errors import Text

_Words: TypeAlias = Annotated[str, Meta(pattern=r"\S")]
_Count: TypeAlias = Annotated[int, Meta(ge=1)]
_SCHEMES = {"INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT", CHILD_MAINTENANCE, CRISIS_LOAN}


class _Spoken(Struct, frozen=True, forbid_unknown_fields=True):
    en: _Words
    cy: _Words


class _Request(Struct, frozen=True, forbid_unknown_fields=True):
    months: _Count
    longest_months: _Count
    remind_working_days_before: Annotated[tuple[_Count, ...], Meta(min_length=1)]


class _Need(Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(pattern=r"^[a-z]+(_[a-z]+)*\Z")]
    name: _Spoken
    schemes: Annotated[tuple[str, ...], Meta(min_length=1)]
    facts: Annotated[tuple[str, ...], Meta(min_length=1)]
    kinds: Annotated[tuple[str, ...], Meta(min_length=1)]
    source: _Words
    of_claimant: bool = True
    first_day: date = field(name="from", default=date.min)
    last_day: date = field(name="until", default=date.max)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    request: _Request
    kinds: Mapping[str, _Spoken]
    needs: Annotated[tuple[_Need, ...], Meta(min_length=1)]


_DECODE = msgspec.toml.decode


def load_evidence() -> EvidenceRules:
    """The rules of evidence. Raises ValueError, naming what is wrong, where the file does not hold together."""
    return parse_evidence(resources.files("assessment.data").joinpath("evidence.toml").read_bytes())


def parse_evidence(written: bytes) -> EvidenceRules:
    """The rules from TOML. Raises ValueError as `load_evidence` does."""
    file = _DECODE(written, type=_File)
    _refuse(sorted({need.id for need in file.needs if _times(file, need.id) > 1}), "stand twice")
    _refuse(sorted({kind for need in file.needs for kind in need.kinds} - set(file.kinds)), "are no kinds")
    _refuse(sorted({scheme for need in file.needs for scheme in need.schemes} - _SCHEMES), "are no schemes")
    return EvidenceRules(
        needs=tuple(_need(given) for given in file.needs),
        kinds={kind: _text(name) for kind, name in file.kinds.items()},
        months=file.request.months,
        longest_months=file.request.longest_months,
        remind_before=tuple(sorted(file.request.remind_working_days_before, reverse=True)),
    )


def _times(file: _File, name: str) -> int:
    return sum(need.id == name for need in file.needs)


def _refuse(found: list[str], what: str) -> None:
    if found:
        raise ValueError(f"evidence.toml: {', '.join(found)} {what}")


def _need(given: _Need) -> Need:
    return Need(
        id=given.id,
        name=_text(given.name),
        schemes=given.schemes,
        facts=given.facts,
        kinds=given.kinds,
        of_claimant=given.of_claimant,
        first_day=given.first_day,
        last_day=given.last_day,
    )


def _text(spoken: _Spoken) -> Text:
    return Text(en=spoken.en, cy=spoken.cy)


EVIDENCE = load_evidence()
"""The rules, read once, before there are threads."""
