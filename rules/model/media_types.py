"""What a file is said to be. Senders write media types in either case, and may put parameters behind them
(RFC 2045, section 5.1); what is compared is the type alone."""

from pathlib import PurePath
from typing import Final

OCTETS: Final = "application/octet-stream"  # which says nothing
_BY_ENDING: Final = {
    ".aac": "audio/aac",
    ".amr": "audio/amr",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".avi": "video/x-msvideo",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".heic": "image/heic",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".eml": "message/rfc822",
    ".msg": "application/vnd.ms-outlook",
    ".rtf": "application/rtf",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
}


_ENDINGS: Final = {media_type: ending for ending, media_type in reversed(_BY_ENDING.items())}


def ending_of(said: str | None) -> str:
    """Return the ending by which programs know a file of this type, with its dot; empty for a type that is
    not in the table."""
    return _ENDINGS.get(plain_type(said), "")


def plain_type(said: str | None) -> str:
    """Return a media type in lower case without its parameters; empty where nothing is said."""
    return (said or "").partition(";")[0].strip().lower()


def is_sound(said: str | None) -> bool:
    """Return whether a file is said to be sound, in which somebody's voice may be."""
    return plain_type(said).startswith("audio/")


def is_seen_or_heard(said: str | None) -> bool:
    """Return whether a file is said to be sound or a moving picture: only a person knows what is said in
    it."""
    return is_sound(said) or plain_type(said).startswith("video/")


def type_by_name(said: str | None, name: str | None) -> str:
    """Return what a file is said to be; where that says nothing, what files are whose names end like its
    own."""
    if plain_type(said) not in ("", OCTETS):
        return said or ""
    return _BY_ENDING.get(PurePath((name or "").lower()).suffix, OCTETS)
