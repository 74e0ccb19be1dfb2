"""What is in a file, by what its bytes are and not by what it calls itself.

A text file is shown as a text, redacted and read by a person like every other (`told`). Everything else is
handed on as a file, after all that could be read in it has been searched (`read`). What nothing here can read
is never taken for "nothing in it". Source: EXP-06, EXP-07, R-118, R-119."""

import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from jobs.files.archives import ARCHIVE, GZIP, members, unzipped
from jobs.files.byte_strings import among_bytes
from jobs.files.encodings import decoded
from jobs.files.files_in_texts import files_in, without_files
from jobs.files.html_text import holds_more, lines_of, plain_text
from jobs.files.limits import Limits, Unread
from jobs.files.messages import begins_as_message, header_names, header_texts, message_text, parts_of
from jobs.files.pdf import is_pdf, read_pages, read_pdf, without_keywords
from jobs.files.pictures import is_picture, redrawn, said_in, shows_words
from jobs.files.result import Found, Reading, Told
from rules.model.media_types import is_seen_or_heard, plain_type
from rules.texts.markup import Tag, goes_on, has_markup, tokens, unescaped

LONGEST_TEXT: Final = 1024 * 1024  # bytes; nobody would read a longer text item by item
_PROGRAMS: Final = ("{\\rtf", "%!PS", "%!FontType")  # text that is a program for drawing one: a word in it may be cut in many ways
_JSON_ESCAPES: Final = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))+')
_OFFICE: Final = "[Content_Types].xml"
_HARMLESS: Final = re.compile(r"(?:^|/)printerSettings\d*\.bin$|\.(?:odttf|fntdata)$")  # set-up of a printer, obfuscated fonts
_OF_FIRST_PAGE: Final = re.compile(r"(?:^|/)thumbnail\.(?:png|jpe?g)$")  # too small to be read, in most documents
_SMALL: Final = 64 * 1024
_BREAKS: Final = frozenset({  # where a paragraph, a cell, a line ends, in pages and in documents
    "p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "hr", "td", "th", "w:p",
    "w:br", "w:tab", "w:cr", "w:tc", "a:p", "a:br", "si", "c", "row", "comment", "text:p", "text:h", "text:tab", "text:line-break",
    "text:s", "table:table-cell",
})  # fmt: skip
_RUNS: Final = ("w:", "a:", "text:")  # of documents: mostly about how a run of words looks
_CHANGES: Final = frozenset({
    "w:ins", "w:del", "w:movefrom", "w:moveto", "w:txbxcontent", "w:sdtcontent", "text:note", "text:deletion", "text:annotation",
})  # fmt: skip
_LOOKS: Final = frozenset({"w:ascii", "w:hansi", "w:cs", "w:eastasia", "typeface", "style", "class", "xmlns"})  # fonts and style sheets


def told(content: bytes, media_type: str, name: str, limits: Limits) -> Told | None:
    """Return what a text file says, without markup; None where it is not a text, whatever it claims to be, or
    too long. Raises Exception: whatever comes out of reading it."""
    if len(content) > LONGEST_TEXT:
        return None
    if _is_message(media_type, name):
        return message_text(content, Found(limits).budget)
    text = decoded(content)
    if text is not None and (plain_type(media_type).startswith("application/json") or name.lower().endswith(".json")):
        text = _JSON_ESCAPES.sub(_as_meant, text)  # a name is not known by its escapes
    if text is None:
        return None
    said = plain_text(text)
    bare = without_files(said)
    return Told(bare, bare == said and not holds_more(text))


def read(content: bytes, media_type: str, name: str, limits: Limits) -> tuple[Reading, bool]:
    """Read everything in a file that somebody, or a program, could read as words; True where memory ran out
    over it. A picture has nothing to read once it is redrawn: the reading holds it. Of a sound or a moving
    picture, which a person hears or sees, only what is noted in it is read."""
    found = Found(limits)
    kind, media_type, clean = "picture", plain_type(media_type), None
    if is_picture(content):
        with found.attempt():
            clean = redrawn(content, media_type, found.budget)
        if clean is None:
            with found.attempt():
                found.say(among_bytes(content))
    elif is_seen_or_heard(media_type) and not _is_something_else(content):
        kind = "sound"
        with found.attempt():
            found.say(among_bytes(content))
    else:
        kind = "unknown"
        with found.attempt():
            kind = _read(found, content, media_type, name, 0)
        if media_type.startswith("image/"):
            found.cannot(Unread.UNKNOWN)
    return found.reading(kind, clean), found.is_spent


def bytes_only(content: bytes, limits: Limits) -> Reading:
    """Return what can be read among the bytes of a file over which its reader broke down."""
    found = Found(limits)
    with found.attempt():
        found.say(among_bytes(content))
    return found.reading("bytes")


def shown(content: bytes, limits: Limits) -> Reading:
    """Return what a PDF of our own shows, in which nobody else can have put anything elsewhere."""
    found = Found(limits)
    with found.attempt():
        read_pages(content, found)
    return found.reading("pdf")


def _read(found: Found, content: bytes, media_type: str, name: str, depth: int, *, in_document: bool = False) -> str:
    """Read one file, or one file inside another; return what kind of file it is."""
    if is_pdf(content):
        read_pdf(content, found, lambda inner, body: _inside(found, body, inner, depth))
        _as_bytes_where_damaged(found, content)
        return "pdf"
    if content.startswith(ARCHIVE):
        with found.attempt():
            _archive(found, content, depth)
        _as_bytes_where_damaged(found, content)
        return "archive"
    if content.startswith(GZIP):
        with found.attempt():
            noted, body = unzipped(content, found.budget, depth)
            found.say([noted])
            _inside(found, body, name.removesuffix(".gz"), depth)
        _as_bytes_where_damaged(found, content)
        return "gzip"
    if is_picture(content):
        with found.attempt():
            found.say(among_bytes(content))
            found.say(said_in(content, found.budget))
            if shows_words(content) and not (in_document and _OF_FIRST_PAGE.search(name) and len(content) < _SMALL):
                found.cannot(Unread.PICTURES)
        return "picture"
    text = decoded(content)
    if text is not None and (_is_message(media_type, name) or begins_as_message(text)):
        with found.attempt():
            if not _message(found, content, depth):
                found.say(_text(text))
        return "message"
    if text is not None:
        with found.attempt():
            found.say(_text(text))
        if text.lstrip().startswith(_PROGRAMS) or holds_more(text):
            found.cannot(Unread.UNKNOWN)
        for body in files_in(text):
            found.cannot(Unread.UNKNOWN)
            _inside(found, body, "", depth)
        return "text"
    with found.attempt():
        found.say(among_bytes(content))
    if not (in_document and _HARMLESS.search(name)):
        found.cannot(Unread.UNKNOWN)
    return "unknown"


def _as_bytes_where_damaged(found: Found, content: bytes) -> None:
    """Search the bytes of a file that claims a kind and is not of it, or only half."""
    if found.why is Unread.DAMAGED:
        with found.attempt():
            found.say(among_bytes(without_keywords(content) if is_pdf(content) else content))


def _inside(found: Found, content: bytes, name: str, depth: int, *, in_document: bool = False) -> None:
    with found.attempt():
        found.budget.part(depth + 1)
        _read(found, content, "", name, depth + 1, in_document=in_document)


def _archive(found: Found, content: bytes, depth: int) -> None:
    is_document = False
    for name, body, noted in members(content, found.budget, depth):
        is_document = is_document or name in (_OFFICE, "mimetype")
        found.say([name, noted])
        if body is None:
            found.cannot(Unread.LOCKED)
        elif body:
            _inside(found, body, name, depth, in_document=is_document)


def _message(found: Found, content: bytes, depth: int) -> bool:
    """Read everything in a message: all headers of all parts with names of the sender's own, and what is
    attached; False where lines of it may be left out, which a parser does with what stands among the headers
    and is not one."""
    from email import message_from_bytes
    from email.policy import compat32

    message = message_from_bytes(content, policy=compat32)
    is_whole = bool(message.get_payload() or any(message.values()))
    for part in parts_of(message, found.budget):
        is_whole = is_whole and not part.defects and part.get_unixfrom() is None
        found.say([*header_texts(part), *header_names(part)])
        found.say([part.preamble or "", part.epilogue or ""])
        body = part.get_payload(decode=True)
        if isinstance(body, bytes) and body:
            _inside(found, body, part.get_filename("") if isinstance(part.get_filename(""), str) else "", depth)
    return is_whole


def _text(text: str) -> Iterator[str]:
    """Return a text; of markup its words, joined as far as they may be one, then apart wherever they may be
    two (a name that was struck out stands right after the word before it), then what its attributes and
    comments say."""
    if "\\u" in text:
        yield _JSON_ESCAPES.sub(_as_meant, text)
    if not has_markup(text):
        yield text
        return
    words, apart, hidden, said, inside = [], [], [], [], ""
    for token in tokens(text):
        if isinstance(token, Tag):
            inside = "" if token.is_end else token.name
            words += ["\n"] if token.name in _BREAKS else []
            apart += ["\n"] if _parts(token.name) else []
            said += [value for key, value in token.attributes if value and key not in _LOOKS]
        elif token.is_seen:
            words.append(token.text)
            apart.append(token.text)
        elif inside != "style":
            hidden.append(unescaped(token.text))
    yield lines_of("".join(words))
    yield lines_of("".join(apart))
    yield "\n".join(said)
    yield "\n".join(hidden)


def _parts(name: str) -> bool:
    """Return whether two words may stand on the two sides of a tag, and not one."""
    return name in _BREAKS or name in _CHANGES or not (goes_on(name) or name.startswith(_RUNS))


def _is_message(media_type: str, name: str) -> bool:
    return plain_type(media_type).startswith("message/rfc822") or PurePath(name.lower()).suffix in (".eml", ".mht", ".mhtml")


def _is_something_else(content: bytes) -> bool:
    """Return whether what claims to be sound begins as a readable kind of file does, or is a text."""
    return is_pdf(content) or content.startswith((*ARCHIVE, GZIP, b"\xd0\xcf\x11\xe0")) or decoded(content) is not None


def _as_meant(escapes: re.Match[str]) -> str:
    """Return what escapes of JSON stand for; half a character is dropped."""
    meant: str = json.loads(f'"{escapes[0]}"')
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
