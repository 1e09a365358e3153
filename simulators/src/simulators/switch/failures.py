"""Failures of the switch."""

from typing import Literal

from simulators.failures import FailureRule


class SwitchFailure(FailureRule):
    """`miscount`: a report is one call short in each quarter, and is corrected by the next. `twice`: it is sent twice."""

    failure: Literal["miscount", "twice"]
