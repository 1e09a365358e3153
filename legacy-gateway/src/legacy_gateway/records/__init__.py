"""The records of the outside systems: their layouts, read from COBOL copybooks, and their bytes; schemas of JSON."""

from .codec import RecordError, date_number, decode, encode, number_date
from .copybook import FILLER, Condition, CopybookError, Field, Kind, Record, read_copybook
from .documents import check_document
from .layouts import layout, layouts

__all__ = [
    "FILLER",
    "Condition",
    "CopybookError",
    "Field",
    "Kind",
    "Record",
    "RecordError",
    "check_document",
    "date_number",
    "decode",
    "encode",
    "layout",
    "layouts",
    "number_date",
    "read_copybook",
]
