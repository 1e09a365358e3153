"""The table that decides what an authority may see: a field of the notice for each fact, and since when it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Content = dict[str, Any]
"""The fields of the interface but for `notice_id`, `version`, `supersedes` and `kind`."""

Stage = Literal["INTENTION", "CLAIM", "AWARD"]


@dataclass(frozen=True, kw_only=True)
class ToldField:
    """A field of the notice, and the one fact or derived value that fills it."""

    name: str
    fact: str = ""
    derived: str = ""
    since: Stage = "INTENTION"
    withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class ToldObject:
    """An object that is told only when all these facts are known."""

    name: str
    needs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ToldEntries:
    """Entries of a list of the notice, and the fact that fills them: a group, or an amount of money."""

    list: str
    fact: str
    tells: Mapping[str, str] | str
    fixed: Mapping[str, str | bool] = field(default_factory=dict)
    in_words: Mapping[str, str] = field(default_factory=dict)

    def of(self, value: Any) -> Iterator[Content]:
        """The entries that a fact's value makes."""
        if isinstance(self.tells, str):
            if Decimal(value) > 0:
                yield {self.tells: value, **self.fixed}
            return
        for entry in value:
            told = {name: self._word(entry[source]) for name, source in self.tells.items() if source in entry}
            yield {name: one for name, one in told.items() if one is not None} | dict(self.fixed)

    def _word(self, value: Any) -> Any:
        return self.in_words.get(value, value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """The whole table."""

    fields: tuple[ToldField, ...]
    objects: tuple[ToldObject, ...]
    entries: tuple[ToldEntries, ...]

    def facts(self) -> frozenset[str]:
        """The names of all facts of which an authority sees something."""
        named = {told.fact.partition(".")[0] for told in self.fields if told.fact}
        return frozenset(named | {told.fact for told in self.entries})

    def content(
        self, facts: Mapping[str, Any], derived: Mapping[str, Any], *, is_submitted: bool, is_decided: bool
    ) -> Content:
        """The content of a notice from these facts. A fact that is not known is left out."""
        stages = {"INTENTION", *(["CLAIM"] if is_submitted else []), *(["AWARD"] if is_decided else [])}
        hidden = {one.name for one in self.objects if not all(name in facts for name in one.needs)}
        content: Content = {}
        for told in self.fields:
            value = derived.get(told.derived) if told.derived else _at(facts, told.fact)
            if value is not None and told.since in stages and told.name.partition(".")[0] not in hidden:
                _put(content, told.name, value)
        return content | (self._lists(facts) if is_submitted else {})

    def withdrawn(self, told_last: Content) -> Content:
        """The content of a WITHDRAWN, from the content that the notice had last."""
        content: Content = {}
        for told in self.fields:
            value = _at(told_last, told.name)
            if told.withdrawn and value is not None:
                _put(content, told.name, value)
        return content

    def _lists(self, facts: Mapping[str, Any]) -> Content:
        lists: Content = {told.list: [] for told in self.entries}
        for told in self.entries:
            value = facts.get(told.fact)
            lists[told.list] += told.of(value) if value is not None else ()
        return lists


def _at(values: Mapping[str, Any], path: str) -> Any:
    name, _, rest = path.partition(".")
    value = values.get(name)
    return _at(value, rest) if rest and value is not None else value


def _put(content: Content, path: str, value: Any) -> None:
    name, _, rest = path.partition(".")
    if rest:
        _put(content.setdefault(name, {}), rest, value)
    else:
        content[name] = value
