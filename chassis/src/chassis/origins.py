"""Which web pages may call the HTTP door from a browser (CORS). Credentials of the browser's own are never used."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

LOOPBACK = "loopback"
"""Stands for every port of this machine's own addresses; for development."""
_LOOPBACK_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_ONE = rf"({LOOPBACK}|https?://[^\s,/*A-Z]+)"  # browsers send an origin in lower case

OriginsSetting = Annotated[str, Meta(pattern=rf"^({_ONE}(\s*,\s*{_ONE})*)?$")]
"""Exact origins (`https://desk.example`), separated by commas, or `loopback`."""

_REQUEST_HEADERS = (
    "Accept-Language, Authorization, Cms-Purpose, Connect-Accept-Encoding, Connect-Content-Encoding, "
    "Connect-Protocol-Version, Connect-Timeout-Ms, Content-Encoding, Content-Type, Grpc-Accept-Encoding, Grpc-Encoding, "
    "Grpc-Timeout, Traceparent, Tracestate, X-Grpc-Web, X-User-Agent"
)
_RESPONSE_HEADERS = (
    "Content-Encoding, Grpc-Encoding, Grpc-Message, Grpc-Status, Grpc-Status-Details-Bin, Traceparent, WWW-Authenticate"
)
_MAX_AGE_SECONDS = "7200"
"""Chromium keeps the answer to a preflight no longer than this."""


@dataclass(frozen=True)
class Origins:
    """The origins that the setting names."""

    setting: OriginsSetting = ""

    @property
    def vary(self) -> Sequence[str]:
        """Headers of a request on which responses depend."""
        return ("Origin",) if self.setting else ()

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Returns what a response says to a page of this origin; nothing if it may not call."""
        if origin is None or not self.allow(origin):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _RESPONSE_HEADERS}

    def preflight_headers(self) -> Mapping[str, str]:
        """Returns what the answer to an allowed preflight says as well."""
        return {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": _MAX_AGE_SECONDS,
        }

    def allow(self, origin: str | None) -> bool:
        """Whether pages of this origin may call."""
        named = {part.strip() for part in self.setting.split(",")}
        if origin is None:
            return False
        return origin in named - {"", LOOPBACK} or (
            LOOPBACK in named and _LOOPBACK_ORIGIN.fullmatch(origin) is not None
        )
