"""Evaluates one claim by our engine and by SurveyJS, and times both."""

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.engine.case import LETTERS, Case
from tests.engine.cel import Translator
from tests.engine.survey import survey, values

SURVEYJS = Path(__file__).parent / "surveyjs"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An engine's view of the answers: the questions that are asked, those required of them, and those refused."""

    visible: frozenset[str]
    required: frozenset[str]
    refused: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Medians:
    """Milliseconds of one evaluation: as the clock has them, and of a processor, which others' load lengthens less."""

    elapsed: float
    processor: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Both engines' views of the claim, and the medians of their times."""

    questions: int
    rules: int
    ours: Seen
    theirs: Seen
    our_time: Medians
    their_time: Medians
    their_time_again: Medians
    """Without giving it the answers: its rules are run once more."""

    def row(self) -> dict[str, object]:
        """The figures, for a line of JSON."""
        return {
            "questions": self.questions,
            "rules": self.rules,
            "children": len(LETTERS),
            "asked": len(self.ours.visible),
            "same": self.ours == self.theirs,
            "median_ms": round(self.our_time.elapsed, 2),
            "processor_ms": round(self.our_time.processor, 2),
            "surveyjs_median_ms": round(self.their_time.elapsed, 1),
            "surveyjs_processor_ms": round(self.their_time.processor, 1),
            "surveyjs_again_median_ms": round(self.their_time_again.elapsed, 1),
        }

    def table(self) -> str:
        """The figures, for the page."""
        asked = f"{self.questions} questions, {len(self.ours.visible)} of them asked, {self.rules} rules"
        rows = (
            ("`intake.domain.interview.evaluate`", self.our_time),
            ("SurveyJS (`survey-core` 3.1.1, Node.js): data set, then validate", self.their_time),
            ("SurveyJS, the same answers once more: runConditions, then validate", self.their_time_again),
        )
        return (
            f"| a claim with {len(LETTERS)} children: {asked} | median | of a processor |\n| --- | ---: | ---: |\n"
            + "\n".join(f"| {name} | {spent.elapsed:.1f} ms | {spent.processor:.1f} ms |" for name, spent in rows)
        )


def compare(case: Case, *, rounds: int, folder: Path) -> Comparison:
    """Evaluates the claim by both; SurveyJS is installed in `folder`. Raises CalledProcessError where node or npm fails."""
    translator = Translator()
    translated = survey(case.script, translator)
    seen = values(case.known().rule_values)
    given = {
        "survey": translated,
        "functions": translator.functions,
        "variables": {name: value for name, value in seen.items() if name not in case.script.questions},
        "answers": {name: value for name, value in seen.items() if name in case.script.questions},
        "rounds": rounds,
    }
    told = json.loads(_node(folder, json.dumps(given)))
    return Comparison(
        questions=len(case.script.questions),
        rules=_rules(case),
        ours=_ours(case),
        theirs=Seen(**{name: frozenset(told[name]) for name in ("visible", "required", "refused")}),
        our_time=_timed(case, rounds),
        their_time=Medians(**told["anew"]),
        their_time_again=Medians(**told["once_more"]),
    )


def _ours(case: Case) -> Seen:
    states = [state for state in case.evaluate().questions if state.relevant]
    return Seen(
        visible=_names(state.question.id for state in states),
        required=_names(state.question.id for state in states if state.required),
        refused=_names(state.question.id for state in states if state.problem),
    )


def _names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


def _rules(case: Case) -> int:
    questions = case.script.questions.values()
    relevance = sum(question.relevant is not None for question in questions)
    return (
        relevance
        + sum(not isinstance(q.required, bool) for q in questions)
        + sum(len(q.cross_checks) for q in questions)
    )


def _timed(case: Case, rounds: int) -> Medians:
    elapsed, processor = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), time.thread_time()
        case.evaluate()
        processor.append(time.thread_time() - used)
        elapsed.append(time.perf_counter() - started)
    return Medians(elapsed=statistics.median(elapsed) * 1000, processor=statistics.median(processor) * 1000)


def _node(folder: Path, given: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for file in SURVEYJS.iterdir():
        shutil.copy(file, folder)
    if not (folder / "node_modules").is_dir():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    done = subprocess.run(
        ["node", "run.mjs"], cwd=folder, input=given, stdout=subprocess.PIPE, text=True, timeout=300, check=True
    )
    return done.stdout
