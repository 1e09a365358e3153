"""The records of the outside systems: their layouts, read from COBOL copybooks, and their bytes."""

from .codec import RecordError, date_number, decode, encode, number_date
from .copybook import FILLER, Condition, CopybookError, Field, Kind, Record, read_copybook
from .layouts import layout, layouts

__all__ = [
    "FILLER",
    "Condition",
    "CopybookError",
    "Field",
    "Kind",
    "Record",
    "RecordError",
    "date_number",
    "decode",
    "encode",
    "layout",
    "layouts",
    "number_date",
    "read_copybook",
]
