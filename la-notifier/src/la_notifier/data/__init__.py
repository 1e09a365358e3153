"""Rules as data: what an authority may see."""

from functools import cache
from pathlib import Path

import msgspec

from la_notifier.domain.disclosure import Disclosure

_FOLDER = Path(__file__).parent


@cache
def disclosure() -> Disclosure:
    """What an authority may see. Raises msgspec.ValidationError where the file does not keep to its schema."""
    return msgspec.toml.decode((_FOLDER / "disclosure.toml").read_bytes(), type=Disclosure)
