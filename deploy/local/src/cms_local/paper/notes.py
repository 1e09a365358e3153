"""The documents to send with a form, as data."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from chassis.errors import Text
from intake.domain.forms.layout import Form

_FILE = Path(__file__).with_name("notes.toml")


class _Words(msgspec.Struct, forbid_unknown_fields=True):
    en: str
    cy: str


class _Note(msgspec.Struct, forbid_unknown_fields=True):
    questions: list[str]
    text: _Words


class _Notes(msgspec.Struct, forbid_unknown_fields=True):
    notes: list[_Note]


def notes_for(form: Form) -> Iterator[Text]:
    """The notes of the papers that this form's questions are about."""
    for note in _notes().notes:
        if any(name in form.by_id for name in note.questions):
            yield Text(en=note.text.en, cy=note.text.cy)


@cache
def _notes() -> _Notes:
    return msgspec.toml.decode(_FILE.read_bytes(), type=_Notes)
