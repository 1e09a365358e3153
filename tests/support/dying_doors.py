"""Doors that lose the first request of each method together with the service that took it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cms_local.doors import Doors, Refused
from tests.support.platforms import PlatformUnderTest

NO_LONGER_SHOWN = {("intake-svc", "CALL_REQUIRED"), ("intake-svc", "CALL_BACK_NOT_TAKEN")}


@dataclass(frozen=True, kw_only=True)
class Change:
    """A request with its response."""

    service: str
    method: str
    body: Mapping[str, Any]
    token: str
    answer: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DyingDoors(Doors):
    """Loses the first request of each method with the service that took it, and then makes it twice more."""

    platform: PlatformUnderTest
    point: str
    died: set[str] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)

    def call(
        self, service: str, method: str, body: Mapping[str, Any], *, token: str, purpose: str = ""
    ) -> dict[str, Any]:
        if "requestId" not in body:
            return super().call(service, method, body, token=token, purpose=purpose)
        answer = self.change(service, method, body, token=token, purpose=purpose)
        self.changes.append(Change(service=service, method=method, body=body, token=token, answer=answer))
        return answer

    def change(self, service: str, method: str, body: Mapping[str, Any], *, token: str, purpose: str) -> dict[str, Any]:
        """Makes a change; where it is the method's first, the service dies on the way."""
        name = method.rpartition("/")[2]
        if name in self.died:
            return super().call(service, method, body, token=token, purpose=purpose)
        self.died.add(name)
        self.platform.start_to_die(service, self.point)
        self.platform.running.wait_until_ready(names=(service,))
        with pytest.raises(httpx.TransportError):
            self.once(service, method, body, token=token, purpose=purpose)
        self.platform.wait_for_death(service)
        self.platform.running.start(service)
        answer = super().call(service, method, body, token=token, purpose=purpose)
        assert super().call(service, method, body, token=token, purpose=purpose) == answer, method
        return answer

    def answer_again(self, change: Change) -> dict[str, Any] | None:
        """Repeats the request and returns the response; None where its caller may no longer see the claim."""
        try:
            answer = super().call(change.service, change.method, change.body, token=change.token)
        except Refused as refused:
            if (change.service, refused.reason) not in NO_LONGER_SHOWN:
                raise
            return None
        withheld = "interview" in answer and not answer["interview"]["questions"]
        return None if withheld else answer
