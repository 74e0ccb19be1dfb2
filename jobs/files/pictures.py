"""Pictures: redrawn without whatever was said in them beside what is to be seen.

Who took a picture, where, with what, and what somebody noted in it is in a dozen places (EXIF, XMP,
comments, text chunks, colour profiles, a smaller picture inside, bytes after the end). A redrawn picture has
none of them. Source: EXP-06, R-119."""

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, ImageSequence

from jobs.files.byte_strings import among_bytes
from jobs.files.limits import Budget
from rules.model.media_types import plain_type

_FORMATS: Final = {
    "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP",
    "image/tiff": "TIFF",
}  # fmt: skip
_READ: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
_MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_MANY: Final = frozenset({"GIF", "WEBP", "TIFF"})  # formats that hold several frames or pages
_QUALITY: Final = 95
_ICON: Final = 64 * 64  # pixels; a picture that is no larger has no room for words
_LONGEST: Final = 100  # milliseconds that a frame stays where the picture does not say


def is_picture(content: bytes) -> bool:
    """Return whether bytes begin like a picture that can be redrawn."""
    if content.startswith(b"BM"):
        return len(content) > 26 and content[6:10] == b"\0\0\0\0"
    return content.startswith(_MAGIC) or (content.startswith(b"RIFF") and content[8:12] == b"WEBP")


def redrawn(content: bytes, media_type: str, budget: Budget) -> bytes:
    """Return a picture with nothing but its pixels, in the format of its media type, else in its own. Raises
    CannotRead: it is larger than a picture may be; Exception: anything that the library raises over damaged
    bytes."""
    Image.MAX_IMAGE_PIXELS = None  # the budget counts
    with Image.open(BytesIO(content), formats=_READ) as picture:
        form = _FORMATS.get(plain_type(media_type), picture.format or "PNG")
        frames: list[Image.Image] = []
        stays: list[int] = []
        for frame in ImageSequence.Iterator(picture):
            if frames and form not in _MANY:
                break
            budget.pixels(frame.width * frame.height)
            stays.append(_duration(frame))
            frames.append(_bare(frame, form))
    out = BytesIO()
    if len(frames) > 1:
        more = {} if form == "TIFF" else {"duration": stays, "loop": 0}
        frames[0].save(out, form, save_all=True, append_images=frames[1:], **more)
    else:
        frames[0].save(out, form, **({"quality": _QUALITY} if form in ("JPEG", "WEBP") else {}))
    return out.getvalue()


def said_in(content: bytes, budget: Budget) -> Iterator[str]:
    """Return what a picture that stays as it is in a document says: its texts, its tags, its comments. Raises
    CannotRead: it is larger than a picture may be; Exception: whatever the library raises over damaged
    bytes."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(BytesIO(content), formats=_READ) as picture:
        budget.pixels(picture.width * picture.height)
        picture.load()  # what is said after the pixels is known only then
        exif = picture.getexif()
        tags = [exif, *(exif.get_ifd(place) for place in (0x8769, 0x8825, 0xA005, 1))]
        said = [*picture.info.items(), *((str(key), value) for each in tags for key, value in each.items())]
        for key, value in said:
            yield from _words(key, budget)
            yield from _words(value, budget)


def shows_words(content: bytes) -> bool:
    """Return whether a picture is large enough to show words. Raises Exception: whatever the library raises
    over damaged bytes."""
    with Image.open(BytesIO(content), formats=_READ) as picture:
        return picture.width * picture.height > _ICON


def _bare(frame: Image.Image, form: str) -> Image.Image:
    """Return the pixels of a frame alone, turned as the picture asks to be looked at."""
    turned = ImageOps.exif_transpose(frame)
    mode = _mode(turned, form)
    drawn = turned if turned.mode == mode else turned.convert(mode)
    bare = Image.new(mode, drawn.size)
    bare.paste(drawn)
    return bare


def _mode(frame: Image.Image, form: str) -> str:
    """Return a mode that every one of the formats can write."""
    if form == "JPEG":
        return "L" if frame.mode in ("1", "L") else "RGB"
    if frame.mode in ("1", "L"):
        return "L"
    return "RGBA" if form != "BMP" and frame.has_transparency_data else "RGB"


def _duration(frame: Image.Image) -> int:
    stays = frame.info.get("duration", _LONGEST)
    return int(stays) if isinstance(stays, int | float) and 0 < stays < 600_000 else _LONGEST


def _words(value: object, budget: Budget) -> Iterator[str]:
    if isinstance(value, str):
        yield budget.say(value)
    elif isinstance(value, bytes):
        budget.unpack(len(value))
        yield from (budget.say(text) for text in among_bytes(value))
    elif isinstance(value, tuple | list):
        if all(isinstance(each, int) and 0 <= each < 256 for each in value):  # the XP tags of Windows, as some write them
            yield from _words(bytes(value), budget)
        else:
            for each in value[:1000]:
                yield from _words(each, budget)
