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
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".avi": "video/x-msvideo",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}


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
    """Return what a file is said to be; where that says nothing, and its name ends as that of a sound or a
    moving picture does, that."""
    if plain_type(said) not in ("", OCTETS):
        return said or ""
    return _BY_ENDING.get(PurePath((name or "").lower()).suffix, OCTETS)
