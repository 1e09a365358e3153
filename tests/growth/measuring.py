"""Fills a service with history in steps, exercises it after each, and compares what each statement has read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.growth.recorder import Execution, Recorder
from tests.growth.subject import Place, Subject

HEIGHT = 10
"""The pages by which a statement may read more: a larger index is a level higher, and a statement reads several.
"""
EXTENSION = 64
"""The pages more that a statement may use that writes: PostgreSQL extends a table and its indexes by several at once."""
ROW, MOST_ROWS = 3, 100
"""The pages more that are allowed for each row that it uses, up to a hundred: rows may lie together or apart, and each may be
looked up. Past a hundred it is no page of a list and no few open rows."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The reads of the dearest execution of a statement in a case, at each size of the history."""

    case: str
    caller: str
    text: str
    executions: dict[int, Execution] = field(default_factory=dict)

    def buffers(self, size: int) -> int | None:
        """Pages read at this size; None where the statement was not executed then."""
        found = self.executions.get(size)
        return found.buffers if found else None

    def grows(self, small: int, large: int) -> bool:
        """Whether it reads more than twice as much with the larger history."""
        before, after = self.executions.get(small), self.executions.get(large)
        if before is None or after is None:
            return False
        extension = EXTENSION if before.plan["Node Type"] == "ModifyTable" else 0
        return after.buffers > 2 * before.buffers + HEIGHT + extension + ROW * min(before.rows, MOST_ROWS)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The measurements of one service."""

    subject: Subject
    costs: list[Cost]
    scrapes: dict[int, float]
    """Milliseconds of a whole scrape."""
    missed: set[str]
    """The names of all that was not exercised."""


def measure(kind: type[Subject], place: Place, sizes: Sequence[int]) -> Report:
    """Fills the service up to each of these numbers of claims, and exercises it each time."""
    recorder = Recorder()
    subject = kind(place, recorder)
    found: dict[tuple[str, str], Cost] = {}
    scrapes = {}
    with subject.running():
        filled = 0
        for turn, size in enumerate(sizes):
            subject.fill_up(filled + 1, size)
            filled = size
            recorder.executions.clear()
            subject.exercise(turn)
            subject.exercise_chassis()
            subject.operate()
            subject.vacuum()
            subject.scrape()
            scrapes[size] = subject.time_of_scrape()
            for (case, text), execution in _dearest(recorder.executions).items():
                cost = found.setdefault((case, text), Cost(case=case, caller=execution.caller, text=text))
                cost.executions[size] = execution
    return Report(subject=subject, costs=list(found.values()), scrapes=scrapes, missed=subject.missed())


def _dearest(executions: Sequence[Execution]) -> dict[tuple[str, str], Execution]:
    of_each: dict[tuple[str, str], list[Execution]] = defaultdict(list)
    for execution in executions:
        of_each[execution.case, execution.text].append(execution)
    return {key: max(of_one, key=lambda execution: execution.buffers) for key, of_one in of_each.items()}
