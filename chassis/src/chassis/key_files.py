"""Files of keys, as JSON Web Keys for EdDSA: they are read at the start, and again whenever they change."""

import json
from pathlib import Path

import jwt

ALGORITHM = "EdDSA"
BROKEN = (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError)
"""What the library raises at a file that is no key."""


class KeysUnusable(Exception):
    """The file holds no key for EdDSA that can be used. The text names the file and shows nothing of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the file {path.name} holds no key that can be used")


def stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file is written or replaced, even within a tick of the clock. Raises OSError."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def read_public_keys(path: Path) -> dict[str | None, jwt.PyJWK]:
    """The keys of a JWKS file by their ids. Raises OSError or KeysUnusable."""
    text = path.read_bytes()
    try:
        found = jwt.PyJWKSet.from_dict(json.loads(text)).keys
        keys = {key.key_id: key for key in found if key.algorithm_name == ALGORITHM}
    except BROKEN as cause:
        raise KeysUnusable(path) from cause
    if not keys:
        raise KeysUnusable(path)
    return keys
