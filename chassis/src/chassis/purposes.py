"""Purposes of seeing personal data, as callers name them in the metadata `cms-purpose`: a kind and one reference.

purpose_of("work item C0000000001Y")
purpose_of("appointment 0f8fad5b-d9cb-469f-a165-70867728950e")
purpose_of("Mrs Hughes asked me to look")   # InvalidArgument: it would be in the access log for ever
"""

import re
from uuid import UUID

from chassis import check_digit
from chassis.errors import InvalidArgument

KINDS = ("appointment", "work item", "transfer", "interview", "withdrawal", "check")
"""People name the first two; the others are what services do for nobody in particular."""
_LONGEST = 80
_FORM = re.compile(rf"({'|'.join(KINDS)}) ([0-9A-Za-z-]+)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def purpose_of(given: str) -> str:
    """The purpose in its canonical form, empty where none is given.

    Raises InvalidArgument (`PURPOSE_MALFORMED`) for anything but a known kind and a reference, without repeating it: free
    text may be about a claimant.
    """
    if not given.strip():
        return ""
    form = _FORM.fullmatch(given.strip()) if len(given) <= _LONGEST else None
    reference = form and _reference(form[2])
    if not form or not reference:
        raise InvalidArgument(
            "PURPOSE_MALFORMED",
            "cms-purpose must be: appointment, and its id; or: work item, and the claim's reference",
        )
    return f"{form[1]} {reference}"


def work_item(claim_ref: str) -> str:
    """The purpose of working on a claim."""
    return f"work item {claim_ref}"


def _reference(text: str) -> str | None:
    if _UUID.fullmatch(text.lower()):
        return str(UUID(text))
    found = check_digit.canonical(text)
    return found if found and check_digit.is_claim_reference(found) else None
