"""The bounds that the contract puts on a request, held before anything else is done with it.

One walk for both doors: over the message that came by gRPC, and over the JSON that came by HTTP before the library that makes
a message of it sees it, since that library takes its time for every value. What is beyond a bound is not looked into.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis import contract, json_types
from chassis.contract import Bounds
from chassis.errors import Text
from chassis.faults import NUL, Faults, Path

MOST_NODES = 5_000
"""JSON values in all the fields of one request, whatever each field may hold: a whole interview has some hundreds."""
_LONGEST_OTHER = 100
"""Characters of a text that stands for a number, a time or an enumeration's name in JSON."""

TOO_LONG = Text(en="is longer than {most} characters", cy="mae'n hirach na {most} nod")
TOO_MANY = Text(en="has more than {most} entries", cy="mae ganddo fwy na {most} o gofnodion")
TOO_DEEP = Text(en="is nested more than {most} deep", cy="mae wedi'i nythu'n ddyfnach na {most} lefel")
TOO_MANY_VALUES = Text(en="holds more than {most} values", cy="mae'n cynnwys mwy na {most} o werthoedd")
TOO_MANY_IN_ALL = Text(
    en="is where the request comes to hold more than {most} values",
    cy="dyma lle mae'r cais yn mynd dros {most} o werthoedd",
)
TEXT_TOO_LONG = Text(
    en="holds a text longer than {most} characters", cy="mae'n cynnwys testun sy'n hirach na {most} nod"
)
NOT_A_VALUE = Text(en="holds something that is not a JSON value", cy="mae'n cynnwys rhywbeth nad yw'n werth JSON")
GIVEN_TWICE = Text(en="is given twice, by both its names", cy="mae wedi'i roi ddwywaith, dan y ddau enw")
NOT_FINITE = Text(en="is not a finite number", cy="nid yw'n rhif meidraidd")


class _View(NamedTuple):
    """How to look into a request: `fields` gives those that are set, `value` opens a google.protobuf.Value."""

    fields: Callable[[Descriptor, Any], Iterable[tuple[FieldDescriptor, Any]]]
    value: Callable[[Any], Any]


def check_message(request: Message) -> None:
    """Raises InvalidArgument naming each field of the message that is beyond its bounds."""
    _check(cast(Descriptor, request.DESCRIPTOR), request, _OF_MESSAGES)


def check_json(descriptor: Descriptor, body: Mapping[str, Any]) -> None:
    """Raises InvalidArgument naming each field of a JSON body that is beyond its bounds. Wrong types are passed over."""
    _check(descriptor, body, _OF_JSON)


def _check(descriptor: Descriptor, given: Any, view: _View) -> None:
    faults = Faults()
    _Walk(faults, view).message(descriptor, given, None)
    faults.refuse()


class _Walk:
    def __init__(self, faults: Faults, view: _View) -> None:
        self._faults = faults
        self._view = view
        self._nodes_left = MOST_NODES

    def message(self, descriptor: Descriptor, given: Any, path: Path) -> None:
        seen = set[str]()
        for part, value in self._view.fields(descriptor, given):
            at: Path = (path, part.name)
            if part.name in seen:
                self._faults.add(at, GIVEN_TWICE)
            seen.add(part.name)
            if not part.is_repeated:
                self._one(part, value, at)
            elif _is_sequence(value):
                self._entries(part, value, at)

    def _entries(self, part: FieldDescriptor, values: Sequence[Any], path: Path) -> None:
        most = contract.bounds(part).entries
        if len(values) > most:
            self._faults.add(path, TOO_MANY.of(most=most))
            return
        for index, value in enumerate(values):
            self._one(part, value, (path, index))

    def _one(self, part: FieldDescriptor, value: Any, path: Path) -> None:
        if _is_value(part):
            self._value(contract.bounds(part), value, path)
        elif isinstance(value, str | bytes):
            self._text(part, value, path)
        elif part.message_type is not None:
            self.message(part.message_type, value, path)

    def _text(self, part: FieldDescriptor, value: str | bytes, path: Path) -> None:
        if part.type in _TEXTS:
            most = contract.bounds(part).length
            if len(value) > most:
                self._faults.add(path, TOO_LONG.of(most=most))
        elif len(value) > _LONGEST_OTHER:
            self._faults.add(path, json_types.expected(part))

    def _value(self, most: Bounds, value: Any, path: Path) -> None:
        problem, nodes = _look_into(value, most, self._view.value, nodes_left=self._nodes_left)
        self._nodes_left -= nodes
        if problem:
            self._faults.add(path, problem)
        if self._nodes_left < 0:
            self._faults.refuse()


def _look_into(value: Any, most: Bounds, opened: Callable[[Any], Any], *, nodes_left: int) -> tuple[Text | None, int]:
    """Returns what is wrong with a JSON value, if anything is, and how many values it holds as far as it was looked into."""
    nodes, to_see = 0, [(value, 0)]
    while to_see:
        nodes += 1
        if nodes > nodes_left:
            return TOO_MANY_IN_ALL.of(most=MOST_NODES), nodes
        if nodes > most.nodes:
            return TOO_MANY_VALUES.of(most=most.nodes), nodes
        inner, depth = to_see.pop()
        plain = opened(inner)
        problem = _problem(plain, most, depth)
        if problem:
            return problem, nodes
        if isinstance(plain, Mapping):
            to_see += [(entry, depth + 1) for entry in plain.values()]
        elif _is_sequence(plain):
            to_see += [(entry, depth + 1) for entry in plain]
    return None, nodes


def _problem(plain: Any, most: Bounds, depth: int) -> Text | None:
    """Returns what is wrong with one value, without those in it."""
    match plain:
        case str():
            return _text_problem([plain], most)
        case int() | float():
            return None if _is_finite(plain) else NOT_FINITE
        case None:
            return None
        case _ if not isinstance(plain, Mapping) and not _is_sequence(plain):
            return NOT_A_VALUE
    if len(plain) > most.entries:
        return TOO_MANY.of(most=most.entries)
    if depth >= most.depth:
        return TOO_DEEP.of(most=most.depth)
    return _text_problem(plain, most) if isinstance(plain, Mapping) else None


def _text_problem(texts: Iterable[str], most: Bounds) -> Text | None:
    for text in texts:
        if len(text) > most.length:
            return TEXT_TOO_LONG.of(most=most.length)
        if "\x00" in text:
            return NUL
    return None


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer of JSON that no double can hold
        return False


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


_TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


def _is_value(part: FieldDescriptor) -> bool:
    return part.message_type is not None and part.message_type.full_name == "google.protobuf.Value"


def _message_fields(_descriptor: Descriptor, message: Message) -> Iterable[tuple[FieldDescriptor, Any]]:
    return message.ListFields()


def _message_value(value: Any) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return value.list_value.values
        case "struct_value":
            return value.struct_value.fields
        case "null_value" if value.null_value == 0:
            return None
    return NotImplemented  # no kind at all, or a null that the contract does not know


def _json_fields(descriptor: Descriptor, body: Any) -> Iterator[tuple[FieldDescriptor, Any]]:
    if isinstance(body, Mapping):
        known = fields_by_json_name(descriptor)
        yield from ((known[name], value) for name, value in body.items() if name in known and value is not None)


@cache
def fields_by_json_name(descriptor: Descriptor) -> Mapping[str, FieldDescriptor]:
    """The fields of a message by each name that JSON may have for them: lowerCamelCase, and the contract's own."""
    return {name: part for part in descriptor.fields for name in (part.json_name, part.name)}


_OF_MESSAGES = _View(fields=_message_fields, value=_message_value)
_OF_JSON = _View(fields=_json_fields, value=lambda value: value)
