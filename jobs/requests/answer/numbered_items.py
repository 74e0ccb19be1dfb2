"""The numbers of items and the neutral names of their files."""

import mimetypes
from collections.abc import Iterator
from itertools import count

import msgspec

from jobs.model.answer import Attachment, Item


def numbered(items: list[Item]) -> tuple[Item, ...]:
    """Return the items and their files with numbers, in the order given. All that is excluded is removed
    before, so there is no gap (EXP-09)."""
    files = count(1)
    return tuple(
        msgspec.structs.replace(item, item=f"item-{number}", attachment=_named(item.attachment, files))
        for number, item in enumerate(items, 1)
    )


def _named(attachment: Attachment | None, files: Iterator[int]) -> Attachment | None:
    """Return a file under a neutral name of its own."""
    if attachment is None:
        return None
    return msgspec.structs.replace(attachment, name=f"attachment-{next(files)}{_ending(attachment.media_type)}")


def _ending(media_type: str) -> str:
    return mimetypes.guess_extension(media_type.partition(";")[0].strip(), strict=False) or ".bin"
