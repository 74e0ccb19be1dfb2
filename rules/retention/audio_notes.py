"""What counts as a recording although it is a note: an audio file attached to a fiche, by the media types of
the mapping (`recording_media_types`). Source: RET-05."""

from collections.abc import Collection
from fnmatch import fnmatch

from rules.model.media_types import plain_type
from rules.model.records import Note


def is_audio(note: Note, patterns: Collection[str]) -> bool:
    """Return whether a note is a stored conversation: a file of a media type of the mapping."""
    return bool(note.is_document) and is_audio_type(note.media_type, patterns)


def is_audio_type(media_type: str | None, patterns: Collection[str]) -> bool:
    """Return whether a stored conversation is of this media type."""
    return any(fnmatch(plain_type(media_type), pattern) for pattern in patterns)
