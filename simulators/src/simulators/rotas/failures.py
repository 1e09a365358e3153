"""Failures of the rota system."""

from typing import Literal

from pydantic import Field

from simulators.failures import FailureRule


class RotasFailure(FailureRule):
    """`withhold`: no rota of the office is published, as long as the rule stands. `twice`: a rota is sent twice."""

    failure: Literal["withhold", "twice"]
    office_code: str | None = Field(default=None, pattern="^[0-9]{6}$")
    """The office; every one without it."""
