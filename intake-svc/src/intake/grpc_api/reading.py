"""What requests say, in the domain's words. Every field at fault is named, and no value goes into an error."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from google.protobuf import struct_pb2

from chassis import clock
from chassis.errors import InvalidArgument, Violation
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.domain import values
from intake.domain.answers import read_field, validate_answer
from intake.domain.call import Caller, Outcome
from intake.domain.claim import GivenAnswer
from intake.domain.references import is_claim_reference
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
    """Gathers the fields at fault, so that a caller is told of all of them at once."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        """One field at fault."""
        self._found.append(Violation(field=field, description=description))

    def catch(self, read: Callable[P, Value], *of: P.args, **given: P.kwargs) -> Value | None:
        """What `read` gives of what is given to it; None where it raises InvalidArgument, whose fields are kept."""
        try:
            return read(*of, **given)
        except InvalidArgument as error:
            self._found.extend(error.violations)
            return None

    def refuse(self) -> None:
        """Raises InvalidArgument where there is any fault."""
        if self._found:
            raise InvalidArgument.of(*self._found)


def claim_ref(text: str) -> str:
    """A claim's reference. Raises InvalidArgument where it has not the form of one."""
    if not is_claim_reference(text):
        raise InvalidArgument.of(Violation(field="claim_ref", description="is not a claim reference: check each sign"))
    return text


def call_id(text: str) -> UUID:
    """A call's id. Raises InvalidArgument where it is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        violation = Violation(field="call_id", description="must be a UUID")
    raise InvalidArgument.of(violation)


def section(script: Script, name: str) -> str | None:
    """A section's name; None for all of them. Raises InvalidArgument for one that the script has not."""
    if name and name not in {part.id for part in script.sections}:
        raise InvalidArgument.of(Violation(field="section", description="is not a section of the interview"))
    return name or None


def reason(text: str) -> str:
    """Why answers change. Raises InvalidArgument where it is no line of text."""
    return str(read_field("reason", lambda given: values.read_text(given, _LONGEST_REASON), text))


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
    """What a call begins with. Raises InvalidArgument."""
    faults = Faults()
    schemes = tuple(common_pb2.Scheme.Name(scheme).removeprefix("SCHEME_") for scheme in request.schemes)
    if schemes != (script.scheme,):
        faults.add("schemes", f"can be claimed by phone at present: {script.scheme}, once")
    if request.nino and request.claim_ref:
        faults.add("claim_ref", "is given instead of a nino, not with it")
    asked = CallAsked(
        purpose=_word(pb.CallPurpose, request.purpose, "CALL_PURPOSE_"),
        nino=_optional(faults, "nino", values.read_nino, request.nino),
        claim_ref=faults.catch(claim_ref, request.claim_ref) if request.claim_ref else None,
        schemes=schemes,
        language=_word(common_pb2.Language, request.language, "LANGUAGE_"),
        needs=_needs(faults, request),
        caller=_caller(faults, request.caller),
    )
    faults.refuse()
    return asked


def call_end(request: pb.EndCallRequest) -> tuple[Outcome, datetime | None]:
    """How a call ended, and when to call back. Raises InvalidArgument for a time that no calendar has."""
    outcome = Outcome(_word(pb.CallOutcome, request.outcome, "CALL_OUTCOME_"))
    if not request.HasField("call_back_time"):
        return outcome, None
    try:
        return outcome, request.call_back_time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        violation = Violation(field="call_back_time", description="is not a time of the calendar")
    raise InvalidArgument.of(violation)


def search(vault: Vault, request: pb.ListClaimsRequest) -> Search:
    """Which claims to list. Raises InvalidArgument."""
    faults = Faults()
    born = faults.catch(_date_of_birth, request)
    if bool(request.surname) != request.HasField("date_of_birth"):
        faults.add("date_of_birth" if request.surname else "surname", "goes together with the other of the two")
    if not (request.nino or request.surname or request.state or request.office):
        for field in ("nino", "surname", "state", "office"):
            faults.add(field, "one of nino, surname with date_of_birth, state, and office is needed")
    if request.office and not _OFFICE_CODE.fullmatch(request.office):
        faults.add("office", "must be six digits")
    if not 0 <= request.page_size <= LARGEST_PAGE:
        faults.add("page_size", f"must be from 1 to {LARGEST_PAGE}, or 0 for {PAGE_SIZE}")
    nino = _optional(faults, "nino", values.read_nino, request.nino)
    surname = _optional(faults, "surname", values.read_name, request.surname)
    postcode = _optional(faults, "postcode", values.read_postcode, request.postcode)
    after = faults.catch(_page, request.page_token)
    faults.refuse()
    return Search(
        look_ups=LookUps(
            nino=nino_look_up(vault, nino) if nino else None,
            person=person_look_up(vault, surname=surname, date_of_birth=born) if surname and born else None,
            postcode=postcode_look_up(vault, postcode) if postcode else None,
        ),
        state=_word(pb.ClaimState, request.state, "CLAIM_STATE_") if request.state else None,
        office=request.office or None,
        after=after,
        limit=request.page_size or PAGE_SIZE,
    )


def page_token(after: tuple[datetime, str]) -> str:
    """Where a page ended; opaque to callers."""
    return base64.urlsafe_b64encode(f"{after[0].isoformat()}|{after[1]}".encode()).decode()


def json_value(value: struct_pb2.Value) -> JsonValue:
    """The JSON value of a message. Raises InvalidArgument where it holds none."""
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
    raise InvalidArgument.of(Violation(field="answers", description="holds a value that is none of JSON's"))


def _answer(script: Script, answer: pb.Answer, today: date) -> GivenAnswer:
    value = validate_answer(script, answer.question_id, json_value(answer.value), today=today)
    return GivenAnswer(value=value, accept_transliteration=answer.accept_transliteration)


def _word(kind: Any, number: int, prefix: str) -> str:
    return str(kind.Name(number)).removeprefix(prefix)


def _optional(faults: Faults, field: str, read: Callable[[JsonValue], JsonValue], text: str) -> str | None:
    value = faults.catch(read_field, field, read, text) if text else None
    return None if value is None else str(value)


def _needs(faults: Faults, request: pb.StartCallRequest) -> tuple[str, ...]:
    needs = tuple(_word(pb.CallNeed, need, "CALL_NEED_") for need in request.needs)
    if "UNSPECIFIED" in needs:
        faults.add("needs", "holds one that is not given")
    return needs


def _caller(faults: Faults, caller: pb.Caller) -> Caller:
    relation = _word(pb.CallerRelation, caller.relation, "CALLER_RELATION_")
    if relation == "REPRESENTATIVE":
        for field in ("name", "authority"):
            if not getattr(caller, field):
                faults.add(f"caller.{field}", "is required of a representative")
    return Caller(
        relation=relation,
        name=_optional(faults, "caller.name", values.read_name, caller.name) or "",
        authority=_optional(faults, "caller.authority", values.read_text, caller.authority) or "",
    )


def _date_of_birth(request: pb.ListClaimsRequest) -> str | None:
    if not request.HasField("date_of_birth"):
        return None
    given = request.date_of_birth
    return str(read_field("date_of_birth", values.read_date, f"{given.year:04}-{given.month:02}-{given.day:02}"))


def _page(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        time, _, reference = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
        return datetime.fromisoformat(time).astimezone(UTC), claim_ref(reference)
    except (binascii.Error, ValueError, OverflowError, InvalidArgument):
        violation = Violation(field="page_token", description="is not one that ListClaims gave")
    raise InvalidArgument.of(violation)
