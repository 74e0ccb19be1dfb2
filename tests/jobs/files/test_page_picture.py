"""Pages of a PDF as pictures, drawn behind the border. Everybody is fictitious."""

from io import BytesIO

import pytest
import typst
from PIL import Image

from jobs.files.file_texts import page_of
from jobs.files.limits import Limits, Unread
from jobs.files.supervisor import Reader

PDF = typst.compile(b"#set page(width: 100mm, height: 200mm)\nLotte (fictief)\n#pagebreak()\nTweede bladzijde")


def test_a_page_is_drawn_in_its_proportions() -> None:
    first, second = page_of(PDF, 0), page_of(PDF, 1)
    picture = Image.open(BytesIO(first.picture))
    assert (first.pages, picture.format) == (2, "PNG")
    assert picture.height / picture.width == pytest.approx(2, abs=0.01)
    assert first.picture != second.picture


@pytest.mark.parametrize(("content", "page"), [(b"no PDF", 0), (PDF[:400], 0), (PDF, 2), (PDF, -1)])
def test_what_cannot_be_drawn_says_so(content: bytes, page: int) -> None:
    found = page_of(content, page)
    assert (found.picture, found.why) == (b"", Unread.DAMAGED.value)


def test_a_page_may_not_be_larger_than_a_picture() -> None:
    reader = Reader(Limits(pixels=10_000))
    try:
        assert reader.drawn(PDF, 0).why == Unread.LARGE.value
    finally:
        reader.close()
