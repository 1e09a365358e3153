"""Converts the domain to messages of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Any, TypeVar

from google.protobuf import struct_pb2

from chassis.conversions import date_message, timestamp
from chassis.enums import number_of
from chassis.pages import token_of
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.domain.accounts import AccountCheck
from intake.domain.answers import GAPS
from intake.domain.call import Call, Security
from intake.domain.claim import Claim, ClaimState, Withdrawal, value_of
from intake.domain.history import HistoryEntry
from intake.domain.interview import Answers, QuestionState, SectionState
from intake.domain.script import Choice, Field, Limits, Question, Script
from intake.domain.search import Search
from intake.domain.values import JsonValue
from intake.service.calls import CallStarted, SecurityTried
from intake.service.claims import ClaimShown, FactsShown
from intake.service.earlier import EarlierShown
from intake.service.effects import EffectShown
from intake.service.forms import FormImported
from intake.service.interviews import InterviewShown
from intake.service.places import name_of_council

State = TypeVar("State", QuestionState, SectionState)


def call_started(started: CallStarted, bank: Mapping[str, Question]) -> pb.StartCallResponse:
    """A call with its claim; of a resumed claim only its state and version."""
    response = pb.StartCallResponse(
        call=call(started.call, bank),
        claim=resumed_claim(started.claim) if started.resumed else claim(started.claim),
        resumed=started.resumed,
    )
    if started.interview and started.interview.earlier:
        asked = started.interview.earlier.asked
        response.call.security_questions.extend(_security_question(part, started.call.language) for part in asked)
    return response


def security_tried(tried: SecurityTried, bank: Mapping[str, Question]) -> pb.PassSecurityResponse:
    """A call after a try at security questions, which are in this bank."""
    response = pb.PassSecurityResponse(call=call(tried.call, bank))
    if tried.earlier:
        response.earlier.CopyFrom(_earlier(tried.earlier, tried.call.language))
    return response


def call(shown: Call, bank: Mapping[str, Question]) -> pb.Call:
    """A call, with its security questions, which are in this bank, until they are passed or failed."""
    asked = shown.security_questions if shown.security is Security.REQUIRED else ()
    return pb.Call(
        call_id=str(shown.call_id),
        claim_ref=shown.claim_ref,
        purpose=number_of(pb.CallPurpose, shown.purpose),
        language=number_of(common_pb2.Language, shown.language),
        needs=[number_of(pb.CallNeed, need) for need in shown.needs],
        security=number_of(pb.CallSecurity, shown.security),
        security_questions=[_security_question(bank[name], shown.language) for name in asked],
        tries_left=shown.tries_left,
        started=timestamp(shown.started),
        ended=timestamp(shown.ended),
        outcome=number_of(pb.CallOutcome, shown.outcome or "UNSPECIFIED"),
        talk_seconds=shown.talk_seconds,
        call_back_time=timestamp(shown.call_back_time),
        state=number_of(pb.CallState, shown.state),
        hold_seconds=shown.hold_seconds,
        wrap_up_seconds=shown.wrap_up_seconds,
    )


def claim(shown: Claim, claimant: pb.Claimant | None = None) -> pb.Claim:
    """A claim, with the claimant where that is given."""
    return pb.Claim(
        claim_ref=shown.claim_ref,
        schemes=_schemes(shown.schemes),
        state=number_of(pb.ClaimState, shown.state),
        version=shown.version,
        first_contact_time=timestamp(shown.first_contact_time),
        submit_time=timestamp(shown.submit_time),
        evidence_complete_time=timestamp(shown.evidence_complete_time),
        claimant=claimant,
        language=number_of(common_pb2.Language, shown.language),
        office_code=shown.office_code or "",
        channel=number_of(pb.ClaimChannel, shown.channel),
    )


def claim_shown(shown: ClaimShown) -> pb.Claim:
    """A claim as a caller may see it."""
    message = claim(shown.claim, _claimant(shown.answers) if shown.answers is not None else None)
    if shown.withdrawal:
        message.withdrawal.CopyFrom(_withdrawal(shown.withdrawal))
    message.needs.extend(number_of(pb.CallNeed, need) for need in shown.needs)
    return message


def claim_list(request: pb.ListClaimsRequest, found: Sequence[ClaimShown], search: Search) -> pb.ListClaimsResponse:
    """A page of claims; a full one may have another behind it."""
    last = found[-1].claim if len(found) == search.limit else None
    return pb.ListClaimsResponse(
        claims=[claim_shown(shown) for shown in found],
        next_page_token=token_of(request, last.first_contact_time, last.claim_ref) if last else "",
    )


def put_interview(
    message: pb.Interview, shown: InterviewShown, account: AccountCheck | None, *, section: str | None = None
) -> None:
    """Writes an interview with the questions that apply, or those of one section where it is named.

    Where the interview before is given, only what differs from it. `account` is the check of the account that it holds.
    """
    state, before = shown.interview, shown.before.interview if shown.before else None
    message.claim_ref = shown.claim_ref
    message.version = shown.version
    message.script_version = state.script.number
    message.next_question_id = state.next_question_id or ""
    message.asked = state.asked
    message.remaining = state.remaining
    message.not_relevant = state.not_relevant
    _put_sections(
        message, state.sections if before is None else _changed(before.sections, state.sections), state.language
    )
    for question in state.questions if before is None else _changed(before.questions, state.questions):
        if question.relevant and section in (None, question.question.section):
            _put_question(message.questions.add(), state.script, question, state.language)
            _put_earlier_answer(message.questions[-1], shown.earlier)
    _put_beside(message, shown)
    message.account_check = number_of(pb.AccountCheck, account or "UNSPECIFIED")
    if before is not None:
        still = {question.question.id for question in state.questions if question.relevant}
        applied = (question.question.id for question in before.questions if question.relevant)
        message.removed_question_ids.extend(name for name in applied if name not in still)


def amended(shown: InterviewShown, account: AccountCheck | None) -> pb.AmendAnswersResponse:
    """The interview after changes, with these, and of a preview their effect."""
    response = pb.AmendAnswersResponse(changes=[history_entry(entry) for entry in shown.changes])
    put_interview(response.interview, shown, account)
    if shown.effect:
        response.effect.CopyFrom(_effect(shown.effect))
    return response


def duplicate_decided(request: pb.DecideDuplicateRequest, shown: Claim) -> pb.DecideDuplicateResponse:
    """The claim after the decision; a draft that was withdrawn for it goes on with the other claim."""
    goes_on = shown.state is ClaimState.WITHDRAWN
    return pb.DecideDuplicateResponse(claim=claim(shown), continue_with=request.other_claim_ref if goes_on else "")


def history_entry(entry: HistoryEntry) -> pb.HistoryEntry:
    """A change of an answer."""
    return pb.HistoryEntry(
        question_id=entry.question_id,
        old=None if entry.old is None else value(entry.old),
        new=value(entry.new),
        by=entry.origin.by,
        at=timestamp(entry.origin.at),
        reason=entry.origin.reason,
        script_version=entry.origin.script_version,
        version=entry.version,
        roles=[number_of(common_pb2.Role, role) for role in entry.origin.roles],
        confirmed_from=entry.confirmed_from or "",
    )


def history(request: pb.GetHistoryRequest, entries: Sequence[HistoryEntry], *, limit: int) -> pb.GetHistoryResponse:
    """A page of a claim's history; a full one may have another behind it."""
    last = entries[-1] if len(entries) == limit else None
    return pb.GetHistoryResponse(
        entries=[history_entry(entry) for entry in entries],
        next_page_token=token_of(request, last.version, last.question_id) if last else "",
    )


def facts(shown: FactsShown) -> pb.ClaimFacts:
    """The facts of a claim for one service."""
    of = shown.claim
    return pb.ClaimFacts(
        claim_ref=of.claim_ref,
        version=shown.version,
        state=number_of(pb.ClaimState, of.state),
        schemes=_schemes(of.schemes),
        language=number_of(common_pb2.Language, of.language),
        first_contact_time=timestamp(of.first_contact_time),
        submit_time=timestamp(of.submit_time),
        evidence_complete_time=timestamp(of.evidence_complete_time),
        answers=_struct(shown.answers),
        record_forms=_struct(shown.record_forms),
        operator=of.operator,
        operator_grade=of.operator_grade,
        first_contact_recorded=of.first_contact_recorded,
    )


def value(plain: JsonValue) -> struct_pb2.Value:
    """A JSON value as a message."""
    return _struct({"value": plain}).fields["value"]


def _changed(before: Sequence[State], after: Sequence[State]) -> list[State]:
    """The states that differ, of the same questions or sections in the same order."""
    return [new for old, new in zip(before, after, strict=True) if new != old]


def _put_sections(message: pb.Interview, sections: Sequence[SectionState], language: str) -> None:
    for part in sections:
        section = part.section
        message.sections.add(name=section.id, complete=part.complete, title=section.name.spoken(language))


def _put_beside(message: pb.Interview, shown: InterviewShown) -> None:
    state = shown.interview
    for gap in state.gaps:
        kind = gap.answer.value if gap.answer else None
        message.gaps.add(
            question_id=gap.question.id,
            gap=str(kind["gap"]) if isinstance(kind, dict) else "",
            allowed=gap.blocker is None,
        )
    message.not_relevant_answers.extend(part.question.id for part in state.kept_out)
    for other in shown.duplicates:
        message.possible_duplicates.add(claim_ref=shown.claim_ref, other_claim_ref=other)
    if shown.earlier:
        message.earlier.CopyFrom(_earlier(shown.earlier, state.language))


def _earlier(shown: EarlierShown, language: str) -> pb.EarlierClaim:
    return pb.EarlierClaim(
        claim_ref=shown.link.claim_ref,
        security=number_of(pb.CallSecurity, shown.link.security),
        security_questions=[_security_question(question, language) for question in shown.asked],
        tries_left=shown.link.tries_left,
    )


def _put_earlier_answer(message: pb.Question, shown: EarlierShown | None) -> None:
    known = shown.answers.get(message.id) if shown else None
    if known:
        message.earlier.value.CopyFrom(value(known.answer.value))
        message.earlier.answered_on.CopyFrom(date_message(known.answered_on))


def _effect(shown: EffectShown) -> pb.Effect:
    effect = shown.effect
    return pb.Effect(
        changed_fields=effect.changed_fields,
        outside_fields=[
            pb.OutsideField(
                record=part.record, system=part.system, field=part.field, changed_fields=part.changed_fields
            )
            for part in shown.outside_fields
        ],
        decisions=effect.decisions,
        relevant_question_ids=effect.relevant,
        not_relevant_question_ids=effect.not_relevant,
        sends_notice=shown.sends_notice,
    )


def _put_question(message: pb.Question, script: Script, state: QuestionState, language: str) -> None:
    message.CopyFrom(_as_asked(script, state.question.id, language))
    message.required = state.required
    message.schemes.extend(_schemes(state.schemes))
    message.choices.extend(pb.Choice(code=code, text=name_of_council(code)) for code in state.options)
    if state.question.gap_allowed or not state.required:
        message.gaps_allowed.extend(GAPS)
    if state.answer is not None:
        message.answer.CopyFrom(value(state.answer.value))
        message.answered_version = state.answer.version
    if state.proposal is not None:
        message.proposal.CopyFrom(value(state.proposal))
    if state.problem:
        message.problem = state.problem.spoken(language)


@cache
def _as_asked(script: Script, question_id: str, language: str) -> pb.Question:
    """The part of a question that is the same in every interview, to be copied."""
    question = script.questions[question_id]
    return pb.Question(
        id=question.id,
        section=question.section,
        text=question.text.spoken(language),
        kind=number_of(pb.QuestionKind, question.kind),
        help=question.help.spoken(language) if question.help else "",
        choices=_choices(question.choices, language),
        fields=[_group_field(field, language) for field in question.fields],
        seconds=question.seconds,
        position=list(script.questions).index(question_id) + 1,
        sensitivity=[number_of(pb.Sensitivity, mark) for mark in sorted(question.sensitivity)],
        answered_by=number_of(pb.AnsweredBy, question.answered_by),
        **_limits(question.limits),
    )


def _limits(limits: Limits) -> dict[str, Any]:
    """The limits that there are, as fields of a question or a group's field."""
    given = {
        "max_length": limits.max_length,
        "maximum": None if limits.maximum is None else float(limits.maximum),
        "decimals": limits.decimals,
        "max_entries": limits.max_entries,
    }
    return {name: limit for name, limit in given.items() if limit is not None}


def _group_field(field: Field, language: str) -> pb.GroupField:
    return pb.GroupField(
        id=field.id,
        text=field.text.spoken(language),
        kind=number_of(pb.QuestionKind, field.kind),
        choices=_choices(field.choices, language),
        required=field.required is True,
        **_limits(field.limits),
    )


def _choices(choices: Sequence[Choice], language: str) -> list[pb.Choice]:
    return [pb.Choice(code=choice.code, text=choice.text.spoken(language)) for choice in choices]


def _security_question(question: Question, language: str) -> pb.SecurityQuestion:
    return pb.SecurityQuestion(
        question_id=question.id, text=question.text.spoken(language), kind=number_of(pb.QuestionKind, question.kind)
    )


def resumed_claim(shown: Claim) -> pb.Claim:
    """A claim as it is shown before security: the reference, the state and the version."""
    state = number_of(pb.ClaimState, shown.state)
    return pb.Claim(claim_ref=shown.claim_ref, schemes=_schemes(shown.schemes), state=state, version=shown.version)


def _claimant(answers: Answers) -> pb.Claimant:
    def text(name: str) -> str:
        return str(value_of(answers, name) or "")

    address = value_of(answers, "address")
    born = text("date_of_birth")
    return pb.Claimant(
        nino=text("nino"),
        title=text("title"),
        surname=text("surname"),
        forenames=text("forenames"),
        date_of_birth=date_message(date.fromisoformat(born)) if born else None,
        postcode=str(address["postcode"]) if isinstance(address, dict) else "",
    )


def _withdrawal(shown: Withdrawal) -> pb.Withdrawal:
    return pb.Withdrawal(
        withdraw_time=timestamp(shown.at),
        cause=number_of(pb.WithdrawalCause, shown.cause),
        reason=shown.reason,
        by=shown.by,
    )


def _struct(plain: Mapping[str, JsonValue]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(plain)
    return message


def _schemes(schemes: Sequence[str]) -> list[Any]:
    return [number_of(common_pb2.Scheme, scheme) for scheme in schemes]


def form_imported(imported: FormImported, account: AccountCheck | None) -> pb.ImportFormResponse:
    """The draft that was made of a form, with what the call that finishes it has to ask."""
    response = pb.ImportFormResponse(
        claim=claim(imported.claim),
        problems=[pb.FormProblem(**asdict(problem)) for problem in imported.problems],
        open_question_ids=[missing.question_id for missing in imported.shown.interview.missing],
    )
    put_interview(response.interview, imported.shown, account)
    return response
