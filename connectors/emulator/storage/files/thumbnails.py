"""The small copy that an image column shows: at most 144 by 144 pixels.

No image is scaled here. One that fits is its own thumbnail; for a larger one a grey PNG of the right
proportions stands in, so that a client that takes the thumbnail for the image is found out. Source: section
12 of the wire reference; Microsoft Learn, "Image columns"."""

import struct
import zlib

EDGE = 144
_GREY = b"\x80"


def thumbnail(image: bytes) -> bytes:
    """Return a thumbnail, or the image itself where it is small enough or its size cannot be read."""
    size = dimensions(image)
    if size is None or max(size) <= EDGE:
        return image
    scale = EDGE / max(size)
    return _grey(max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def dimensions(image: bytes) -> tuple[int, int] | None:
    """Return width and height as stated in a PNG, GIF, BMP or JPEG itself."""
    try:
        if image.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", image, 16)
        elif image.startswith(b"GIF8"):
            width, height = struct.unpack_from("<HH", image, 6)
        elif image.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", image, 18)
        elif image.startswith(b"\xff\xd8"):
            return _jpeg(image)
        else:
            return None
    except struct.error:
        return None
    return abs(width), abs(height)  # a BMP that is written from the top has a negative height


def _jpeg(image: bytes) -> tuple[int, int] | None:
    """Return the dimensions from the frame header, past the segments before it."""
    position = 2
    while image[position : position + 1] == b"\xff":
        marker, length = struct.unpack_from(">BH", image, position + 1)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", image, position + 5)
            return width, height
        position += 2 + length
    return None


def _grey(width: int, height: int) -> bytes:
    rows = (b"\0" + _GREY * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
