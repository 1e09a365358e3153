"""The form as a whole: the first page, the parts with their questions, the signature, the continuation sheet."""

import io
from collections.abc import Iterator
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from chassis.errors import Text
from cms_local.paper import fonts, styles, texts
from cms_local.paper.fields import Fields
from cms_local.paper.notes import notes_for
from cms_local.paper.questions import ANSWER_WIDTH, NUMBER_WIDTH, QUESTION_WIDTH, Printer
from cms_local.paper.spaces import Comb, Empty, Hidden
from intake.domain.forms.layout import ENTRIES_ABREAST, IDENTITY_BOX, Entry, Form, FormIdentity, Part
from intake.domain.forms.routing import Filter, routing_of
from intake.domain.scheme_names import SCHEMES
from intake.domain.script import Kind

_MARGIN = 15 * mm
_WIDTH = NUMBER_WIDTH + QUESTION_WIDTH + ANSWER_WIDTH


def print_form(form: Form, *, language: str) -> bytes:
    """The form as a PDF that can be filled in on paper or on a screen; `language` is "EN" or "CY"."""
    fonts.register()
    identity = FormIdentity(catalogue=form.script.number, schemes=form.script.schemes, language=language)
    return _Document(form, identity).printed()


class _Document:
    def __init__(self, form: Form, identity: FormIdentity) -> None:
        routing = routing_of(form)
        self._form, self._identity = form, identity
        self._filters = routing.filters
        self._print = Printer(identity.language, routing.routes)

    def printed(self) -> bytes:
        written = io.BytesIO()
        document = BaseDocTemplate(
            written,
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=14 * mm,
            bottomMargin=16 * mm,
            title=f"{self._say(texts.TITLE)}: {', '.join(self._schemes())}",
            subject=str(self._identity),
            author="CMS3",
            invariant=1,
        )
        frame = Frame(
            _MARGIN,
            16 * mm,
            A4[0] - 2 * _MARGIN,
            A4[1] - 30 * mm,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        document.addPageTemplates([PageTemplate(frames=[frame], onPage=self._page)])
        language = self._identity.language

        class FormCanvas(Canvas):  # type: ignore[misc]
            """The library's canvas, with the fields of this document."""

            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                self.fields = Fields(self, language=language)
                self._doc.info.invariant = 1

        document.build(list(self._story()), canvasmaker=FormCanvas)
        return written.getvalue()

    def _say(self, text: Text) -> str:
        return self._print.say(text)

    def _schemes(self) -> list[str]:
        return [self._say(name) for scheme, name in SCHEMES.items() if scheme in self._identity.schemes]

    def _page(self, canvas: Canvas, _document: Any) -> None:
        canvas.saveState()
        canvas.setFillColor(styles.PALE)
        canvas.rect(8 * mm, 12 * mm, A4[0] - 16 * mm, A4[1] - 20 * mm, stroke=0, fill=1)
        canvas.setFillColor(styles.INK)
        canvas.setFont(fonts.PLAIN, 8)
        canvas.drawString(_MARGIN, 7 * mm, str(self._identity))
        canvas.drawRightString(A4[0] - _MARGIN, 7 * mm, self._say(texts.PAGE.of(number=canvas.getPageNumber())))
        canvas.restoreState()

    def _story(self) -> Iterator[Any]:
        yield Hidden(IDENTITY_BOX, str(self._identity))
        yield from self._first_page()
        yield PageBreak()
        for part in self._form.parts:
            yield from self._part(part)
        yield from self._signature()
        yield from self._continuation()

    def _first_page(self) -> Iterator[Any]:
        title = [
            Paragraph(self._say(texts.TITLE), styles.TITLE),
            Spacer(1, 3 * mm),
            Paragraph(self._say(texts.FOR), styles.BODY),
        ]
        title += [Paragraph(styles.escaped(name), styles.SCHEME) for name in self._schemes()]
        yield Table(
            [[title, self._official_use()]],
            colWidths=[_WIDTH - 72 * mm, 72 * mm],
            style=[
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ],
        )
        yield Paragraph(self._say(texts.HOW), styles.HEADING)
        yield from (_bullet(self._say(line)) for line in texts.HOW_LINES)
        yield Paragraph(self._say(texts.SEND), styles.HEADING)
        yield Paragraph(self._say(texts.SEND_LATER), styles.BODY)
        yield Spacer(1, 1.5 * mm)
        yield from (_bullet(self._say(note)) for note in notes_for(self._form))
        yield Paragraph(self._say(texts.PARTS), styles.HEADING)
        yield self._contents()

    def _official_use(self) -> Table:
        rows: list[list[Any]] = [[Paragraph(self._say(texts.OFFICIAL_USE), styles.COLUMN)]]
        received = [("", 2, self._say(texts.DAY)), ("", 2, self._say(texts.MONTH)), ("", 4, self._say(texts.YEAR))]
        for label, space in (
            (texts.DATE_RECEIVED, Comb(received, "")),
            (texts.OFFICE, Comb([("", 6, "")], "")),
            (texts.REFERENCE, Comb([("", 12, "")], "")),
        ):
            rows.append([[Paragraph(self._say(label), styles.SMALL), Spacer(1, 0.8 * mm), space]])
        return Table(
            rows,
            colWidths=[72 * mm],
            style=[
                ("BOX", (0, 0), (-1, -1), 0.8, styles.DARK),
                ("BACKGROUND", (0, 0), (-1, -1), styles.SOFT),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ],
        )

    def _contents(self) -> Table:
        rows = []
        for part in self._form.parts:
            first, last = part.entries[0].number, part.entries[-1].number
            which = texts.QUESTION.of(number=first) if first == last else texts.QUESTIONS.of(first=first, last=last)
            rows.append(
                [
                    Paragraph(self._say(texts.PART.of(number=part.number)), styles.COLUMN),
                    Paragraph(styles.escaped(self._say(part.name)), styles.SMALL),
                    Paragraph(self._say(which), styles.RIGHT),
                ]
            )
        return Table(
            rows,
            colWidths=[18 * mm, _WIDTH - 68 * mm, 50 * mm],
            style=[
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, styles.SOFT),
            ],
        )

    def _part(self, part: Part) -> Iterator[Any]:
        head: list[Any] = [self._bar(f"{self._say(texts.PART.of(number=part.number))}: {self._say(part.name)}")]
        yield CondPageBreak(45 * mm)
        for entry in part.entries:
            block = head + self._filter(entry) + [self._print.question(entry)]
            head = []
            if entry.question.kind is Kind.GROUP:
                block += [self._print.group(entry, range(min(ENTRIES_ABREAST, entry.entries)))]
            yield KeepTogether(block)
            yield from self._rest_of_group(entry)

    def _rest_of_group(self, entry: Entry) -> Iterator[Any]:
        if entry.question.kind is not Kind.GROUP:
            return
        for start in range(ENTRIES_ABREAST, entry.entries, ENTRIES_ABREAST):
            yield KeepTogether([self._print.group(entry, range(start, min(start + ENTRIES_ABREAST, entry.entries)))])
        if entry.more_entries > 0:
            more = texts.MORE.of(count=entry.entries, number=entry.number)
            yield Table(
                [["", Paragraph(self._say(more), styles.HELP)]], colWidths=[NUMBER_WIDTH, _WIDTH - NUMBER_WIDTH]
            )

    def _filter(self, entry: Entry) -> list[Any]:
        found = self._filters.get(entry.number)
        if found is None:
            return []
        return [
            Table(
                [["", Paragraph(styles.escaped(self._said(found)), styles.FILTER)]],
                colWidths=[NUMBER_WIDTH, _WIDTH - NUMBER_WIDTH],
                style=[
                    ("TOPPADDING", (0, 0), (-1, -1), 5),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                    ("LEFTPADDING", (1, 0), (1, 0), 1),
                ],
            )
        ]

    def _said(self, found: Filter) -> str:
        first, last = found.first.number, found.last.number
        one, span = first == last, texts.TWO if last == first + 1 else texts.SEVERAL
        where = {"number": first, "span": self._say(span.of(first=first, last=last))}
        if found.conditions is not None:
            conditions = self._say(texts.AND).join(self._say(condition) for condition in found.conditions)
            return self._say((texts.ONLY_IF if one else texts.ONLY_IF_MANY).of(conditions=conditions, **where))
        others = self._say(texts.OR).join(self._say(texts.QUESTION.of(number=on.number)) for on in found.depends_on)
        if not others:
            return self._say(texts.DEPENDS_ON_NOTHING.of(**where))
        return self._say((texts.DEPENDS if one else texts.DEPENDS_MANY).of(others=others, **where))

    def _bar(self, words: str) -> Table:
        return Table(
            [[Paragraph(styles.escaped(words), styles.PART)]],
            colWidths=[_WIDTH],
            spaceBefore=4 * mm,
            spaceAfter=1.5 * mm,
            style=[("BACKGROUND", (0, 0), (-1, -1), styles.DARK), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)],
        )

    def _signature(self) -> Iterator[Any]:
        signed = [("", 2, self._say(texts.DAY)), ("", 2, self._say(texts.MONTH)), ("", 4, self._say(texts.YEAR))]
        rows = [
            [Paragraph(self._say(texts.SIGNATURE), styles.SMALL), Paragraph(self._say(texts.DATE), styles.SMALL)],
            [Empty(110 * mm, 16 * mm), Comb(signed, "")],
            [Paragraph(self._say(texts.SIGNED_BY), styles.SMALL), ""],
            [Empty(110 * mm, 8 * mm), ""],
        ]
        yield KeepTogether(
            [
                Spacer(1, 3 * mm),
                Table(
                    rows,
                    colWidths=[118 * mm, _WIDTH - 118 * mm],
                    style=[
                        ("VALIGN", (0, 0), (-1, -1), "TOP"),
                        ("LEFTPADDING", (0, 0), (-1, -1), 2),
                        ("TOPPADDING", (0, 0), (-1, -1), 2),
                        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                    ],
                ),
            ]
        )

    def _continuation(self) -> Iterator[Any]:
        groups = [entry for entry in self._form.entries if entry.question.kind is Kind.GROUP and entry.more_entries > 0]
        if not groups:
            return
        yield PageBreak()
        yield self._bar(self._say(texts.CONTINUATION))
        yield Paragraph(self._say(texts.CONTINUATION_HOW), styles.BODY)
        for entry in groups:
            places = range(entry.entries, entry.entries + entry.more_entries)
            words = f"{self._say(texts.CONTINUED.of(number=entry.number))}: {self._say(entry.question.text)}"
            yield KeepTogether(
                [
                    Spacer(1, 3 * mm),
                    Paragraph(styles.escaped(words), styles.FILTER),
                    Spacer(1, 1 * mm),
                    self._print.group(entry, places),
                ]
            )


def _bullet(words: str) -> Paragraph:
    return Paragraph(styles.escaped(words), styles.BULLET, bulletText="•")
