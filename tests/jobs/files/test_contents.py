"""What is read of files, wherever in them it stands (EXP-06, R-118, R-119). Everybody is fictitious."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
import zlib
from typing import Any

import pikepdf
import pytest
from PIL import Image

from jobs.files.file_texts import text_in
from jobs.files.limits import Unread
from jobs.files.supervisor import SHARED
from rules.redaction.leak_terms import LeakTerms
from tests.jobs.files.made import a_compound_file, a_document, a_message, a_pdf, a_picture, packed, zipped

WHO = "Żaneta D'Hondt-Müller"
LATIN = "Eloïse Müllenaere"


def said(content: bytes, media_type: str = "") -> str:
    return "\n".join(SHARED.read(content, media_type).texts)


# -- PDF -----------------------------------------------------------------------------------------------------


def note(document: Any, **keys: Any) -> None:
    rect = pikepdf.Array([10, 10, 90, 90])
    made = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=rect, **keys)
    document.pages[0].Annots = pikepdf.Array([document.make_indirect(made)])


def field(document: Any) -> None:
    made = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="naam", V=WHO, Rect=pikepdf.Array([1, 1, 9, 9])
        )
    )
    document.pages[0].Annots = pikepdf.Array([made])
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([made]))


def embedded(document: Any) -> None:
    document.attachments["bijlage.docx"] = pikepdf.AttachedFileSpec(document, a_document(f"Dag, {WHO}."), filename="bijlage.docx")


def embedded_name(document: Any) -> None:
    document.attachments["x"] = pikepdf.AttachedFileSpec(document, b"niets", filename=f"{WHO}.txt")


def outline(document: Any) -> None:
    with document.open_outline() as made:
        made.root.append(pikepdf.OutlineItem(WHO, 0))


def information(document: Any) -> None:
    document.docinfo["/Manager"] = WHO


def xmp(document: Any) -> None:
    with document.open_metadata() as made:
        made["dc:creator"] = [WHO]


def script(document: Any) -> None:
    code = document.make_stream(f"app.alert('{WHO}')".encode())
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=code)


def described(document: Any) -> None:
    document.Root.StructTreeRoot = document.make_indirect(pikepdf.Dictionary(Alt=WHO))


def left_over(document: Any) -> None:
    document.Root.PieceInfo = document.make_indirect(pikepdf.Dictionary(Old=pikepdf.String(WHO)))


def drawn(document: Any) -> None:
    """A stamp that says it in its looks alone."""
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    looks = document.make_stream(b"BT /F 12 Tf 1 0 0 1 2 2 Tm (Eloise ) Tj (Mullenaere) Tj ET")
    looks.Type, looks.Subtype, looks.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([0, 0, 200, 20])
    looks.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    rect = pikepdf.Array([100, 100, 300, 120])
    stamp = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=rect, F=4, AP=pikepdf.Dictionary(N=looks))
    document.pages[0].Annots = pikepdf.Array([document.make_indirect(stamp)])


@pytest.mark.parametrize(
    "change",
    [
        lambda document: note(document, Contents=WHO),
        lambda document: note(document, T=WHO, Contents="x"),
        field, embedded, embedded_name, outline, information, xmp, script, described, left_over,
    ],
    ids=["note", "author of a note", "form", "file", "name of a file", "outline", "information", "XMP", "script",
         "description", "left over"],
)  # fmt: skip
def test_everything_in_a_pdf_is_read(change: Any) -> None:
    content = a_pdf("Een brief.", change)
    assert WHO in said(content)
    assert SHARED.read(content).why == ""


def test_what_a_stamp_shows_is_read() -> None:
    assert "Eloise Mullenaere" in said(a_pdf("Een brief.", drawn))


@pytest.mark.parametrize("mode", list(pikepdf.ObjectStreamMode))
def test_objects_are_read_whether_they_lie_in_streams_or_not(mode: pikepdf.ObjectStreamMode) -> None:
    with pikepdf.open(io.BytesIO(a_pdf("Een brief.", left_over))) as document:
        out = io.BytesIO()
        document.save(out, object_stream_mode=mode, recompress_flate=True)
    assert WHO in said(out.getvalue())


def coded(document: Any, filters: list[Any], body: bytes) -> None:
    stream = document.make_stream(b"")
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=stream)
    stream.write(body, filter=pikepdf.Array(filters))


def test_streams_are_read_in_whatever_way_they_are_packed_or_the_file_cannot_be_read() -> None:
    """Some programs write every stream in letters."""
    code = f"app.alert('{WHO}')".encode()
    letters, flate = pikepdf.Name.ASCII85Decode, pikepdf.Name.FlateDecode
    packed_twice = base64.a85encode(zlib.compress(code)) + b"~>"
    assert WHO in said(a_pdf("x", lambda document: coded(document, [letters, flate], packed_twice)))
    assert WHO in said(a_pdf("x", lambda document: coded(document, [pikepdf.Name.ASCIIHexDecode], code.hex().encode() + b">")))
    unknown = a_pdf("x", lambda document: coded(document, [pikepdf.Name.JBIG2Decode], b"x"))
    assert SHARED.read(unknown).why == Unread.UNKNOWN


def test_comments_and_what_stands_behind_the_end_are_read() -> None:
    content = a_pdf("Een brief.")
    assert WHO in said(content.replace(b"1 0 obj", f"% {WHO}\n1 0 obj".encode(), 1))
    assert WHO in said(content + WHO.encode())


def test_the_words_of_the_format_are_nobodys_name() -> None:
    """A surname such as Font, Pages or Type would be found in every PDF."""
    found = said(a_pdf("Een brief.", lambda document: note(document, Contents="x")))
    assert not [word for word in ("Font", "Pages", "Type", "Kids", "Annot", "obj") if word in found.replace("Typst", "")]


def test_the_words_of_the_format_are_nobodys_name_in_a_damaged_pdf_either() -> None:
    """It is withheld because it cannot be read, not because of somebody who is called Page; whoever is named
    in it is found."""
    whole = a_pdf("Een brief.")
    catalogue = b"%PDF-1.4\n1 0 obj\n<</Type /Catalog/Pages 2 0 R>>\nendobj\n"
    bare = catalogue + b"2 0 obj <</Type/Page /Font 3 0 R /Subtype /Type1 /Subtype/CIDFontType0C>> stream\n(Elise Font) Tj\nendstream\n"
    for content in (whole[: len(whole) // 2], whole[:200], bare):
        found = SHARED.read(content)
        text = "\n".join(found.texts).replace("Elise Font", "")
        assert found.why == Unread.DAMAGED
        assert not [name for name in ("Page", "Font", "Type", "Catalog", "stream") if re.search(rf"\b{name}(?:\b|\d)", text)]
    assert "Elise Font" in "\n".join(SHARED.read(bare).texts)


def test_a_pdf_of_pictures_cannot_be_read() -> None:
    """A scan: no word in it is not the same as nothing in it."""
    page = Image.new("RGB", (60, 80), "white")
    out = io.BytesIO()
    page.save(out, "PDF")
    assert SHARED.read(out.getvalue()).why == Unread.PICTURES


@pytest.mark.parametrize("owner", ["", "geheim"])
def test_a_locked_pdf_cannot_be_read(owner: str) -> None:
    with pikepdf.open(io.BytesIO(a_pdf("Een brief.", information))) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="eigenaar", user=owner))
    assert SHARED.read(out.getvalue()).why == Unread.LOCKED


# -- documents, archives, messages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        a_document(f"Dag, {WHO}."),
        a_document("Dag.", author=WHO),
        packed(**{"[Content_Types].xml": "<T/>", "word/media/a.png": a_picture(author=WHO)}),
        packed(**{f"{WHO}.txt": "x"}),
        zipped(WHO.encode()),
        zipped(b"") + zipped(b"x", WHO.encode().decode("latin-1")) + b"\0\0",
        zipped(b"x" * 600_000) + zipped(WHO.encode()),
        zipped(packed(zipped(packed(packed(zipped(WHO.encode())))))),
        a_message(("bijlage.docx", a_document(WHO))),
        a_message(subject=WHO),
        a_message(("x.eml", a_message(("y.gz", zipped(WHO.encode()))))),
        json.dumps({"naam": WHO}).encode(),
        f"<p title='x'>x</p><!-- {WHO} -->".encode(),
        f"<p title=\"{WHO}\">x</p>".encode(),
        WHO.encode("utf-16"),
    ],
    ids=["words", "author", "picture in a document", "name of a part", "gzip", "name of a second member",
         "second member", "six deep", "attached", "subject", "forwarded", "JSON",
         "comment", "attribute", "UTF-16"],
)  # fmt: skip
def test_everything_in_what_is_packed_is_read(content: bytes) -> None:
    assert WHO in said(content)
    assert SHARED.read(content).why == ""


def test_a_message_is_read_as_one_whatever_it_calls_itself() -> None:
    """Its attachments are packed in base64: as a text it would say nothing."""
    assert WHO in said(a_message(("a.gz", zipped(WHO.encode()))), "application/octet-stream")


def test_words_in_two_cells_are_two_words() -> None:
    sheet = "<sst><si><t>Jan</t></si><si><t>Peeters</t></si></sst>"
    assert "Jan\nPeeters" in said(packed(**{"[Content_Types].xml": "<T/>", "xl/sharedStrings.xml": sheet}))


@pytest.mark.parametrize(
    ("before", "struck"),
    [
        ("<w:r><w:t>Lena vertelt</w:t></w:r>", "<w:del><w:r><w:delText>Peeters</w:delText></w:r></w:del>"),
        ("<w:r><w:t>Lena</w:t></w:r>", "<w:del><w:r><w:delText>Pee</w:delText></w:r><w:r><w:delText>ters</w:delText></w:r></w:del>"),
        ("<vcard><fn>Lena</fn>", "<n>Peeters</n><tel>1</tel></vcard>"),
    ],
)
def test_a_word_is_read_by_itself_where_it_stands_right_beside_another(before: str, struck: str) -> None:
    """What was struck out of a document is in it still, and a name glued to the word before it is not a
    name."""
    parts = {"[Content_Types].xml": "<T/>", "word/document.xml": f"<w:p>{before}{struck}</w:p>"}
    assert "Peeters" in said(packed(**parts)).split("\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (a_compound_file(WHO), Unread.UNKNOWN),
        (packed(a_compound_file(WHO)), Unread.UNKNOWN),
        (a_document("x", extra={"word/embeddings/oleObject1.bin": a_compound_file(WHO)}), Unread.UNKNOWN),
        (a_message(("bericht.msg", a_compound_file(WHO))), Unread.UNKNOWN),
        (b"{\\rtf1 " + LATIN.encode("cp1252") + b"}", Unread.UNKNOWN),
        (b"7z\xbc\xaf\x27\x1c\0\4" + LATIN.encode("cp1252") + b"\0", Unread.UNKNOWN),
        (a_picture()[:-20] + WHO.encode(), Unread.DAMAGED),
        (b"%PDF-1.4 " + WHO.encode(), Unread.DAMAGED),
        (b"PK\x03\x04 " + WHO.encode(), Unread.DAMAGED),
        (zipped(b"x" * 100)[:-10], Unread.DAMAGED),
        (zipped(b"x" * 100) + LATIN.encode("cp1252"), Unread.DAMAGED),
        (zipped(b"x" * 100) + b"\x1f\x8b", Unread.DAMAGED),
        (zipped(b"") * 5_001, Unread.LARGE),
    ],
)
def test_what_cannot_be_read_is_never_taken_for_nothing_in_it(content: bytes, why: str) -> None:
    """It says so, and is looked through as it is there all the same."""
    found = SHARED.read(content)
    assert found.why == why
    if b"x" * 10 not in content and not content.startswith(b"\x1f\x8b"):
        assert any(name in "\n".join(found.texts) for name in (WHO, LATIN))


@pytest.mark.parametrize("flags", [0x08, 0x10, 0x18, 0x14, 0x1C])
def test_all_that_the_head_of_a_gzip_notes_is_read(flags: int) -> None:
    """RFC 1952, 2.3: extra field, name and remark, each there or not."""
    extra, name, remark = (f"{what} {WHO}".encode() for what in ("extra", "naam", "nota"))
    head = bytearray(zipped(b"x")[:10])
    head[3] = flags
    noted = [(0x04, len(extra).to_bytes(2, "little") + extra), (0x08, name + b"\0"), (0x10, remark + b"\0")]
    content = bytes(head) + b"".join(each for flag, each in noted if flags & flag) + zipped(b"x")[10:]
    found = said(content)
    assert [what for what in ("extra", "naam", "nota") if f"{what} {WHO}" in found] == [
        what for flag, what in ((0x04, "extra"), (0x08, "naam"), (0x10, "nota")) if flags & flag
    ]
    assert SHARED.read(content).why == ""


def test_a_gzip_of_nothing_has_nothing_in_it() -> None:
    found = SHARED.read(zipped(b"") * 30)
    assert (found.kind, found.why, found.texts) == ("gzip", "", ())


def test_what_lies_in_an_archive_and_is_no_part_of_it_is_not_taken_for_nothing() -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("a.txt", "niets")
        archive.writestr("b.txt", f"Dag, {WHO}, hoe gaat het?")
    assert SHARED.read(stored.getvalue()).why == ""
    found = SHARED.read(_unlisted(stored.getvalue()))
    assert (found.why, WHO in "\n".join(found.texts)) == (Unread.DAMAGED, True)


def _unlisted(archive: bytes) -> bytes:
    """An archive of which the list names the first part alone."""
    start, end = archive.index(b"PK\1\2"), archive.rindex(b"PK\5\6")
    second = archive.index(b"PK\1\2", start + 4)
    counts = (1).to_bytes(2, "little") * 2 + (second - start).to_bytes(4, "little")
    return archive[:second] + archive[end : end + 8] + counts + archive[end + 16 :]


def test_a_document_with_the_settings_of_a_printer_can_be_read() -> None:
    extra: dict[str, bytes | str] = {"xl/printerSettings/printerSettings1.bin": b"\0\1\2P\0r\0i\0n\0t\0"}
    assert SHARED.read(a_document("x", extra=extra)).why == ""


# -- pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_picture_is_drawn_anew_without_what_is_noted_in_it(form: str) -> None:
    noted = a_picture(form, author=WHO) + WHO.encode()  # behind its end too
    found = SHARED.read(noted, f"image/{form.lower()}")
    assert (found.kind, found.why, found.texts) == ("picture", "", ())
    assert found.content is not None
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert WHO.encode(encoding) not in found.content
    with Image.open(io.BytesIO(noted)) as before, Image.open(io.BytesIO(found.content)) as after:
        assert (after.format, after.size) == (before.format, before.size)
        assert not {"exif", "xmp", "comment", "Author", "Comment", "icc_profile"} & set(after.info)
        assert dict(after.getexif()).keys() <= {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 305, 282, 283, 296, 339, 338, 317}
        assert _near(before.convert("RGB"), after.convert("RGB"))


def _near(one: Image.Image, other: Image.Image) -> bool:
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return max(abs(a - b) for a, b in pairs) < 12


def test_a_picture_stands_as_it_is_to_be_looked_at() -> None:
    picture, exif, out = Image.new("RGB", (8, 6)), Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(out, "JPEG", exif=exif)
    content = SHARED.read(out.getvalue(), "image/jpeg").content
    assert content is not None
    with Image.open(io.BytesIO(content)) as after:
        assert after.size == (6, 8)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP"])
def test_every_frame_of_a_picture_stays(form: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    content = SHARED.read(out.getvalue(), f"image/{form.lower()}").content
    assert content is not None
    with Image.open(io.BytesIO(content)) as after:
        assert getattr(after, "n_frames", 1) == 3


def test_a_transparent_picture_stays_transparent() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 6), (1, 2, 3, 0)).save(out, "PNG")
    content = SHARED.read(out.getvalue(), "image/png").content
    assert content is not None
    with Image.open(io.BytesIO(content)) as after:
        assert after.convert("RGBA").getpixel((0, 0)) == (1, 2, 3, 0)


@pytest.mark.parametrize("content", [b"<svg xmlns='x'><text>Jan</text></svg>", b"\0\0\0\x18ftypheic" + b"\0" * 40])
def test_a_picture_that_cannot_be_drawn_anew_cannot_be_read(content: bytes) -> None:
    assert SHARED.read(content, "image/svg+xml").why == Unread.UNKNOWN


def test_a_sound_is_heard_by_a_person_and_what_is_noted_in_it_is_read() -> None:
    noted = b"ID3\3\0\0\0\0\0\x40TPE1\0\0\0\x20\0\0\1\xff\xfe" + WHO.encode("utf-16-le") + b"\xff\xfb\x90\0" * 200
    found = SHARED.read(noted, "audio/mpeg")
    assert (found.kind, found.why) == ("sound", "")
    assert WHO in "\n".join(found.texts)


def test_what_only_calls_itself_a_sound_is_read_as_what_it_is() -> None:
    assert SHARED.read(a_compound_file(WHO), "audio/mpeg").kind == "unknown"
    assert WHO in said(zipped(WHO.encode()), "audio/mpeg")


# -- messages that are told as texts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ('To: (=?x?q?a?=é])"\nSubject: x\n\nhallo'.encode(), 'To: (=?x?q?a?=é])"\nSubject: x\n\nhallo'),
        (b"To: =?utf-8?q?=0D=0A?=\nSubject: x\n\nhallo", "Subject: x\n\nhallo"),
        (b"To: a, b\nTo: c\n\nhallo", "To: a, b, c\n\nhallo"),
        (b"Subject: =?nergens?b?SGFsbG8=?=\n\nx", "Subject: Hallo\n\nx"),
        (b"Subject: =?utf-8?b?SGF?=\n\nx", "Subject: Ha\n\nx"),
        (b"Subject: =?utf-8?q?H=C3=A9?= =?utf-8?q?_daar?=\n\nx", "Subject: Hé daar\n\nx"),
        (b"Subject: x\nContent-Type: text/plain; charset=nergens\n\nhallo", "Subject: x\n\nhallo"),
        (b"Subject: x\nContent-Type: text/html\n\n<p>Hallo</p><![>", "Subject: x\n\nHallo"),
        (b"Subject: x\nContent-Type: text/plain; charset=iso-8859-2\nContent-Transfer-Encoding: 8bit\n\n\xaf", "Subject: x\n\nŻ"),
        (b"Subject: x\nContent-Type: multipart/mixed\n\nhallo", "Subject: x\n\nhallo"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!!", ""),
        (b"Date: nooit\nFrom: @@@,,;<>\n\nx", "From: @@@,,;<>\nDate: nooit\n\nx"),
    ],
)  # fmt: skip
def test_a_message_is_told_however_its_headers_are_written(raw: bytes, told: str) -> None:
    assert text_in(raw, "message/rfc822", "bericht.eml") == told


@pytest.mark.parametrize(
    "head",
    [
        f": {WHO}",
        f"From {WHO} 2024\nSubject: x",
        f" {WHO}\nSubject: x",
        f"Subject: x\nFrom {WHO}\nTo: a",
        f"Subject: x\n: {WHO}\nTo: a",
        f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n: {WHO}\n\nx\n--b--',
    ],
)
def test_a_line_among_the_headers_that_is_not_one_is_read(head: str) -> None:
    """A parser leaves it out; the message is handed on with it."""
    assert WHO in said(f"{head}\n\nhallo\n".encode(), "message/rfc822")


@pytest.mark.parametrize("name", ["X-Jan-De-Wit-Fictief", "X-Jan_De.Wit", "Jan-de-Wit"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_header_that_is_called_by_a_name_is_read(name: str, inside: bool) -> None:
    """Of the message and of each of its parts."""
    head = f"Subject: x\n{name}: 1"
    if inside:
        head = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n{head}\n\nx\n--b--'
    found = said(f"{head}\n\nhallo\n".encode(), "message/rfc822")
    assert LeakTerms(["Jan de Wit"]).found_in(found)


def test_the_words_of_the_format_are_no_names() -> None:
    """Somebody may be called as a standard header is."""
    head = "Return-Path: a@example.org\nReceived: x\nSender: b@example.org\nList-Post: x\nSubject: x\nContent-Type: text/plain"
    found = said(f"{head}\n\nhallo\n".encode(), "message/rfc822")
    assert not LeakTerms(["Kees Sender", "An Post", "Sender", "Post", "Path"]).found_in(found)
