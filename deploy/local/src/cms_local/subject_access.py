"""A claimant's own copy: one signed file with what all services hold for a claim, for people and for programs to read."""

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chassis import signatures
from chassis.signatures import SigningKey
from cms_local import keys
from cms_local.demo import doors_of
from cms_local.doors import Doors, Refused
from cms_local.journey import ASSESSMENT, GATEWAY, INTAKE, NOTIFIER, SCHEDULING
from cms_local.layout import Layout

FORM = "subject access 1"
"""The kind of statement that a copy is: see `chassis.signatures.Signatures.sign`."""
SIGNATORY = "subject-access"
_SUBJECT = "SUBJACC1"
"""Names these readings in the access logs."""
_PAGE_SIZE = 50
_MANAGER, _OFFICER = "SERVICE_MANAGER", "PROCESSING_OFFICER"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A method that shows something of what is held, and the role that may ask it."""

    title: str
    service: str
    method: str
    role: str
    paged: bool = False


SOURCES = (
    Source(title="The claim", service=INTAKE, method="GetClaim", role=_MANAGER),
    Source(title="Every answer", service=INTAKE, method="GetHistory", role=_MANAGER, paged=True),
    Source(title="Calls", service=INTAKE, method="ListCalls", role=_MANAGER, paged=True),
    Source(title="Interviews", service=SCHEDULING, method="ListAppointments", role=_MANAGER, paged=True),
    Source(title="Evidence", service=ASSESSMENT, method="GetEvidence", role=_OFFICER),
    Source(title="Records at the paying systems", service=GATEWAY, method="GetTransfers", role=_MANAGER),
    Source(title="Decisions", service=GATEWAY, method="GetDecisions", role=_OFFICER),
    Source(title="Notices to the council", service=NOTIFIER, method="GetNotices", role=_MANAGER),
    Source(title="Messages to the claimant", service=NOTIFIER, method="GetMessages", role=_MANAGER),
    Source(title="Questions of the council", service=NOTIFIER, method="ListWorkItems", role=_OFFICER, paged=True),
)


class Unsound(Exception):
    """The file is no copy that was signed here, or was changed since."""


def collect(layout: Layout, claim_ref: str) -> dict[str, Any]:
    """Reads what is held for the claim, by title; each reading is in the access log of its service.

    Raises Refused, or httpx.TransportError where a service does not answer: a copy with a gap is none.
    """
    with doors_of(layout) as doors:
        return {source.title: _read(layout, doors, source, claim_ref) for source in SOURCES}


def _read(layout: Layout, doors: Doors, source: Source, claim_ref: str) -> list[dict[str, Any]]:
    token = keys.issue(layout.keys(""), source.role, subject=_SUBJECT)
    pages: list[dict[str, Any]] = []
    body: dict[str, Any] = {"claimRef": claim_ref}
    if source.paged:
        body["pageSize"] = _PAGE_SIZE
    while True:
        try:
            page = doors.call(source.service, source.method, body, token=token, purpose=f"work item {claim_ref}")
        except Refused as refused:
            if refused.code != "not_found" or source.title == SOURCES[0].title:
                raise
            return pages  # this service holds nothing of the claim
        following = page.pop("nextPageToken", "")
        pages.append(page)
        if not following:
            return pages
        body["pageToken"] = following


def write(layout: Layout, claim_ref: str, held: Mapping[str, Any], *, made: datetime, path: Path) -> None:
    """Writes the signed copy to a new file that only its owner may read. Raises FileExistsError or OSError."""
    statement = {
        "claim_ref": claim_ref,
        "made": made.isoformat(timespec="seconds"),
        "text": list(_lines(held)),
        "held": held,
    }
    key = _signing_key(layout.keys(""))
    signature = signatures.sign_statement(key, FORM, _canonical(statement))
    signed = {"signed_by": key.key_id, "signature": base64.b64encode(signature).decode()}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({**signed, "statement": statement}, file, ensure_ascii=False, indent=1)
        file.write("\n")


def verify(layout: Layout, path: Path) -> dict[str, Any]:
    """Returns the statement of a copy. Raises Unsound, and OSError where the file cannot be read."""
    known = signatures.read_signatories(layout.keys(keys.SIGNATORIES))
    try:
        copy = json.loads(path.read_text(encoding="utf-8"))
        statement: dict[str, Any] = copy["statement"]
        key_id, signature = str(copy["signed_by"]), base64.b64decode(copy["signature"])
    except (ValueError, KeyError, TypeError) as cause:
        raise Unsound("this is no copy") from cause
    if signatures.service_of(key_id) != SIGNATORY:
        raise Unsound("another signed it")
    try:
        signatures.verify_statement(known, FORM, _canonical(statement), key_id=key_id, signature=signature)
    except (signatures.UnknownKey, signatures.BadSignature) as cause:
        raise Unsound("its signature is bad, or its key was withdrawn") from cause
    return statement


def _signing_key(folder: Path) -> SigningKey:
    return keys.own_signing_key(folder, SIGNATORY)


def _canonical(statement: Mapping[str, Any]) -> bytes:
    return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _lines(held: Mapping[str, Any]) -> Iterator[str]:
    """The same for people: a heading for each part, and below it a line for each value."""
    for title, pages in held.items():
        yield title.upper()
        if not pages:
            yield "  nothing"
        for page in pages:
            yield from _values(page, depth=1)


def _values(value: Any, *, depth: int, name: str = "") -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, dict):
        if name:
            yield f"{indent}{name}:"
        for key, part in value.items():
            yield from _values(part, depth=depth + bool(name), name=key)
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for number, part in enumerate(value, start=1):
            yield from _values(part, depth=depth, name=f"{name} {number}")
    elif value not in ("", None, []):
        said = ", ".join(map(str, value)) if isinstance(value, list) else value
        yield f"{indent}{name}: {said}"
