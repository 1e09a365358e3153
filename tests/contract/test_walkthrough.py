"""docs/api/walkthrough.md is what the platform does: curl makes its calls, and each answer is the document's."""

import os
import re

import pytest

from cms_local import acknowledged
from cms_local.layout import Layout
from intake.domain import values
from tests.support.platforms import PlatformUnderTest
from tests.support.walkthrough import DOCUMENT, Step, Walk, rewritten

pytestmark = [pytest.mark.xdist_group("platform"), pytest.mark.needs("curl")]


def test_the_walkthrough_carries_a_claim_from_the_first_call_to_its_outcome(
    platform_under_test: PlatformUnderTest,
) -> None:
    layout = platform_under_test.layout
    if os.environ.get("CMS_WRITE_WALKTHROUGH"):
        DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), layout))
    walk = Walk(layout, on_response=lambda step, response: note(layout, step, response))

    walk.run(DOCUMENT.read_text())


def test_the_walkthroughs_ninos_can_be_used_as_they_stand() -> None:
    for nino in set(re.findall(r'"nino": "(.*?)"', DOCUMENT.read_text())):
        assert values.read_nino(nino) == nino


def note(layout: Layout, step: Step, response: dict[str, dict[str, str]]) -> None:
    """Notes what was acknowledged, for the audit."""
    for method, name, what in (("SubmitClaim", "claim", "SUBMITTED"), ("ConfirmAssessment", "assessment", "CONFIRMED")):
        if f"/{method} " in step.start:
            ref, schemes = response[name]["claimRef"], ["JOBSEEKERS_ALLOWANCE"]
            acknowledged.note(layout.acknowledged_file, ref, what, schemes=schemes, wants_notice=True)
