"""The notifier knows which questions supply each field of a notice: it says what the newest catalogue says."""

import tomllib
from collections import defaultdict

from cms_local.layout import ROOT
from la_notifier.domain.questions import QUESTIONS

CATALOGUES = ROOT / "intake-svc" / "src" / "intake" / "catalogues"


def test_the_questions_of_a_refused_field_are_those_of_the_newest_catalogue() -> None:
    newest = max((folder for folder in CATALOGUES.iterdir() if folder.name.isdigit()), key=lambda one: int(one.name))
    of_field: defaultdict[str, set[str]] = defaultdict(set)
    for file in sorted((newest / "questions").glob("*.toml")):
        for question in tomllib.loads(file.read_text(encoding="utf-8")).get("questions", []):
            asked = [question, *(part for part in question.get("fields", []) if isinstance(part, dict))]
            for name in (name for part in asked for name in part.get("needed_by", [])):
                if name.startswith("notice."):
                    of_field[name.removeprefix("notice.")].add(question["id"])

    assert {field: set(questions) for field, questions in QUESTIONS.items()} == dict(of_field)
