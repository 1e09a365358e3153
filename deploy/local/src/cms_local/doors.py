"""A client of the services' HTTP doors: JSON, tokens, deadlines, and retries by request_id."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import stamina

from cms_local.layout import SERVICES

SERVICE_NAMES = {service.name: service.contract for service in SERVICES.values()}
PASSING = frozenset({"unavailable", "deadline_exceeded", "resource_exhausted"})


class Refused(Exception):
    """A service refused the call; `code`, `reason` and `fields` are those of the contract."""

    def __init__(self, method: str, body: Mapping[str, Any]) -> None:
        self.code = str(body.get("code", "unknown"))
        details = [detail.get("debug", {}) for detail in body.get("details", [])]
        self.reason = next((detail["reason"] for detail in details if "reason" in detail), "")
        violations = [violation for detail in details for violation in detail.get("fieldViolations", [])]
        self.fields = sorted({violation["field"] for violation in violations})
        super().__init__(f"{method}: {self.code} {self.reason} {body.get('message', '')} {self.fields or ''}")


def _may_pass(error: Exception) -> bool:
    return isinstance(error, httpx.TransportError) or (isinstance(error, Refused) and error.code in PASSING)


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Calls methods, and repeats a call with the same request_id while its error is one that passes."""

    address: Callable[[str], str]
    """The base address of a service's HTTP door."""
    client: httpx.Client
    patience_seconds: float = 45.0

    def call(
        self, service: str, method: str, body: Mapping[str, Any], *, token: str, purpose: str = ""
    ) -> dict[str, Any]:
        """Calls until there is a response. Raises Refused, or httpx.TransportError when the patience has run out."""
        for attempt in stamina.retry_context(
            on=_may_pass, attempts=None, timeout=self.patience_seconds, wait_initial=0.05, wait_max=2.0
        ):
            with attempt:
                return self.once(service, method, body, token=token, purpose=purpose)
        raise AssertionError("the last attempt raises")

    def once(
        self, service: str, method: str, body: Mapping[str, Any], *, token: str, purpose: str = ""
    ) -> dict[str, Any]:
        """Calls once. Raises Refused or httpx.TransportError.

        `method` is one of the service's own contract, or the full path of another that it serves.
        """
        headers = {"Authorization": f"Bearer {token}", "Connect-Timeout-Ms": "10000"}
        if purpose:
            headers["Cms-Purpose"] = purpose
        path = method if "/" in method else f"{SERVICE_NAMES[service]}/{method}"
        answer = self.client.post(f"{self.address(service)}/{path}", json=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise Refused(method, answer.json() if "json" in answer.headers.get("content-type", "") else {})
        response: dict[str, Any] = answer.json()
        return response


def wait_for(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Calls `condition` until it returns something true, and returns that. Raises TimeoutError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not come within {seconds:g} seconds")
        time.sleep(0.05)
