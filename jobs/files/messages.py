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
from jobs.files.files_in_texts import without_files
from jobs.files.html_text import holds_more, plain_text
from jobs.files.limits import Budget
from jobs.files.result import Told

HEADERS: Final = ("From", "To", "Cc", "Date", "Subject")
# Fields that every message may have: their names are words of the format (RFC 5322, 2045, 2369).
_STANDARD: Final = frozenset(
    {
        *HeaderRegistry().registry,
        *("in-reply-to", "references", "comments", "keywords", "return-path", "received", "delivered-to", "content-id"),
        *("content-description", "list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive", "list-id"),
    }
)
_ITSELF: Final = "message/rfc822"
_HEADER: Final = re.compile(r"^(From|To|Cc|Date|Subject|MIME-Version|Received|Message-ID|Content-Type):", re.MULTILINE | re.IGNORECASE)
_SAMPLE: Final = 4096
_PACKED: Final = ("base64", "quoted-printable")
_JOINTS: Final = re.compile(r"[-_.+]+")
_PLAIN: Final = ("us-ascii", "utf-8", "unknown-8bit")


def message_text(body: bytes, budget: Budget, depth: int = 0) -> Told | None:
    """Return what a reader would see: addresses, subject and texts, of the messages within it too. What else
    was attached to it is not in it, and then it is not whole. None where it is not a message, and where a
    text in it is not plainly of one encoding: told without it, it would say less than it does. Raises
    CannotRead: it would cost more than is left."""
    budget.part(depth)
    if decoded(body) is None:
        return None
    message = message_from_bytes(body, policy=compat32)
    said, is_whole = [_head(message)], True
    for part in parts_of(message, budget):
        inner = _within(part)
        if inner is not None:
            told = message_text(inner, budget, depth + 1)
            said += [told.text] if told is not None else []
            is_whole = is_whole and told is not None and told.is_whole
        elif part.is_multipart():
            inside = _unpacked(part, budget) if part.get_content_type() == _ITSELF else []
            said += [_head(each) for each in inside if isinstance(each, Message)] if isinstance(inside, list) else []
        elif isinstance(found := part.get_payload(decode=True), bytes) and found:
            is_text = part.get_content_maintype() in ("text", "multipart")  # a message of parts has some, or is not one
            if not is_text or part.get_content_disposition() == "attachment":
                is_whole = False
                continue
            text = _text(part, found)
            if text is None:
                return None
            plain = plain_text(text)
            said.append(without_files(plain))
            is_whole = is_whole and said[-1] == plain and not holds_more(text)
    return Told("\n\n".join(dict.fromkeys(said)).strip(), is_whole)


def _head(message: Message) -> str:
    return "\n".join(f"{name}: {said}" for name in HEADERS if (said := ", ".join(header_texts(message, name))))


def _within(part: Message) -> bytes | None:
    """Return a message that was put into another as a file would be, and of which the parser makes no
    message."""
    if part.is_multipart():
        return None
    found = part.get_payload(decode=True)
    if not isinstance(found, bytes) or not found:
        return None
    is_inline = part.get_content_maintype() in ("text", "multipart") and part.get_content_disposition() != "attachment"
    text = None if is_inline else decoded(found)
    return found if text is not None and begins_as_message(text) else None


def begins_as_message(text: str) -> bool:
    """Return whether a text begins with headers of an e-mail, two at least."""
    return len({name.lower() for name in _HEADER.findall(text[:_SAMPLE])}) > 1


def parts_of(message: Message, budget: Budget) -> Iterator[Message]:
    """Return every part of a message, nested parts too, without recursion: the sender decides how deep they
    are nested. A message that was packed before it was put into another is unpacked."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    while waiting:
        part, depth = waiting.pop()
        budget.part(depth)
        yield part
        inside = _unpacked(part, budget)
        if isinstance(inside, list):
            waiting += [(each, depth + 1) for each in reversed(inside) if isinstance(each, Message)]


def _unpacked(part: Message, budget: Budget) -> object:
    """Return the payload of a part. A message in base64 is none by the standard (RFC 2046, 5.2.1), so that
    the parser takes its letters for words; mail programs write it all the same."""
    inside = part.get_payload()
    packing = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if part.get_content_type() != _ITSELF or packing not in _PACKED or not isinstance(inside, list) or len(inside) != 1:
        return inside
    inner = inside[0]
    if not isinstance(inner, Message) or inner.is_multipart() or any(inner.values()):
        return inside
    inner["Content-Transfer-Encoding"] = packing
    body = inner.get_payload(decode=True)
    if not isinstance(body, bytes):
        return inside
    budget.unpack(len(body))
    part.set_payload([message_from_bytes(body, policy=compat32)])
    return part.get_payload()


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
