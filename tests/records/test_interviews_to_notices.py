"""No authority refuses a notice, whatever a claimant answers and whenever the notice is sent."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.intake.v1 import intake_pb2
from intake.domain.interview import first_contact_known
from la_notifier.clients import facts_of
from la_notifier.data import disclosure
from la_notifier.domain.content import PreviousVersion, content_of, next_kind
from la_notifier.domain.facts import sought
from la_notifier.domain.notices import NoticeKind, NoticeState
from simulators.councils.notice_fields import NoticeFields, Problem, load_notice_fields

NOTICE_ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")


@pytest.fixture(scope="session")
def fields() -> NoticeFields:
    return load_notice_fields()


def problems(fields: NoticeFields, told: intake_pb2.ClaimFacts, *, before: NoticeKind | None) -> list[Problem]:
    """Lists an authority's objections to the notice of these facts; none where no notice is sent."""
    facts = facts_of(told)
    if sought(facts) is None:
        return []
    content = content_of(disclosure(), facts, authority_code="E08000035", intention_on=facts.first_contact_on)
    versions = [_told_before(before)] if before else []
    head: dict[str, Any] = {
        "notice_id": str(NOTICE_ID),
        "version": len(versions) + 1,
        "kind": next_kind(facts, versions, award=None, newest=None),
    }
    if versions:
        head["supersedes"] = len(versions)
    return fields.problems(json.loads(json.dumps(head | content)))


def _told_before(kind: NoticeKind) -> PreviousVersion:
    return PreviousVersion(kind=kind, state=NoticeState.LOADED, may_be_held=True)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_authorities_accept_the_notices_of_any_interview(seed: int, *, interviews: Any, fields: NoticeFields) -> None:
    steps = list(interviews.at_random(seed))
    known = [
        answers for answers in steps if first_contact_known(interviews.script, answers, contact_date=interviews.today)
    ]

    for answers in (known[0], known[-1]):
        draft = interviews.facts(answers, "la-notifier", submitted=False)
        for before in (None, NoticeKind.INTENTION):
            assert problems(fields, draft, before=before) == []
    for before in (None, *NoticeKind):
        assert problems(fields, interviews.facts(steps[-1], "la-notifier"), before=before) == []
