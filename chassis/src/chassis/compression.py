"""Gzip of requests and responses, with the decompressed size bounded."""

import gzip
import zlib
from enum import Enum

from chassis.errors import InvalidArgument, ResourceExhausted, Unimplemented

_SMALLEST_WORTH_IT = 1024
"""Bytes: below that, nothing is saved by it."""
_FAST = 1
"""Level of compression: the lowest makes an interview some five times smaller, at a third of the usual level's cost."""
_GZIP_BITS = 31


class Encoding(Enum):
    """How a body is encoded."""

    IDENTITY = "identity"
    GZIP = "gzip"


def encoding_of(name: str) -> Encoding:
    """Returns the encoding of this name; case does not count, and empty is identity. Raises Unimplemented."""
    try:
        return Encoding(name.strip().lower() or "identity")
    except ValueError:
        raise Unimplemented("CONTENT_ENCODING", "the encoding is not known: send gzip or identity") from None


def decoded(body: bytes, encoding: Encoding, *, largest_bytes: int) -> bytes:
    """Returns the message in a body.

    Raises ResourceExhausted if the message is larger than that, InvalidArgument if the body is not in this encoding.
    """
    if encoding is Encoding.GZIP:
        return _decompressed(body, largest_bytes)
    if len(body) > largest_bytes:
        raise too_large(largest_bytes)
    return body


def too_large(largest_bytes: int) -> ResourceExhausted:
    """Returns the error for a message that is larger than that."""
    return ResourceExhausted("TOO_LARGE", f"the message is larger than {largest_bytes} bytes")


def compressed(body: bytes) -> bytes:
    """Returns the body in gzip."""
    return gzip.compress(body, _FAST, mtime=0)


def is_worth_it(body: bytes) -> bool:
    """Whether a body is large enough to be compressed."""
    return len(body) >= _SMALLEST_WORTH_IT


def _decompressed(body: bytes, largest_bytes: int) -> bytes:
    stream = zlib.decompressobj(_GZIP_BITS)
    try:
        message = stream.decompress(body, largest_bytes + 1)  # stops there, however much would come
    except zlib.error as cause:
        raise InvalidArgument("MALFORMED", "the body is not in gzip") from cause
    if len(message) > largest_bytes:
        raise too_large(largest_bytes)
    if not stream.eof or stream.unused_data:
        raise InvalidArgument("MALFORMED", "the body is not one whole stream of gzip")
    return message
