"""The token that says where a page of work ended."""

import base64
import binascii
import json
from datetime import datetime

from assessment.domain.work import Place
from chassis.errors import InvalidArgument, Violation


def token_of(place: Place) -> str:
    """The token of a place."""
    text = json.dumps([place.done, place.submit_time.isoformat(), place.claim_ref])
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(token: str) -> Place:
    """The place of a token. Raises InvalidArgument naming `page_token` for what no page gave."""
    try:
        done, submit_time, claim_ref = json.loads(base64.urlsafe_b64decode(token))
        place = Place(done=done, submit_time=datetime.fromisoformat(submit_time), claim_ref=claim_ref)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _unknown() from None
    known = isinstance(claim_ref, str) and claim_ref.isascii() and claim_ref.isalnum()
    if not isinstance(done, bool) or not known or place.submit_time.tzinfo is None:
        raise _unknown()
    return place


def _unknown() -> InvalidArgument:
    return InvalidArgument.of(Violation(field="page_token", description="is not of this list"))
