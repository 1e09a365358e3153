"""`cms script economics`: what each question costs and brings, from the metrics of the intake that runs here."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import httpx
import typer
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from cms_local.layout import Layout
from intake.catalogue import load_catalogues

_WIDE = 160
_GAPS = ("NOT_KNOWN", "WILL_SEND")


@dataclass(frozen=True, kw_only=True)
class Worth:
    """A question: how often it was answered, and in how many submitted claims it applied and changed something."""

    question: str
    seconds: int
    """Modelled: what the catalogue says it takes to ask."""
    answered: int
    gaps: int
    amended: int
    claims: int
    changed: int

    @property
    def wasted_minutes(self) -> float:
        """Minutes that were spent on it in claims in which its answer changed nothing."""
        return self.seconds * (self.claims - self.changed) / 60


def economics(
    top: Annotated[int, typer.Option(min=1, help="So many questions, the worst first.")] = 20,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON instead of a table: all questions.")
    ] = False,
) -> None:
    """Show what each question costs and brings, the worst first: by the minutes that changed nothing.

    It counts since the intake that runs here was started.
    """
    found = worth_of(_metrics())
    if as_json:
        print(json.dumps([asdict(worth) | {"wasted_minutes": round(worth.wasted_minutes, 2)} for worth in found]))
        return
    table = Table(
        "question",
        "seconds",
        "answered",
        "not known or to be sent",
        "amended",
        "claims",
        "changed something",
        "minutes that changed nothing",
    )
    for worth in found[:top]:
        table.add_row(
            worth.question,
            str(worth.seconds),
            str(worth.answered),
            _share(worth.gaps, worth.answered),
            _share(worth.amended, worth.answered),
            str(worth.claims),
            _share(worth.changed, worth.claims),
            f"{worth.wasted_minutes:.1f}",
        )
    Console(width=_WIDE).print(table)


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else str(part)


def worth_of(counts: Mapping[str, Mapping[str, int]]) -> list[Worth]:
    """The worth of every question of the newest catalogue, the worst first."""
    bank = load_catalogues().newest.bank
    found = [
        Worth(
            question=name,
            seconds=question.seconds,
            answered=counts["answers"].get(name, 0),
            gaps=counts["gaps"].get(name, 0),
            amended=counts["amendments"].get(name, 0),
            claims=counts["claims"].get(name, 0),
            changed=counts["changes"].get(name, 0),
        )
        for name, question in bank.items()
    ]
    return sorted(found, key=lambda worth: (-worth.wasted_minutes, -worth.seconds * worth.answered, worth.question))


def _metrics() -> Mapping[str, Mapping[str, int]]:
    """Counts by what is counted and by question."""
    layout = Layout.from_environment()
    try:
        answer = httpx.get(f"http://127.0.0.1:{layout.operations_port('intake-svc')}/metrics", timeout=5)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        Console(stderr=True).print(
            f"cms: intake does not answer here: start a platform with `cms up` ({error})", markup=False
        )
        raise typer.Exit(1) from error
    return counts_of(answer.text)


def counts_of(text: str) -> Mapping[str, Mapping[str, int]]:
    """The counts of questions in a service's metrics: answers, gaps, amendments, claims and changes, by question."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            kind = sample.name.removeprefix("intake_question_").removesuffix("_total")
            if not sample.name.startswith("intake_question_") or not sample.name.endswith("_total"):
                continue
            found[kind][sample.labels["question"]] += int(sample.value)
            if sample.labels.get("outcome") in _GAPS:
                found["gaps"][sample.labels["question"]] += int(sample.value)
    return found
