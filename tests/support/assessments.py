"""An assessment at its beginning, and its checks, for tests without a database."""

from datetime import UTC, datetime

from assessment.domain.assessments import Assessment
from assessment.domain.items import Check, Checked, Facts, ItemStatus
from assessment.domain.schemes import Desk

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BY = Checked(by="AS000001", at=NOW)
JSA, IS, CM, LOAN = "JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT", "CHILD_MAINTENANCE", "CRISIS_LOAN"
ASSESSOR, CASEWORKER = frozenset({Desk.ASSESSOR}), frozenset({Desk.CASEWORKER})
READY = Assessment(claim_ref="C0123456789A", schemes=(JSA,), appointment_id="A1", office_code="123456")


def facts(version: int, **answered: int) -> Facts:
    return Facts(version=version, answered=answered)


FACTS = facts(7, surname=3, tenure=5)
BEGUN = READY.start(FACTS, desks=ASSESSOR)


def confirmed(*names: str) -> list[Check]:
    return [Check(fact=name, status=ItemStatus.CONFIRMED) for name in names]


def verified(assessment: Assessment, *names: str, known: Facts = FACTS) -> Assessment:
    return assessment.verify(confirmed(*names), version=assessment.version, facts=known, checked=BY, desks=ASSESSOR)


def statuses(assessment: Assessment) -> dict[str, str]:
    return {name: item.status.value for name, item in assessment.items.items()}


def confirm(assessment: Assessment, known: Facts = FACTS, *, schemes: tuple[str, ...] = (JSA,)) -> Assessment:
    done, _ = assessment.confirm(schemes, facts=known, office_code="123456", checked=BY)
    return done
