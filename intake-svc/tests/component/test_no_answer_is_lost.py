"""No sequence of calls loses an acknowledged answer: a state machine over the whole service with its real database."""

import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

VALUES: dict[str, list[Any]] = {
    "surname": ["Hughes", "Müller", None],
    "forenames": ["Ann", "Siân Mair"],
    "date_of_birth": ["1980-02-29", "1979-05-04"],
    "has_partner": [True, False, {"gap": "NOT_KNOWN"}],
    "partner_surname": ["O'Brien", "Price", None],
    "partner_hours": [0, 12.5],
    "children": [[], [{"name": "Mia", "date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"}]],
    "child_benefit": [True, False],
    "capital": ["350.00", "0.00", {"gap": "WILL_SEND"}],
    "telephone": ["+441134960999", {"gap": "NOT_KNOWN"}],
}
"""Canonical values, so that what goes in comes out."""

answers = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}).filter(
    bool
)


class OneClaim(RuleBasedStateMachine):
    """Operators, one after the other and at once, with one claim."""

    desk: Any

    @initialize()
    def begin(self) -> None:
        self.operators = [self.desk(subject=f"OP00000{at}") for at in (1, 2)]
        self.claim_ref = self.operators[0].start(nino=None)["claim"]["claimRef"]
        self.version = 1
        self.acknowledged: list[tuple[int, str, Any]] = []
        self.standing: dict[str, Any] = {}
        self.last: tuple[int, str, dict[str, Any], Any] | None = None
        self.present: set[int] = {0}

    def take(self, method: str, at: int, given: dict[str, Any], **more: Any) -> None:
        """Sends answers, and notes what was acknowledged."""
        body = {
            "claimRef": self.claim_ref,
            "version": self.version,
            "requestId": str(uuid4()),
            "answers": [{"questionId": name, "value": value} for name, value in given.items()],
            **more,
        }
        reply = self.operators[at].call(method, **body)
        if at not in self.present:
            assert reply.reason == "CALL_REQUIRED", reply
            return
        assert reply.code == "ok", reply
        self.note(given, reply.body["interview"]["version"])
        self.last = (at, method, body, reply.body)

    def note(self, given: dict[str, Any], version: int) -> None:
        changed = {name: value for name, value in given.items() if self.standing.get(name) != value}
        assert version == self.version + bool(changed)
        self.version = version
        self.acknowledged += [(version, name, value) for name, value in sorted(changed.items())]
        self.standing |= changed

    @rule(given=answers, at=st.sampled_from([0, 1]))
    def answer(self, given: dict[str, Any], at: int) -> None:
        self.take("RecordAnswers", at, given)

    @rule(given=answers, at=st.sampled_from([0, 1]))
    def amend(self, given: dict[str, Any], at: int) -> None:
        self.take("AmendAnswers", at, given, reason="misheard")

    @rule(given=answers)
    def preview(self, given: dict[str, Any]) -> None:
        self.operators[0].call(
            "AmendAnswers",
            claimRef=self.claim_ref,
            version=self.version,
            requestId=str(uuid4()),
            answers=[{"questionId": name, "value": value} for name, value in given.items()],
            reason="misheard",
            preview=True,
        )

    @rule(given=answers, behind=st.integers(1, 3))
    def answer_from_an_old_page(self, given: dict[str, Any], behind: int) -> None:
        if behind >= self.version or 0 not in self.present:
            return
        reply = self.operators[0].try_record(self.claim_ref, self.version - behind, **given)
        assert reply.reason == "STALE_VERSION", reply

    @rule(given=answers)
    def answer_with_one_that_is_unsound(self, given: dict[str, Any]) -> None:
        reply = self.operators[0].try_record(self.claim_ref, self.version, **given, email="not an address")
        assert reply.reason in {"INVALID_FIELDS", "CALL_REQUIRED"}, reply

    @rule()
    def send_the_last_again(self) -> None:
        """Repeats a request as after a lost connection: by the same operator, whose call may have ended."""
        if self.last is not None:
            at, method, body, first = self.last
            again = self.operators[at].call(method, **body)
            assert again.body["interview"]["version"] == first["interview"]["version"]

    @rule(at=st.sampled_from([0, 1]))
    def call_again(self, at: int) -> None:
        """Another call, which has to show who is calling."""
        started = self.operators[at].start(nino=None, claimRef=self.claim_ref)
        asked = [part["questionId"] for part in started["call"]["securityQuestions"]]
        known = {"language": "EN", **self.standing}
        tried = self.operators[at].once(
            "PassSecurity",
            callId=started["call"]["callId"],
            answers=[{"questionId": name, "value": known[name]} for name in asked],
        )
        assert tried["call"]["security"] == "CALL_SECURITY_PASSED", (asked, known)
        self.present.add(at)

    @invariant()
    def every_acknowledged_answer_is_there(self) -> None:
        if not getattr(self, "present", None):
            return
        reader = self.operators[min(self.present)]
        entries: list[Any] = []
        token = ""
        while not entries or token:
            page = reader.get("GetHistory", claimRef=self.claim_ref, pageSize=7, pageToken=token)
            entries, token = entries + page["entries"], page["nextPageToken"]
        kept = [(entry["version"], entry["questionId"], entry["new"]) for entry in entries if entry["version"] > 1]
        assert kept == self.acknowledged
        interview = reader.get("GetInterview", claimRef=self.claim_ref)["interview"]
        shown = {part["id"]: part["answer"] for part in interview["questions"] if "answer" in part}
        for name, value in self.standing.items():
            if value is not None:
                assert shown.get(name) == value or name in interview["notRelevantAnswers"], (name, shown)


def search(desk: Any, examples: int, steps: int) -> None:
    class Run(OneClaim):
        pass

    Run.desk = staticmethod(desk)
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        Run,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=quiet, database=None
        ),
    )


def test_no_sequence_of_calls_loses_an_acknowledged_answer(desk: Any) -> None:
    search(desk, examples=4, steps=10)


@pytest.mark.long
def test_no_long_sequence_of_calls_loses_an_acknowledged_answer(desk: Any) -> None:
    search(desk, examples=int(os.environ.get("CMS_EXAMPLES", "200")), steps=40)
