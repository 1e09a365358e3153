"""Reads the boxes of a filled form out of a PDF, in a process of its own with bounds on time and memory.

A PDF is a program of other people's. One that is made to loop or to swell costs that process its few seconds, and the service
neither its interpreter nor its memory; the library that reads it is never imported here.
"""

import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from chassis.errors import InvalidArgument, ResourceExhausted, Text, Violation
from intake.domain.forms.layout import IDENTITY_BOX
from intake.domain.forms.reading import Boxes

AT_ONCE = 2
"""Forms that are read at the same moment: each takes a processor for some tenths of a second."""
SECONDS = 4.0
"""On the clock. What is made to hurt is stopped after fewer seconds of a processor (see `child`), so that a form which takes
this long waits for a processor, and can be tried again."""
_FIELD = "form.pdf"
_CHILD = str(Path(__file__).with_name("child.py"))

NOT_A_PDF = Text(en="is not a PDF", cy="nid yw'n PDF")
UNREADABLE = Text(
    en="cannot be read: it is damaged, locked, or far larger inside than a claim form",
    cy="ni ellir ei darllen: mae wedi'i difrodi, wedi'i chloi, neu'n llawer mwy y tu mewn na ffurflen gais",
)
NO_BOXES = Text(
    en="is not a claim form, or was printed to a file so that its boxes are gone: key it instead",
    cy="nid yw'n ffurflen gais, neu cafodd ei hargraffu i ffeil fel bod ei blychau wedi mynd: teipiwch hi yn lle hynny",
)
_TEXTS = {"NOT_A_PDF": NOT_A_PDF, "UNREADABLE": UNREADABLE, "NO_BOXES": NO_BOXES}


class Found(msgspec.Struct, forbid_unknown_fields=True):
    """The result of the process: the boxes, or why there are none."""

    boxes: dict[str, str] = {}
    fault: str = ""


_FOUND = msgspec.json.Decoder(Found)
_SLOTS = threading.BoundedSemaphore(AT_ONCE)


def read_pdf(pdf: bytes) -> Boxes:
    """Reads the boxes of a filled form, by name.

    Raises InvalidArgument, which names `form.pdf`, for anything that is not a readable claim form, and ResourceExhausted
    (`BUSY`) while too many forms are being read, or no processor is free.
    """
    if b"%PDF-" not in pdf[:1024]:
        raise _refusal("NOT_A_PDF")
    if not _SLOTS.acquire(timeout=SECONDS):
        raise _busy()
    try:
        done = subprocess.run(
            [sys.executable, "-I", _CHILD],
            input=pdf,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        raise _busy() from None
    finally:
        _SLOTS.release()
    if done.returncode != 0:
        raise _refusal("UNREADABLE")
    found = _FOUND.decode(done.stdout)
    if found.fault:
        raise _refusal(found.fault)
    if IDENTITY_BOX not in found.boxes:
        raise _refusal("NO_BOXES")
    return found.boxes


def _busy() -> ResourceExhausted:
    return ResourceExhausted("BUSY", "too many forms at once: try again")


def _refusal(fault: str) -> InvalidArgument:
    return InvalidArgument.of(Violation.of(_FIELD, _TEXTS[fault]))
