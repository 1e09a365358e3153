"""The faults of a value, in both languages of the platform. No text holds the value."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chassis.errors import InvalidArgument, Text, Violation


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule that a value breaks. `at` is the place in the value, such as `[1].name`; empty for the whole."""

    text: Text
    at: str = ""


class UnsoundValueError(ValueError):
    """The value breaks rules of its kind."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.at} {fault.text.en}".strip() for fault in faults))
        self.faults = faults

    @classmethod
    def of(cls, text: Text, **values: object) -> "UnsoundValueError":
        """The error for the whole value; `values` are limits, and never the value itself."""
        return cls(Fault(text=text.of(**values)))

    def within(self, place: str) -> Iterator[Fault]:
        """The faults as they stand in a value that holds this one at a place."""
        return (replace(fault, at=place + fault.at) for fault in self.faults)

    def refusal(self, field: str) -> InvalidArgument:
        """The refusal that names the field, or the places in it."""
        return InvalidArgument.of(*(Violation.of(field + fault.at, fault.text) for fault in self.faults))


def refuse(faults: Iterable[Fault]) -> None:
    """Raises UnsoundValueError if there is any fault."""
    if found := tuple(faults):
        raise UnsoundValueError(*found)


NOT_A_STRING = Text(en="must be a string", cy="rhaid iddo fod yn destun")
TOO_LONG = Text(en="is longer than {most} characters", cy="mae'n hirach na {most} nod")
CONTROL = Text(en="contains a control character or a line break", cy="mae'n cynnwys nod rheoli neu doriad llinell")
PRIVATE = Text(
    en="contains a character that only one font or program knows",
    cy="mae'n cynnwys nod nad yw ond un ffont neu raglen yn ei adnabod",
)
BLANK = Text(en="is blank; null clears an answer", cy="mae'n wag; mae null yn clirio ateb")
NO_CONTENT = Text(en="contains no letter and no digit", cy="nid yw'n cynnwys llythyren na digid")
NO_LETTER = Text(en="contains no letter", cy="nid yw'n cynnwys llythyren")
NOT_YES_NO = Text(en="must be true or false", cy="rhaid iddo fod yn true neu'n false")
DATE_FORM = Text(
    en="must be a date in the form YYYY-MM-DD, from 1900 to 2099",
    cy="rhaid iddo fod yn ddyddiad ar ffurf YYYY-MM-DD, o 1900 i 2099",
)
NOT_A_DAY = Text(en="is not a calendar date", cy="nid yw'n ddyddiad yn y calendr")
MONEY_FORM = Text(
    en="must be an amount in pounds such as 12.34 or £1,250, not negative",
    cy="rhaid iddo fod yn swm mewn punnoedd megis 12.34 neu £1,250, heb fod yn negyddol",
)
TOO_MUCH = Text(en="is more than {most}", cy="mae'n fwy na {most}")
NOT_A_NUMBER = Text(en="must be a number", cy="rhaid iddo fod yn rhif")
NOT_FINITE = Text(en="must be a finite number", cy="rhaid iddo fod yn rhif meidraidd")
OUT_OF_RANGE = Text(en="must be from 0 to {most}", cy="rhaid iddo fod o 0 i {most}")
DECIMALS = Text(en="has more than {most} decimal places", cy="mae ganddo fwy na {most} lle degol")
CODE_CHARACTERS = Text(
    en="contains a character other than A to Z and 0 to 9", cy="mae'n cynnwys nod heblaw A i Z a 0 i 9"
)
NINO = Text(en="is not a valid National Insurance number", cy="nid yw'n rhif Yswiriant Gwladol dilys")
POSTCODE = Text(en="does not have the form of a postcode", cy="nid yw ar ffurf cod post")
DIGITS = Text(en="must have {count} digits", cy="rhaid iddo gael {count} digid")
ZEROS = Text(en="must not be all zeros", cy="ni chaiff fod yn seroau i gyd")
PHONE_LETTERS = Text(
    en="contains a letter: give the digits alone, without an extension",
    cy="mae'n cynnwys llythyren: rhowch y digidau yn unig, heb estyniad",
)
PHONE = Text(en="is not a telephone number", cy="nid yw'n rhif ffôn")
PHONE_DIGITS = Text(
    en="has digits that cannot all be kept: give it with + and the country's code",
    cy="mae ganddo ddigidau na ellir eu cadw i gyd: rhowch ef gyda + a chod y wlad",
)
PHONE_LENGTH = Text(
    en="is not a whole telephone number: give it with its area code",
    cy="nid yw'n rhif ffôn cyflawn: rhowch ef gyda'i god ardal",
)
PHONE_TOO_LONG = Text(
    en="has more than {most} digits in the international form",
    cy="mae ganddo fwy na {most} digid yn y ffurf ryngwladol",
)
EMAIL = Text(en="is not an e-mail address", cy="nid yw'n gyfeiriad e-bost")
NOT_AN_ADDRESS = Text(en="must be an object of lines and postcode", cy="rhaid iddo fod yn wrthrych o lines a postcode")
NOT_LINES = Text(en="must be a list of lines", cy="rhaid iddo fod yn rhestr o linellau")
LINES = Text(
    en="must have 2 to {most} lines, two of them not blank",
    cy="rhaid iddo gael 2 i {most} llinell, dwy ohonynt heb fod yn wag",
)
GAP = Text(en="a gap is one of {gaps}", cy="mae bwlch yn un o {gaps}")
NOT_A_CHOICE = Text(en="is not one of the choices", cy="nid yw'n un o'r dewisiadau")
NOT_CHOICES = Text(en="must be a list of choices", cy="rhaid iddo fod yn rhestr o ddewisiadau")
CHOSEN_TWICE = Text(en="contains a choice twice", cy="mae'n cynnwys dewis ddwywaith")
NOT_A_LIST = Text(en="must be a list, empty for none", cy="rhaid iddo fod yn rhestr, yn wag os nad oes dim")
TOO_MANY = Text(en="has more than {most} entries", cy="mae ganddo fwy na {most} o gofnodion")
NOT_AN_ENTRY = Text(en="must be an object of the group's fields", cy="rhaid iddo fod yn wrthrych o feysydd y grŵp")
MISSING = Text(en="is missing", cy="mae ar goll")
NO_FORM = Text(
    en="cannot be written in the paying system's characters: ask for it in the letters A to Z",
    cy="ni ellir ei ysgrifennu yn nodau'r system dalu: gofynnwch amdano yn y llythrennau A i Z",
)
LOSES_A_NUMBER = Text(
    en="cannot be written for the paying system without losing or joining a number: ask for a shorter or plainer form",
    cy="ni ellir ei ysgrifennu ar gyfer y system dalu heb golli neu gyfuno rhif: gofynnwch am ffurf fyrrach neu symlach",
)
POSTCODE_AREA = Text(
    en="does not begin as any postcode of Great Britain does: check its first letters",
    cy="nid yw'n dechrau fel unrhyw god post ym Mhrydain Fawr: gwiriwch ei lythrennau cyntaf",
)
NOT_A_QUESTION = Text(en="is not a question of this claim", cy="nid yw'n gwestiwn yn y cais hwn")
OF_OTHER_SCHEMES = Text(
    en="is asked only for other schemes: change the schemes of a draft first",
    cy="dim ond ar gyfer cynlluniau eraill y gofynnir hwn: newidiwch gynlluniau drafft yn gyntaf",
)

# Of boxes on a claim form.
DATE_BOXES = Text(
    en="must have day, month and a year of four digits in its boxes",
    cy="rhaid cael diwrnod, mis a blwyddyn o bedwar digid yn ei flychau",
)
ANSWER_AND_GAP = Text(
    en="has an answer, and a tick at “I do not know” or “I will send it later”",
    cy="mae ganddo ateb, a thic wrth “Nid wyf yn gwybod” neu “Byddaf yn ei anfon yn ddiweddarach”",
)
NONE_AND_ENTRIES = Text(en="has entries, and a tick at “None”", cy="mae ganddo gofnodion, a thic wrth “Dim”")
