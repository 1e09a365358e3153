"""Pages of a list: how many items a page has, and the opaque token of the place where a page ended.

A place is the sort key of the last item shown; the next page begins behind it. A token belongs to its query: to the method and
all that the request asks for, but not to the size of its page (AIP-158).

    limit = page_size(request, usual=50, largest=200)
    after = place_of(request, datetime, str)
    response.next_page_token = token_of(request, last.submit_time, last.claim_ref)
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from chassis.errors import InvalidArgument, Text, Violation

_NEGATIVE = Text(en="must not be negative", cy="ni chaiff fod yn negyddol")
_NOT_GIVEN = Text(en="is not one that this list gave", cy="nid yw'n un a roddodd y rhestr hon")
_OF_ANOTHER_QUERY = Text(
    en="is of another query: ask for the first page, without a token",
    cy="mae'n perthyn i ymholiad arall: gofynnwch am y dudalen gyntaf, heb docyn",
)
_LARGEST_INTEGER = 2**63


def page_size(request: Any, *, usual: int, largest: int) -> int:
    """Returns the number of items on a page: `usual` for 0, `largest` for more than that.

    Raises InvalidArgument naming `page_size` below 0.
    """
    given: int = request.page_size
    if given < 0:
        raise InvalidArgument.of(Violation.of("page_size", _NEGATIVE))
    return min(given or usual, largest)


def token_of(request: Message, *place: object) -> str:
    """Returns the token of a place: strings, whole numbers, booleans, UUIDs and moments with a time zone."""
    text = json.dumps([_query(request), *(_written(part) for part in place)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(request: Any, *kinds: type) -> Sequence[Any] | None:
    """Returns the place of the request's token, whose parts are of these kinds; None for the first page.

    Raises InvalidArgument naming `page_token` for anything that was not given for this query.
    """
    if not request.page_token:
        return None
    query, *parts = _parts(request.page_token)
    if query != _query(request):
        raise InvalidArgument.of(Violation.of("page_token", _OF_ANOTHER_QUERY))
    try:
        return [_READ[kind](part) for kind, part in zip(kinds, parts, strict=True)]
    except (ValueError, TypeError, OverflowError):
        raise not_given() from None


def not_given() -> InvalidArgument:
    """Returns the error for a page token that no list gave."""
    return InvalidArgument.of(Violation.of("page_token", _NOT_GIVEN))


def _parts(token: str) -> list[object]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, RecursionError):
        raise not_given() from None
    if not isinstance(parts, list) or not parts:
        raise not_given()
    return parts


def _query(request: Message) -> str:
    """A short digest of all that a request asks for but the page. It keeps queries apart, and proves nothing."""
    asked = type(request)()
    asked.CopyFrom(request)
    for name in ("page_size", "page_token"):
        asked.ClearField(name)
    text = request.DESCRIPTOR.full_name.encode() + b"|" + asked.SerializeToString(deterministic=True)
    return hashlib.sha256(text).hexdigest()[:16]


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
