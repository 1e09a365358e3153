"""The words of the form that are not questions, in both languages."""

from chassis.errors import Text

TITLE = Text(en="Claim form", cy="Ffurflen gais")
FOR = Text(en="For claiming:", cy="I wneud cais am y canlynol:")
OFFICIAL_USE = Text(en="For official use", cy="At ddefnydd swyddogol")
DATE_RECEIVED = Text(en="Date received", cy="Dyddiad derbyn")
OFFICE = Text(en="Office", cy="Swyddfa")
REFERENCE = Text(en="Claim reference", cy="Cyfeirnod y cais")
HOW = Text(en="How to fill in this form", cy="Sut i lenwi'r ffurflen hon")
HOW_LINES = (
    Text(
        en="Write in capital letters with black ink, or fill it in on a screen and save it.",
        cy="Ysgrifennwch mewn llythrennau bras ag inc du, neu llenwch hi ar sgrin a'i chadw.",
    ),
    Text(
        en="Tick the boxes that apply. If you make a mistake, cross it out and write the right answer beside it.",
        cy="Ticiwch y blychau sy'n berthnasol. Os gwnewch gamgymeriad, croeswch ef allan ac ysgrifennwch yr ateb cywir "
        "wrth ei ymyl.",
    ),
    Text(
        en="You need not answer every question. Where it says “Go to”, go straight to that question.",
        cy="Nid oes rhaid i chi ateb pob cwestiwn. Lle mae'n dweud “Ewch i”, ewch yn syth i'r cwestiwn hwnnw.",
    ),
    Text(
        en="If you do not know an answer, or will send it later, say so or leave it blank. Do not wait: send us the form now. "
        "We will ring you to ask for what is missing.",
        cy="Os nad ydych yn gwybod ateb, neu os byddwch yn ei anfon yn ddiweddarach, dywedwch hynny neu gadewch ef yn wag. "
        "Peidiwch ag aros: anfonwch y ffurflen atom nawr. Byddwn yn eich ffonio i ofyn am yr hyn sydd ar goll.",
    ),
    Text(
        en="The day on which we receive this form counts as the day on which you first got in touch with us.",
        cy="Y diwrnod y byddwn yn derbyn y ffurflen hon sy'n cyfrif fel y diwrnod y bu i chi gysylltu â ni gyntaf.",
    ),
)
SEND = Text(en="What to send with it", cy="Beth i'w anfon gyda hi")
SEND_LATER = Text(
    en="Send copies, or bring the papers to your interview. Do not hold the form back for them.",
    cy="Anfonwch gopïau, neu dewch â'r papurau i'ch cyfweliad. Peidiwch â dal y ffurflen yn ôl o'u herwydd.",
)
PARTS = Text(en="Parts of this form", cy="Rhannau'r ffurflen hon")
PART = Text(en="Part {number}", cy="Rhan {number}")
QUESTIONS = Text(en="questions {first} to {last}", cy="cwestiynau {first} i {last}")
GO_TO = Text(en="Go to question {number}", cy="Ewch i gwestiwn {number}")
GO_TO_END = Text(en="Go to the declaration", cy="Ewch i'r datganiad")
ONLY_IF = Text(
    en="Answer question {number} only if {conditions}.", cy="Atebwch gwestiwn {number} dim ond os {conditions}."
)
ONLY_IF_MANY = Text(
    en="Answer questions {span} only if {conditions}.", cy="Atebwch gwestiynau {span} dim ond os {conditions}."
)
TWO = Text(en="{first} and {last}", cy="{first} a {last}")
SEVERAL = Text(en="{first} to {last}", cy="{first} i {last}")
AND = Text(en=" and ", cy=" ac os ")
DEPENDS = Text(
    en="Question {number} is not for everybody. It depends on your answer to {others}. If you are not sure, answer it.",
    cy="Nid yw cwestiwn {number} i bawb. Mae'n dibynnu ar eich ateb i {others}. Os nad ydych yn siŵr, atebwch ef.",
)
DEPENDS_MANY = Text(
    en="Questions {span} are not for everybody. They depend on your answer to {others}. "
    "If you are not sure, answer them.",
    cy="Nid yw cwestiynau {span} i bawb. Maent yn dibynnu ar eich ateb i {others}. Os nad ydych yn siŵr, atebwch nhw.",
)
DEPENDS_ON_NOTHING = Text(
    en="Question {number} is not for everybody. If you are not sure, answer it.",
    cy="Nid yw cwestiwn {number} i bawb. Os nad ydych yn siŵr, atebwch ef.",
)
QUESTION = Text(en="question {number}", cy="cwestiwn {number}")
OR = Text(en=" and ", cy=" a ")
OPTIONAL = Text(en="You may leave this blank.", cy="Cewch adael hwn yn wag.")
TICK_ALL = Text(en="Tick all that apply.", cy="Ticiwch bob un sy'n berthnasol.")
NOT_KNOWN = Text(en="I do not know", cy="Nid wyf yn gwybod")
WILL_SEND = Text(en="I will send it later", cy="Byddaf yn ei anfon yn ddiweddarach")
NONE = Text(en="None", cy="Dim")
NONE_OF_THESE = Text(en="None of these", cy="Dim un o'r rhain")
DAY, MONTH, YEAR = Text(en="Day", cy="Dydd"), Text(en="Month", cy="Mis"), Text(en="Year", cy="Blwyddyn")
POSTCODE = Text(en="Postcode", cy="Cod post")
POUNDS = Text(en="pounds and pence, such as 12.50", cy="punnoedd a cheiniogau, megis 12.50")
NUMBER = Text(en="a number", cy="rhif")
NTH = Text(en="No. {number}", cy="Rhif {number}")
MORE = Text(
    en="More than {count}? Go on with question {number} on the continuation sheet at the end.",
    cy="Mwy na {count}? Ewch ymlaen â chwestiwn {number} ar y daflen barhad ar y diwedd.",
)
CONTINUATION = Text(en="Continuation sheet", cy="Taflen barhad")
CONTINUATION_HOW = Text(
    en="Use this sheet only if there was no room left. If there is no room here either, add a sheet with your name, the number "
    "of the question and your answers.",
    cy="Defnyddiwch y daflen hon dim ond os nad oedd lle ar ôl. Os nad oes lle yma ychwaith, ychwanegwch ddalen gyda'ch enw, "
    "rhif y cwestiwn a'ch atebion.",
)
CONTINUED = Text(en="Question {number}, continued", cy="Cwestiwn {number}, parhad")
LETTERS = Text(en="Write one of these letters: {choices}.", cy="Ysgrifennwch un o'r llythrennau hyn: {choices}.")
SIGNATURE = Text(en="Signature", cy="Llofnod")
SIGNED_BY = Text(
    en="If somebody signs for the claimant: name, and by what right (appointee, power of attorney)",
    cy="Os bydd rhywun yn llofnodi ar ran yr hawlydd: enw, a thrwy ba hawl (penodai, pŵer atwrnai)",
)
DATE = Text(en="Date", cy="Dyddiad")
PAGE = Text(en="Page {number}", cy="Tudalen {number}")
