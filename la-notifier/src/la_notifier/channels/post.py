"""The channel POST: a notice as a letter (docs/interfaces/local-authority.md, the way `post`). Its words are `post.toml`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from chassis.bank_holidays import Nation
from chassis.errors import Text
from la_notifier.domain.letters import Letter, Section

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str
    section: str
    label: Text
    coded: bool = False


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    headings: Mapping[str, Text]
    words: Mapping[str, Text]
    sections: Mapping[str, Text]
    fields: Sequence[_Field]
    values: Mapping[str, Text]


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """The authority to which a letter goes."""

    code: str
    name: str


class UnknownField(ValueError):
    """A notice has a field that the letter has no words for."""


def language_for(authority_code: str, claimants: str) -> str:
    """The language of a letter: the claimant's for an authority in Wales, whose officers read both; English for the others."""
    return claimants if Nation.of_code(authority_code) is Nation.WALES else "EN"


def letter_of(body: Mapping[str, Any], authority: Addressee, *, on: date, claimants_language: str) -> Letter:
    """The letter of a version of a notice, dated `on`. Raises UnknownField."""
    language = language_for(authority.code, claimants_language)
    words, kind = _words(), str(body["kind"])
    told = [words.words[name] for name in ("sender", "withdrawn" if kind == "WITHDRAWN" else "whole", "receipt")]
    return Letter(
        language=language,
        to=[words.words["to"].spoken(language), authority.name],
        reference=" / ".join([authority.code, body["claim_ref"], body["notice_id"], str(body["version"]), kind]),
        day=on,
        heading=words.headings[kind].spoken(language),
        sections=[Section(paragraphs=[text.spoken(language) for text in told]), *_sections(body, language)],
    )


def _sections(body: Mapping[str, Any], language: str) -> Iterator[Section]:
    words, flat = _words(), dict(_flat(body))
    known = {field.path for field in words.fields} | {"notice_id", "supersedes", "kind", "authority_code"}
    if unknown := flat.keys() - known:
        raise UnknownField(", ".join(sorted(unknown)))
    for name, heading in words.sections.items():
        rows = [
            (field.label.spoken(language), _shown(flat[field.path], field, language))
            for field in words.fields
            if field.section == name and flat.get(field.path) not in (None, [])
        ]
        if rows:
            yield Section(heading=heading.spoken(language), rows=rows)


def _flat(body: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _shown(value: Any, field: _Field, language: str) -> str:
    if isinstance(value, list):
        return "; ".join(_entry(one, field, language) for one in value)
    text = str(value)
    if _DAY.fullmatch(text):
        return f"{date.fromisoformat(text):%d/%m/%Y}"
    word = _words().values.get(text) if field.coded else None
    return word.spoken(language) if word else text


def _entry(entry: Any, field: _Field, language: str) -> str:
    """An entry of a list on a line. A flag is told by its name where it is set."""
    if not isinstance(entry, Mapping):
        return str(entry)
    told = [name.upper() if value is True else value for name, value in entry.items() if value is not False]
    return ", ".join(_shown(value, field, language) for value in told)


@cache
def _words() -> _Words:
    return msgspec.toml.decode(
        resources.files("la_notifier").joinpath("channels", "post.toml").read_bytes(), type=_Words
    )
