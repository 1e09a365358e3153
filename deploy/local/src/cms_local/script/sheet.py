"""The reviewer's sheet: every text of a catalogue in both languages, side by side, as a page to print."""

from collections.abc import Iterator
from html import escape

from chassis.errors import Text
from cms_local.script.show import texts_of
from intake.domain.catalogue import Catalogue
from intake.domain.script import Question, Script

_STYLE = """
@page { size: A4 landscape; margin: 12mm; }
body { font: 10pt/1.35 "DejaVu Sans", Arial, sans-serif; color: #111; margin: 2em; }
h1 { font-size: 16pt; margin: 0 0 .3em; }
h2 { font-size: 12pt; margin: 1.4em 0 .3em; break-after: avoid; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
col.place { width: 17%; } col.spoken { width: 36%; } col.seen { width: 11%; }
th, td { border: 1px solid #999; padding: 3px 6px; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #eee; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
tr.question td { border-top: 2px solid #333; font-weight: bold; }
td.place { font-family: "DejaVu Sans Mono", monospace; font-size: 8pt; font-weight: normal; }
td.seen { font-size: 8pt; color: #555; font-weight: normal; }
p.note { color: #444; max-width: 60em; }
@media print { body { margin: 0; } }
"""
_HEAD = (
    '<table><colgroup><col class="place"><col class="spoken"><col class="spoken"><col class="seen"></colgroup>'
    "<thead><tr><th>where</th><th>English</th><th>Cymraeg</th><th>right?</th></tr></thead><tbody>"
)


def sheet(catalogue: Catalogue, script: Script) -> str:
    """The page, in HTML. Each question has its text first, then help, choices, fields and what a refused answer is told."""
    title = f"Catalogue {catalogue.number}: texts in English and Welsh"
    count = sum(1 for question in script.questions.values() for _ in texts_of(question))
    note = (
        f"{len(script.questions)} questions with {count} texts for {', '.join(script.schemes)}, released on "
        f"{catalogue.released_on}. For a native reader of Welsh: the questions are read aloud, formally "
        "(chi); the official terms are those of the Department. Write a correction beside the text."
    )
    sections = "".join(_section(script, section.id, section.name) for section in script.sections)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f'<p class="note">{escape(note)}</p>{sections}</body></html>\n'
    )


def _section(script: Script, section: str, name: Text) -> str:
    rows = "".join(_question(question) for question in script.questions.values() if question.section == section)
    return f'<h2>{escape(name.en)} / <span lang="cy">{escape(name.cy)}</span></h2>{_HEAD}{rows}</tbody></table>'


def _question(question: Question) -> str:
    return "".join(_rows(question))


def _rows(question: Question) -> Iterator[str]:
    for at, (place, text) in enumerate(texts_of(question)):
        where = question.id if at == 0 else place
        opening = '<tr class="question">' if at == 0 else "<tr>"
        yield (
            f'{opening}<td class="place">{escape(where)}</td><td>{escape(text.en)}</td>'
            f'<td lang="cy">{escape(text.cy)}</td><td class="seen">&#9744;</td></tr>'
        )
