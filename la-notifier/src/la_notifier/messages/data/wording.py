"""Reads what messages to claimants say (wording.toml)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

from la_notifier.messages.domain.message import MessageKind
from la_notifier.messages.domain.wording import KindWording, Place, Said, Wording

_Text = Annotated[str, msgspec.Meta(pattern=r"\S")]


class _Both(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: _Text
    cy: _Text


class _Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: tuple[_Text, ...]
    cy: tuple[_Text, ...]


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: _Both
    subject: _Both
    body: _Both
    discreet: _Both


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plain: _Both
    discreet: _Both


class _Dates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    weekdays: _Lists
    months: _Lists


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    telephone: _Text
    benefits: Mapping[str, _Both]
    telling: _Lists
    outcomes: Mapping[str, _Both]
    places: Mapping[str, _Place]
    dates: _Dates
    frame: Mapping[str, _Both]
    kinds: Mapping[MessageKind, _Kind]


_DECODER = msgspec.toml.decode


@cache
def wording() -> Wording:
    """The words of all messages. Raises msgspec.ValidationError where the file breaks its schema."""
    read = _DECODER(Path(__file__).with_name("wording.toml").read_bytes(), type=_File)
    return Wording(
        telephone=read.telephone,
        benefits=_said(read.benefits),
        telling={"EN": read.telling.en, "CY": read.telling.cy},
        outcomes=_said(read.outcomes),
        places={
            name: Place(plain=_both(place.plain), discreet=_both(place.discreet)) for name, place in read.places.items()
        },
        weekdays={"EN": read.dates.weekdays.en, "CY": read.dates.weekdays.cy},
        months={"EN": read.dates.months.en, "CY": read.dates.months.cy},
        frame=_said(read.frame),
        kinds={kind: _kind(given) for kind, given in read.kinds.items()},
    )


def _kind(given: _Kind) -> KindWording:
    return KindWording(
        text=_both(given.text), subject=_both(given.subject), body=_both(given.body), discreet=_both(given.discreet)
    )


def _said(given: Mapping[str, _Both]) -> Mapping[str, Said]:
    return {name: _both(both) for name, both in given.items()}


def _both(given: _Both) -> Said:
    return {"EN": given.en, "CY": given.cy}
