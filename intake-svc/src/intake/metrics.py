"""The metrics of intake-svc, under the contract's names."""

from datetime import date
from functools import partial

from prometheus_client import Counter, Gauge, Histogram

from chassis import clock, outside
from chassis.metrics import REGISTRY
from intake.catalogue.announced import not_covered
from intake.domain.catalogue import Catalogue

CALL_DURATION = Histogram(
    "intake_call_duration_seconds",
    "How long calls took from start to end, by how they ended.",
    ["outcome"],
    buckets=(60, 120, 300, 600, 900, 1200, 1500, 1800, 2400, 3000, 3600),
    registry=REGISTRY,
)
CALL_HOLD = Histogram(
    "intake_call_hold_seconds",
    "How long callers were on hold in a call, of calls with a hold.",
    buckets=(10, 30, 60, 120, 300, 600, 1200, 1800),
    registry=REGISTRY,
)
WRAP_UP = Histogram(
    "intake_wrap_up_seconds",
    "How long operators worked on a call after it had ended.",
    buckets=(10, 30, 60, 120, 180, 300, 600, 1200, 1800),
    registry=REGISTRY,
)
SECURITY_TRIES = Counter(
    "intake_security_tries_total",
    "Tries at security questions, by what came of them: PASSED, FAILED, or REFUSED (a wait, or a lock).",
    ["outcome"],
    registry=REGISTRY,
)
SEARCHES = Counter(
    "intake_searches_total",
    "Searches for a person: MADE, or REFUSED because the caller had made too many.",
    ["outcome"],
    registry=REGISTRY,
)
QUESTIONS_ASKED = Histogram(
    "intake_questions_asked",
    "How many questions had been asked when a claim was submitted.",
    ["scheme"],
    buckets=(10, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 80),
    registry=REGISTRY,
)

UNCOVERED_RULE_CHANGE = Gauge(
    "intake_uncovered_rule_change_days",
    "Days until an announced change of the rules takes effect that the newest catalogue does not have.",
    ["change"],
    registry=REGISTRY,
)


def show_uncovered_changes(newest: Catalogue) -> None:
    """Shows each announced change that this catalogue, which new claims take, does not have, and no other."""
    UNCOVERED_RULE_CHANGE.clear()
    for change in not_covered(newest, outside.announced_changes()):
        UNCOVERED_RULE_CHANGE.labels(change.id).set_function(partial(_days_until, change.first_day))


def _days_until(day: date) -> float:
    return float((day - clock.today()).days)


# The ways by which claims come, compared: docs/adr/0040.
CLAIM_GAPS = Histogram(
    "intake_claim_gaps",
    "How many answers were still a gap (not known, or to be sent) when a claim was submitted, by the way it came.",
    ["channel"],
    buckets=(0, 1, 2, 3, 5, 8, 13),
    registry=REGISTRY,
)
AMENDMENTS = Counter(
    "intake_amendments_total",
    "Answers that were given once more with another value, before submission or after, by the way the claim came.",
    ["channel"],
    registry=REGISTRY,
)
REJECTIONS = Counter(
    "intake_rejections_total",
    "Transfers of claims that a paying system rejected, by the way the claim came.",
    ["channel"],
    registry=REGISTRY,
)
FORM_OPEN_QUESTIONS = Histogram(
    "intake_form_open_questions",
    "How many questions a form left for the call that finishes its claim.",
    ["channel"],
    buckets=(0, 1, 2, 3, 5, 8, 13, 21, 34),
    registry=REGISTRY,
)
FORM_PROBLEMS = Counter(
    "intake_form_problems_total",
    "Answers of forms that could not be read or were at fault.",
    ["channel"],
    registry=REGISTRY,
)

# The cost and the worth of each question. Questions are those of the catalogues: some two hundred.
QUESTION_ANSWERS = Counter(
    "intake_question_answers_total",
    "How often a question was answered for the first time, by what came of it: VALUE, NOT_KNOWN or WILL_SEND.",
    ["question", "outcome"],
    registry=REGISTRY,
)
QUESTION_AMENDMENTS = Counter(
    "intake_question_amendments_total",
    "How often an answer was given once more with another value.",
    ["question"],
    registry=REGISTRY,
)
QUESTION_CHANGES = Counter(
    "intake_question_changes_total",
    "In how many submitted claims the answer changed an outside record, a notice, a decision or the path.",
    ["question"],
    registry=REGISTRY,
)
QUESTION_CLAIMS = Counter(
    "intake_question_claims_total",
    "In how many submitted claims the question applied.",
    ["question"],
    registry=REGISTRY,
)
