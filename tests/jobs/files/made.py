"""Files as other people's programs write them, made for tests. Everybody in them is fictitious."""

import gzip
import io
import zipfile
from typing import Any

import pikepdf
import typst
from PIL import Image
from PIL.PngImagePlugin import PngInfo

CONTENT_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def packed(*parts: bytes, **named: Any) -> bytes:
    """An archive of parts, without a name or with one."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (*((f"part-{number}", part) for number, part in enumerate(parts)), *named.items()):
            archive.writestr(name, part)
    return made.getvalue()


def a_document(text: str, *, author: str = "Fictief Iemand", extra: dict[str, bytes | str] | None = None) -> bytes:
    """A document of a text processor, with a word in two parts because its looks change."""
    half = len(text) // 2
    runs = "".join(f"<w:r><w:t>{part}</w:t></w:r>" for part in (text[:half], text[half:]))
    body = f'<w:document xmlns:w="w"><w:body><w:p>{runs}<w:ins w:author="{author}"/></w:p></w:body></w:document>'
    core = f'<cp:coreProperties xmlns:cp="cp" xmlns:dc="dc"><dc:creator>{author}</dc:creator></cp:coreProperties>'
    parts = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": body, "docProps/core.xml": core, **(extra or {})}
    return packed(**parts)


def a_pdf(text: str, change: Any = None) -> bytes:
    """A PDF of one page; `change` may do what it likes to it before it is written, its objects as they
    are."""
    made = bytes(typst.compile(text.encode(), format="pdf"))
    with pikepdf.open(io.BytesIO(made)) as document:
        if change is not None:
            change(document)
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
    return out.getvalue()


def a_picture(form: str = "PNG", *, author: str = "", size: tuple[int, int] = (8, 6)) -> bytes:
    """A picture in colours, with somebody noted in it as its author wherever the format has a place for
    it."""
    picture = Image.new("RGB", size, (200, 30, 30))
    out = io.BytesIO()
    exif = Image.Exif()
    if author:
        exif[0x9C9D] = author.encode("utf-16-le") + b"\0\0"  # XPAuthor
        exif[0x013B] = author
    more: dict[str, Any] = {"exif": exif} if form in ("JPEG", "WEBP", "TIFF", "PNG") else {}
    if form == "PNG" and author:
        noted = PngInfo()
        noted.add_text("Author", author, zip=True)
        noted.add_itxt("Comment", author, zip=True)
        more["pnginfo"] = noted
    if form in ("GIF", "JPEG") and author:
        more["comment"] = author.encode()
    picture.save(out, form, **more)
    return out.getvalue()


def a_compound_file(text: str) -> bytes:
    """What old text processors and mail programs write: pages of bytes, with their texts in UTF-16 among
    them."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + text.encode("utf-16-le") + b"\0" * 512


def a_message(*parts: tuple[str, bytes], subject: str = "Vraag", sender: str = "iemand@example.org") -> bytes:
    """An e-mail with attachments, by name and content."""
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "hulp@example.org", subject
    message.set_content("Dag, ik ben er.")
    for name, content in parts:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def zipped(content: bytes, name: str = "") -> bytes:
    """A file as gzip packs it, with its name noted at the head."""
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()
