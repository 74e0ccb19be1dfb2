"""How a PDF reads and looks, for tests."""

import io
import re
from collections.abc import Iterator

import pikepdf
import pypdfium2

LEFT, RIGHT = 25 * 72 / 25.4, 22 * 72 / 25.4  # the margins of a letter, in points
UNSEEN = "\u200b\ufffe\x02"  # where a line may end, and how a hyphen at its end is read back
_OVERHANG = 1.5  # points: ink of a letter beyond its own width


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


def beyond_the_margins(pdf: bytes) -> list[str]:
    """The characters that stand further left or right than a letter has its text, with their page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [f"{number} {character}" for number, page in enumerate(document, 1) for character in _beyond(page)]
    finally:
        document.close()


def _beyond(page: pypdfium2.PdfPage) -> Iterator[str]:
    text, right = page.get_textpage(), page.get_width() - RIGHT
    for index in range(text.count_chars()):
        character = chr(pypdfium2.raw.FPDFText_GetUnicode(text, index))
        if not character.isspace() and character not in UNSEEN:
            begins, _, ends, _ = text.get_charbox(index)
            if ends > right + _OVERHANG or begins < LEFT - _OVERHANG:
                yield character


def touching(pdf: bytes) -> list[tuple[int, str, str]]:
    """Pieces of text that stand upon each other, with their page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for number, page in enumerate(document, 1):
            text = page.get_textpage()
            boxes = [text.get_rect(index) for index in range(text.count_rects())]
            for at, one in enumerate(boxes):
                for other in boxes[at + 1 :]:
                    wide, high = (min(one[edge + 2], other[edge + 2]) - max(one[edge], other[edge]) for edge in (0, 1))
                    if wide > _OVERHANG and high > _OVERHANG:
                        found.append((number, text.get_text_bounded(*one), text.get_text_bounded(*other)))
        return found
    finally:
        document.close()


def gap_after(pdf: bytes, words: str) -> float:
    """How far from the end of some words the text behind them begins, in points: in the last line that has
    them."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        gaps = [gap for page in document for gap in _gaps(page, words)]
        return gaps[-1]
    finally:
        document.close()


def _gaps(page: pypdfium2.PdfPage, words: str) -> Iterator[float]:
    text = page.get_textpage()
    search = text.search(words, match_whole_word=True)
    while (found := search.get_next()) is not None:
        behind = range(sum(found), text.count_chars())
        seen = next(index for index in behind if not chr(pypdfium2.raw.FPDFText_GetUnicode(text, index)).isspace())
        yield text.get_charbox(seen)[0] - text.get_charbox(sum(found) - 1)[2]


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
