"""The saves of an operator's interview: intake is asked once which answers go into which save."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from google.protobuf import json_format

from chassis import clock
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from cms_local import keys
from cms_local.cases import Case, load_cases, random_nino
from cms_local.layout import Layout
from tests.load.driving import Service

INTAKE = "cms.intake.v1.IntakeService"
ANSWERS_IN_A_SAVE = 5
OPERATORS = 64


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A call with its new claim, by its operator's token."""

    claim_ref: str
    call_id: str
    version: int
    interview: pb.Interview
    token: str


class Operators:
    """Operators that start calls for people without a claim. All callers share them."""

    def __init__(self, layout: Layout, intake: Service) -> None:
        self.intake = intake
        self._random = random.Random()
        self._lock = threading.Lock()
        folder = layout.keys("")
        self._tokens = [
            keys.issue(folder, "OPERATOR", subject=f"OP{number:06d}", grade="AO") for number in range(OPERATORS)
        ]

    def token_of(self, number: int) -> str:
        """The token of the operator with this number."""
        return self._tokens[number % OPERATORS]

    def start(self, number: int) -> Begun:
        """Starts a call of the operator with this number."""
        token = self.token_of(number)
        while True:
            started = self.intake.ask("StartCall", self._request(), pb.StartCallResponse, token=token)
            if not started.resumed:
                return Begun(
                    claim_ref=started.claim.claim_ref,
                    call_id=started.call.call_id,
                    version=started.claim.version,
                    interview=started.interview,
                    token=token,
                )

    def _request(self) -> pb.StartCallRequest:
        with self._lock:
            nino = random_nino(self._random)
        return pb.StartCallRequest(
            purpose=pb.CALL_PURPOSE_NEW,
            nino=nino,
            schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE],
            language=common_pb2.LANGUAGE_EN,
            caller=pb.Caller(relation=pb.CALLER_RELATION_SELF),
            request_id=str(uuid4()),
        )


def saves_of(operators: Operators, case: Case) -> list[list[pb.Answer]]:
    """Returns the answers of a whole interview of this case, in saves of at most five, as intake asks for them."""
    begun = operators.start(0)
    interview, version = begun.interview, begun.version
    saves: list[list[pb.Answer]] = []
    while batch := _due(interview, case):
        response = operators.intake.ask(
            "RecordAnswers", save(begun.claim_ref, batch, version=version), pb.RecordAnswersResponse, token=begun.token
        )
        interview, version = response.interview, response.interview.version
        saves.append(batch)
    return saves


def save(claim_ref: str, answers: Sequence[pb.Answer], *, version: int) -> pb.RecordAnswersRequest:
    """Builds the request of one save."""
    return pb.RecordAnswersRequest(claim_ref=claim_ref, answers=answers, version=version, request_id=str(uuid4()))


def plain_case() -> Case:
    """A council tenant who claims housing benefit, and to whom nothing special happens."""
    return next(case for case in load_cases(clock.today()) if case.wants_notice and not _is_special(case))


def _is_special(case: Case) -> bool:
    changes = case.amend_before or case.amend_after or case.correct or case.amend_confirmed or case.withdraws
    return bool(changes or case.failures)


def _due(interview: pb.Interview, case: Case) -> list[pb.Answer]:
    due = [question.id for question in interview.questions if not question.HasField("answer")]
    names = [name for name in due if name in case.answers][:ANSWERS_IN_A_SAVE]
    return [json_format.ParseDict({"questionId": name, "value": case.answers[name]}, pb.Answer()) for name in names]
