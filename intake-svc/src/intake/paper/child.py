"""The process that reads one PDF: bytes in, the text of its form's boxes out as JSON. See `intake.paper`.

It is run as a file and imports nothing of ours: the rest of the service would cost each form a second and 60 MiB.
"""

import ctypes
import io
import resource
import sys
from typing import Any

import msgspec
from pypdf import PdfReader, apply_configuration
from pypdf.errors import PyPdfError
from pypdf.generic import DictionaryObject, Field

SECONDS = 2
"""The seconds of a processor that a form may take; it needs a third of one."""
MEMORY = 400 * 1024 * 1024
MOST_PAGES = 80
MOST_BOXES = 4000
LONGEST = 2000
"""Characters of one box: beyond, it is cut to one more, which every question refuses as too long."""
_PR_SET_DUMPABLE = 4
"""As `chassis.core_dumps`: a form's answers are in this process's memory."""
_END = b"%%EOF"
_UNPACKED = 4 * 1024 * 1024
"""Bytes of a stream when it is unpacked: a form's largest is its font, of some tens of kilobytes."""
_BOUNDS: dict[str, Any] = {
    "zlib_maximum_output_length": _UNPACKED,
    "zlib_maximum_recovery_input_length": _UNPACKED,
    "lzw_maximum_output_length": _UNPACKED,
    "run_length_maximum_output_length": _UNPACKED,
    "stream_filters_maximum_length": 4,
    "stream_decoding_work_maximum_length": 4 * _UNPACKED,
    "page_tree_maximum_entries": MOST_PAGES,
    "page_tree_maximum_depth": 10,
    "form_fields_maximum_entries": MOST_BOXES,
    "form_fields_maximum_depth": 10,
}


def main() -> None:
    """Reads standard input and answers on standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with apply_configuration(None, **_BOUNDS):
        found = _read(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(found))


def _read(pdf: bytes) -> dict[str, object]:
    try:
        boxes = _boxes(pdf)
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        MemoryError,
        OSError,
    ):
        return {
            "fault": "UNREADABLE"
        }  # whatever is wrong with a file from outside, the library may stumble over it anywhere
    return {"boxes": boxes}


def _boxes(pdf: bytes) -> dict[str, str]:
    if _END not in pdf[-1024:]:
        raise ValueError("cut off: an earlier state of the form may still be whole in it")
    reader = PdfReader(io.BytesIO(pdf))
    if reader.is_encrypted or len(reader.pages) > MOST_PAGES:
        raise ValueError("locked, or too many pages")
    found = reader.get_fields() or {}
    if len(found) > MOST_BOXES:
        raise ValueError("too many boxes")
    _refuse_lost_boxes(reader)
    return {str(name): _text(field)[: LONGEST + 1] for name, field in found.items()}


def _refuse_lost_boxes(reader: PdfReader) -> None:
    """Raises ValueError where a box cannot be read. The library passes over it, and its answer would be lost in silence."""
    form = reader.root_object.get("/AcroForm")
    boxes = form.get_object().get("/Fields", ()) if form else ()
    if not all(isinstance(box.get_object(), DictionaryObject) for box in boxes):
        raise ValueError("a box is damaged")


def _text(field: Field) -> str:
    value = field.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value).removeprefix("/") if field.field_type == "/Btn" else str(value)


if __name__ == "__main__":
    main()
