"""Pictures are drawn anew, without what is noted in them (EXP-06)."""

import io

import pytest
from PIL import Image

from jobs.files.limits import Unread
from jobs.files.supervisor import SHARED
from tests.jobs.files.made import a_picture
from tests.jobs.files.readings import WHO


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_picture_is_drawn_anew_without_what_is_noted_in_it(form: str) -> None:
    noted = a_picture(form, author=WHO) + WHO.encode()  # behind its end too
    found = SHARED.read(noted, f"image/{form.lower()}")
    assert (found.kind, found.why, found.texts) == ("picture", "", ())
    assert found.content is not None
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert WHO.encode(encoding) not in found.content
    with Image.open(io.BytesIO(noted)) as before, Image.open(io.BytesIO(found.content)) as after:
        assert (after.format, after.size) == (before.format, before.size)
        assert not {"exif", "xmp", "comment", "Author", "Comment", "icc_profile"} & set(after.info)
        assert dict(after.getexif()).keys() <= {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 305, 282, 283, 296, 339, 338, 317}
        assert _near(before.convert("RGB"), after.convert("RGB"))


def _near(one: Image.Image, other: Image.Image) -> bool:
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return max(abs(a - b) for a, b in pairs) < 12


def test_a_picture_stands_as_it_is_to_be_looked_at() -> None:
    picture, exif, out = Image.new("RGB", (8, 6)), Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(out, "JPEG", exif=exif)
    content = SHARED.read(out.getvalue(), "image/jpeg").content
    assert content is not None
    with Image.open(io.BytesIO(content)) as after:
        assert after.size == (6, 8)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP"])
def test_every_frame_of_a_picture_stays(form: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    content = SHARED.read(out.getvalue(), f"image/{form.lower()}").content
    assert content is not None
    with Image.open(io.BytesIO(content)) as after:
        assert getattr(after, "n_frames", 1) == 3


def test_a_transparent_picture_stays_transparent() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 6), (1, 2, 3, 0)).save(out, "PNG")
    content = SHARED.read(out.getvalue(), "image/png").content
    assert content is not None
    with Image.open(io.BytesIO(content)) as after:
        assert after.convert("RGBA").getpixel((0, 0)) == (1, 2, 3, 0)


@pytest.mark.parametrize("content", [b"<svg xmlns='x'><text>Jan</text></svg>", b"\0\0\0\x18ftypheic" + b"\0" * 40])
def test_a_picture_that_cannot_be_drawn_anew_cannot_be_read(content: bytes) -> None:
    assert SHARED.read(content, "image/svg+xml").why == Unread.UNKNOWN
