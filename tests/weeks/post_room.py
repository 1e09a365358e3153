"""The people who print letters, post them, and record what the councils tell of them on the telephone."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from cms_local import keys
from cms_local.doors import Doors
from cms_local.journey import NOTIFIER
from cms_local.layout import Layout
from cms_local.systems import COUNCILS

_RECIPIENTS = ("LETTER_RECIPIENT_COUNCIL", "LETTER_RECIPIENT_CLAIMANT")


@dataclass(kw_only=True)
class PostRoom:
    """One processing officer for all letters. `to_record` is what the councils told of the letters that reached them."""

    layout: Layout
    doors: Doors
    to_record: list[Mapping[str, Any]] = field(default_factory=list)

    def print_letters(self) -> None:
        """Prints and posts every letter of the queue."""
        for recipient in _RECIPIENTS:
            while letters := self._call("GetLetters", recipient=recipient, pageSize=20)["letters"]:
                ids = [letter["letterId"] for letter in letters]
                self._call("MarkPrinted", letterIds=ids, requestId=str(uuid4()))
                self.to_record += [self._post(letter) for letter in letters if letter["authorityCode"]]

    def record_receipts(self) -> None:
        """Records what the councils told of the letters that were posted before."""
        told, self.to_record = self.to_record, []
        for receipt in told:
            self._call(
                "RecordReceipt",
                noticeId=receipt["notice_id"],
                version=receipt["version"],
                loaded=True,
                requestId=str(uuid4()),
            )

    def _post(self, letter: Mapping[str, Any]) -> Mapping[str, Any]:
        address = f"http://127.0.0.1:{self.layout.stand_in_port(COUNCILS)}/{letter['authorityCode']}/letters"
        answer = httpx.post(address, content=base64.b64decode(letter["pdf"]), timeout=30.0).raise_for_status()
        receipt: Mapping[str, Any] = answer.json()
        return receipt

    @property
    def _call(self) -> Callable[..., Any]:
        token = keys.issue(self.layout.keys(""), "PROCESSING_OFFICER", subject="PO000002", office=None, grade=None)
        return lambda method, **body: self.doors.call(NOTIFIER, method, body, token=token, purpose="work item post")
