"""Pages that ordinary programs fetch by a link from the HTTP door, beside the methods of the contract: a calendar, say.

    Page(path="/diary/<key>.ics", answer=lambda key: Document(content_type="text/calendar", body=...))

The key in a link is its whole permission, since such programs send no token. So the path of a request is never logged or
counted: the page's own path, with `<key>`, stands for it. Few are answered at the same time, so that calls never wait for them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore

from chassis import clock, logs, metrics, refusals
from chassis.chain import known_error
from chassis.errors import CmsError, Internal, ResourceExhausted

AT_ONCE = 4
"""Requests for pages that a process answers at the same time."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """The answer to a request for a page."""

    content_type: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the HTTP door. `path` has the one variable `<key>`; `answer` gives the document of a key.

    `answer` raises NotFound for a key that opens nothing, and ResourceExhausted for one that is used too often: then the
    program is told to come again after `retry_after_seconds`.
    """

    path: str
    answer: Callable[[str], Document]
    retry_after_seconds: int = 60


class Pages:
    """The pages of a process, in their turn."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = pages
        self._places = BoundedSemaphore(AT_ONCE)

    def answer(self, page: Page, key: str) -> Document:
        """Returns the document of the key. Raises only CmsError."""
        started = time.monotonic()
        code = "OK"
        try:
            return self._answer(page, key)
        except Exception as error:
            known = known_error(error)
            code = known.code
            _log(page, error, known)
            raise known from error
        finally:
            metrics.HANDLING.labels(page.path, code).observe(time.monotonic() - started)

    def _answer(self, page: Page, key: str) -> Document:
        if not self._places.acquire(blocking=False):
            raise ResourceExhausted("BUSY", "too many pages at once: try again")
        try:
            with clock.steady():
                return page.answer(key)
        finally:
            self._places.release()


def _log(page: Page, error: Exception, known: CmsError) -> None:
    if isinstance(known, Internal):
        logs.get().error("page failed", method=page.path, error=type(error).__name__, location=logs.location_of(error))
    else:
        # Anybody can bring these about, as often as they like.
        refusals.log("page refused", method=page.path, code=known.code, reason=known.reason)
