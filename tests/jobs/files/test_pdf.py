"""What is read of a PDF, wherever in it it stands (EXP-06, R-118, R-119). Everybody is fictitious."""

import base64
import io
import re
import zlib
from typing import Any

import pikepdf
import pytest
from PIL import Image

from jobs.files.limits import Unread
from jobs.files.supervisor import SHARED
from tests.jobs.files.made import a_document, a_pdf
from tests.jobs.files.readings import WHO, said


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


def scanned(document: Any, width: float, height: float, *, in_form: bool = False) -> None:
    """A picture of this part of the page, over what stands there already; in a form, drawn twice as wide and
    high there and half of it on the page."""
    picture = document.make_stream(b"\xff" * 100, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=10, Height=10,
                                   ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8)  # fmt: skip
    page = document.pages[0]
    _, _, right, top = (float(each) for each in page.MediaBox)
    wide, high = right * width, top * height
    if in_form:
        drawing = document.make_stream(f"q {wide * 2} 0 0 {high * 2} 0 0 cm /Im Do Q".encode())
        drawing.Type, drawing.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        drawing.BBox = pikepdf.Array([0, 0, right * 2, top * 2])
        drawing.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=picture))
        page.Resources.XObject = pikepdf.Dictionary(Fm=drawing)
        page.contents_add(b"q 0.5 0 0 0.5 0 0 cm /Fm Do Q", prepend=True)
    else:
        page.Resources.XObject = pikepdf.Dictionary(Im=picture)
        page.contents_add(f"q {wide} 0 0 {high} 0 0 cm /Im Do Q".encode(), prepend=True)


@pytest.mark.parametrize("in_form", [False, True])
@pytest.mark.parametrize(("width", "height", "why"), [(1, 1, Unread.PICTURES), (2, 0.6, Unread.PICTURES), (1, 0.3, "")])
def test_a_scan_is_a_picture_whatever_few_words_stand_on_it(width: float, height: float, in_form: bool, why: str) -> None:
    """The number of a page, the stamp of a scanner: the letter itself is no word that a program can read."""
    found = SHARED.read(a_pdf("Bladzijde 1", lambda document: scanned(document, width, height, in_form=in_form)))
    assert (found.why, "Bladzijde 1" in "\n".join(found.texts)) == (why, True)


@pytest.mark.parametrize("owner", ["", "geheim"])
def test_a_locked_pdf_cannot_be_read(owner: str) -> None:
    with pikepdf.open(io.BytesIO(a_pdf("Een brief.", information))) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="eigenaar", user=owner))
    assert SHARED.read(out.getvalue()).why == Unread.LOCKED
