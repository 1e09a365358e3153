"""The problems of a request, a call or an interview as a whole, in both languages; `faults` has those of one value.

A frontend shows these beside the field that the violation names.
"""

from chassis.errors import Text

# The interview as a whole.
NO_ANSWER = Text(en="has no answer", cy="nid oes ateb iddo")
GAP_NOT_ALLOWED = Text(en="must be answered before the claim is submitted", cy="rhaid ei ateb cyn cyflwyno'r cais")
NOT_AGREED = Text(
    en="needs the claimant's agreement to the form that the paying system can hold",
    cy="mae angen cytundeb yr hawlydd i'r ffurf y gall y system dalu ei dal",
)
NINO_TAKEN = Text(
    en="belongs to another open claim: start a call with it",
    cy="mae'n perthyn i gais agored arall: dechreuwch alwad ag ef",
)
SCHEME_TAKEN = Text(
    en="another open claim of this person is for one of them: start a call on it",
    cy="mae cais agored arall y person hwn ar gyfer un ohonynt: dechreuwch alwad arno",
)

BEFORE_THE_CLAIM = Text(en="is before the claimant's first contact", cy="mae cyn cysylltiad cyntaf yr hawlydd")
NOTHING_TO_CONFIRM = Text(
    en="has no answer of the earlier claim that could be confirmed: ask for it",
    cy="nid oes iddo ateb o'r cais cynharach y gellid ei gadarnhau: gofynnwch amdano",
)

# Calls.
NOT_ASKED = Text(en="is not a security question of this call", cy="nid yw'n gwestiwn diogelwch yr alwad hon")
CALL_BACK_ONLY = Text(
    en="is required for the outcome CALL_BACK and allowed for no other",
    cy="mae'n ofynnol ar gyfer y canlyniad CALL_BACK ac ni chaniateir ef ar gyfer unrhyw un arall",
)
NOT_IN_FUTURE = Text(en="must be in the future", cy="rhaid iddo fod yn y dyfodol")
TOO_FAR_AHEAD = Text(en="must be within {days} days from now", cy="rhaid iddo fod o fewn {days} diwrnod o nawr")
REPRESENTATIVE_NEEDS = Text(en="is required for a representative", cy="mae'n ofynnol ar gyfer cynrychiolydd")
REPRESENTATIVE_ONLY = Text(en="is for representatives only", cy="mae ar gyfer cynrychiolwyr yn unig")
HELPER_ALONE = Text(
    en="must be true: a helper speaks only while the claimant is present",
    cy="rhaid iddo fod yn true: dim ond tra bo'r hawlydd yn bresennol y mae cynorthwyydd yn siarad",
)
NOT_OPEN_STATE = Text(en="is not a state in which a call-back waits", cy="nid yw'n gyflwr lle mae galwad yn ôl yn aros")
ONE_OF = Text(en="give exactly one of {fields}", cy="rhowch un yn union o {fields}")

# Lines.
NOT_A_QUARTER = Text(en="is not the beginning of a quarter of an hour", cy="nid yw'n ddechrau chwarter awr")
NOT_OVER = Text(en="is of a quarter of an hour that is not over", cy="mae'n perthyn i chwarter awr nad yw ar ben")
NOT_A_COUNT = Text(en="must be from 0 to {most}", cy="rhaid iddo fod o 0 i {most}")
TOO_FEW_OFFERED = Text(
    en="is less than the calls answered and abandoned", cy="mae'n llai na'r galwadau a atebwyd ac a adawyd"
)
MORE_THAN_ANSWERED = Text(en="is more than the calls answered", cy="mae'n fwy na'r galwadau a atebwyd")
REPORTED_TWICE = Text(en="is reported twice in one request", cy="fe'i hadroddir ddwywaith mewn un cais")
NOT_A_PERIOD = Text(
    en="must be after from, by {days} days at most", cy="rhaid iddo fod ar ôl from, o {days} diwrnod ar y mwyaf"
)

# Requests.
ANSWERED_TWICE = Text(en="is answered twice in one request", cy="mae wedi'i ateb ddwywaith mewn un cais")
NOTHING_GIVEN = Text(
    en="is required, unless confirm_earlier names something",
    cy="mae'n ofynnol, oni bai bod confirm_earlier yn enwi rhywbeth",
)
NOT_A_REFERENCE = Text(
    en="is not a claim reference: check each character", cy="nid yw'n gyfeirnod cais: gwiriwch bob nod"
)
ONLY_AS_IT_STANDS = Text(
    en="goes only with the interview as it stands, without at_time",
    cy="dim ond gyda'r cyfweliad fel y mae, heb at_time, y gellir gofyn am hyn",
)
NOT_A_SECTION = Text(en="is not a section of the interview", cy="nid yw'n adran o'r cyfweliad")
NO_SUCH_SCHEME = Text(en="{scheme} cannot be claimed by phone", cy="ni ellir gwneud cais am hwn dros y ffôn: {scheme}")
SCHEME_TWICE = Text(en="is named twice", cy="mae wedi'i enwi ddwywaith")
SCHEME_CLOSED = Text(
    en="{scheme} closed to new claims on {day}", cy="mae ar gau i geisiadau newydd ers {day}: {scheme}"
)
SCHEME_NOT_OPEN = Text(
    en="{scheme} can be claimed only from {day}", cy="dim ond o {day} ymlaen y gellir gwneud cais amdano: {scheme}"
)
NOT_WITH_NINO = Text(en="must not be given together with a nino", cy="ni ddylid ei roi gyda nino")
TOGETHER = Text(
    en="surname and date_of_birth must be given together", cy="rhaid rhoi surname a date_of_birth gyda'i gilydd"
)
NO_CRITERION = Text(
    en="give a nino, a surname with date_of_birth, a state or an office",
    cy="rhowch nino, surname gyda date_of_birth, state neu office",
)
NOT_SIX_DIGITS = Text(en="must be six digits", cy="rhaid iddo fod yn chwe digid")
NOT_A_VERSION = Text(en="is not a version that the claim has had", cy="nid yw'n fersiwn y mae'r cais wedi'i chael")

# Claim forms.
UNKNOWN_BOXES = Text(
    en="has boxes that this form does not have: look at it, and ask for what is missing",
    cy="mae ganddi flychau nad ydynt ar y ffurflen hon: edrychwch arni, a gofynnwch am yr hyn sydd ar goll",
)
NOT_ASKED_OF_THEM = Text(
    en="does not apply after the other answers: it is kept out of the claim",
    cy="nid yw'n berthnasol ar ôl yr atebion eraill: nid yw'n rhan o'r cais",
)
PDF_OR_ANSWERS = Text(
    en="must be a PDF or keyed answers, and not both",
    cy="rhaid iddi fod yn PDF neu'n atebion wedi'u teipio, nid y ddau",
)
NOT_OUR_FORM = Text(
    en="is not a claim form of this platform, or is of a version that is no longer read: key its answers",
    cy="nid yw'n ffurflen gais y llwyfan hwn, neu mae o fersiwn nad yw'n cael ei darllen bellach: teipiwch ei hatebion",
)
OTHER_CATALOGUE = Text(
    en="is a form of catalogue {number}, which has no such form here: key its answers",
    cy="mae'n ffurflen o gatalog {number}, nad oes ganddo ffurflen o'r fath yma: teipiwch ei hatebion",
)
OTHER_SCHEMES = Text(en="are not those of the form, {form}", cy="nid rhai'r ffurflen, {form}, ydynt")
NOT_ON_THE_FORM = Text(en="is not a question of this form", cy="nid yw'n gwestiwn ar y ffurflen hon")
NOTHING_ON_THE_FORM = Text(en="has no answer that can be read", cy="nid oes ganddi ateb y gellir ei ddarllen")
NEGATIVE = Text(en="must not be negative", cy="ni chaiff fod yn negyddol")
NOT_IN_PAST = Text(en="must not be in the future", cy="ni ddylai fod yn y dyfodol")
TOO_LONG_AGO = Text(en="is more than {days} days ago", cy="mae fwy na {days} diwrnod yn ôl")
QUESTION_SAYS = Text(
    en="Question {number} (part {part}, {name}): {said}", cy="Cwestiwn {number} (rhan {part}, {name}): {said}"
)
FORM_SAYS = Text(en="The form: {said}", cy="Y ffurflen: {said}")
