"""How a PDF reads and looks, for tests."""

from __future__ import annotations

import io
import re

import pikepdf
import pypdfium2


def text_of(pdf: bytes) -> str:
    """All text of a PDF, one blank between words."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return re.sub(r"\s+", " ", " ".join(page.get_textpage().get_text_bounded() for page in document))
    finally:
        document.close()


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def pictures_of(pdf: bytes, scale: float = 1.0) -> list[tuple[int, int, bytes]]:
    """Each page as grey pixels, with its size."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmaps = [page.render(scale=scale, grayscale=True) for page in document]
        return [(bitmap.width, bitmap.height, bytes(bitmap.buffer)) for bitmap in bitmaps]
    finally:
        document.close()


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))
