"""One effect for each request_id. A retry gets the first answer; another body under the same id is refused."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from msgspec.json import decode, encode

from chassis import call, crash
from chassis.call import Call
from chassis.conversions import uuid_of
from chassis.database import Connection
from chassis.errors import AlreadyExists

Outcome = TypeVar("Outcome")
Response = TypeVar("Response", bound=Message)


# Notes a request that is new; a twin of one that is under way waits for its end.
_NOTE_REQUEST = """
    INSERT INTO requests (subject, method, request_id, body_hmac) VALUES (%s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING 1
"""

_COMPRESSED = b"\0"
"""The first byte of a compressed response; neither a message nor JSON begins with it."""

_KEEP_RESPONSE = "UPDATE requests SET response = %s WHERE subject = %s AND method = %s AND request_id = %s"


@dataclass(frozen=True, kw_only=True)
class Rebuildable(Generic[Outcome]):
    """How to keep a large response as small JSON without personal data, and how to build it again from that."""

    keep: Callable[[Outcome], dict[str, Any]]
    rebuild: Callable[[Connection, dict[str, Any]], Outcome]


def run_once(
    request: Message,
    use_case: Callable[[Connection], Outcome],
    respond: Callable[[Outcome], Response],
    *,
    rebuildable: Rebuildable[Outcome] | None = None,
    show_again: Callable[[Connection], object] | None = None,
) -> Response:
    """Runs the use case in one transaction with the request's row. A repeat gets the first answer.

    `request` has a `request_id` (UUID). The row is keyed by (subject, method, request_id) and written before the use
    case: a twin at the same moment waits there for the first. Errors are not kept.
    `show_again` is called before a kept response is given to a repeat: if answers are in it, it refuses callers who may
    not see them any more and writes the access log.
    Raises InvalidArgument if the request_id is no UUID, AlreadyExists (`REQUEST_ID_REUSED`) if it came with another body,
    and whatever the use case raises.
    """
    now = call.current()
    key, digest = _key(now, request), now.vault.request_hmac(_body(request))
    with now.database.transaction() as conn:
        if conn.execute(_NOTE_REQUEST, [*key, digest]).rowcount == 0:
            kept = _kept(conn, now, key, digest)
            return _again(conn, now, kept, respond, rebuildable=rebuildable, show_again=show_again)
        result = use_case(conn)
        response = respond(result)
        to_keep = encode(rebuildable.keep(result)) if rebuildable else response.SerializeToString()
        conn.execute(_KEEP_RESPONSE, [now.vault.seal_response(_compressed(to_keep), place=_place(key)), *key])
        crash.point("request.before_commit")
    crash.point("request.after_commit")
    return response


def _again(
    conn: Connection,
    now: Call,
    kept: bytes | None,
    respond: Callable[[Outcome], Response],
    *,
    rebuildable: Rebuildable[Outcome] | None,
    show_again: Callable[[Connection], object] | None,
) -> Response:
    if kept is None:
        raise RuntimeError("a request's row went while it was being repeated")
    if rebuildable is not None:
        return respond(rebuildable.rebuild(conn, decode(kept)))
    if show_again is not None:
        show_again(conn)
    first_response: Response = now.response.FromString(kept)  # type: ignore[assignment]
    return first_response


def first_answer(conn: Connection, request: Message) -> bytes | None:
    """Returns what `run_once` kept of its answer to this request: the response, or a Rebuildable's JSON.

    None where the request is new, was refused, or its twin is under way. For a use case that must ask or change another
    service first: of a repeat this is not done again, since that service may say otherwise by now. Who reads the record
    too reads it before this, so that a twin which ends in between is not missed.
    Raises InvalidArgument and AlreadyExists as `run_once` does.
    """
    now = call.current()
    return _kept(conn, now, _key(now, request), now.vault.request_hmac(_body(request)))


def _kept(conn: Connection, now: Call, key: list[Any], digest: bytes) -> bytes | None:
    row = conn.execute(
        "SELECT body_hmac, response FROM requests WHERE subject = %s AND method = %s AND request_id = %s", key
    ).fetchone()
    if row is None:
        return None
    if row["body_hmac"] != digest:
        raise AlreadyExists("REQUEST_ID_REUSED", "this request_id was used before with another body")
    return _decompressed(now.vault.open_response(row["response"], place=_place(key)))


def _compressed(response: bytes) -> bytes:
    """The response marked as compressed, where that makes it shorter. Compression after sealing would save nothing."""
    compressed = _COMPRESSED + zlib.compress(response)
    return compressed if len(compressed) < len(response) else response


def _decompressed(kept: bytes) -> bytes:
    return zlib.decompress(kept[1:]) if kept.startswith(_COMPRESSED) else kept


def _key(now: Call, request: Message) -> list[Any]:
    return [now.identity.subject, now.method, _request_id(request)]


def _request_id(request: Message) -> UUID:
    return uuid_of(request.request_id, field="request_id")  # type: ignore[attr-defined]


def _body(request: Message) -> bytes:
    rest = type(request)()
    rest.CopyFrom(request)
    rest.ClearField("request_id")
    return rest.SerializeToString(deterministic=True)


def _place(key: list[Any]) -> str:
    return "|".join(str(part) for part in key)
