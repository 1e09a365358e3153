"""Facts of an earlier claim: linking a claim to it, showing who is calling about it, and what can be confirmed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import InvalidArgument, Violation
from intake.domain import problems
from intake.domain.call import Call, Security, questions_to_ask
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Claim, ClaimState
from intake.domain.earlier import EarlierAnswer, EarlierClaim, EarlierRecord, confirmed, to_confirm
from intake.domain.given import GivenAnswer, RawAnswer, read_answers
from intake.domain.interview import Answers
from intake.domain.script import Question, Script
from intake.service.access import cipher_of, script_of
from intake.service.security import expect_try
from intake.store.answers import load_answer_times, load_answers
from intake.store.calls import save_call
from intake.store.claims import ClaimFound, find_earlier_claim, load_claim, save_earlier


@dataclass(frozen=True, kw_only=True)
class EarlierShown:
    """The earlier claim as a call sees it: its security questions, and once they are passed the answers to confirm."""

    link: EarlierClaim
    questions: tuple[Question, ...]
    answers: Mapping[str, EarlierAnswer]

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions that are still to be answered."""
        return self.questions if self.link.security is Security.REQUIRED else ()


def link_earlier(
    conn: Connection, catalogues: Catalogues, claim_ref: str, nino_lookup: bytes | None
) -> EarlierClaim | None:
    """Links a claim to the earlier claim of the person with this NINO, or takes the link away where there is none."""
    earlier_ref = find_earlier_claim(conn, nino_lookup, than=claim_ref) if nino_lookup else None
    link = None if earlier_ref is None else _link_to(conn, catalogues, earlier_ref)
    save_earlier(conn, claim_ref, link)
    return link


def link_duplicate(conn: Connection, catalogues: Catalogues, claim_ref: str, *, duplicate_ref: str) -> None:
    """Lets a draft that goes on take the answers of its withdrawn duplicate, unless it has an earlier claim already."""
    found = _load(conn, claim_ref)
    if found.claim.state is ClaimState.DRAFT and found.earlier is None:
        save_earlier(conn, claim_ref, _link_to(conn, catalogues, duplicate_ref))


def earlier_shown(
    conn: Connection,
    catalogues: Catalogues,
    claim: Claim,
    link: EarlierClaim | None,
    *,
    script: Script,
    answers: Answers,
) -> EarlierShown | None:
    """The earlier claim as a call on a draft sees it. Answers that are shown are in the access log of the earlier claim."""
    if link is None or claim.state is not ClaimState.DRAFT:
        return None
    return shown_with(conn, catalogues, claim, link, script=script, answers=answers)


def shown_with(
    conn: Connection, catalogues: Catalogues, claim: Claim, link: EarlierClaim, *, script: Script, answers: Answers
) -> EarlierShown:
    """The earlier claim beside these answers, for a call that has passed the link's security or has not."""
    found = _load(conn, link.claim_ref)
    asked = tuple(catalogues[found.claim.catalogue].bank[name] for name in link.questions)
    if not link.passed:
        return EarlierShown(link=link, questions=asked, answers={})
    access_log.record_access(conn, claim_ref=link.claim_ref, purpose=f"to confirm for claim {claim.claim_ref}")
    offered = to_confirm(
        catalogues[claim.catalogue], script, answers, _record(conn, catalogues, found), today=clock.today()
    )
    return EarlierShown(link=link, questions=asked, answers=offered)


def confirm(
    conn: Connection,
    catalogues: Catalogues,
    claim: Claim,
    link: EarlierClaim | None,
    names: Collection[str],
    *,
    script: Script,
    answers: Answers,
) -> dict[str, GivenAnswer]:
    """The earlier answers of these questions and sections, as the claimant confirms them.

    Raises InvalidArgument where there is nothing to confirm, and FailedPrecondition before security is passed.
    """
    if not names:
        return {}
    if link is not None:
        link.expect_passed()
    shown = earlier_shown(conn, catalogues, claim, link, script=script, answers=answers)
    if shown is None:
        raise InvalidArgument.of(
            *(Violation.of(f"confirm_earlier[{at}]", problems.NOTHING_TO_CONFIRM) for at in range(len(names)))
        )
    return confirmed(script, shown.answers, names, earlier_ref=shown.link.claim_ref)


def try_earlier(
    conn: Connection, catalogues: Catalogues, own: Call, link: EarlierClaim, given: Sequence[RawAnswer]
) -> EarlierShown:
    """Takes a try at the security questions of the earlier claim. A wrong try is saved, and counts for the claim.

    Raises what `EarlierClaim.identify` and `expect_try` raise.
    """
    found = _load(conn, link.claim_ref)
    bank = catalogues[found.claim.catalogue].bank
    values = {name: answer.value for name, answer in read_answers(bank, given, today=clock.today()).items()}
    link.expect_security_open()
    tries = expect_try(conn, own, link.claim_ref)
    tried = link.identify(values, load_answers(conn, cipher_of(found), version=found.claim.version))
    tries.note(conn, passed=tried.passed)
    if tried.passed:
        save_call(conn, replace(own, earlier_passed=True))
    else:
        save_earlier(conn, own.claim_ref, tried)
    return EarlierShown(link=tried, questions=tuple(bank[name] for name in tried.questions), answers={})


def _link_to(conn: Connection, catalogues: Catalogues, earlier_ref: str) -> EarlierClaim:
    found = _load(conn, earlier_ref)
    record = load_answers(conn, cipher_of(found), version=found.claim.version)
    asked = questions_to_ask(script_of(catalogues, found.claim), record, contact_date=found.claim.contact_date)
    return EarlierClaim(claim_ref=earlier_ref, questions=asked)


def _load(conn: Connection, claim_ref: str) -> ClaimFound:
    return load_claim(conn, claim_ref, caller=call.current().identity.subject)


def _record(conn: Connection, catalogues: Catalogues, found: ClaimFound) -> EarlierRecord:
    claim = found.claim
    times = load_answer_times(conn, claim.claim_ref, version=claim.version)
    return EarlierRecord(
        claim_ref=claim.claim_ref,
        script=script_of(catalogues, claim),
        answers=load_answers(conn, cipher_of(found), version=claim.version),
        days={name: at.astimezone(clock.LONDON).date() for name, at in times.items()},
        contact_date=claim.contact_date,
    )
