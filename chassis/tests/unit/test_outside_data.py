"""The data about the outside systems is refused where it does not go together."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from chassis import outside
from chassis.outside.schema import EditRules, OutsideRecord, faults

RULE: dict[str, Any] = {"code": "..0001", "fields": ["A"], "rule": "r", "refusal": "is wrong", "platform": "no answer"}
LIMIT: dict[str, Any] = {"id": "most", "unit": "PENCE", "rows": [{"from": "2005-01-01", "value": 1}]}
RECORD: dict[str, Any] = {"name": "R", "fields": {"A": {"from": "QUESTION", "mandatory": True}}}


@dataclass(frozen=True, kw_only=True)
class Files:
    records: dict[str, OutsideRecord]
    rules: EditRules


def files(*, rules: Any = (RULE,), limits: Any = (LIMIT,), record: Any = RECORD) -> Files:
    read = msgspec.json.decode(msgspec.json.encode({"rules": rules, "limits": limits}), type=EditRules)
    one = msgspec.json.decode(msgspec.json.encode(record), type=OutsideRecord)
    return Files(records={one.name: one}, rules=read)


def test_the_files_go_together() -> None:
    assert faults(outside.records(), outside.edit_rules()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rules": [{**RULE, "fields": ["B"]}]}, "..0001: there is no field B"),
        ({"rules": [RULE, RULE]}, "..0001 is there twice"),
        ({"rules": [{**RULE, "limit": "least"}]}, "..0001: there is no limit least"),
        ({"record": {**RECORD, "begins_with": "S"}}, "R begins with no record"),
    ],
)
def test_data_that_names_what_is_not_there_is_told(changes: dict[str, Any], problem: str) -> None:
    found = files(**changes)

    assert faults(found.records, found.rules) == [problem]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rules": [{**RULE, "platform": ""}]}, "needs answers that break it, or why none can"),
        ({"rules": [{**RULE, "code": "1"}]}, "code"),
        ({"rules": [{**RULE, "because": "x"}]}, "because"),
        ({"limits": [{**LIMIT, "rows": [*LIMIT["rows"], *LIMIT["rows"]]}]}, "in the order of their days"),
        ({"record": {**RECORD, "fields": {"A": {"from": "PLATFORM"}}}}, "says its source"),
        ({"record": {**RECORD, "fields": {"A": {"from": "CONSTANT"}}}}, "a constant has a value"),
        (
            {"record": {**RECORD, "fields": {"A": {"from": "PLATFORM", "source": "x", "mandatory": True}}}},
            "can be mandatory",
        ),
    ],
)
def test_data_of_another_form_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        files(**changes)


def test_words_for_a_refusal_are_found_by_the_code_of_any_part() -> None:
    rules = outside.edit_rules()

    assert rules.refusal("IS0001") == rules.refusal("ES0001") == "is not a valid NINO"
    assert rules.refusal("ES0020") != rules.refusal("IS0020")
    assert rules.refusal("ES0099") is None
