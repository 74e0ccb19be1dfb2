"""The small copy that an image column shows: at most 144 by 144 pixels.

No image is scaled here. One that fits is its own thumbnail; for a larger one a grey PNG of the right
proportions stands in, so that a client that takes the thumbnail for the image is found out. Source: section
12 of the wire reference; Microsoft Learn, "Image columns"."""

from io import BytesIO

EDGE = 144
_GREY = 128


def thumbnail(image: bytes) -> bytes:
    """Return a thumbnail, or the image itself where it is small enough or its size cannot be read."""
    from PIL import Image  # few rows have a picture

    try:
        with Image.open(BytesIO(image), formats=("PNG", "GIF", "BMP", "JPEG")) as opened:
            size = opened.size
    except (OSError, Image.DecompressionBombError):
        return image
    if max(size) <= EDGE:
        return image
    scale = EDGE / max(size)
    out = BytesIO()
    Image.new("L", (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), _GREY).save(out, "PNG")
    return out.getvalue()
