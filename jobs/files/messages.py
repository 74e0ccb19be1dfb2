"""The words of an e-mail that was kept as a file. Its headers are read one by one, as they are: what no mail
program would write is shown as it is, and stops nothing. Source: EXP-06."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.headerregistry import HeaderRegistry
from email.message import Message
from email.policy import compat32
from typing import Final

from jobs.files.encodings import decoded
from jobs.files.html_text import plain_text
from jobs.files.limits import Budget

HEADERS: Final = ("From", "To", "Cc", "Date", "Subject")
# Fields that every message may have: their names are words of the format (RFC 5322, 2045, 2369).
_STANDARD: Final = frozenset(
    {
        *HeaderRegistry().registry,
        *("in-reply-to", "references", "comments", "keywords", "return-path", "received", "delivered-to", "content-id"),
        *("content-description", "list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive", "list-id"),
    }
)
_JOINTS: Final = re.compile(r"[-_.+]+")
_PLAIN: Final = ("us-ascii", "utf-8", "unknown-8bit")


def message_text(body: bytes, budget: Budget) -> str | None:
    """Return what a reader would see: addresses, subject and texts, without what was attached to it. None
    where it is not a message, and where a text in it is not plainly of one encoding: told without it, it
    would say less than it does."""
    if decoded(body) is None:
        return None
    message = message_from_bytes(body, policy=compat32)
    lines = [f"{name}: {said}" for name in HEADERS if (said := ", ".join(header_texts(message, name)))]
    texts = []
    for part in parts_of(message, budget):
        is_text = (
            part.get_content_maintype() in ("text", "multipart") and not part.is_multipart()
        )  # a message of parts has some, or is not one
        if is_text and part.get_content_disposition() != "attachment":
            found = part.get_payload(decode=True)
            if not isinstance(found, bytes):
                continue
            text = _text(part, found)
            if text is None:
                return None
            texts.append(plain_text(text))
    return "\n\n".join(["\n".join(lines), *dict.fromkeys(texts)]).strip()


def parts_of(message: Message, budget: Budget) -> Iterator[Message]:
    """Return every part of a message, nested parts too, without recursion: the sender decides how deep they
    are nested."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    while waiting:
        part, depth = waiting.pop()
        budget.part(depth)
        yield part
        inside = part.get_payload()
        if isinstance(inside, list):
            waiting += [(each, depth + 1) for each in reversed(inside) if isinstance(each, Message)]


def header_texts(message: Message, name: str = "") -> Iterator[str]:
    """Return what headers say, those of one name or all of them."""
    yield from (header_text(value) for key, value in message.items() if not name or key.lower() == name.lower())


def header_names(message: Message) -> Iterator[str]:
    """Return the names of headers that are none of the standard's, with blanks for what joins their words: a
    sender may write anything there."""
    for key in message:
        if key.lower() not in _STANDARD:
            yield header_text(_JOINTS.sub(" ", key))


def header_text(value: object) -> str:
    """Return a header with its encoded words decoded; one that cannot be decoded as it is."""
    try:
        pieces = decode_header(value)  # type: ignore[arg-type]
    except (HeaderParseError, ValueError, LookupError, TypeError):
        pieces = [(str(value), None)]
    found = [piece if isinstance(piece, str) else _decoded(piece, charset) for piece, charset in pieces]
    text = "".join(found).encode("utf-8", "surrogateescape")
    return " ".join((decoded(text) or text.decode("utf-8", "replace")).split())


def _decoded(piece: bytes, charset: str | None) -> str:
    """Decode by the charset that the sender claims: it may not exist, or not fit."""
    if charset is None or charset.lower() in _PLAIN:
        return decoded(piece) or piece.decode("latin-1")
    try:
        return piece.decode(charset, "replace")
    except (LookupError, ValueError):
        return piece.decode("latin-1")


def _text(part: Message, found: bytes) -> str | None:
    claimed = part.get_content_charset("")
    if claimed.startswith(("iso-8859", "windows-", "koi8", "iso-2022", "utf-7")):  # told apart by what the sender says alone
        try:
            return found.decode(claimed)
        except (LookupError, ValueError):
            pass
    return decoded(found)
