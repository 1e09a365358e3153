"""Whether what an error says of its fields leads to a place in the request, or in the answer to a question."""

import re
from functools import cache

from google.protobuf.descriptor import Descriptor, MethodDescriptor

from intake.catalogue import load_catalogues

_STEP = re.compile(r"([a-z][a-z0-9_]*)(\[[0-9]+\])?")
_WHOLE = frozenset({"google.protobuf.Value", "google.protobuf.Timestamp"})
"""Messages whose own fields are no place for a caller."""


def leads_to_a_field(method: MethodDescriptor, path: str) -> bool:
    """Whether a path (`answers[1].value`) leads to a field of the method's request."""
    message: Descriptor | None = method.input_type
    for step in path.split("."):
        found = _STEP.fullmatch(step)
        part = message.fields_by_name.get(found[1]) if found and message else None
        if found is None or part is None or (found[2] and not part.is_repeated):
            return False
        message = None if part.message_type is None or part.message_type.full_name in _WHOLE else part.message_type
    return True


def leads_to_an_answer(path: str) -> bool:
    """Whether a path is a question's id, with the place in its answer (`children[1].name`, `address.lines[2]`)."""
    return any(pattern.fullmatch(path) for pattern in _answers())


def leads_to_a_message(method: MethodDescriptor, path: str) -> bool:
    """Whether a path leads to a message of the request, which has a field that the contract does not know."""
    parent, _, _ = path.rpartition(".")
    return not parent or leads_to_a_field(method, parent)


@cache
def _answers() -> tuple[re.Pattern[str], ...]:
    bank = load_catalogues().newest.bank
    whole = [rf"{name}(\[[0-9]+\])?" for name in bank]
    entries = [rf"{name}\[[0-9]+\]\.{field.id}" for name, question in bank.items() for field in question.fields]
    addresses = [rf"{name}(\.postcode|\.lines(\[[0-9]+\])?)" for name in bank]
    return tuple(map(re.compile, [*whole, *entries, *addresses]))
