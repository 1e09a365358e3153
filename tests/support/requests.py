"""Requests that are refused, by either door."""

from typing import Any

import pytest

from chassis import requests
from chassis.errors import InvalidArgument


def faults(request: Any) -> dict[str, str]:
    """The faults that are found: field → description."""
    with pytest.raises(InvalidArgument) as refused:
        requests.check(requests.parse_binary(type(request), request.SerializeToString()))
    return {violation.field: violation.description for violation in refused.value.violations}


def refusal(kind: Any, body: bytes, *, by_json: bool) -> dict[str, str]:
    """How a body is refused by its bounds or its form: field → description."""
    parse = requests.parse_json if by_json else requests.parse_binary
    with pytest.raises(InvalidArgument) as refused:
        parse(kind, body)
    return {violation.field: violation.description for violation in refused.value.violations}
