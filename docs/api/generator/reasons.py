"""The reasons of errors that the source can raise, found by reading it: each with its codes and the members that raise it.

A reason is the first argument of an error's constructor, or `reason=` of its `of`. Where that is the parameter of a function
around it, the reasons are those of the function's calls in the same file; where it is an f-string, its fixed part; where it
is that of a `place`, those of `chassis.elsewhere`.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from chassis import elsewhere

ROOT = Path(__file__).resolve().parents[3]
_BASE = "CmsError"
_USUAL_REASON = "INVALID_FIELDS"
_MAKERS = frozenset({"of", "over"})
UNREADABLE = "?"
"""The reason of a place that raises an error whose reason cannot be read; the member is then its path and line."""


@dataclass(frozen=True, order=True)
class Sighting:
    """A place that raises a reason. `reason` is a regular expression where a part of it is computed."""

    reason: str
    code: str
    member: str


@dataclass
class _Kinds:
    """Classes of errors by name: the code of each, by file, since two files may have one of the same name."""

    codes: dict[str, dict[Path, str]] = field(default_factory=lambda: defaultdict(dict))
    constants: dict[str, str] = field(default_factory=dict)

    def code_of(self, name: str, path: Path) -> str | None:
        found = self.codes.get(name, {})
        return found.get(path) or next(iter(found.values()), None)


@cache
def sightings() -> tuple[Sighting, ...]:
    """Every reason in the source."""
    trees = {path: ast.parse(path.read_text()) for path in _sources()}
    kinds = _kinds(trees)
    return tuple(sorted({seen for path, tree in trees.items() for seen in _File(path, tree, kinds).sightings()}))


def _sources() -> list[Path]:
    platform = (path for path in ROOT.glob("*/src/**/*.py") if path.relative_to(ROOT).parts[0] != "simulators")
    return sorted(path for path in platform if "testing" not in path.parts)


def _kinds(trees: Mapping[Path, ast.Module]) -> _Kinds:
    kinds = _Kinds()
    kinds.codes[_BASE][ROOT] = "INTERNAL"
    classes = [
        (path, node) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    known = -1
    while known != (known := sum(map(len, kinds.codes.values()))):
        for path, node in classes:
            inherited = [code for base in node.bases if (code := kinds.code_of(_last_name(base), path))]
            if inherited:
                kinds.codes[node.name][path] = _own_code(node) or inherited[0]
    for tree in trees.values():
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                    kinds.constants[name] = text
    return kinds


def _own_code(node: ast.ClassDef) -> str | None:
    for part in node.body:
        match part:
            case (
                ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code)))
                | ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code)))
            ):
                return code
    return None


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


Scope = Sequence[ast.ClassDef | ast.FunctionDef]


@dataclass(frozen=True)
class _File:
    path: Path
    tree: ast.Module
    kinds: _Kinds

    @property
    def member(self) -> str:
        return self.path.relative_to(ROOT).parts[0]

    def sightings(self) -> Iterator[Sighting]:
        for call, scope in _calls(self.tree, ()):
            made = self._made(call, scope)
            if made is not None:
                code, argument = made
                for reason in self._reasons(argument, scope):
                    yield Sighting(reason, code, self.member if reason != UNREADABLE else f"{self.path}:{call.lineno}")

    def _made(self, call: ast.Call, scope: Scope) -> tuple[str, ast.expr] | None:
        """The code of the error that this call makes and the expression of its reason; None where it makes none."""
        named = next((part.value for part in call.keywords if part.arg == "reason"), None)
        match call.func:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"):
                owner = next((node for node in reversed(scope) if isinstance(node, ast.ClassDef)), None)
                code = self.kinds.code_of(owner.name, self.path) if owner and owner.name != _BASE else None
            case ast.Attribute(value=owner_name, attr=attr) if attr in _MAKERS:
                code = self.kinds.code_of(_last_name(owner_name), self.path)
                return (code, named or ast.Constant(_USUAL_REASON)) if code and attr == "of" else None
            case ast.Name(id="cls") if self.path.name != "errors.py":  # the tree's own `of` passes its reason on
                owner = next((node for node in reversed(scope) if isinstance(node, ast.ClassDef)), None)
                code = self.kinds.code_of(owner.name, self.path) if owner else None
            case ast.Name() | ast.Attribute():
                code = self.kinds.code_of(_last_name(call.func), self.path)
                if self._has_own_constructor(_last_name(call.func)):
                    return None
            case _:
                return None
        argument = named or (call.args[0] if call.args else None)
        return (code, argument) if code and argument else None

    def _has_own_constructor(self, name: str) -> bool:
        paths = self.kinds.codes.get(name, {})
        return any(_constructs_itself(path, name) for path in paths if path != ROOT and name != _BASE)

    def _reasons(self, argument: ast.expr, scope: Scope) -> Iterator[str]:
        match argument:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=parts):
                yield "".join(
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[A-Z_]+" for part in parts
                )
            case ast.IfExp(body=body, orelse=other):
                yield from self._reasons(body, scope)
                yield from self._reasons(other, scope)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in self.kinds.constants:
                yield self.kinds.constants[name]
            case ast.Name(id=name):
                yield from self._given_as(name, scope)
            case ast.Attribute(value=ast.Name(id="place"), attr="reason"):
                yield from sorted(elsewhere.REASONS)
            case ast.Attribute(attr="reason"):
                return  # another service's error, passed on
            case _:
                yield UNREADABLE

    def _given_as(self, parameter: str, scope: Scope) -> Iterator[str]:
        """Reasons that callers in this file give as this parameter of the function around."""
        function = next((node for node in reversed(scope) if isinstance(node, ast.FunctionDef)), None)
        names = [argument.arg for argument in function.args.args] if function else []
        if function is None or parameter not in names:
            yield UNREADABLE
            return
        place = names.index(parameter)
        for call, around in _calls(self.tree, ()):
            if _last_name(call.func) == function.name and len(call.args) > place:
                yield from self._reasons(call.args[place], around)


@cache
def _constructs_itself(path: Path, name: str) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body)
    return False


def _calls(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.Call, Scope]]:
    """Every call below a node, with the classes and functions around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, scope
        inner = (*scope, child) if isinstance(child, ast.ClassDef | ast.FunctionDef) else scope
        yield from _calls(child, inner)
