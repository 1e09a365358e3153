"""The layouts of the outside systems, read from the copybooks that lie in this package."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from .copybook import Record, read_copybook

FOLDER = Path(__file__).parent.parent / "copybooks"
_FILES = (
    "linkhdr.cpy",
    "linkrpy.cpy",
    "enquiry.cpy",
    "iscs.cpy",
    "jsaps-es.cpy",
    "jsaps-ba.cpy",
    "sfcs.cpy",
    "pscs.cpy",
    "pscsrsp.cpy",
)


@cache
def layouts() -> Mapping[str, Record]:
    """Every record of the interfaces by its 01 name. Raises CopybookError."""
    return MappingProxyType({name: record for file in _FILES for name, record in read_copybook(FOLDER / file).items()})


def layout(name: str) -> Record:
    """The record of that 01 name, for example `JSAPS-ES`. Raises KeyError for a name that no copybook has."""
    return layouts()[name]
