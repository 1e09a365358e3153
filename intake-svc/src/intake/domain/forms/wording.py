"""Relevance rules in words, where they are simple: answers to questions that stand on the form, joined by and or or.

A rule of another shape has no words here, and `conditions_of` says so: the form then names the questions it depends on.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from chassis.errors import Text
from intake.domain.forms.layout import Entry, Form
from intake.domain.rules import CelValue, Rule
from intake.domain.script import Kind

Condition: TypeAlias = Text
"""A clause that follows "if" or "os"."""

_TOKEN = re.compile(r"\s*(&&|\|\||==|!=|<=|>=|[!<>()\[\],.?:+*/%-]|'[^']*'|[0-9]+(?:\.[0-9]+)?|[A-Za-z_][A-Za-z_0-9]*)")
_COMPARED = {
    "<": Text(en="less than {n}", cy="yn llai na {n}"),
    "<=": Text(en="{n} or less", cy="yn {n} neu lai"),
    ">": Text(en="more than {n}", cy="yn fwy na {n}"),
    ">=": Text(en="{n} or more", cy="yn {n} neu fwy"),
    "==": Text(en="{n}", cy="yn {n}"),
}
_MOST_CHOICES = 5
"""Choices that a sentence names at most."""
_MOST_CLAUSES = 4
"""Clauses that a reader can hold in mind; a longer condition has no plain words."""


def conditions_of(form: Form, rule: Rule, *, given: Mapping[str, CelValue]) -> tuple[Condition, ...] | None:
    """The conditions that must all be met, those left out that `given` already meets; None where it has no plain words."""
    try:
        tree = _Parser(rule.expression).whole()
        parts = [part for part in _conjuncts(tree) if not _is_met(part, given)]
        if sum(_clauses(part) for part in parts) > _MOST_CLAUSES:
            return None
        return tuple(_Words(form).of(part) for part in parts) or None
    except _NotPlain:
        return None


class _NotPlain(Exception):
    """The rule has another shape than those that have words."""


_Tree: TypeAlias = tuple[Any, ...]
"""An operator or a kind, and its parts."""


class _Parser:
    """Reads the rules that consist of !, &&, ||, `in`, comparisons with a constant, size() and years()."""

    def __init__(self, expression: str) -> None:
        self._tokens = _tokens(expression)
        self._at = 0

    def whole(self) -> _Tree:
        tree = self._any()
        if self._at != len(self._tokens):
            raise _NotPlain
        return tree

    def _any(self) -> _Tree:
        return self._joined("||", self._all)

    def _all(self) -> _Tree:
        return self._joined("&&", self._one)

    def _joined(self, operator: str, part: Callable[[], _Tree]) -> _Tree:
        parts = [part()]
        while self._take(operator):
            parts.append(part())
        return parts[0] if len(parts) == 1 else (operator, *parts)

    def _one(self) -> _Tree:
        if self._take("!"):
            return ("!", self._one())
        if self._take("("):
            tree = self._any()
            self._expect(")")
            return tree
        return self._comparison()

    def _comparison(self) -> _Tree:
        left = self._operand()
        for operator in ("==", "!=", "<=", ">=", "<", ">"):
            if self._take(operator):
                return (operator, left, self._constant())
        if self._take("in"):
            return ("in", left, self._list())
        if left[0] != "name":
            raise _NotPlain
        return ("yes", left[1])

    def _operand(self) -> _Tree:
        token = self._next()
        if token.startswith("'"):
            return ("constant", token[1:-1])
        if not re.fullmatch(r"[a-z_][a-z_0-9]*", token):
            raise _NotPlain
        if not self._take("("):
            return ("name", token)
        names = [self._next()]
        while self._take(","):
            names.append(self._next())
        self._expect(")")
        return (token, *names)

    def _list(self) -> object:
        if not self._take("["):
            return ("name", self._next())
        found = [self._constant()]
        while self._take(","):
            found.append(self._constant())
        self._expect("]")
        return tuple(found)

    def _constant(self) -> object:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1]
        if re.fullmatch(r"[0-9.]+", token):
            return Decimal(token)
        raise _NotPlain

    def _take(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise _NotPlain

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise _NotPlain
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(expression: str) -> list[str]:
    found, at, text = [], 0, expression.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _NotPlain
        found.append(token[1])
        at = token.end()
    return found


def _conjuncts(tree: _Tree) -> list[_Tree]:
    return [part for part in tree[1:] if isinstance(part, tuple)] if tree[0] == "&&" else [tree]


def _clauses(tree: _Tree) -> int:
    parts = [part for part in tree[1:] if isinstance(part, tuple)] if tree[0] in ("&&", "||") else []
    return sum(_clauses(part) for part in parts) or 1


def _is_met(tree: _Tree, given: Mapping[str, CelValue]) -> bool:
    """Whether a condition follows from answers that are known; only plain ones are looked at."""
    match tree:
        case ("yes", str() as name):
            return given.get(name) is True
        case ("!", ("yes", str() as name)):
            return given.get(name) is False
        case (">", ("size", str() as name), _) | ("!=", ("size", str() as name), _):
            return bool(given.get(name))
        case ("==", ("name", str() as name), str() as code):
            return given.get(name) == code
        case ("in", ("constant", str() as scheme), ("name", "schemes")):
            known = given.get("schemes")
            return isinstance(known, list) and scheme in known
    return False


class _Words:
    """Says a rule's parts in words that name the form's questions by number."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def of(self, tree: _Tree) -> Condition:
        match tree:
            case ("||", *parts):
                return _either([self.of(part) for part in parts if isinstance(part, tuple)])
            case ("&&", *parts):
                return _joined([self.of(part) for part in parts if isinstance(part, tuple)], "and", "a")
            case ("yes", str() as name):
                return self._ticked(name, ticked=True)
            case ("!", ("yes", str() as name)):
                return self._ticked(name, ticked=False)
            case ("==", ("name", str() as name), str() as code):
                return self._chose(name, [code], chosen=True) if code else self._answered(name, answered=False)
            case ("!=", ("name", str() as name), str() as code):
                return self._chose(name, [code], chosen=False) if code else self._answered(name, answered=True)
            case ("in", ("name", str() as name), tuple() as codes) if codes[0] != "name":
                return self._chose(name, [str(code) for code in codes], chosen=True)
            case ("!", ("in", ("name", str() as name), tuple() as codes)) if codes[0] != "name":
                return self._chose(name, [str(code) for code in codes], chosen=False)
            case ("in", ("constant", str() as code), ("name", str() as name)):
                return self._chose(name, [code], chosen=True)
        return self._counted(tree)

    def _counted(self, tree: _Tree) -> Condition:
        match tree:
            case (">", ("size", str() as name), Decimal() as number) if number == 0:
                return self._answered(name, answered=True)
            case ("==", ("size", str() as name), Decimal() as number) if number == 0:
                return self._answered(name, answered=False)
            case (str() as operator, ("name", str() as name), Decimal() as number) if operator in _COMPARED:
                return self._compared(name, operator, number)
            case (str() as operator, ("years", str() as name, "claim_date" | "contact_date"), Decimal() as number) if (
                operator in _COMPARED
            ):
                return self._aged(name, operator, number)
        raise _NotPlain

    def _entry(self, name: str, *kinds: Kind) -> Entry:
        entry = self._form.by_id.get(name)
        if entry is None or (kinds and entry.question.kind not in kinds):
            raise _NotPlain
        return entry

    def _ticked(self, name: str, *, ticked: bool) -> Condition:
        entry = self._entry(name, Kind.YES_NO)
        yes, no = yes_and_no(entry.question.text)
        word = yes if ticked else no
        return Text(
            en=f"you ticked ‘{word.en}’ at question {entry.number}",
            cy=f"gwnaethoch dicio ‘{word.cy}’ yng nghwestiwn {entry.number}",
        )

    def _chose(self, name: str, codes: Sequence[str], *, chosen: bool) -> Condition:
        entry = self._entry(name, Kind.CHOICE, Kind.CHOICES)
        texts = [choice.text for choice in entry.question.choices if choice.code in codes]
        if len(texts) != len(codes):
            raise _NotPlain
        others = [choice.text for choice in entry.question.choices if choice.code not in codes]
        if len(texts) > _MOST_CHOICES and len(others) < len(texts) and entry.question.kind is Kind.CHOICE:
            texts, chosen = others, not chosen
        named = _joined([Text(en=f"‘{text.en}’", cy=f"‘{text.cy}’") for text in texts], "or", "neu")
        return Text(
            en=f"you {'ticked' if chosen else 'did not tick'} {named.en} at question {entry.number}",
            cy=f"{'gwnaethoch dicio' if chosen else 'na wnaethoch dicio'} {named.cy} yng nghwestiwn {entry.number}",
        )

    def _answered(self, name: str, *, answered: bool) -> Condition:
        entry = self._entry(name)
        if entry.question.kind is Kind.GROUP:
            return Text(
                en=f"you {'wrote somebody or something' if answered else 'ticked ‘None’'} at question {entry.number}",
                cy=f"gwnaethoch {'ysgrifennu rhywun neu rywbeth' if answered else 'dicio ‘Dim’'}"
                f" yng nghwestiwn {entry.number}",
            )
        return Text(
            en=f"you {'answered' if answered else 'did not answer'} question {entry.number}",
            cy=f"{'gwnaethoch' if answered else 'na wnaethoch'} ateb cwestiwn {entry.number}",
        )

    def _compared(self, name: str, operator: str, number: Decimal) -> Condition:
        entry = self._entry(name, Kind.NUMBER, Kind.MONEY)
        shown = f"£{number / 100:,.2f}".removesuffix(".00") if entry.question.kind is Kind.MONEY else f"{number:f}"
        shown = shown.removesuffix(".0")
        than = _COMPARED[operator].of(n=shown)
        return Text(
            en=f"your answer to question {entry.number} is {than.en}",
            cy=f"yw eich ateb i gwestiwn {entry.number} {than.cy}",
        )

    def _aged(self, name: str, operator: str, number: Decimal) -> Condition:
        entry = self._entry(name, Kind.DATE)
        than = _COMPARED[operator].of(n=f"{number:f}")
        return Text(
            en=f"the person whose date of birth is at question {entry.number} is aged {than.en}",
            cy=f"yw oedran y person y mae ei ddyddiad geni yng nghwestiwn {entry.number} {than.cy}",
        )


def _either(parts: Sequence[Text]) -> Text:
    joined = _joined(parts, "or", "neu")
    return Text(en=f"either {joined.en}", cy=f"naill ai {joined.cy}")


def _joined(parts: Sequence[Text], en: str, cy: str) -> Text:
    if len(parts) == 1:
        return parts[0]
    firsts_en, firsts_cy = (", ".join(part.en for part in parts[:-1]), ", ".join(part.cy for part in parts[:-1]))
    return Text(en=f"{firsts_en} {en} {parts[-1].en}", cy=f"{firsts_cy} {cy} {parts[-1].cy}")


_WELSH_YES = {
    "ydych": "Ydw",
    "oes": "Oes",
    "ydy": "Ydy",
    "yw": "Ydy",
    "ydynt": "Ydyn",
    "fydd": "Bydd",
    "fyddwch": "Byddaf",
    "fyddai": "Byddai",
    "allai": "Gallai",
    "allwch": "Gallaf",
    "hoffech": "Hoffwn",
    "wnewch": "Gwnaf",
    "oedd": "Oedd",
    "oeddech": "Oeddwn",
    **dict.fromkeys(
        ("gawsoch", "wnaethoch", "ddaethoch", "fuoch", "roesoch", "wnaeth", "gafodd", "ddaeth", "fu", "lofnododd"), "Do"
    ),
}
"""Yes, by the verb of a question in Welsh, which it follows. No is always Na."""
_VERB = re.compile(rf"(?:^|[.,:] )(?:a )?({'|'.join(_WELSH_YES)})\b", re.IGNORECASE)


def yes_and_no(question: Text) -> tuple[Text, Text]:
    """The two answers of a YES_NO question, in Welsh as the verb that asks wants them."""
    verb = _VERB.search(question.cy)
    yes = _WELSH_YES[verb[1].lower()] if verb else "Ie"
    return Text(en="Yes", cy=yes), Text(en="No", cy="Na")
