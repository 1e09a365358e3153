"""The findings of the lint: each names the file, the question and the fault."""

from dataclasses import dataclass

from intake.domain.catalogue import Catalogue
from intake.domain.script import Question


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """A rule of the lint that a catalogue breaks."""

    place: str
    """The file and the place in it."""
    problem: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.place}: {self.problem}"


def in_bank(catalogue: Catalogue, question: Question, problem: str) -> Finding:
    """A finding about a question of the bank."""
    place = f"{catalogue.number}/questions/{question.section}.toml: questions[{question.id}]"
    return Finding(place=place, problem=problem)


def in_scheme(catalogue: Catalogue, scheme: str, part: str, problem: str) -> Finding:
    """A finding about what a scheme says, in its own file or in a part that it includes."""
    return Finding(place=f"{catalogue.number}/{scheme.lower()}.toml: {part}", problem=problem)


def in_top(catalogue: Catalogue, part: str, problem: str) -> Finding:
    """A finding about `catalogue.toml`."""
    return Finding(place=f"{catalogue.number}/catalogue.toml: {part}", problem=problem)
