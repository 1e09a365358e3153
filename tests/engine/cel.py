"""Translates the rules of a catalogue, which are CEL, to expressions of SurveyJS and to JavaScript.

What compares a question with a constant becomes an expression of SurveyJS. Anything else (a calendar, the entries of a
group) becomes a function in JavaScript, which the expression calls with the questions that it needs: so SurveyJS knows on
what the rule depends. A name without a value makes a rule unknown, which is not true, as in CEL.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<text>'[^']*'|"[^"]*")|"""
    r"""(?P<sign>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()\[\]]))"""
)
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_MACROS = {"all": "every", "exists": "some", "filter": "filter", "map": "map"}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_WRITTEN = {
    "field": "{0}.{value}",
    "index": "{0}[{1}]",
    "unary": "({value}{0})",
    "choice": "({0} ? {1} : {2})",
    "in": "{1}.includes({0})",
}
"""Parts of an expression in JavaScript; any other is a sign between two."""
_SURVEY_SIGNS = {"==": "=", "||": "or", "&&": "and"}


@dataclass(frozen=True)
class Node:
    """A part of a rule: `kind` is number, text, name, list, call, method, field, unary, choice or a sign between two."""

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()


class Parser:
    """Reads one expression."""

    def __init__(self, written: str) -> None:
        self._tokens = list(_tokens(written))
        self._at = 0

    def whole(self) -> Node:
        """The expression. Raises ValueError for what this reader does not know."""
        node = self._choice()
        if self._at != len(self._tokens):
            raise ValueError(f"not understood: {self._tokens[self._at :]}")
        return node

    def _choice(self) -> Node:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        first = self._choice()
        self._expect(":")
        return Node("choice", "", (condition, first, self._choice()))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            sign = self._next()
            left = Node(sign, "", (left, self._binary(level + 1)))
        return left

    def _unary(self) -> Node:
        for sign in ("!", "-"):
            if self._take(sign):
                return Node("unary", sign, (self._unary(),))
        return self._member(self._primary())

    def _member(self, node: Node) -> Node:
        while True:
            if self._take("."):
                name = self._next()
                node = (
                    Node("method", name, (node, *self._arguments()))
                    if self._take("(")
                    else Node("field", name, (node,))
                )
            elif self._take("["):
                node = Node("index", "", (node, self._choice()))
                self._expect("]")
            else:
                return node

    def _primary(self) -> Node:
        if self._take("("):
            node = self._choice()
            self._expect(")")
            return node
        if self._take("["):
            return Node("list", "", self._until("]"))
        token = self._next()
        if token[0] in "'\"":
            return Node("text", token[1:-1])
        if token[0].isdigit():
            return Node("number", token)
        if token in ("true", "false"):
            return Node("flag", token)
        return Node("call", token, self._arguments()) if self._take("(") else Node("name", token)

    def _arguments(self) -> tuple[Node, ...]:
        return self._until(")")

    def _until(self, closing: str) -> tuple[Node, ...]:
        parts: list[Node] = []
        while not self._take(closing):
            parts.append(self._choice())
            self._take(",")
        return tuple(parts)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, sign: str) -> bool:
        taken = self._peek() == sign
        self._at += taken
        return taken

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"{sign} is missing before {self._tokens[self._at :]}")


def _tokens(written: str) -> Iterator[str]:
    at, written = 0, written.strip()
    while at < len(written):
        found = _TOKEN.match(written, at)
        if not found:
            raise ValueError(f"not understood: {written[at:]}")
        yield found[0].strip()
        at = found.end()


@dataclass
class Translator:
    """Translates expressions; `functions` are those in JavaScript that they call, by name, with their parameters."""

    functions: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    def condition(self, written: str) -> str:
        """A rule as an expression of SurveyJS that is true where the rule is."""
        return self._survey(Parser(written).whole(), wanted=True)

    def refusal(self, written: str) -> str:
        """A rule as an expression that is true where the rule is false: not where it is unknown."""
        return self._survey(Parser(written).whole(), wanted=False)

    def _survey(self, node: Node, *, wanted: bool) -> str:
        if node.kind in ("&&", "||"):
            sign = node.kind if wanted else "&&" if node.kind == "||" else "||"
            left, right = (self._survey(part, wanted=wanted) for part in node.parts)
            return f"({left} {_SURVEY_SIGNS[sign]} {right})"
        if node.kind == "unary" and node.value == "!":
            return self._survey(node.parts[0], wanted=not wanted)
        if node.kind == "name":
            return f"{{{node.value}}} = {'true' if wanted else 'false'}"
        if node.kind in _OPPOSITE and _is_plain(node.parts):
            return self._comparison(node, wanted=wanted)
        if node.kind == "in" and node.parts[0].kind == "name" and node.parts[1].kind == "list":
            name, codes = node.parts[0].value, ", ".join(_constant(part) for part in node.parts[1].parts)
            return (
                f"{{{name}}} anyof [{codes}]" if wanted else f"({{{name}}} notempty and !({{{name}}} anyof [{codes}]))"
            )
        return self._function(node, wanted=wanted)

    def _comparison(self, node: Node, *, wanted: bool) -> str:
        sign = node.kind if wanted else _OPPOSITE[node.kind]
        left, right = (f"{{{part.value}}}" if part.kind == "name" else _constant(part) for part in node.parts)
        names = [f"{{{part.value}}} notempty" for part in node.parts if part.kind == "name"]
        compared = f"{left} {_SURVEY_SIGNS.get(sign, sign)} {right}"
        return f"({' and '.join([*names, compared])})" if sign == "!=" else compared

    def _function(self, node: Node, *, wanted: bool) -> str:
        names = tuple(sorted(_free(node, frozenset())))
        body = _javascript(node)
        known = next((name for name, made in self.functions.items() if made == (names, body)), None)
        name = known or f"rule{len(self.functions)}"
        self.functions[name] = (names, body)
        return f"{name}({', '.join(f'{{{part}}}' for part in names)}) = {'true' if wanted else 'false'}"


def _is_plain(parts: Sequence[Node]) -> bool:
    return all(part.kind in ("name", "number", "text", "flag") for part in parts) and any(
        p.kind == "name" for p in parts
    )


def _constant(node: Node) -> str:
    return f"'{node.value}'" if node.kind == "text" else node.value


def _free(node: Node, bound: frozenset[str]) -> set[str]:
    if node.kind == "name":
        return set() if node.value in bound else {node.value}
    if node.kind == "method" and node.value in _MACROS:
        over, variable, *rest = node.parts
        inner = {name for part in rest for name in _free(part, bound | {variable.value})}
        return _free(over, bound) | inner
    return {name for part in node.parts for name in _free(part, bound)}


def _javascript(node: Node) -> str:
    if node.kind == "method":
        return _method(node)
    parts = [_javascript(part) for part in node.parts]
    match node.kind:
        case "number" | "name" | "flag":
            return node.value
        case "text":
            return json.dumps(node.value)
        case "list":
            return f"[{', '.join(parts)}]"
        case "call":
            return _call(node, parts)
    sign = {"==": "===", "!=": "!=="}.get(node.kind, node.kind)
    return _WRITTEN.get(node.kind, "({0} {sign} {1})").format(*parts, value=node.value, sign=sign)


def _call(node: Node, parts: Sequence[str]) -> str:
    if node.value == "has":
        return f"({parts[0]} !== undefined)"
    if node.value == "size":
        return f"{parts[0]}.length"
    if node.value == "timestamp" and node.parts[0].kind == "text":
        return str(milliseconds(datetime.fromisoformat(node.parts[0].value)))
    if node.value == "duration":
        return str(int(node.parts[0].value.removesuffix("h")) * 3_600_000)
    known = {
        "timestamp": "Date.parse",
        "years": "years",
        "months_before": "monthsBefore",
        "double": "Number",
        "int": "Math.trunc",
    }
    return f"{known[node.value]}({', '.join(parts)})"


def _method(node: Node) -> str:
    over = _javascript(node.parts[0])
    if node.value not in _MACROS:
        raise ValueError(f"no translation of {node.value}")
    return f"{over}.{_MACROS[node.value]}(({node.parts[1].value}) => {_javascript(node.parts[2])})"


def milliseconds(day: datetime) -> int:
    """A time as JavaScript counts it."""
    return int(day.astimezone(UTC).timestamp() * 1000)
