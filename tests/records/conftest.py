"""Interviews of intake's script, answered at random, whose facts become records and notices."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import legacy_gateway
from chassis import clock
from chassis.errors import InvalidArgument
from chassis.postcodes import Postcodes, build_extract
from cms.intake.v1 import intake_pb2
from cms_local.cases import random_nino
from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.claim import Claim, ClaimState
from intake.domain.given import GivenAnswer
from intake.domain.interview import Answer, QuestionState, evaluate, facts, record_forms, with_consent
from intake.domain.script import Field as ScriptField
from intake.domain.script import Kind as AnswerKind
from intake.domain.script import Question, Script
from intake.grpc_api import messages
from intake.service.claims import FactsShown
from intake.service.places import placed
from legacy_gateway import mapping
from legacy_gateway.clients import facts_of
from legacy_gateway.domain import Action, System
from legacy_gateway.service.payloads import authority_code
from simulators.cots.application import problems
from simulators.iscs import ISCS
from simulators.jsaps import JSAPS
from simulators.pscs.cycle import RULES as RULES_OF_PSCS
from simulators.record_link.copybook import read_layouts
from simulators.record_link.edit_rules import COMMON_RULES, load_rule_book, rules_of
from simulators.record_link.link import Link
from simulators.record_link.mainframe import Mainframe
from simulators.record_link.record import decode
from simulators.sfcs import SFCS

NAMES = ["Hughes", "O’Brien-Łukasz", "Siân", "李", "van der Berg", "x" * 50, "D'Arcy", "ﻣﺮﻳﻢ", "A" * 34 + " B", "Groß"]
TEXTS = [
    "Bookkeeper",
    "Tŷ Coffi",
    "Ölçü & Sons (Leeds)",
    "nights 🙂",
    "a" * 90,
    "£12 an hour",
    "ß" * 31,
    "I'm [here]!",
    "%",
]
PHONES = ["0113 496 0999", "+48 22 123 45 67", "07700 900123", "+4915123456789012"]
PLACED_POSTCODES = ["LS1 3AB", "M2 5PD", "CF10 4UW", "G3 7DN", "AL3 5SA"]
ODD_POSTCODES = ["ZZ99 9ZZ", "GY1 1AA", "BT1 1AA", "LS1 9ZZ"]


class Interviewer:
    """Answers questions by their kind alone, now and then by a gap; one seed gives one interview."""

    def __init__(self, seed: int, today: date, postcodes: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._today = today
        self._postcodes = postcodes

    def pick(self, states: Sequence[QuestionState]) -> QuestionState:
        """One of the questions."""
        return self._random.choice(states)

    def chance(self, part: float) -> bool:
        """Returns True with this probability."""
        return self._random.random() < part

    def answer(self, state: QuestionState) -> Any:
        """A JSON value, right or wrong."""
        question = state.question
        if self.chance(0.1):
            return {"gap": self._random.choice(["NOT_KNOWN", "WILL_SEND"])}
        if state.options:
            return self._random.choice(state.options)
        if question.kind is AnswerKind.GROUP:
            return [self._entry(question) for _ in range(self._random.randrange(4))]
        return self._value(question)

    def _entry(self, question: Question) -> dict[str, Any]:
        return {field.id: self._value(field) for field in question.fields if field.required or self.chance(0.5)}

    def _value(self, field: ScriptField) -> Any:
        choice, number = self._random.choice, self._random.randrange
        codes = [option.code for option in field.choices]
        makers: dict[AnswerKind, Callable[[], Any]] = {
            AnswerKind.YES_NO: lambda: choice([True, False]),
            AnswerKind.CHOICE: lambda: choice(codes),
            AnswerKind.CHOICES: lambda: self._random.sample(codes, number(len(codes))),
            AnswerKind.TEXT: lambda: choice(TEXTS),
            AnswerKind.NAME: lambda: choice(NAMES),
            AnswerKind.NINO: lambda: random_nino(self._random),
            AnswerKind.PHONE: lambda: choice(PHONES),
            AnswerKind.EMAIL: lambda: choice(["a@example.com", "siân@example.org"]),
            AnswerKind.SORT_CODE: lambda: f"{number(1, 10**6):06}",
            AnswerKind.ACCOUNT_NUMBER: lambda: f"{number(1, 10**8):08}",
            AnswerKind.POSTCODE: lambda: choice(self._postcodes),
            AnswerKind.DATE: self._date,
            AnswerKind.MONEY: lambda: f"{number(10 ** choice([2, 4, 6, 9, 11])) / 100:.2f}",
            AnswerKind.NUMBER: lambda: choice([0, 7, 15.9, 16, 23.5, 24, 39.5, 40, 99, 168]),
            AnswerKind.ADDRESS: self._address,
        }
        return makers[field.kind]()

    def _address(self) -> dict[str, Any]:
        lines = [self._random.choice(TEXTS) for _ in range(self._random.randrange(2, 6))]
        return {"lines": lines, "postcode": self._random.choice(self._postcodes)}

    def _date(self) -> str:
        days = self._random.choice([30, 120, 3_000, 30_000, 50_000])
        return (self._today - timedelta(days=self._random.randrange(-40, days))).isoformat()


Answers = dict[str, Answer]


@dataclass(frozen=True, kw_only=True)
class Interviews:
    """Interviews of the real script, by the pure domain."""

    script: Script
    today: date
    postcodes: Sequence[str]
    directory: Postcodes

    def of_answers(self, values: Mapping[str, Any]) -> Answers:
        """Evaluates the answers, with the claimant's agreement to every proposed form."""
        given = {name: self._answer(name, value, version=1) for name, value in values.items()}
        return {name: with_consent(self.script.questions[name], answer) for name, answer in given.items()}

    def _answer(self, name: str, value: Any, *, version: int) -> Answer:
        read = GivenAnswer(value=validate_answer(self.script.questions, name, value, today=self.today))
        given = placed(self.directory, self.script, {name: read})[name]
        return Answer(value=given.value, place=given.place, version=version)

    def at_random(self, seed: int) -> Iterator[Answers]:
        """Answers in any order until the interview can be submitted, and yields the answers after each step."""
        interviewer, answers = Interviewer(seed, self.today, self.postcodes), Answers()
        while open_states := self._open(answers):
            state = interviewer.pick(open_states)
            if state.answer and state.proposal is not None and interviewer.chance(0.7):
                answers = answers | {state.question.id: with_consent(state.question, state.answer)}
                yield answers
                continue
            with suppress(InvalidArgument):
                value = interviewer.answer(state)
                answers = answers | {
                    state.question.id: self._answer(state.question.id, value, version=len(answers) + 1)
                }
                yield answers

    def _open(self, answers: Answers) -> list[QuestionState]:
        interview = evaluate(self.script, answers, language="EN", contact_date=self.today)
        return [state for state in interview.questions if state.is_open]

    def facts(self, answers: Answers, consumer: str, *, submitted: bool = True) -> intake_pb2.ClaimFacts:
        """Builds the facts that intake gives to this service."""
        contact = datetime(self.today.year, self.today.month, self.today.day, 12, tzinfo=UTC)
        claim = Claim(
            claim_ref="C00000000018",
            schemes=self.script.schemes,
            catalogue=self.script.number,
            state=ClaimState.SUBMITTED if submitted else ClaimState.DRAFT,
            version=7,
            language="EN",
            first_contact_time=contact,
            submit_time=contact if submitted else None,
            operator="OP000001",
            operator_grade="AO",
        )
        told = facts(self.script, answers, consumer, contact_date=self.today)
        return messages.facts(
            FactsShown(claim=claim, version=7, answers=told, record_forms=record_forms(answers, told))
        )


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postcodes]:
    """The test extract of the postcode directory."""
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    with Postcodes(path) as postcodes:
        yield postcodes


SYSTEMS = {
    "INCOME_SUPPORT": System.ISCS,
    "JOBSEEKERS_ALLOWANCE": System.JSAPS,
    "INCAPACITY_BENEFIT": System.PSCS,
    "CRISIS_LOAN": System.SFCS,
    "CHILD_MAINTENANCE": System.CMS_COTS,
}
WHEN_ALL_WERE_OPEN = date(2005, 7, 11)


@pytest.fixture(scope="session")
def interviews_for(directory: Postcodes) -> Callable[[str, date], Interviews]:
    """Makes interviews of one scheme on a day, with addresses that the directory knows and some that it does not."""

    def make(scheme: str, today: date) -> Interviews:
        postcodes = [*PLACED_POSTCODES, *ODD_POSTCODES]
        script = load_catalogues().newest.script_for([scheme])
        return Interviews(script=script, today=today, postcodes=postcodes, directory=directory)

    return make


@pytest.fixture(scope="session")
def interviews(interviews_for: Callable[[str, date], Interviews]) -> Interviews:
    """Interviews for Jobseeker's Allowance today."""
    return interviews_for("JOBSEEKERS_ALLOWANCE", clock.today())


@dataclass(frozen=True, kw_only=True, repr=False)
class Claimed:
    """Interviews for the benefit that one system pays, while it could be claimed."""

    system: System
    interviews: Interviews
    make_case: Callable[[Interviews, Answers], mapping.Case]

    def case(self, answers: Answers) -> mapping.Case:
        """Builds the gateway's case from answers, as a sender does."""
        return self.make_case(self.interviews, answers)


@pytest.fixture(scope="session", params=SYSTEMS)
def claimed(
    request: pytest.FixtureRequest,
    interviews_for: Callable[[str, date], Interviews],
    make_case: Callable[[Interviews, Answers], mapping.Case],
) -> Claimed:
    """Interviews for each benefit, with the system that pays it."""
    interviews = interviews_for(request.param, WHEN_ALL_WERE_OPEN)
    return Claimed(system=SYSTEMS[request.param], interviews=interviews, make_case=make_case)


@pytest.fixture(scope="session")
def make_case(directory: Postcodes) -> Callable[[Interviews, Answers], mapping.Case]:
    """Builds the gateway's case from answers, as a sender does."""

    def make(interviews: Interviews, answers: Answers) -> mapping.Case:
        known = facts_of(interviews.facts(answers, "legacy-gateway"))
        return mapping.Case(
            claim_ref="C00000000018",
            action=Action.NEW,
            office_code="100123",
            assessor_id="ASSESS01",
            facts=known,
            authority_code=authority_code(directory, known),
            first_phase_reference="JS0000000001",
            transfer_id="0123456789ABCDEFGHIJKLMNOP",
        )

    return make


@pytest.fixture(scope="session")
def case_of(
    interviews: Interviews, make_case: Callable[[Interviews, Answers], mapping.Case]
) -> Callable[[Answers], mapping.Case]:
    """Builds the gateway's case from answers of a claim for Jobseeker's Allowance."""
    return lambda answers: make_case(interviews, answers)


@pytest.fixture(scope="session")
def copybooks() -> Path:
    """The folder of the copybooks."""
    return Path(legacy_gateway.__file__).parent / "copybooks"


MAINFRAMES: Mapping[str, tuple[Mainframe, str]] = {
    "ISCS-CLAIM": (ISCS, "IS001"),
    "JSAPS-ES": (JSAPS, "ES504"),
    "JSAPS-BA": (JSAPS, "BA504"),
    "SFCS-LOAN": (SFCS, "SF001"),
}
Objections = Callable[[str, bytes, date], set[str]]


@pytest.fixture(scope="session")
def objections(copybooks: Path) -> Objections:
    """Lists the codes of the rules by which a system would refuse the bytes of a record, received on a day."""
    readers = {
        record: (Link(mainframe, copybooks).layout(record), rules_of(mainframe), dialogue)
        for record, (mainframe, dialogue) in MAINFRAMES.items()
    }
    line = read_layouts(copybooks, "pscs.cpy")["PSCS-DETAIL"]
    readers["PSCS-DETAIL"] = (line, load_rule_book(COMMON_RULES, RULES_OF_PSCS), "PS001")

    def ask(record: str, payload: bytes, received_on: date) -> set[str]:
        if record == "cots":
            body = json.loads(payload)
            return {one.code for one in problems(body, key=body["transfer_id"], received_on=received_on)}
        read, rules, dialogue = readers[record]
        return {one.code for one in rules.messages(dialogue, decode(read, payload), received_on=received_on)}

    return ask
