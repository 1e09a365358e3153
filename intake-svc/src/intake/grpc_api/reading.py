"""Converts requests to the domain. Errors name every field at fault, and hold no value."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from google.protobuf import struct_pb2

from chassis import clock
from chassis.check_digit import canonical, is_claim_reference
from chassis.conversions import day_of, is_uuid, time_of, uuid_of
from chassis.database import Connection
from chassis.enums import name_of
from chassis.errors import InvalidArgument, Violation
from chassis.pages import page_size, place_of
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.domain import problems, values
from intake.domain.answers import read_field
from intake.domain.call import Caller, Capacity, Outcome
from intake.domain.catalogue import Catalogue
from intake.domain.given import Faults, RawAnswer
from intake.domain.scheme_names import with_scheme
from intake.domain.search import LookUps, Search
from intake.domain.values import JsonValue
from intake.service.calls import CallAsked, language_of_call, language_of_claim
from intake.service.forms import FormAsked
from intake.service.look_ups import nino_look_up, person_look_up, postcode_look_up, surname_look_up

PAGE_SIZE = 50
LARGEST_PAGE = 200
HISTORY_PAGE_SIZE = 200
LARGEST_HISTORY_PAGE = 500
_LONGEST_REASON = 500
_OFFICE_CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, kw_only=True)
class DuplicateDecided:
    """A decision about two claims; `verdict` is SAME_PERSON or OTHER_PERSON."""

    claim_ref: str
    other_ref: str
    verdict: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class HistoryPage:
    """A page of a history: at most `limit` entries, those behind `after` (a version and a question's id)."""

    after: tuple[int, str]
    limit: int


def claim_ref(text: str) -> str:
    """A claim's reference. Raises InvalidArgument for anything else."""
    if not is_claim_reference(text):
        raise InvalidArgument.of(Violation.of("claim_ref", problems.NOT_A_REFERENCE))
    return text


def call_id(text: str) -> UUID:
    """A call's id. Raises InvalidArgument where it is not a UUID."""
    return uuid_of(text, field="call_id")


def one_of(**given: object) -> None:
    """Raises InvalidArgument naming each of these fields unless exactly one of them is given."""
    if sum(bool(value) for value in given.values()) != 1:
        problem = problems.ONE_OF.of(fields=", ".join(given))
        raise InvalidArgument.of(*(Violation.of(field, problem) for field in given))


def reason(text: str) -> str:
    """The reason for a change. Raises InvalidArgument where it is not a line of text."""
    return str(read_field("reason", lambda given: values.read_text(given, _LONGEST_REASON), text))


def only_changed(view: "pb.InterviewView.ValueType") -> bool:
    """Whether only what a save changed is to be shown."""
    return view == pb.INTERVIEW_VIEW_CHANGED


def answers(given: Sequence[pb.Answer]) -> list[RawAnswer]:
    """Answers as they stand in the request: the claim's own script reads them."""
    return [
        RawAnswer(
            question_id=answer.question_id,
            value=json_value(answer.value),
            accept_transliteration=answer.accept_transliteration,
        )
        for answer in given
    ]


def schemes(given: Sequence["common_pb2.Scheme.ValueType"], *, catalogue: Catalogue | None = None) -> tuple[str, ...]:
    """Schemes by their names. Raises InvalidArgument for one that is named twice or that the catalogue does not have."""
    faults = Faults()
    names = [
        faults.catch(name_of, common_pb2.Scheme, scheme, field=f"schemes[{at}]") for at, scheme in enumerate(given)
    ]
    for at, name in enumerate(names):
        if name is not None and name in names[:at]:
            faults.add(f"schemes[{at}]", problems.SCHEME_TWICE)
        elif name is not None and catalogue is not None and name not in catalogue.schemes:
            faults.add(f"schemes[{at}]", with_scheme(problems.NO_SUCH_SCHEME, name))
    faults.refuse()
    return tuple(name for name in names if name is not None)


def call_asked(catalogue: Catalogue, request: pb.StartCallRequest) -> CallAsked:
    """The request for a call. Raises InvalidArgument."""
    faults = Faults()
    if request.nino and request.claim_ref:
        faults.add("claim_ref", problems.NOT_WITH_NINO)
    asked = CallAsked(
        purpose=faults.catch(name_of, pb.CallPurpose, request.purpose, field="purpose") or "",
        nino=_optional(faults, "nino", values.read_nino, request.nino),
        claim_ref=faults.catch(claim_ref, request.claim_ref) if request.claim_ref else None,
        schemes=faults.catch(schemes, request.schemes, catalogue=catalogue) or (),
        language=faults.catch(name_of, common_pb2.Language, request.language, field="language") or "",
        needs=tuple(
            faults.catch(name_of, pb.CallNeed, need, field=f"needs[{index}]") or ""
            for index, need in enumerate(request.needs)
        ),
        caller=_caller(faults, request.caller),
    )
    faults.refuse()
    return asked


def form_asked(request: pb.ImportFormRequest) -> FormAsked:
    """The request to import a form. Raises InvalidArgument."""
    faults = Faults()
    received_on = faults.catch(day_of, request.received_on, field="received_on")
    names = [
        faults.catch(name_of, common_pb2.Scheme, scheme, field=f"schemes[{at}]")
        for at, scheme in enumerate(request.schemes)
    ]
    faults.refuse()
    return FormAsked(
        pdf=request.form.pdf,
        form_number=request.form.form_number,
        keyed=[(answer.question.strip(), json_value(answer.value)) for answer in request.form.answers],
        received_on=received_on or clock.today(),
        schemes=tuple(name for name in names if name is not None),
    )


def call_language(request: Any) -> Callable[[Connection], str | None] | None:
    """How to find the language of the call that a request names by itself or by its claim; None if it names neither."""
    if is_uuid(getattr(request, "call_id", "")):
        return partial(language_of_call, call_id=UUID(request.call_id))
    claim_ref = canonical(getattr(request, "claim_ref", ""))
    if claim_ref is not None:
        return partial(language_of_claim, claim_ref=claim_ref)
    return None


def call_end(request: pb.EndCallRequest) -> tuple[Outcome, datetime | None]:
    """The outcome of a call and the time to call back. Raises InvalidArgument."""
    outcome = Outcome(name_of(pb.CallOutcome, request.outcome, field="outcome"))
    if not request.HasField("call_back_time"):
        return outcome, None
    return outcome, time_of(request.call_back_time, field="call_back_time")


def search(vault: Vault, request: pb.ListClaimsRequest) -> Search:
    """The search of a list request. Raises InvalidArgument."""
    faults = Faults()
    _check_criteria(faults, request)
    surname = _optional(faults, "surname", values.read_name, request.surname)
    found = Search(
        look_ups=_look_ups(faults, vault, request, surname=surname),
        state=faults.catch(name_of, pb.ClaimState, request.state, field="state") if request.state else None,
        office=request.office or None,
        after=faults.catch(_after, request),
        limit=faults.catch(page_size, request, usual=PAGE_SIZE, largest=LARGEST_PAGE) or PAGE_SIZE,
        surname=surname_look_up(vault, surname) if surname else None,
    )
    faults.refuse()
    return found


def history_page(request: pb.GetHistoryRequest) -> HistoryPage:
    """The page of a history that is asked for. Raises InvalidArgument."""
    faults = Faults()
    limit = faults.catch(page_size, request, usual=HISTORY_PAGE_SIZE, largest=LARGEST_HISTORY_PAGE)
    place = faults.catch(place_of, request, int, str)
    faults.refuse()
    return HistoryPage(after=(place[0], place[1]) if place else (0, ""), limit=limit or HISTORY_PAGE_SIZE)


def at_time(request: pb.GetInterviewRequest) -> datetime | None:
    """The time at which an interview is asked for; None for now.

    Raises InvalidArgument, also where the records are to be checked: they are made of the claim as it stands.
    """
    if request.check_records and request.HasField("at_time"):
        raise InvalidArgument.of(Violation.of("check_records", problems.ONLY_AS_IT_STANDS))
    return time_of(request.at_time, field="at_time") if request.HasField("at_time") else None


def expect_answers(request: pb.RecordAnswersRequest) -> None:
    """Raises InvalidArgument where a request neither answers anything nor confirms anything."""
    if not request.answers and not request.confirm_earlier:
        raise InvalidArgument.of(Violation.of("answers", problems.NOTHING_GIVEN))


def duplicate(request: pb.DecideDuplicateRequest) -> DuplicateDecided:
    """The decision about a possible duplicate. Raises InvalidArgument."""
    faults = Faults()
    other = canonical(request.other_claim_ref)
    if other is None:
        faults.add("other_claim_ref", problems.NOT_A_REFERENCE)
    decided = DuplicateDecided(
        claim_ref=faults.catch(claim_ref, request.claim_ref) or "",
        other_ref=other or "",
        verdict=faults.catch(name_of, pb.DuplicateVerdict, request.verdict, field="verdict") or "",
        reason=faults.catch(reason, request.reason) or "",
    )
    faults.refuse()
    return decided


def json_value(value: struct_pb2.Value) -> JsonValue:
    """The JSON value of a message."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "number_value":
            return value.number_value
        case "null_value":
            return None
        case "struct_value":
            return {name: json_value(part) for name, part in value.struct_value.fields.items()}
        case "list_value":
            return [json_value(part) for part in value.list_value.values]
    raise ValueError("the chassis lets no value pass that is not a JSON value")


def _check_criteria(faults: Faults, request: pb.ListClaimsRequest) -> None:
    if bool(request.surname) != request.HasField("date_of_birth"):
        faults.add("date_of_birth" if request.surname else "surname", problems.TOGETHER)
    if not (request.nino or request.surname or request.state or request.office):
        for field in ("nino", "surname", "state", "office"):
            faults.add(field, problems.NO_CRITERION)
    if request.office and not _OFFICE_CODE.fullmatch(request.office):
        faults.add("office", problems.NOT_SIX_DIGITS)


def _look_ups(faults: Faults, vault: Vault, request: pb.ListClaimsRequest, *, surname: str | None) -> LookUps:
    born = faults.catch(_date_of_birth, request) if request.HasField("date_of_birth") else None
    nino = _optional(faults, "nino", values.read_nino, request.nino)
    postcode = _optional(faults, "postcode", values.read_postcode, request.postcode)
    return LookUps(
        nino=nino_look_up(vault, nino) if nino else None,
        person=person_look_up(vault, surname=surname, date_of_birth=born) if surname and born else None,
        postcode=postcode_look_up(vault, postcode) if postcode else None,
    )


def _optional(faults: Faults, field: str, read: Callable[[JsonValue], JsonValue], text: str) -> str | None:
    value = faults.catch(read_field, field, read, text) if text else None
    return None if value is None else str(value)


def _caller(faults: Faults, caller: pb.Caller) -> Caller:
    given = Caller(
        relation=faults.catch(name_of, pb.CallerRelation, caller.relation, field="caller.relation") or "",
        capacity=_capacity(faults, caller),
        claimant_present=caller.claimant_present,
        name=_optional(faults, "caller.name", values.read_name, caller.name) or "",
        authority=_optional(faults, "caller.authority", values.read_text, caller.authority) or "",
    )
    for field, problem in given.problems():
        if not faults.has(f"caller.{field}"):
            faults.add(f"caller.{field}", problem)
    return given


def _capacity(faults: Faults, caller: pb.Caller) -> str:
    if not caller.capacity:
        return Capacity.UNSPECIFIED
    return faults.catch(name_of, pb.RepresentativeCapacity, caller.capacity, field="caller.capacity") or ""


def _date_of_birth(request: pb.ListClaimsRequest) -> str:
    born = day_of(request.date_of_birth, field="date_of_birth")
    return str(read_field("date_of_birth", values.read_date, born.isoformat()))


def _after(request: pb.ListClaimsRequest) -> tuple[datetime, str] | None:
    place = place_of(request, datetime, str)
    return (place[0], place[1]) if place else None
