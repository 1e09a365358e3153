"""Files that are no claim form, and files that are made to hurt, are refused in words, soon, and without harm."""

import io
import resource
import zlib

import pytest
from pypdf import PdfWriter

from chassis.errors import InvalidArgument, ResourceExhausted
from intake import paper
from intake.domain.forms.layout import IDENTITY_BOX
from intake.domain.forms.reading import Boxes
from intake.paper import child

NO_FORM = "is not a claim form, or was printed to a file so that its boxes are gone: key it instead"
UNREADABLE = "cannot be read: it is damaged, locked, or far larger inside than a claim form"


def read(pdf: bytes) -> Boxes:
    """The content of the boxes, once a processor is free."""
    while True:
        try:
            return paper.read_pdf(pdf)
        except ResourceExhausted:
            continue


def seconds_of_processes() -> float:
    """The processor's time that the readers of forms took so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def refused(pdf: bytes) -> str:
    with pytest.raises(InvalidArgument) as caught:
        read(pdf)
    (violation,) = caught.value.violations
    assert violation.field == "form.pdf"
    return violation.description


def written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def pages(count: int) -> PdfWriter:
    writer = PdfWriter()
    for _ in range(count):
        writer.add_blank_page(100, 100)
    return writer


def file_of(*objects: bytes) -> bytes:
    """A PDF of these objects, whose first is the catalogue."""
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return (
        body
        + head
        + table
        + b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    )


def bomb() -> bytes:
    """A compressed stream of objects that is a thousand times as large when it is unpacked."""
    packed = zlib.compress(b" " * 300_000_000, 9)
    stream = b"<< /Type /ObjStm /N 1 /First 10 /Filter /FlateDecode /Length %d >> stream\n%s\nendstream" % (
        len(packed),
        packed,
    )
    offset = len(b"%PDF-1.7\n1 0 obj\n")
    body = b"%PDF-1.7\n1 0 obj\n" + stream + b"\nendobj\n"
    rows = b"\x00\x00\x00\xff" + b"\x01" + offset.to_bytes(2, "big")[:2] + b"\x00"
    rows = bytes([0, 0, 0, 255, 1, 0, 9, 0, 2, 0, 1, 0])
    table = b"2 0 obj\n<< /Type /XRef /Size 3 /W [1 2 1] /Root 2 0 R /Length %d >> stream\n%s\nendstream\nendobj\n" % (
        len(rows),
        rows,
    )
    return body + table + b"startxref\n%d\n%%%%EOF" % len(body)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x89PNG\r\n", b"x" * 2000 + b"%PDF-1.7"])
def test_a_file_that_is_no_pdf_is_named_so(content: bytes) -> None:
    assert refused(content) == "is not a PDF"


def test_a_pdf_without_boxes_is_not_a_claim_form() -> None:
    assert refused(written(pages(1))) == NO_FORM


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7",
        b"%PDF-1.7\n" + b"\x00" * 50_000,
        b"%PDF-1.7\nstartxref\n9\n%%EOF",
        file_of(b"<< /Type /Catalog /Pages 1 0 R >>"),
        file_of(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"),
        file_of(
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >>",
            b"<< /Type /Pages /Kids [] /Count 0 >>",
            b"<< /T (a) /Kids [3 0 R] >>",
        ),
        file_of(b"[" * 20_000),
        bomb(),
    ],
    ids=["cut off", "zeros", "no table", "circle", "pages in a circle", "boxes in a circle", "deep", "bomb"],
)
def test_a_file_that_is_made_to_hurt_is_refused_soon(content: bytes) -> None:
    before = seconds_of_processes()

    assert refused(content) in (UNREADABLE, NO_FORM)
    assert seconds_of_processes() - before < child.SECONDS + 1


def test_too_many_pages_are_no_claim_form() -> None:
    assert refused(written(pages(100))) == UNREADABLE


def test_a_locked_file_cannot_be_read() -> None:
    writer = pages(1)
    writer.encrypt("secret", algorithm="RC4-128")

    assert refused(written(writer)) == UNREADABLE


def with_boxes(boxes: bytes) -> bytes:
    """A form with its identity, as object 3, and these boxes."""
    return file_of(
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s] >> >>" % boxes,
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /FT /Tx /T (%s) /V (CMS3-2-JSA-EN-1) >>" % IDENTITY_BOX.encode(),
    )


def test_a_form_of_which_a_box_is_lost_is_refused_rather_than_read_by_halves() -> None:
    assert read(with_boxes(b"3 0 R")) == {IDENTITY_BOX: "CMS3-2-JSA-EN-1"}
    assert refused(with_boxes(b"3 0 R 4 0 R")) == UNREADABLE


def test_a_form_that_is_cut_off_is_not_read_as_it_was_saved_before() -> None:
    assert refused(with_boxes(b"3 0 R") + b"4 0 obj\n<< /V (" + b"x" * 2000) == UNREADABLE


def test_a_form_that_waits_too_long_for_a_processor_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "SECONDS", 0.01)

    with pytest.raises(ResourceExhausted) as caught:
        paper.read_pdf(with_boxes(b"3 0 R"))

    assert caught.value.reason == "BUSY"
