"""Paper forms: a filled form becomes a draft, with what is sound of it, to be finished by one short call."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import AlreadyExists, InvalidArgument, Violation
from chassis.postcodes import Postcodes
from intake import metrics, paper
from intake.domain import claim as claims
from intake.domain import problems
from intake.domain.catalogue import Catalogues
from intake.domain.claim import FIRST_VERSION, LONDON, Channel, Claim, ClaimState
from intake.domain.forms.layout import FORM_VERSION, IDENTITY_BOX, Form, FormIdentity, form_of
from intake.domain.forms.reading import FormProblem, FormRead, problems_of, read_boxes, read_keyed
from intake.domain.given import GivenAnswer
from intake.domain.interview import evaluate, known_values
from intake.domain.references import new_claim_reference
from intake.domain.values import JsonValue
from intake.service.calls import usual_grade
from intake.service.duplicates import look_for_duplicates
from intake.service.earlier import link_earlier
from intake.service.events import announce
from intake.service.interviews import InterviewShown, origin_of, show_again
from intake.service.look_ups import look_ups, nino_look_up
from intake.service.places import placed
from intake.store.answers import save_answers
from intake.store.bindings import load_binding
from intake.store.claims import find_open_claim, insert_claim, load_claim
from intake.store.duplicates import undecided_duplicates

LONGEST_AGO = timedelta(days=366)
"""A form that lay longer than this is not taken as it stands: what it says is a year old."""


@dataclass(frozen=True, kw_only=True)
class FormAsked:
    """The request to import a form: a PDF, or answers by the number or the id of their question."""

    pdf: bytes
    form_number: str
    keyed: Sequence[tuple[str, JsonValue]]
    received_on: date
    schemes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OpenedForm:
    """A form that is ours, with what stands in it, before anything is saved."""

    form: Form
    identity: FormIdentity
    channel: Channel
    received_on: date
    read: FormRead


@dataclass(frozen=True, kw_only=True)
class ToldProblem:
    """A problem in the form's language. It holds no answer."""

    question_id: str
    number: int
    part: int
    field: str
    text: str


@dataclass(frozen=True, kw_only=True)
class FormImported:
    """The draft that was made of a form."""

    claim: Claim
    shown: InterviewShown
    problems: tuple[ToldProblem, ...]


def open_form(catalogues: Catalogues, asked: FormAsked) -> OpenedForm:
    """Reads a form, outside any transaction: a PDF takes some tenths of a second.

    Raises InvalidArgument, which names the field, for a PDF that is none, another form's, another catalogue's, and for a date
    or schemes that do not go with it.
    """
    _refuse_wrong_day(asked.received_on)
    if bool(asked.pdf) == bool(asked.keyed):
        raise InvalidArgument.of(Violation.of("form", problems.PDF_OR_ANSWERS))
    boxes = paper.read_pdf(asked.pdf) if asked.pdf else {}
    identity = _identity(catalogues, asked, boxes.get(IDENTITY_BOX, ""))
    catalogue = catalogues[identity.catalogue]
    catalogue.refuse_closed(asked.schemes, asked.received_on)
    form = form_of(catalogue.script_for(identity.schemes))
    if asked.pdf:
        channel, read = Channel.SCREEN_FORM, read_boxes(form, boxes, day=asked.received_on)
    else:
        channel, read = Channel.KEYED_FORM, read_keyed(form, _by_id(form, asked.keyed), day=asked.received_on)
    return OpenedForm(form=form, identity=identity, channel=channel, received_on=asked.received_on, read=read)


def import_form(conn: Connection, catalogues: Catalogues, opened: OpenedForm, *, postcodes: Postcodes) -> FormImported:
    """Saves all sound answers of a form as a new draft, whose first contact is the day on which it was received.

    Raises AlreadyExists (`OPEN_CLAIM`) where the person has an open claim in one of the schemes, and InvalidArgument for a form
    without any sound answer.
    """
    given, found = _given(opened, postcodes)
    if not given:
        raise InvalidArgument.of(Violation.of("form", problems.NOTHING_ON_THE_FORM))
    _refuse_second_claim(conn, opened, given)
    change = claims.record_answers(_draft(opened), opened.form.script, {}, given)
    vault, claim = call.current().vault, change.claim
    found_by = look_ups(vault, change.answers)
    try:
        with conn.savepoint():
            insert_claim(conn, claim, found_by)
    except AlreadyExists:
        _refuse_second_claim(conn, opened, given)  # another form or call made it at this moment: now it can be named
        raise
    origin = origin_of(call.current().identity, opened.form.script)
    save_answers(conn, vault.cipher(conn, claim.claim_ref), claim, change.changed, origin=origin, look_ups=found_by)
    if found_by.nino:
        link_earlier(conn, catalogues, claim.claim_ref, found_by.nino)
    look_for_duplicates(conn, claim, change.answers)
    for event in change.events:
        announce(conn, claim, event)
    access_log.record_access(conn, claim_ref=claim.claim_ref, purpose=f"form {opened.identity}")
    interview = evaluate(
        opened.form.script, change.answers, language=opened.identity.language, contact_date=claim.contact_date
    )
    _count(conn, opened.channel, len(interview.missing), found)
    return FormImported(
        claim=claim,
        shown=InterviewShown(
            claim_ref=claim.claim_ref,
            version=claim.version,
            interview=interview,
            duplicates=undecided_duplicates(conn, claim.claim_ref),
        ),
        problems=tuple(_told(opened, problem) for problem in found),
    )


def imported_again(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    *,
    language: str,
    claim_language: str,
    problems: Sequence[Mapping[str, object]],
    duplicates: Sequence[str] = (),
) -> FormImported:
    """The first response to the import of a form, for the request's repeat."""
    shown = show_again(
        conn, catalogues, claim_ref, version=FIRST_VERSION, language=language, duplicates=duplicates, in_call=False
    )
    bound = load_binding(conn, claim_ref, version=FIRST_VERSION)
    claim = load_claim(conn, claim_ref, caller=call.current().identity.subject).claim
    first = replace(
        claim,
        schemes=bound.schemes,
        catalogue=bound.catalogue,
        version=FIRST_VERSION,
        state=ClaimState.DRAFT,
        language=claim_language,
        submit_time=None,
        evidence_complete_time=None,
        office_code=None,
    )
    return FormImported(claim=first, shown=shown, problems=tuple(ToldProblem(**problem) for problem in problems))  # type: ignore[arg-type]


def _refuse_wrong_day(received_on: date) -> None:
    today = clock.today()
    if received_on > today:
        raise InvalidArgument.of(Violation.of("received_on", problems.NOT_IN_PAST))
    if received_on < today - LONGEST_AGO:
        raise InvalidArgument.of(Violation.of("received_on", problems.TOO_LONG_AGO.of(days=LONGEST_AGO.days)))


def _identity(catalogues: Catalogues, asked: FormAsked, written: str) -> FormIdentity:
    """Which form it is. An earlier catalogue's form is taken with that catalogue: it may have been weeks in the post."""
    field = "form.pdf" if asked.pdf else "form.form_number"
    if not asked.pdf and not asked.form_number:
        return FormIdentity(catalogue=catalogues.newest.number, schemes=asked.schemes, language="EN")
    identity = FormIdentity.read(written if asked.pdf else asked.form_number)
    if identity is None or identity.version != FORM_VERSION:
        raise InvalidArgument.of(Violation.of(field, problems.NOT_OUR_FORM))
    if identity.catalogue not in catalogues.numbers:
        raise InvalidArgument.of(Violation.of(field, problems.OTHER_CATALOGUE.of(number=identity.catalogue)))
    if set(identity.schemes) != set(asked.schemes):
        raise InvalidArgument.of(Violation.of("schemes", problems.OTHER_SCHEMES.of(form=identity)))
    missing = set(identity.schemes) - set(catalogues[identity.catalogue].schemes)
    if missing:
        raise InvalidArgument.of(Violation.of(field, problems.OTHER_CATALOGUE.of(number=identity.catalogue)))
    return identity


def _by_id(form: Form, keyed: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Keyed answers by question. Raises InvalidArgument naming each that is no question of the form, or keyed twice."""
    given: dict[str, JsonValue] = {}
    wrong: list[Violation] = []
    for at, (name, value) in enumerate(keyed):
        entry = form.by_number.get(int(name)) if name.isascii() and name.isdigit() else form.by_id.get(name)
        if entry is None:
            wrong.append(Violation.of(f"form.answers[{at}].question", problems.NOT_ON_THE_FORM))
        elif entry.id in given:
            wrong.append(Violation.of(f"form.answers[{at}].question", problems.ANSWERED_TWICE))
        else:
            given[entry.id] = value
    if wrong:
        raise InvalidArgument.of(*wrong)
    return {name: value for name, value in given.items() if value is not None}


def _given(opened: OpenedForm, postcodes: Postcodes) -> tuple[dict[str, GivenAnswer], list[FormProblem]]:
    """The answers that go into the claim, and everything that is wrong; what does not apply is kept out, and said so."""
    script = opened.form.script
    given, found = dict[str, GivenAnswer](), list(opened.read.problems)
    for name, value in opened.read.answers.items():
        try:
            given |= placed(postcodes, script, {name: GivenAnswer(value=value)})
        except InvalidArgument as error:
            found.extend(problems_of(opened.form.by_id[name], error))
    change = claims.record_answers(_draft(opened), script, {}, given)
    relevant = known_values(script, change.answers, change.claim.contact_date).relevant
    for name in [name for name in given if name not in relevant]:
        del given[name]
        found.append(FormProblem(entry=opened.form.by_id[name], text=problems.NOT_ASKED_OF_THEM))
    return given, sorted(found, key=lambda problem: problem.entry.number if problem.entry else 0)


def _refuse_second_claim(conn: Connection, opened: OpenedForm, given: Mapping[str, GivenAnswer]) -> None:
    nino = given["nino"].value if "nino" in given else None
    if not isinstance(nino, str):
        return
    known = find_open_claim(conn, nino_look_up(call.current().vault, nino), opened.identity.schemes)
    if known is not None:
        taken = Violation.of("nino", problems.NINO_TAKEN)
        raise AlreadyExists(
            "OPEN_CLAIM",
            "an open claim for this scheme has this nino",
            metadata={"claim_ref": known},
            violations=[taken],
        )


def _draft(opened: OpenedForm) -> Claim:
    """The claim before its answers: they make its first version."""
    identity = call.current().identity
    return Claim(
        claim_ref=new_claim_reference(random.SystemRandom()),
        schemes=tuple(sorted(opened.identity.schemes)),
        catalogue=opened.identity.catalogue,
        state=ClaimState.DRAFT,
        version=0,
        language=opened.identity.language,
        first_contact_time=datetime.combine(opened.received_on, time(), LONDON),
        operator=identity.subject,
        operator_grade=usual_grade(identity),
        channel=opened.channel,
    )


def _told(opened: OpenedForm, problem: FormProblem) -> ToldProblem:
    language, entry = opened.identity.language, problem.entry
    said = problem.text.spoken(language)
    if entry is None:
        return ToldProblem(
            question_id="", number=0, part=0, field="form", text=problems.FORM_SAYS.of(said=said).spoken(language)
        )
    part = opened.form.parts[entry.part - 1]
    whole = problems.QUESTION_SAYS.of(number=entry.number, part=entry.part, name=part.name.spoken(language), said=said)
    return ToldProblem(
        question_id=entry.id,
        number=entry.number,
        part=entry.part,
        field=entry.id + problem.at,
        text=whole.spoken(language),
    )


def _count(conn: Connection, channel: Channel, left: int, found: Sequence[FormProblem]) -> None:
    def count() -> None:
        metrics.FORM_OPEN_QUESTIONS.labels(channel).observe(left)
        metrics.FORM_PROBLEMS.labels(channel).inc(len(found))

    conn.after_commit(count)
