"""`cms script economics` reads the metrics of intake, and shows first what costs most without changing anything."""

import pytest
from typer.testing import CliRunner

from cms_local.economics import Worth, counts_of, worth_of
from cms_local.main import app

METRICS = """
# TYPE intake_question_answers_total counter
intake_question_answers_total{question="email",outcome="VALUE"} 10.0
intake_question_answers_total{question="email",outcome="NOT_KNOWN"} 30.0
intake_question_answers_total{question="surname",outcome="VALUE"} 40.0
# TYPE intake_question_amendments_total counter
intake_question_amendments_total{question="surname"} 3.0
# TYPE intake_question_claims_total counter
intake_question_claims_total{question="email"} 40.0
intake_question_claims_total{question="surname"} 40.0
# TYPE intake_question_changes_total counter
intake_question_changes_total{question="email"} 10.0
intake_question_changes_total{question="surname"} 40.0
# TYPE intake_questions_asked histogram
intake_questions_asked_count{scheme="JOBSEEKERS_ALLOWANCE"} 40.0
"""


def test_the_worst_question_comes_first() -> None:
    first, second, *_ = worth_of(counts_of(METRICS))

    assert (first.question, first.answered, first.gaps, first.claims, first.changed) == ("email", 40, 30, 40, 10)
    assert first.wasted_minutes == pytest.approx(first.seconds * 30 / 60)
    assert (second.question, second.amended, second.wasted_minutes) == ("surname", 3, 0)


def test_a_question_that_always_changes_something_wastes_nothing() -> None:
    worth = Worth(question="surname", seconds=15, answered=9, gaps=0, amended=0, claims=9, changed=9)

    assert worth.wasted_minutes == 0


def test_without_a_platform_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_PORT_BASE", "1500")

    done = CliRunner().invoke(app, ["script", "economics"])

    assert done.exit_code == 1
    assert "intake does not answer here" in done.output
