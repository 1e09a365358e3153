"""The post: a letter that was printed arrives at the council, where a person reads it and keys it in."""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pypdf
import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pypdf.errors import PyPdfError

from simulators.councils.failures import AUTHORITY, CouncilFailure
from simulators.councils.holdings import POST, Holdings, LaterVersionHeldError, OtherContentError
from simulators.failures import FailurePlan

log = structlog.get_logger()

MOST_PAGES = 20
_REFERENCE = re.compile(
    r"\b(?P<authority_code>(?:E06|E07|E08|E09|W06|S12)[0-9]{6})\s*/\s*(?P<claim_ref>C[0-9A-HJKMNP-TV-Z]{11})\s*/\s*"
    r"(?P<notice_id>[0-9A-Za-z-]{1,64})\s*/\s*(?P<version>[1-9][0-9]{0,5})\s*/\s*"
    r"(?P<kind>INTENTION|CLAIM|CHANGE|AWARD|WITHDRAWN)\b"
)
"""How a letter bears its reference: authority, claim, notice, version and kind, with strokes between them."""


class LetterUnreadableError(Exception):
    """The letter is no PDF, or bears no reference by which a person could file it."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """The fields of a letter by which a person files it."""

    notice: Mapping[str, Any]
    sha256: str


def read_letter(content: bytes) -> Letter:
    """The reference of a letter, and the hash of what it says. Raises LetterUnreadableError."""
    try:
        pages = pypdf.PdfReader(io.BytesIO(content)).pages
        text = "\n".join(page.extract_text() for page in pages[:MOST_PAGES])
    except (PyPdfError, ValueError, KeyError, IndexError) as error:
        raise LetterUnreadableError("it is no PDF that can be read") from error
    found = _REFERENCE.search(text)
    if found is None:
        raise LetterUnreadableError("it bears no reference")
    words = " ".join(text.split())
    return Letter(
        notice={**found.groupdict(), "version": int(found["version"])},
        sha256=hashlib.sha256(words.encode()).hexdigest(),
    )


class Letterbox:
    """The door to which letters are delivered: `POST /<authority code>/letters`, the PDF as it was printed."""

    def __init__(self, *, holdings: Holdings, plan: FailurePlan[CouncilFailure]) -> None:
        self._holdings = holdings
        self._plan = plan

    def add_to(self, application: Flask) -> None:
        """Serve it beside the other doors of the application."""
        application.add_url_rule("/<authority>/letters", "deliver", self.deliver, methods=["POST"])

    def deliver(self, authority: str) -> ResponseReturnValue:
        """Take a letter, and tell what a person there would tell of it: 202, a receipt to be recorded; again, 200 the same.

        409 for one that is older than what is held, 422 for one that nobody can file. A letter that the post loses is
        answered 202 without a receipt.
        """
        if not re.fullmatch(AUTHORITY, authority):
            return jsonify(error="not an authority that we know"), 404
        try:
            letter = read_letter(request.get_data())
        except LetterUnreadableError as error:
            return jsonify(error=str(error)), 422
        if letter.notice["authority_code"] != authority:
            return jsonify(error="it is addressed to another authority"), 422
        return self._filed(authority, letter)

    def _filed(self, authority: str, letter: Letter) -> ResponseReturnValue:
        claims = {letter.notice["claim_ref"]}
        log.info("letter", authority_code=authority, claim_ref=letter.notice["claim_ref"])
        if self._plan.pick(lambda rule: rule.is_("lost_letter", authority, claims)):
            return jsonify({}), 202
        rule = self._plan.pick(lambda rule: rule.is_("refuse_load", authority, claims))
        try:
            receipt = self._holdings.receive(
                letter.notice, body_sha256=letter.sha256, refusal=rule.reason if rule else "", way=POST
            )
        except LaterVersionHeldError:
            return jsonify(error="a later version is held"), 409
        except OtherContentError as error:
            return jsonify(error=f"{error.field}: is held with other content"), 422
        told = {"receipt": receipt.receipt, **letter.notice, "reason": rule.reason if rule else ""}
        return jsonify(told), 200 if receipt.repeated else 202
