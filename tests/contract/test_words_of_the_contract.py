"""Comments of the contract are sentences, or name a thing: none begins as a question does."""

import re
from pathlib import Path

PROTOS = Path(__file__).resolve().parents[2] / "proto" / "cms"
_COMMENT = re.compile(r"^ *// *(.*)$")
_QUESTION = re.compile(r"(Until )?(What|When|Where|Which|Who|Whose|Whom|Why|How)\b")


def first_lines(text: str) -> list[str]:
    """The first line of each comment in a proto file."""
    found, inside = [], False
    for line in text.splitlines():
        comment = _COMMENT.match(line)
        if comment and not inside:
            found.append(comment.group(1))
        inside = comment is not None
    return found


def test_no_comment_of_the_contract_begins_as_a_question_does() -> None:
    questions = [
        f"{path.name}: {line}"
        for path in sorted(PROTOS.rglob("*.proto"))
        for line in first_lines(path.read_text())
        if _QUESTION.match(line)
    ]

    assert questions == []
