"""Converts requests to the domain. Errors name every field at fault, and hold no value."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import ParamSpec, TypeVar
from uuid import UUID

from google.protobuf import struct_pb2

from chassis import clock
from chassis.check_digit import is_claim_reference
from chassis.conversions import day_of, time_of
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Violation
from chassis.pages import place_of
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.domain import values
from intake.domain.answers import read_field, validate_answer
from intake.domain.call import Caller, Outcome
from intake.domain.claim import GivenAnswer
from intake.domain.script import Script
from intake.domain.search import LookUps, Search
from intake.domain.values import JsonValue
from intake.service.calls import CallAsked
from intake.service.look_ups import nino_look_up, person_look_up, postcode_look_up

PAGE_SIZE = 50
LARGEST_PAGE = 200
_LONGEST_REASON = 500
_OFFICE_CODE = re.compile(r"[0-9]{6}")

P = ParamSpec("P")
Value = TypeVar("Value")


class Faults:
    """Collects the fields at fault, so that one error names all of them."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        """Adds a field at fault."""
        self._found.append(Violation(field=field, description=description))

    def catch(self, read: Callable[P, Value], *of: P.args, **given: P.kwargs) -> Value | None:
        """The result of `read`; None where it raises InvalidArgument, whose violations are kept."""
        try:
            return read(*of, **given)
        except InvalidArgument as error:
            self._found.extend(error.violations)
            return None

    def refuse(self) -> None:
        """Raises InvalidArgument if there is any fault."""
        if self._found:
            raise InvalidArgument.of(*self._found)


def claim_ref(text: str) -> str:
    """A claim's reference. Raises InvalidArgument for anything else."""
    if not is_claim_reference(text):
        raise InvalidArgument.of(
            Violation(field="claim_ref", description="is not a claim reference: check each character")
        )
    return text


def call_id(text: str) -> UUID:
    """A call's id. Raises InvalidArgument where it is not a UUID."""
    try:
        return UUID(text)
    except ValueError:
        violation = Violation(field="call_id", description="must be a UUID")
    raise InvalidArgument.of(violation)


def section(script: Script, name: str) -> str | None:
    """A section's name; None for all sections. Raises InvalidArgument for a section that the script does not have."""
    if name and name not in {part.id for part in script.sections}:
        raise InvalidArgument.of(Violation(field="section", description="is not a section of the interview"))
    return name or None


def reason(text: str) -> str:
    """The reason for a change. Raises InvalidArgument where it is not a line of text."""
    return str(read_field("reason", lambda given: values.read_text(given, _LONGEST_REASON), text))


def only_changed(view: "pb.InterviewView.ValueType") -> bool:
    """Whether only what a save changed is to be shown."""
    return view == pb.INTERVIEW_VIEW_CHANGED


def answers(script: Script, given: Sequence[pb.Answer]) -> dict[str, GivenAnswer]:
    """Answers by question, canonical. Raises InvalidArgument that names each question at fault."""
    faults, read, today = Faults(), dict[str, GivenAnswer](), clock.today()
    for answer in given:
        value = faults.catch(_answer, script, answer, today)
        if answer.question_id in read:
            faults.add(answer.question_id, "is answered twice in one request")
        elif value:
            read[answer.question_id] = value
    faults.refuse()
    return read


def call_asked(script: Script, request: pb.StartCallRequest) -> CallAsked:
    """The request for a call. Raises InvalidArgument."""
    faults = Faults()
    if list(request.schemes) != [number_of(common_pb2.Scheme, script.scheme)]:
        faults.add("schemes", f"must be {script.scheme} alone: no other scheme can be claimed by phone yet")
    if request.nino and request.claim_ref:
        faults.add("claim_ref", "must not be given together with a nino")
    asked = CallAsked(
        purpose=faults.catch(name_of, pb.CallPurpose, request.purpose, field="purpose") or "",
        nino=_optional(faults, "nino", values.read_nino, request.nino),
        claim_ref=faults.catch(claim_ref, request.claim_ref) if request.claim_ref else None,
        schemes=(script.scheme,),
        language=faults.catch(name_of, common_pb2.Language, request.language, field="language") or "",
        needs=tuple(faults.catch(name_of, pb.CallNeed, need, field="needs") or "" for need in request.needs),
        caller=_caller(faults, request.caller),
    )
    faults.refuse()
    return asked


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
    if not 0 <= request.page_size <= LARGEST_PAGE:
        faults.add("page_size", f"must be from 1 to {LARGEST_PAGE}, or 0 for {PAGE_SIZE}")
    found = Search(
        look_ups=_look_ups(faults, vault, request),
        state=faults.catch(name_of, pb.ClaimState, request.state, field="state") if request.state else None,
        office=request.office or None,
        after=faults.catch(_after, request.page_token) if request.page_token else None,
        limit=request.page_size or PAGE_SIZE,
    )
    faults.refuse()
    return found


def json_value(value: struct_pb2.Value) -> JsonValue:
    """The JSON value of a message. Raises InvalidArgument where it is not one."""
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
    raise InvalidArgument.of(Violation(field="answers", description="contains a value that is not a JSON value"))


def _answer(script: Script, answer: pb.Answer, today: date) -> GivenAnswer:
    value = validate_answer(script, answer.question_id, json_value(answer.value), today=today)
    return GivenAnswer(value=value, accept_transliteration=answer.accept_transliteration)


def _check_criteria(faults: Faults, request: pb.ListClaimsRequest) -> None:
    if bool(request.surname) != request.HasField("date_of_birth"):
        faults.add(
            "date_of_birth" if request.surname else "surname", "surname and date_of_birth must be given together"
        )
    if not (request.nino or request.surname or request.state or request.office):
        for field in ("nino", "surname", "state", "office"):
            faults.add(field, "give a nino, a surname with date_of_birth, a state or an office")
    if request.office and not _OFFICE_CODE.fullmatch(request.office):
        faults.add("office", "must be six digits")


def _look_ups(faults: Faults, vault: Vault, request: pb.ListClaimsRequest) -> LookUps:
    born = faults.catch(_date_of_birth, request) if request.HasField("date_of_birth") else None
    nino = _optional(faults, "nino", values.read_nino, request.nino)
    surname = _optional(faults, "surname", values.read_name, request.surname)
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
    relation = faults.catch(name_of, pb.CallerRelation, caller.relation, field="caller.relation") or ""
    if relation == "REPRESENTATIVE":
        for field in ("name", "authority"):
            if not getattr(caller, field):
                faults.add(f"caller.{field}", "is required for a representative")
    return Caller(
        relation=relation,
        name=_optional(faults, "caller.name", values.read_name, caller.name) or "",
        authority=_optional(faults, "caller.authority", values.read_text, caller.authority) or "",
    )


def _date_of_birth(request: pb.ListClaimsRequest) -> str:
    born = day_of(request.date_of_birth, field="date_of_birth")
    return str(read_field("date_of_birth", values.read_date, born.isoformat()))


def _after(token: str) -> tuple[datetime, str]:
    time, reference = place_of(token, datetime, str)
    return time, reference
