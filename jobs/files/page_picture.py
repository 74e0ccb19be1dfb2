"""A page of a PDF as a picture, for a person who looks at a file without opening it in a program of their
own."""

from io import BytesIO
from typing import Final

import pypdfium2

from jobs.files.limits import Budget, CannotRead, Unread
from jobs.files.result import Drawn

WIDTH: Final = 1240  # pixels of a page: A4 at 150 dots an inch
_SMALLEST: Final = 1.0  # points
_MOST: Final = 4.0  # times the size of a page


def drawn(content: bytes, page: int, budget: Budget) -> Drawn:
    """Draw a page, counted from 0, with its notes and form fields. Raises CannotRead: the file is damaged or
    locked, or has no such page; Exception: whatever the library raises over damaged bytes."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        raise CannotRead(Unread.DAMAGED) from None
    try:
        document.init_forms()
        if not 0 <= page < len(document):
            raise CannotRead(Unread.DAMAGED)
        width, height = document.get_page_size(page)
        scale = min(_MOST, WIDTH / max(width, _SMALLEST))
        budget.pixels(int(width * scale) * int(height * scale))
        out = BytesIO()
        document[page].render(scale=scale).to_pil().convert("RGB").save(out, "PNG")
        return Drawn(len(document), out.getvalue())
    finally:
        document.close()
