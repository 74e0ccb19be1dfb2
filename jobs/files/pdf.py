"""PDF files: what their pages show, what is written on them, and every other string in the file.

The library shows the pages with their annotations and forms. It does not show all that a file can hold (XMP,
scripts, descriptions of pictures, an older state of the document, objects that nothing names), so the raw
file is searched too, stream by stream. Source: EXP-06, R-119."""

import base64
import binascii
import ctypes
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from jobs.files.archives import inflated
from jobs.files.byte_strings import among_bytes
from jobs.files.encodings import decoded
from jobs.files.limits import Budget, CannotRead, Unread
from jobs.files.result import Found

_ANNOTATION: Final = (b"Contents", b"T", b"Subj", b"RC", b"V", b"DV", b"TU", b"NM", b"CA", b"URI")
_HEAD: Final = 4096
_EXIF: Final = 256 * 1024  # bytes at the beginning of a picture, where it says who made it and when
_STREAM: Final = re.compile(rb"stream\r?\n")
_UNSAID: Final = re.compile(rb"/Length1\b|/(?:Type1C|CIDFontType0C|OpenType)\b|/Type\s*/(?:XRef|CMap)\b")  # fonts and tables
_PICTURE: Final = re.compile(rb"/Subtype\s*/Image\b")
_FILE: Final = re.compile(rb"/Type\s*/(?:EmbeddedFile|Metadata)\b|/Subtype\s*/XML\b")
_FILTERS: Final = re.compile(rb"/Filter\s*(?:\[([^\]]*)\]|(/\w+))")
_PREDICTED: Final = re.compile(rb"/Predictor\s*(?!1\b)\d")
_COMMENT: Final = re.compile(rb"%(?!%EOF|PDF-)[^\r\n]{4,}+")
_OBJECTS: Final = re.compile(rb"/Type\s*/ObjStm\b")
_DRAWING: Final = re.compile(rb"(?:^|\s)(?:BT|Tf|Tj|TJ|re|cm|Do|begincmap)\b")
_PROFILE: Final = b"acsp"
_PAREN: Final = re.compile(rb"\\[\x00-\xff]|[()]")
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|\r\n|[\x00-\xff])")
_HEX: Final = re.compile(rb"<([0-9A-Fa-f\s]{8,}+)>")
_NEWLINE: Final = b"\n\x0b\n"  # no encoding takes it for a letter
_SIGNS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b"", b"\r\n": b""}
_MAPLESS: Final = re.compile("[\ufffd\ufffe\uffff\ue000-\uf8ff\x00-\x08\x0b\x0c\x0e-\x1f]")
_PASSWORD: Final = 4
_MANY_PATHS: Final = 40


# Of the format itself, not of anybody who is called like that: keys and kinds behind a slash, and the words
# around objects.
_OF_THE_FORMAT: Final = re.compile(
    rb"/(?:Annots?|AcroForm|Author|BaseFont|Catalog|Contents?|Count|CreationDate|Creator|Encoding|Encrypt|Filter|First|FlateDecode|Font"
    rb"|FontDescriptor|Form|Image|Info|Kids|Lang|Last|Length|MediaBox|Metadata|Names?|ObjStm|Outlines|Pages?|Parent|Prev|ProcSet|Producer"
    rb"|Resources|Root|Size|Stream|StructTreeRoot|Subtype|Text|Title|(?:CIDFont)?Type[0-9]?C?|XObject|XRef)(?![A-Za-z0-9#_.-])"
    rb"|(?<=[0-9] )obj(?=[\s<\[(]|$)|(?m:^|(?<=>>)|(?<=>> ))(?:endstream|stream|endobj|trailer|startxref|xref)(?=[\s<]|$)"
)


def without_keywords(content: bytes) -> bytes:
    """Return the bytes of a PDF that cannot be read, without the format's keywords, nobody's name."""
    return _OF_THE_FORMAT.sub(b"\n", content)


def is_pdf(content: bytes) -> bool:
    """Return whether readers of PDF take bytes for a PDF: the mark may have something before it."""
    return b"%PDF-" in content[:1024]


def read_pdf(content: bytes, found: Found, embedded: Callable[[str, bytes], None]) -> None:
    """Read everything in a PDF; `embedded` is given the files in it, by their name."""
    with found.attempt():
        read_pages(content, found)
    with found.attempt():
        for is_file, data in _between_and_in_streams(content, found):
            if is_file:
                embedded("", data)
            else:
                found.say(_strings(data))


def read_pages(content: bytes, found: Found) -> None:
    """Read what a program for PDF shows: what the file says of itself, its outline, its pages with what is
    written on them. Raises CannotRead: it is damaged or locked."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as problem:
        is_locked = getattr(problem, "err_code", None) == _PASSWORD
        raise CannotRead(Unread.LOCKED if is_locked else Unread.DAMAGED) from None
    try:
        if pdfium.FPDF_GetSecurityHandlerRevision(document) != -1:
            found.cannot(Unread.LOCKED)  # it opens without a password, but what is not on its pages stays hidden
        found.say(document.get_metadata_dict().values())
        with found.attempt():
            document.init_forms()
        for number in range(document.count_attachments()):
            with found.attempt():
                found.say([document.get_attachment(number).get_name()])
        with found.attempt():
            for number, mark in enumerate(document.get_toc()):
                if number >= found.budget.limits.parts:
                    raise CannotRead(Unread.LARGE)
                found.say([mark.get_title()])
        for number in range(len(document)):
            found.budget.part(0)
            with found.attempt():
                _page(document, number, found)
    finally:
        document.close()


def _page(document: Any, number: int, found: Found) -> None:
    """Return what a page shows, then with its annotations and form fields drawn into it, and what these say
    beside that."""
    page = document[number]
    try:
        words = _words(page, found)
        for place in range(pdfium.FPDFPage_GetAnnotCount(page)):
            found.budget.part(0)
            note = pdfium.FPDFPage_GetAnnot(page, place)
            if note:
                found.say(_said_by(note))
                pdfium.FPDFPage_CloseAnnot(note)
        if not words.strip() and _shows_something(page):
            found.cannot(Unread.PICTURES)
        pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
    finally:
        page.close()
    page = document[number]
    try:
        again = _words(page, found, but=words)
        if _is_mostly_pictures(page):
            found.cannot(Unread.PICTURES)  # a scan says no more by the stamp or the number that stands on it
        if len(_MAPLESS.findall(again)) * 10 > len(again):
            found.cannot(Unread.PICTURES)  # letters of which the file does not say which they are
    finally:
        page.close()


def _words(page: Any, found: Found, but: str = "") -> str:
    text_page = page.get_textpage()
    try:
        if text_page.count_chars() > found.budget.limits.text:
            raise CannotRead(Unread.LARGE)
        text = str(text_page.get_text_bounded())
    finally:
        text_page.close()
    if text != but:
        found.say([text])
    return text


def _said_by(note: Any) -> Iterator[str]:
    for key in _ANNOTATION:
        size = pdfium.FPDFAnnot_GetStringValue(note, key, None, 0)
        if 2 < size < 16 * 1024 * 1024:
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAnnot_GetStringValue(note, key, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
            yield buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _shows_something(page: Any) -> bool:
    """Return whether a page without a word has a picture on it, or so many lines that they may be letters."""
    paths = 0
    for part in page.get_objects(max_depth=4):
        if part.type in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING, pdfium.FPDF_PAGEOBJ_TEXT):
            return True
        paths += part.type == pdfium.FPDF_PAGEOBJ_PATH
        if paths > _MANY_PATHS:
            return True
    return False


def _is_mostly_pictures(page: Any) -> bool:
    """Return whether pictures take half of a page or more."""
    width, height = page.get_size()
    covered = sum(_area(part, width, height) for part in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4))
    return bool(covered * 2 >= width * height)


def _area(part: Any, width: float, height: float) -> float:
    """Return how much of a page a picture takes, in square points; of one in a form, as the form is drawn."""
    left, bottom, right, top = part.get_bounds()
    if part.container is None:
        left, bottom, right, top = max(left, 0.0), max(bottom, 0.0), min(right, width), min(top, height)
    area = max(right - left, 0.0) * max(top - bottom, 0.0)
    form = part.container
    while form is not None:
        a, b, c, d, _, _ = form.get_matrix().get()
        area *= abs(a * d - b * c)
        form = form.container
    return float(area)


def _between_and_in_streams(content: bytes, found: Found) -> Iterator[tuple[bool, bytes]]:
    """Return what is in the file between its streams, and in them; True before a file of its own."""
    begin = 0
    while (opened := _STREAM.search(content, begin)) is not None:
        yield False, content[begin : opened.start()]
        head = content[max(begin, opened.start() - _HEAD) : opened.start()]
        head = head[max(head.rfind(b" obj"), 0) :]
        stop = content.find(b"endstream", opened.end())
        stop = len(content) if stop < 0 else stop
        packed = content[opened.end() : stop]
        begin = stop + len(b"endstream")
        found.budget.part(0)
        is_file = _FILE.search(head) is not None
        if not is_file and _PICTURE.search(head):
            if b"/DCTDecode" in head or b"/JPXDecode" in head:
                found.say(among_bytes(packed[:_EXIF]))
        elif is_file or not _UNSAID.search(head):
            with found.attempt():
                yield _opened(head, packed, found.budget, is_file=is_file)
    yield False, content[begin:]
    end = content.rfind(b"%%EOF")
    if end >= 0:
        found.say(among_bytes(content[end + 5 :]))  # what somebody put behind the end


def _opened(head: bytes, packed: bytes, budget: Budget, *, is_file: bool) -> tuple[bool, bytes]:
    """Return what is in a stream: a file of its own, or objects, or what draws a page. Raises CannotRead: it
    is packed in a way in which only pages are read here, by the library."""
    data = _unpacked(head, packed, budget)
    if data[36:40] == _PROFILE:
        return False, b""
    is_script = not _OBJECTS.search(head) and not _DRAWING.search(data) and decoded(data) is not None
    return is_file or is_script, data


def _unpacked(head: bytes, packed: bytes, budget: Budget) -> bytes:
    if b"/Filter" not in head:
        return packed
    named = _FILTERS.search(head)
    filters = (named[1] or named[2]).split(b"/")[1:] if named is not None else [b""]
    data = packed
    for each in filters:
        match each.strip():
            case b"FlateDecode" | b"Fl" if not _PREDICTED.search(head):
                data = inflated(data, budget)
            case b"ASCII85Decode" | b"A85":
                data = base64.a85decode(data.strip().removesuffix(b"~>").removeprefix(b"<~"))
            case b"ASCIIHexDecode" | b"AHx":
                data = binascii.unhexlify(re.sub(rb"\s", b"", data.partition(b">")[0]))
            case _:
                raise CannotRead(Unread.UNKNOWN)
    return data


def _strings(data: bytes) -> Iterator[str]:
    """Return the strings of objects, or of what draws a page, as they are meant, without the words of the
    format itself."""
    said = _NEWLINE.join((*_literals(data), *_COMMENT.findall(data)))
    if said:
        yield from among_bytes(said)
    lines: list[str] = []
    for digits in _HEX.findall(data):
        bare = digits.translate(None, b" \t\r\n\f\v").decode()
        raw = bytes.fromhex(bare + "0" * (len(bare) % 2))
        lines += [raw[2:].decode("utf-16-be", "replace")] if raw.startswith(b"\xfe\xff") else among_bytes(raw)
    yield "\n".join(line for line in lines if line)


def _literals(data: bytes) -> Iterator[bytes]:
    """Return the strings between brackets, which may nest; one not closed ends with the data."""
    depth = begin = 0
    for mark in _PAREN.finditer(data):
        if mark[0] == b"(":
            begin = mark.end() if not depth else begin
            depth += 1
        elif mark[0] == b")" and depth:
            depth -= 1
            if not depth:
                yield _ESCAPE.sub(_meant, data[begin : mark.start()])
    if depth:
        yield _ESCAPE.sub(_meant, data[begin:])


def _meant(escape: re.Match[bytes]) -> bytes:
    said = escape[1]
    if said[:1] in b"01234567":
        return bytes([int(said, 8) & 0xFF])
    return _SIGNS.get(said, said)
