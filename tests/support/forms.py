"""Claim forms in tests: filled by a program, as a person fills them on a screen."""

import io
from collections.abc import Mapping

from pypdf import PdfReader, PdfWriter

from intake.domain.forms.reading import TICKED


def filled(pdf: bytes, boxes: Mapping[str, str]) -> bytes:
    """The PDF with these boxes filled, by name. Raises KeyError for a box that it does not have."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    kinds = {name: field.field_type for name, field in (writer.get_fields() or {}).items()}
    values = {name: f"/{text}" if kinds[name] == "/Btn" else text for name, text in boxes.items()}
    for page in writer.pages:
        writer.update_page_form_field_values(page, values, auto_regenerate=False)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def box_names(pdf: bytes) -> set[str]:
    """The names of a form's boxes."""
    return set(PdfReader(io.BytesIO(pdf)).get_fields() or {})


def page_texts(pdf: bytes) -> list[str]:
    """The words on each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


__all__ = ["TICKED", "box_names", "filled", "page_texts"]
