"""Reads what a catalogue's form says where the words of the call do not fit paper: `<number>/form/words.toml`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from chassis.errors import Text
from intake.domain.script import Question, Script, ScriptError

CATALOGUES = Path(__file__).parent.parent / "catalogues"


class _Spoken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str
    cy: str


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: _Spoken | None = None
    help: _Spoken | None = None
    no_help: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: dict[str, _Words]
    sections: dict[str, _Spoken] = {}


def on_paper(script: Script, *, bank: Mapping[str, Question], folder: Path = CATALOGUES) -> Script:
    """The script with the words of its catalogue's form, which not every catalogue has.

    Raises ScriptError for words that are missing in a language or are of no question in the bank.
    """
    path = folder / str(script.number) / "form" / "words.toml"
    if not path.exists():
        return script
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=_File)
    except (msgspec.ValidationError, msgspec.DecodeError) as fault:
        raise ScriptError(f"{script.number}/form/words.toml: {fault}") from fault
    words, named = file.words, file.sections
    unknown = sorted((words.keys() - bank.keys()) | (named.keys() - {question.section for question in bank.values()}))
    if unknown:
        raise ScriptError(f"{script.number}/form/words.toml: no such question or section: {', '.join(unknown)}")
    questions = {
        name: _said(question, words[name]) if name in words else question for name, question in script.questions.items()
    }
    sections = tuple(replace(section, name=_text(named.get(section.id)) or section.name) for section in script.sections)
    return replace(script, questions=questions, sections=sections)


def _said(question: Question, words: _Words) -> Question:
    text = _text(words.text) or question.text
    return replace(question, text=text, help=None if words.no_help else _text(words.help) or question.help)


def _text(spoken: _Spoken | None) -> Text | None:
    return Text(en=spoken.en, cy=spoken.cy) if spoken else None
