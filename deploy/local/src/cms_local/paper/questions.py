"""A question as it stands on the form: its number, its words, its spaces, and where to go on after it."""

from collections.abc import Sequence
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer, Table

from chassis.errors import Text
from cms_local.paper import styles, texts
from cms_local.paper.spaces import Choose, Comb, Line, Option, Ticks
from intake.domain.answers import GAPS
from intake.domain.forms.layout import ADDRESS_LINES, DATE_PARTS, GAP_BOX, NONE_BOX, POSTCODE_BOX, Entry, box, letters
from intake.domain.forms.routing import Route
from intake.domain.forms.wording import yes_and_no
from intake.domain.script import Field, Kind, Question

NUMBER_WIDTH, QUESTION_WIDTH, ANSWER_WIDTH = 9 * mm, 68 * mm, 103 * mm
_COLUMN_WIDTH = 38 * mm
_LABEL_WIDTH = NUMBER_WIDTH + QUESTION_WIDTH + ANSWER_WIDTH - 3 * (_COLUMN_WIDTH + 3 * mm)
_STORY, _STORY_LINES = 25, 4
"""A text that takes so many seconds to tell gets so many lines."""
_GAP_WORDS = {"NOT_KNOWN": texts.NOT_KNOWN, "WILL_SEND": texts.WILL_SEND}
_COMBS = {Kind.NINO: (9, 2, 2, 2, 2, 1), Kind.SORT_CODE: (6,), Kind.ACCOUNT_NUMBER: (8,), Kind.POSTCODE: (8,)}


class Printer:
    """Prints questions in one language."""

    def __init__(self, language: str, routes: dict[int, tuple[Route, ...]] | Any) -> None:
        self._language = language
        self._routes = routes

    def say(self, text: Text) -> str:
        """A text in the form's language."""
        return text.spoken(self._language)

    def question(self, entry: Entry) -> Table:
        """A question with its spaces: for a group without its table, which follows."""
        question = entry.question
        left = [Paragraph(styles.escaped(self.say(question.text)), styles.QUESTION)]
        if question.help:
            left.append(Paragraph(styles.escaped(self.say(question.help)), styles.HELP))
        if question.kind is Kind.CHOICES:
            left.append(Paragraph(self.say(texts.TICK_ALL), styles.HELP))
        if question.required is False:
            left.append(Paragraph(self.say(texts.OPTIONAL), styles.HELP))
        return _row(Paragraph(str(entry.number), styles.NUMBER), left, self._answer(entry))

    def _answer(self, entry: Entry) -> list[Any]:
        question = entry.question
        label = f"{entry.number}. {self.say(question.text)}"
        if question.kind is Kind.GROUP:
            then = self._then(entry, [])
            none = Option(name=box(entry.id, NONE_BOX), value=None, words=self.say(texts.NONE), then=then)
            return [Ticks([none], label, width=ANSWER_WIDTH), *self._gaps(entry, label)]
        return [*self._spaces(question, box(entry.id), label, entry=entry), *self._gaps(entry, label)]

    def _gaps(self, entry: Entry, label: str) -> list[Any]:
        if not entry.question.gap_allowed:
            return []
        options = [Option(name=box(entry.id, GAP_BOX), value=gap, words=self.say(_GAP_WORDS[gap])) for gap in GAPS]
        return [Spacer(1, 1.2 * mm), Ticks(options, label, width=ANSWER_WIDTH, in_a_row=True)]

    def _spaces(self, field: Field, name: str, label: str, *, entry: Entry) -> list[Any]:
        match field.kind:
            case Kind.YES_NO:
                yes, no = (self.say(word) for word in yes_and_no(field.text))
                answers = [(True, "YES", yes), (False, "NO", no)]
                options = [
                    Option(name=name, value=code, words=words, then=self._then(entry, answer))
                    for answer, code, words in answers
                ]
                return [Ticks(options, label, width=ANSWER_WIDTH, in_a_row=not any(part.then for part in options))]
            case Kind.CHOICE:
                options = [
                    Option(name=name, value=part.code, words=self.say(part.text), then=self._then(entry, part.code))
                    for part in field.choices
                ]
                return [Ticks(options, label, width=ANSWER_WIDTH)]
            case Kind.CHOICES:
                options = [
                    Option(name=f"{name}:{part.code}", value=None, words=self.say(part.text)) for part in field.choices
                ]
                none = Option(name=f"{name}:{NONE_BOX}", value=None, words=self.say(texts.NONE_OF_THESE))
                return [Ticks([*options, none], label, width=ANSWER_WIDTH)]
            case Kind.ADDRESS:
                lines = [
                    Line(f"{name}:{at}", f"{label} {at}", width=ANSWER_WIDTH, maximum=field.limits.max_length)
                    for at in range(1, ADDRESS_LINES + 1)
                ]
                code = Comb([(f"{name}:{POSTCODE_BOX}", 8, self.say(texts.POSTCODE))], label)
                return [*lines, Spacer(1, 1 * mm), code]
        return [self._written(field, name, label, width=ANSWER_WIDTH)]

    def _written(self, field: Field, name: str, label: str, *, width: float) -> Any:
        narrow = width < ANSWER_WIDTH
        match field.kind:
            case Kind.DATE:
                words = [self.say(text) for text in (texts.DAY, texts.MONTH, texts.YEAR)]
                lengths = zip(DATE_PARTS, (2, 2, 4), words, strict=True)
                return Comb([(f"{name}:{part}", length, said) for part, length, said in lengths], label, narrow=narrow)
            case Kind.MONEY:
                after = "" if narrow else self.say(texts.POUNDS)
                return Line(name, label, width=min(width, 82 * mm), maximum=14, before="£", after=after)
            case Kind.NUMBER:
                return Line(name, label, width=min(width, 25 * mm), maximum=8)
            case Kind.NINO | Kind.SORT_CODE | Kind.ACCOUNT_NUMBER | Kind.POSTCODE if not narrow:
                return Comb([(name, _COMBS[field.kind][0], "")], label)
            case Kind.PHONE:
                return Line(name, label, width=min(width, 60 * mm), maximum=field.limits.max_length)
        maximum = field.limits.max_length
        lines = (
            _STORY_LINES if isinstance(field, Question) and field.kind is Kind.TEXT and field.seconds >= _STORY else 1
        )
        return Line(name, label, width=width, maximum=maximum, lines=lines)

    def _then(self, entry: Entry, answer: Any) -> str:
        for route in self._routes.get(entry.number, ()):
            if any(answer is known or (answer == known and type(answer) is type(known)) for known in route.answers):
                return self.say(texts.GO_TO.of(number=route.to.number) if route.to else texts.GO_TO_END)
        return ""

    def group(self, entry: Entry, places: Sequence[int]) -> Table:
        """A table with a column for each of these places, and a row for each field."""
        question = entry.question
        head: list[Any] = [""] + [
            Paragraph(self.say(texts.NTH.of(number=place + 1)), styles.COLUMN) for place in places
        ]
        rows = [head]
        for field in question.fields:
            words = [Paragraph(styles.escaped(self.say(field.text)), styles.SMALL)]
            if field.kind is Kind.CHOICE:
                listed = ", ".join(
                    f"<b>{letter}</b> {styles.escaped(self.say(choice.text))}"
                    for letter, choice in zip(letters(), field.choices, strict=False)
                )
                words.append(Paragraph(self.say(texts.LETTERS.of(choices=listed)), styles.HELP))
            rows.append([words, *(self._cell(entry, field, place) for place in places)])
        return Table(
            rows,
            colWidths=[_LABEL_WIDTH, *([_COLUMN_WIDTH + 3 * mm] * len(places))],
            style=_GROUP_STYLE,
            hAlign="LEFT",
        )

    def _cell(self, entry: Entry, field: Field, place: int) -> Any:
        name = box(entry.id, place, field.id)
        label = f"{entry.number}. {self.say(field.text)}, {self.say(texts.NTH.of(number=place + 1))}"
        match field.kind:
            case Kind.YES_NO:
                yes, no = (self.say(word) for word in yes_and_no(field.text))
                options = [Option(name=name, value="YES", words=yes), Option(name=name, value="NO", words=no)]
                return Ticks(options, label, width=_COLUMN_WIDTH, in_a_row=True)
            case Kind.CHOICE:
                options_of = [
                    (choice.code, f"{letter} {self.say(choice.text)}")
                    for letter, choice in zip(letters(), field.choices, strict=False)
                ]
                return Choose(name, options_of, label, width=_COLUMN_WIDTH)
            case Kind.CHOICES:
                several = [
                    Option(name=f"{name}:{part.code}", value=None, words=self.say(part.text)) for part in field.choices
                ]
                return Ticks(several, label, width=_COLUMN_WIDTH)
            case Kind.ADDRESS:
                raise ValueError(f"{entry.id}: an address cannot stand in a table")
        return self._written(field, name, label, width=_COLUMN_WIDTH)


def _row(number: Any, left: list[Any], right: list[Any]) -> Table:
    return Table([[number, left, right]], colWidths=[NUMBER_WIDTH, QUESTION_WIDTH, ANSWER_WIDTH], style=_ROW_STYLE)


_ROW_STYLE = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (0, 0), 0),
    ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ("LEFTPADDING", (1, 0), (1, 0), 1),
    ("LEFTPADDING", (2, 0), (2, 0), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]
_GROUP_STYLE = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEABOVE", (0, 1), (-1, -1), 0.3, styles.GREY),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
]
