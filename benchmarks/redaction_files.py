"""Files with a text in them, made byte by byte with no more than the tests have: a measure must not depend on
what it measures."""

from __future__ import annotations

import gzip
import html
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image


def said(written: str) -> str:
    """The sentence in which a name stands."""
    return f"Gisteren zagen wij {written} bij het station, zei zij."


def _packed(**parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_txt", ".txt"), content)
    return made.getvalue()


def _docx(written: str) -> bytes:
    """A text whose run ends inside the sentence, as text processors write them."""
    one, other = (html.escape(part) for part in (said(written)[:30], said(written)[30:]))
    return _packed(word__document_xml=f"<w:document><w:p><w:r><w:t>{one}</w:t></w:r><w:r><w:t>{other}</w:t></w:r></w:p></w:document>")


def _xlsx(written: str) -> bytes:
    types = {"[Content_Types]_xml": "<Types/>"}
    strings = f"<sst><si><t>{html.escape(said(written))}</t></si></sst>"
    return _packed(xl__sharedStrings_xml=strings, xl__worksheets__sheet1_xml="<worksheet/>", **types)


def _pptx(written: str) -> bytes:
    return _packed(ppt__slides__slide1_xml=f"<p:sld><a:t>{html.escape(said(written))}</a:t></p:sld>")


def _odt(written: str) -> bytes:
    return _packed(content_xml=f"<office:text><text:p>{html.escape(said(written))}</text:p></office:text>")


def _rtf(written: str) -> bytes:
    text = "".join(one if ord(one) < 128 else f"\\u{ord(one)}?" for one in said(written))
    return ("{\\rtf1\\ansi " + text + "}").encode("ascii", "replace")


def _ics(written: str) -> bytes:
    return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{said(written)}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()


def _msg(written: str) -> bytes:
    """As much of a message of Outlook as a search meets: its beginning, and a text of two bytes a letter."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + said(written).encode("utf-16-le", "replace") + bytes(512)


def _pdf(text: str, where: str) -> bytes:
    """A PDF with a text on its page, in its metadata or in a note on the page.

    Raises:
        UnicodeEncodeError: the font has no such letter.
    """
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(595, 842))
    shown = text.encode("cp1252") if where == "text" else b"Verslag (fictief)"
    escaped = shown.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)").replace(b"\n", b") Tj T* (")
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    page.obj.Resources = Dictionary(Font=Dictionary(F1=document.make_indirect(font)))
    page.obj.Contents = document.make_stream(b"BT /F1 10 Tf 12 TL 40 800 Td (" + escaped + b") Tj ET")
    if where == "metadata":
        document.docinfo["/Author"] = text
    if where == "annotation":
        note = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[40, 700, 60, 720], Contents=text)
        page.obj.Annots = Array([document.make_indirect(note)])
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _png(text: str) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    said = chunk(b"iTXt", b"Description\0\1\0\0\0" + zlib.compress(text.encode()))
    return b"\x89PNG\r\n\x1a\n" + head + said + chunk(b"IDAT", zlib.compress(b"\0\x80\x80\x80")) + chunk(b"IEND", b"")


def _jpeg(text: str) -> bytes:
    """The smallest grey picture, with EXIF whose XPAuthor (UTF-16) and ImageDescription say the text."""
    author, description = text.encode("utf-16-le", "replace") + b"\0\0", text.encode() + b"\0"
    begin = 8 + 2 + 2 * 12 + 4
    entries = struct.pack("<HHII", 0x010E, 2, len(description), begin) + struct.pack(
        "<HHII", 0x9C9D, 1, len(author), begin + len(description)
    )
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + b"\0\0\0\0" + description + author
    exif = b"Exif\0\0" + tiff
    out = io.BytesIO()
    Image.new("L", (8, 8), 128).save(out, "JPEG", exif=exif)
    return out.getvalue()


def _message(written: str, where: str) -> bytes:
    message = EmailMessage()
    message["From"] = f'"{written}" <iemand@example.org>' if where == "header" else "iemand@example.org"
    message["To"] = "hulp@example.org"
    message["Subject"] = "Vraag"
    message.set_content("Dag." if where != "text" else said(written))
    if where == "html":
        marked = written if "<" in written or "&" in written else html.escape(written)
        message.add_alternative(f"<p>Dag, {said(marked)}</p>", subtype="html")
    if where == "attachment":
        message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=f"{written}.bin")
    return message.as_bytes()


_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
FILES: Final[dict[str, tuple[str, str, Callable[[str], bytes]]]] = {
    "txt": ("nota.txt", "text/plain", lambda written: said(written).encode()),
    "txt (UTF-16)": ("nota.txt", "text/plain", lambda written: said(written).encode("utf-16", "replace")),
    "csv": ("lijst.csv", "text/csv", lambda written: f'naam;wat\r\n"{written}";zij was er\r\n'.encode()),
    "json": ("data.json", "application/json", lambda written: json.dumps({"wie": written, "wat": "zij was er"}).encode()),
    "xml": ("data.xml", "application/xml", lambda written: f"<r><wie>{html.escape(written)}</wie></r>".encode()),
    "html": ("pagina.html", "text/html", lambda written: f"<p>{said(written)}</p>".encode()),
    "rtf": ("brief.rtf", "application/rtf", _rtf),
    "eml text": ("bericht.eml", "message/rfc822", lambda written: _message(written, "text")),
    "eml html": ("bericht.eml", "message/rfc822", lambda written: _message(written, "html")),
    "eml header": ("bericht.eml", "message/rfc822", lambda written: _message(written.replace("\n", " ").replace('"', ""), "header")),
    "eml attachment": ("bericht.eml", "message/rfc822", lambda written: _message(written.replace("\n", " "), "attachment")),
    "ics": ("afspraak.ics", "text/calendar", _ics),
    "vcf": ("kaart.vcf", "text/vcard", lambda written: f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{written}\r\nEND:VCARD\r\n".encode()),
    "docx": ("brief.docx", f"{_OFFICE}wordprocessingml.document", _docx),
    "xlsx": ("lijst.xlsx", f"{_OFFICE}spreadsheetml.sheet", _xlsx),
    "pptx": ("dia.pptx", f"{_OFFICE}presentationml.presentation", _pptx),
    "odt": ("brief.odt", "application/vnd.oasis.opendocument.text", _odt),
    "pdf text": ("brief.pdf", "application/pdf", lambda written: _pdf(said(written), "text")),
    "pdf metadata": ("brief.pdf", "application/pdf", lambda written: _pdf(written, "metadata")),
    "pdf annotation": ("brief.pdf", "application/pdf", lambda written: _pdf(said(written), "annotation")),
    "png text": ("foto.png", "image/png", lambda written: _png(said(written))),
    "jpeg exif": ("foto.jpg", "image/jpeg", lambda written: _jpeg(said(written))),
    "zip": ("alles.zip", "application/zip", lambda written: _packed(nota_txt=said(written))),
    "gz": ("nota.txt.gz", "application/gzip", lambda written: gzip.compress(said(written).encode(), mtime=0)),
    "msg": ("bericht.msg", "application/vnd.ms-outlook", _msg),
}
