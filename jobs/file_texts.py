"""What can be read of a file without opening it by hand: the text of a text file, of a message, and for the last look that of a PDF, of
a document, and of what is said at the head of a picture.

A text file is told as a text, redacted and read by a person like every other; only what is no text goes along as a file (EXP-06, EXP-07).
"""

from __future__ import annotations

import codecs
import html
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from pathlib import PurePath
from typing import Final

import pypdfium2

from jobs.plain_text import plain_text

LONGEST_TEXT: Final = 1024 * 1024  # bytes; what is longer is no text that somebody would read item by item
_ENDINGS: Final = frozenset(
    {".txt", ".csv", ".md", ".eml", ".json", ".xml", ".html", ".htm", ".log", ".vcf", ".ics", ".tsv", ".yaml", ".yml"}
)
_APPLICATIONS: Final = frozenset({"application/json", "application/xml", "application/xhtml+xml", "message/rfc822"})
_MARKS: Final = (  # the longer mark first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEADERS: Final = ("From", "To", "Cc", "Date", "Subject")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAMPLE: Final = 4096
_ARCHIVE: Final = b"PK\x03\x04"  # also what text processors and spreadsheets write
_LARGEST_ARCHIVE: Final = 64 * 1024 * 1024  # bytes, unpacked
_DEEPEST_ARCHIVE: Final = 3
_HEAD: Final = 64 * 1024  # bytes at the beginning of a picture, where it says who made it and when
_WORDS: Final = re.compile(rb"[^\x00-\x1f\x7f]{6,}")
_PDFIUM: Final = threading.Lock()  # the library is for one thread at a time
_JSON_ESCAPES: Final = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))+')
_STYLE: Final = re.compile(r"<style>.*?</style>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_ATTRIBUTE: Final = re.compile(r'="([^"]*)"')


def is_text_file(media_type: str, file_name: str) -> bool:
    """Whether a file says of itself that it is a text."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _APPLICATIONS or PurePath(file_name.lower()).suffix in _ENDINGS


def text_in(body: bytes, media_type: str, file_name: str) -> str | None:
    """Give what a text file says, without markup; None where it is no text, whatever it says of itself, or too long."""
    if len(body) > LONGEST_TEXT:
        return None
    if media_type.lower().startswith("message/rfc822") or file_name.lower().endswith(".eml"):
        return _message(body)
    text = decoded(body)
    if text is not None and (media_type.lower().startswith("application/json") or file_name.lower().endswith(".json")):
        text = _JSON_ESCAPES.sub(_as_meant, text)  # a name is not known by its escapes
    return None if text is None else plain_text(text)


def decoded(body: bytes) -> str | None:
    """Decode a text in the encoding that it was written in; None where it has characters that no text has."""
    for text in _readings(body):
        return None if _CONTROLS.search(text) else text
    return None


def texts_of(name: str, content: bytes, *, depth: int = 0) -> Iterator[str]:
    """Everything in a file that somebody, or a program, could read as words; of a document or archive, everything inside it.

    What is packed deeper or larger than anybody needs for a letter is not unpacked: a person looks at every file before it goes out.
    """
    if content.startswith(b"%PDF-"):
        yield from _pdf_texts(content)
    elif content.startswith(_ARCHIVE):
        yield from _packed_texts(content, depth) if depth < _DEEPEST_ARCHIVE else ()
    elif name.endswith(".html"):
        text = _STYLE.sub(" ", content.decode("utf-8", "replace"))
        yield html.unescape(_TAG.sub(" ", text))
        yield html.unescape(" ".join(_ATTRIBUTE.findall(text)))
    elif (text_found := decoded(content)) is not None:
        yield text_found
        if depth:  # the parts of a document are markup, which breaks a word wherever its looks change
            yield html.unescape(_TAG.sub("", text_found))
    elif b"\0" not in content[:_SAMPLE]:
        yield content.decode("utf-8", "replace")
    else:
        yield _as_bytes(content[:_HEAD])


def _as_bytes(content: bytes) -> str:
    """Give what can be read among bytes that are no text."""
    return " ".join(words.decode("utf-8", "replace") for words in _WORDS.findall(content))


def _as_meant(escapes: re.Match[str]) -> str:
    """Give what escapes of JSON stand for; half a character is none."""
    meant: str = json.loads(f'"{escapes[0]}"')
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _packed_texts(content: bytes, depth: int) -> Iterator[str]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            yield "\n".join(archive.namelist())
            if sum(part.file_size for part in archive.infolist()) > _LARGEST_ARCHIVE:
                return
            for part in archive.infolist():
                if not part.is_dir() and not part.flag_bits & 1:  # what is locked nobody reads
                    yield from texts_of(part.filename, archive.read(part), depth=depth + 1)
    except (zipfile.BadZipFile, NotImplementedError, EOFError):
        yield _as_bytes(content)  # it says that it is an archive and is none, or one that nobody here can open


def _readings(body: bytes) -> Iterator[str]:
    """The text by the first encoding that fits: as its mark says, UTF-8, UTF-16 without a mark, Western European."""
    marked = next((encoding for mark, encoding in _MARKS if body.startswith(mark)), None)
    encodings = [marked] if marked is not None else ["utf-8"]
    if marked is None and b"\0" in body[:_SAMPLE]:
        odd, even = body[1:_SAMPLE:2].count(0), body[0:_SAMPLE:2].count(0)
        encodings = ["utf-16-le" if odd > even else "utf-16-be"]
    elif marked is None:
        encodings += ["cp1252", "latin-1"]
    for encoding in encodings:
        try:
            yield body.decode(encoding)
        except UnicodeDecodeError:
            continue


def _message(body: bytes) -> str | None:
    """Give the words of an e-mail that was kept as a file: its addresses, its subject and its texts, without what was attached to it."""
    if decoded(body) is None:
        return None
    message = message_from_bytes(body, policy=default)
    lines = [f"{name}: {message[name]}" for name in _HEADERS if message[name]]
    texts = []
    for part in message.walk():
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            found = part.get_payload(decode=True)
            text = decoded(found) if isinstance(found, bytes) else None
            if text is not None:
                texts.append(plain_text(text))
    return "\n\n".join(["\n".join(lines), *dict.fromkeys(texts)]).strip()


def _pdf_texts(content: bytes) -> list[str]:
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError:
            return [_as_bytes(content)]  # it says that it is a PDF and is none
        try:
            texts = ["\n".join(document.get_metadata_dict().values())]
            for page in document:
                text_page = page.get_textpage()
                texts.append(text_page.get_text_bounded())
                text_page.close()
                page.close()
            return texts
        finally:
            document.close()
