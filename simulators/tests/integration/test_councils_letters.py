"""Letters to councils: delivered as they were printed, and filed by the reference that stands on them."""

import io
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from simulators.councils.server import Councils
from simulators.testing import CLAIM_REF, HttpAnswer, call, wait_until

RUTLAND = "E06000017"


def pdf(*lines: str) -> bytes:
    page = io.BytesIO()
    canvas = Canvas(page, invariant=True)
    for number, line in enumerate(lines):
        canvas.drawString(72, 760 - 20 * number, line)
    canvas.save()
    return page.getvalue()


def letter(version: int = 1, *, kind: str = "INTENTION", authority: str = RUTLAND, words: str = "Dear Sir") -> bytes:
    return pdf(words, f"Our reference: {authority} / {CLAIM_REF} / N-1 / {version} / {kind}")


def deliver(councils: Councils, content: bytes, authority: str = RUTLAND) -> HttpAnswer:
    return call(councils.port, "POST", f"/{authority}/letters", body=content)


def held(councils: Councils) -> Any:
    return call(councils.control_port, "GET", f"/ledger?claim_ref={CLAIM_REF}").body


def fail(councils: Councils, failure: str, **rule: object) -> None:
    assert call(councils.control_port, "PUT", "/failures", body={"failure": failure, **rule}).status == 200


def test_a_letter_is_filed_by_its_reference_and_loaded_once(councils: Councils) -> None:
    first, again = deliver(councils, letter()), deliver(councils, letter())

    assert (first.status, again.status) == (202, 200)
    assert again.body == first.body
    assert (first.body["notice_id"], first.body["version"], first.body["kind"]) == ("N-1", 1, "INTENTION")
    wait_until(lambda: held(councils)["versions"]["LOADED"] == 1)
    [notice] = held(councils)["claims"][CLAIM_REF]
    assert (notice["versions"][0]["way"], held(councils)["duplicates"]) == ("post", 0)


def test_an_older_letter_and_one_with_other_words_are_not_filed(councils: Councils) -> None:
    deliver(councils, letter(2, kind="CLAIM"))

    assert deliver(councils, letter(1)).status == 409
    assert deliver(councils, letter(2, kind="CLAIM", words="Dear Madam")).status == 422


@pytest.mark.parametrize("content", [b"", b"Dear Sir", pdf("Dear Sir"), letter(authority="E07000033")])
def test_a_letter_that_nobody_can_file_is_422(councils: Councils, content: bytes) -> None:
    assert deliver(councils, content).status == 422
    assert held(councils)["notices"] == 0


def test_a_letter_may_be_lost_or_refused(councils: Councils) -> None:
    fail(councils, "lost_letter", count=1)
    assert (deliver(councils, letter()).status, held(councils)["notices"]) == (202, 0)

    fail(councils, "refuse_load", claim_ref=CLAIM_REF, reason="NO SUCH STREET")
    assert deliver(councils, letter()).body["reason"] == "NO SUCH STREET"
    wait_until(lambda: held(councils)["versions"]["REFUSED"] == 1)


def test_no_letter_goes_to_an_authority_that_is_none(councils: Councils) -> None:
    assert deliver(councils, letter(), authority="N09000003").status == 404
