"""The dearest requests that the contract permits, and what they cost.

expect_cheap(process, method, dearest_requests(method, sound), token)

Costs are processor time of the thread that handles the call, from the request's body to the response's, so that what else
runs on the machine does not count. They are in milliseconds of the machine on which the budget was set: a loop of known
length is timed beside them.
"""

import base64
import contextlib
import gc
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from chassis import contract
from chassis.chain import Chain, Method
from chassis.errors import CmsError
from chassis.http_protocols import FORMATS
from chassis.runtime import Process

BUDGET_MILLISECONDS = 50.0
_LOOP_MILLISECONDS = 5.0
"""How long the loop took on the machine on which the budget was set."""

Sound = Callable[[], dict[str, Any]]
"""Makes the fields of a sound request, in JSON: a new request_id each time, and the record's version now."""

NASTY = {
    "one mark": "\u0301",
    "marks out of order": "\u0301\u0316\u0327\u0345",
    "astral": "𝒜🙂",
    "expanding": "ﷺ",
    "digits": "9",
    "turkish": "İı",
    "invisible": "\u200b\u202e",
    "blanks": "\u00a0\u2003-",
    "han": "龍",
    "letters": "Aa",
}
"""Texts that are dear to normalise, transliterate or match; each is repeated after an A to the longest permitted."""


@dataclass(frozen=True, kw_only=True)
class Dear:
    """A request that may be dear, as it comes by one of the doors."""

    name: str
    body: bytes
    by_json: bool


def methods_of(service: str) -> list[MethodDescriptor]:
    """Lists the methods of a service of the contract, by its full name."""
    return list(descriptor_pool.Default().FindServiceByName(service).methods)


def dearest_requests(method: MethodDescriptor, sound: Sound) -> Iterator[Dear]:
    """Generates the largest requests that the contract permits, and bodies of the largest size that it does not.

    What `sound` gives stays as it is, so that the request comes as far as it can; everything else is as long, as many and as
    deep as may be.
    """
    kind = GetMessageClass(method.input_type)
    largest = contract.largest_bytes(method)
    for name, text in NASTY.items():
        given = _filled(method.input_type, text) | sound()
        yield from by_both_doors(name, method, _trimmed(given, largest))
    for name, body in _floods(method.input_type, largest).items():
        yield Dear(name=name, body=body, by_json=True)
        with contextlib.suppress(json_format.ParseError, ValueError, RecursionError):
            binary = json_format.Parse(body, kind(), max_recursion_depth=90).SerializeToString()
            yield Dear(name=name, body=binary[:largest], by_json=False)
    yield Dear(name="no protobuf", body=b"\xff" * largest, by_json=False)


def by_both_doors(name: str, method: MethodDescriptor, given: dict[str, Any]) -> Iterator[Dear]:
    """The request as JSON and as a message."""
    kind = GetMessageClass(method.input_type)
    yield Dear(name=name, body=json.dumps(given, ensure_ascii=False).encode(), by_json=True)
    yield Dear(name=name, body=json_format.ParseDict(given, kind()).SerializeToString(), by_json=False)


def expect_cheap(
    process: Process,
    method: MethodDescriptor,
    given: Iterable[Dear],
    token: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Sends each request through the chain, whatever comes of it. AssertionError with those that cost too much."""
    known = process.chain.methods[f"/{method.containing_service.full_name}/{method.name}"]
    headers = {"authorization": f"Bearer {token}", **(metadata or {})}
    with _settled_memory():
        loop = _loop_milliseconds()
        costs = {
            (dear.name, dear.by_json): _least_milliseconds(process.chain, known, dear, headers, loop) for dear in given
        }
    too_dear = {name: cost for name, cost in costs.items() if cost > BUDGET_MILLISECONDS}
    assert costs
    assert not too_dear, too_dear


@contextlib.contextmanager
def _settled_memory() -> Iterator[None]:
    """Within the block what was there before is not looked through for garbage again, as in a running service."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _least_milliseconds(
    chain: Chain, method: Method, dear: Dear, headers: Mapping[str, str], loop_milliseconds: float
) -> float:
    """The cost of a request, by a loop that was timed before all of them; of one that seems too dear, the least of five.

    What is not far below the budget is taken by a loop beside it: other work on the processor slows both alike.
    """
    spent = _milliseconds(chain, method, dear, headers)
    cost = spent * _LOOP_MILLISECONDS / loop_milliseconds
    if cost > BUDGET_MILLISECONDS / 3:
        cost = spent * _LOOP_MILLISECONDS / _loop_milliseconds()
    if cost > BUDGET_MILLISECONDS:
        cost = min(cost, *(_beside_loops(chain, method, dear, headers) for _ in range(4)))
    return cost


def _beside_loops(chain: Chain, method: Method, dear: Dear, headers: Mapping[str, str]) -> float:
    before = _loop_milliseconds()
    spent = _milliseconds(chain, method, dear, headers)
    return spent * 2 * _LOOP_MILLISECONDS / (before + _loop_milliseconds())


def _milliseconds(chain: Chain, method: Method, dear: Dear, headers: Mapping[str, str]) -> float:
    form = FORMATS["json" if dear.by_json else "proto"]
    started = time.thread_time()
    with contextlib.suppress(CmsError):
        form.write(chain.handle(method, lambda: form.parse(method.request, dear.body), headers, None))
    return (time.thread_time() - started) * 1000


def text_of(most: int, repeated: str) -> str:
    """A text of the longest permitted length, that begins with a letter."""
    return ("A" + repeated * most)[:most]


def _filled(descriptor: Descriptor, text: str) -> dict[str, Any]:
    """A message in JSON with every field filled to its bounds."""
    return {part.json_name: _field(part, text) for part in descriptor.fields}


def _field(part: FieldDescriptor, text: str) -> Any:
    one = _one(part, text)
    return [one] * contract.bounds(part).entries if part.is_repeated else one


def _one(part: FieldDescriptor, text: str) -> Any:
    if part.message_type is not None:
        special = _SPECIAL.get(part.message_type.full_name)
        return special(part, text) if special else _filled(part.message_type, text)
    if part.enum_type is not None:
        return part.enum_type.values[-1].name
    if part.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(
            text_of(contract.bounds(part).length, text).encode()[: contract.bounds(part).length]
        ).decode()
    return {
        FieldDescriptor.CPPTYPE_STRING: text_of(contract.bounds(part).length, text),
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_INT32: 1,
    }[part.cpp_type]


def _value(part: FieldDescriptor, text: str) -> Any:
    return text_of(contract.bounds(part).length, text)


_SPECIAL: Mapping[str, Callable[[FieldDescriptor, str], Any]] = {
    "google.protobuf.Value": _value,
    "google.protobuf.Timestamp": lambda _part, _text: "9999-12-31T23:59:59.999999999Z",
}


def _trimmed(given: dict[str, Any], largest: int) -> dict[str, Any]:
    """The request with as many entries of its lists as fit, wherever they stand."""
    while len(json.dumps(given, ensure_ascii=False).encode()) > largest:
        where, name = max(_lists(given), key=lambda place: len(place[0][place[1]]))
        where[name] = where[name][: len(where[name]) * 9 // 10]
    return given


def _lists(given: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each list in a message and in the messages that it holds: the message, and the field's name."""
    for name, value in given.items():
        if isinstance(value, list):
            yield given, name
        elif isinstance(value, dict):
            yield from _lists(value)


def _floods(descriptor: Descriptor, largest: int) -> dict[str, bytes]:
    """JSON bodies that fill the largest size with as much of one thing as possible."""
    found = {
        "nesting": b"[" * largest,
        "nested objects": b'{"a":' * (largest // 5),
        "unknown fields": b"{" + b",".join(b'"a%x":1' % number for number in range(largest // 10)) + b"}",
        "one field again and again": b"{" + b",".join([b'"version":1'] * (largest // 12)) + b"}",
        "a long number": b'{"version":' + b"9" * (largest - 20) + b"}",
    }
    for part in descriptor.fields:
        name = part.json_name.encode()
        if part.is_repeated:
            for kind, entry in _ENTRIES.items():
                found[f"{part.name}: {kind}"] = _list_of(name, entry, largest)
        else:
            found[f"{part.name}: a long text"] = b'{"%s":"A' % name + "\u0301".encode() * (largest // 2 - 20) + b'"}'
            for kind, entry in _ENTRIES.items():
                if part.message_type is not None:
                    found[f"{part.name}: {kind}"] = _list_of(name, entry, largest)
    return found


_ENTRIES = {
    "numbers": b"1",
    "empty objects": b"{}",
    "empty lists": b"[]",
    "unknown questions": b'{"questionId":"a","value":1}',
    "lists": b'{"questionId":"a","value":[[1,1,1,1,1,1,1],[1,1,1,1,1,1,1],[1,1,1,1,1,1,1],[1,1,1,1,1,1,1],[[[]]]]}',
    "names": b'"CALL_NEED_INTERPRETER"',
}


def _list_of(name: bytes, entry: bytes, largest: int) -> bytes:
    return b'{"%s":[' % name + b",".join([entry] * ((largest - len(name) - 8) // (len(entry) + 1))) + b"]}"


def _loop_milliseconds() -> float:
    """How long a loop of known length takes on this machine now."""
    started, total = time.thread_time(), 0
    for number in range(120_000):
        total += number * number % 7
    return (time.thread_time() - started) * 1000 if total else 0.0
