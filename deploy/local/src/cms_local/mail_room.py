"""The people at both ends of the post: ours, who print letters to councils and record receipts, and the council's, who file."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from cms_local.doors import Doors

NOTIFIER = "la-notifier"
_TO_POST = frozenset({"PRINT_OUTCOME_PRINTED", "PRINT_OUTCOME_PRINTED_BEFORE"})


@dataclass(frozen=True, kw_only=True)
class MailRoom:
    """Prints the letters to councils, gives them to the post, and records what the councils tell of them."""

    doors: Doors
    councils_url: str
    """The HTTP door of the councils' stand-in, where letters are delivered."""
    token: str
    """The token of a processing officer."""

    def clear(self, claim_ref: str | None = None) -> int:
        """Prints and posts what is in the print queue, of one claim or of all; returns how many letters went.

        A letter whose matter ended before it was marked as printed is taken out of the post.
        """
        letters = [letter for letter in self._to_print() if claim_ref in (None, letter["claimRef"])]
        return sum(self._post(letter) for letter in letters)

    def _to_print(self) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {"recipient": "LETTER_RECIPIENT_COUNCIL", "pageSize": 20}
        while True:
            page = self._call("GetLetters", request)
            yield from page.get("letters", [])
            if not page.get("nextPageToken"):
                return
            request = {**request, "pageToken": page["nextPageToken"]}

    def _post(self, letter: Mapping[str, Any]) -> bool:
        [marked] = self._call("MarkPrinted", {"letterIds": [letter["letterId"]], "requestId": str(uuid4())})["results"]
        if marked["outcome"] not in _TO_POST:
            return False
        url = f"{self.councils_url}/{letter['authorityCode']}/letters"
        told = self.doors.client.post(url, content=base64.b64decode(letter["pdf"]))
        if told.status_code == httpx.codes.CONFLICT:
            return True  # the council holds a later one, and throws this away
        self._record(letter, told.raise_for_status().json())
        return True

    def _record(self, letter: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """Records what the council's person tells on the telephone. Of a letter that the post lost nobody does."""
        if "receipt" not in told:
            return
        word = {"refused": True, "reason": told["reason"]} if told["reason"] else {"loaded": True}
        notice = {"noticeId": letter["noticeId"], "version": letter["version"]}
        self._call("RecordReceipt", {**notice, **word, "requestId": str(uuid4())})

    def _call(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.doors.call(NOTIFIER, method, body, token=self.token)
