"""Counts what questions cost and bring, and how the ways by which claims come compare. After the commit, and without values."""

from chassis.database import Connection
from intake import metrics
from intake.domain.answers import is_gap
from intake.domain.claim import Claim
from intake.domain.economics import changing
from intake.domain.interview import Answer, Answers, known_values
from intake.domain.script import Script
from intake.store.claims import load_channel


def count_answers(conn: Connection, claim: Claim, before: Answers, changed: Answers) -> None:
    """Counts answers that were given for the first time, and answers that were given once more with another value."""

    def count() -> None:
        for name, answer in changed.items():
            old = before.get(name)
            if old is None or old.value is None:
                _count_first(name, answer)
            elif old.has_value and answer.value != old.value:
                metrics.QUESTION_AMENDMENTS.labels(name).inc()
                metrics.AMENDMENTS.labels(claim.channel).inc()

    conn.after_commit(count)


def count_submission(conn: Connection, claim: Claim, script: Script, answers: Answers) -> None:
    """Counts the questions that applied to a claim, those whose answers changed something, and the gaps that are left."""
    known = known_values(script, answers, claim.contact_date)
    worth = changing(script, answers, known)
    gaps = sum(1 for name in known.relevant if name in answers and is_gap(answers[name].value))

    def count() -> None:
        metrics.CLAIM_GAPS.labels(claim.channel).observe(gaps)
        for name in known.relevant:
            metrics.QUESTION_CLAIMS.labels(name).inc()
        for name in worth:
            metrics.QUESTION_CHANGES.labels(name).inc()

    conn.after_commit(count)


def count_rejection(conn: Connection, claim_ref: str) -> None:
    """Counts a transfer that a paying system rejected, by the way in which its claim came. Raises NotFound."""
    channel = load_channel(conn, claim_ref)
    conn.after_commit(lambda: metrics.REJECTIONS.labels(channel).inc())


def _count_first(name: str, answer: Answer) -> None:
    if answer.value is None:
        return
    outcome = str(answer.value["gap"]) if isinstance(answer.value, dict) and is_gap(answer.value) else "VALUE"
    metrics.QUESTION_ANSWERS.labels(name, outcome).inc()
