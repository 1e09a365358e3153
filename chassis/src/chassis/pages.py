"""Pages of a list: how many items a page has, and the opaque token of the place where a page ended.

A place is the sort key of the last item shown; the next page begins behind it.

    limit = page_size(request.page_size, usual=50, largest=200)
    after = place_of(request.page_token, datetime, str) if request.page_token else None
    response.next_page_token = token_of(last.submit_time, last.claim_ref)
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.errors import InvalidArgument, Violation

_LARGEST_INTEGER = 2**63


def page_size(given: int, *, usual: int, largest: int) -> int:
    """Returns the number of items on a page: `usual` for 0. Raises InvalidArgument naming `page_size` below 0."""
    if given < 0:
        raise InvalidArgument.of(Violation(field="page_size", description="must not be negative"))
    return min(given or usual, largest)


def token_of(*place: object) -> str:
    """Returns the token of a place: strings, whole numbers, booleans, UUIDs and moments with a time zone."""
    text = json.dumps([_written(part) for part in place])
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(token: str, *kinds: type) -> Sequence[Any]:
    """Returns the place of a token, whose parts are of these kinds. Raises InvalidArgument naming `page_token` otherwise."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(token))
        if not isinstance(parts, list):
            raise TypeError(parts)
        return [_READ[kind](part) for kind, part in zip(kinds, parts, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidArgument.of(Violation(field="page_token", description="is not one that this list gave")) from None


def _written(part: object) -> object:
    if isinstance(part, datetime):
        return part.isoformat()
    return str(part) if isinstance(part, UUID) else part


def _text(part: object) -> str:
    # PostgreSQL's text holds neither NUL nor half of a surrogate pair.
    if not isinstance(part, str) or not part.isprintable():
        raise TypeError(part)
    return part


def _moment(part: object) -> datetime:
    moment = datetime.fromisoformat(_text(part))
    if moment.tzinfo is None:
        raise ValueError(part)
    return moment.astimezone(UTC)


def _integer(part: object) -> int:
    if type(part) is not int or abs(part) >= _LARGEST_INTEGER:
        raise TypeError(part)
    return part


def _boolean(part: object) -> bool:
    if not isinstance(part, bool):
        raise TypeError(part)
    return part


_READ: Mapping[type, Callable[[object], object]] = {
    str: _text,
    datetime: _moment,
    int: _integer,
    bool: _boolean,
    UUID: lambda part: UUID(_text(part)),
}
