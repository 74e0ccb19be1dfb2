"""The seeds of the fuzzer: small files as other people's programs write them, and contents over which
something once broke.

`python -m tests.jobs.fuzz.corpus` writes those that are made by a program. What a run has found is put beside
them by hand, under a name that says what it was. Everybody in them is fictitious.
"""

import io
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
import xlsxwriter
from PIL import Image

from tests.jobs.files.made import a_compound_file, a_document, a_message, a_pdf, a_picture, packed, zipped

FOLDER = Path(__file__).parents[2] / "data" / "corpus" / "files"
WHO = "Żaneta D'Hondt-Müller (fictief)"


@dataclass(frozen=True)
class Entry:
    """One seed. `kind` is its ending: what it is called decides how it is changed, never how it is read."""

    name: str
    kind: str
    content: bytes

    @property
    def media_type(self) -> str:
        return mimetypes.guess_type(f"x.{self.kind}")[0] or "application/octet-stream"


@cache
def entries() -> tuple[Entry, ...]:
    """All seeds, by name."""
    return tuple(
        Entry(path.name, path.suffix[1:], path.read_bytes()) for path in sorted(FOLDER.iterdir()) if path.is_file() and path.suffix != ".md"
    )


def _sheet() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Blad")
        sheet.write_row(0, 0, ["Jan", "Peeters", WHO])
        sheet.write_comment(0, 0, WHO, {"author": WHO})
    return out.getvalue()


def _written(change: Callable[[Any], None], **how: Any) -> bytes:
    with pikepdf.open(io.BytesIO(a_pdf("Een brief.", change))) as document:
        out = io.BytesIO()
        document.save(out, static_id=True, **how)
    return out.getvalue()


def _rich(document: Any) -> None:
    """Notes, a form, a file, an outline, what the file says of itself, a script."""
    rect = pikepdf.Array([10, 10, 90, 90])
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=rect, Contents=WHO, T=WHO)
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="naam", V=WHO, Rect=pikepdf.Array([1, 1, 9, 9])
    )
    notes = [document.make_indirect(each) for each in (note, field)]
    document.pages[0].Annots = pikepdf.Array(notes)
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(notes[1:]))
    document.attachments["a.docx"] = pikepdf.AttachedFileSpec(document, a_document(WHO), filename="a.docx")
    document.docinfo["/Manager"] = WHO
    with document.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem(WHO, 0))
    script = document.make_stream(b"app.alert('x')")
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=script)


def _scan() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 40), "white").save(out, "PDF")
    return out.getvalue()


HTML = (
    f'<!DOCTYPE html><html><head><style>p {{ color: red }}</style></head><body title="{WHO}"><p>Dag &#80;eeters &amp; co<br/>'
    f"<table><tr><td>a<td>b</table><!-- {WHO} --><![CDATA[x]]><script>if (a < b) {{}}</script><a href='x'>y</a></body></html>"
).encode()


def made() -> dict[str, bytes]:
    """The seeds that a program makes."""
    disable, generate = pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate
    return {
        "plain.txt": f"Dag,\n\n{WHO} belde op 3 maart.\n".encode(),
        "utf-16.txt": f"Dag, {WHO}".encode("utf-16"),
        "latin-1.txt": "één keer, zei D’Hondt".encode("cp1252"),
        "page.html": HTML,
        "escapes.json": b'{"naam": "\\u017baneta \\ud83d\\ude00", "a": [1, null, {"b": "<p>x</p>"}]}',
        "table.csv": f'naam;bericht\n{WHO};"dag"\n'.encode(),
        "message.eml": a_message(("a.docx", a_document(WHO)), ("b.gz", zipped(WHO.encode())), subject=WHO),
        "html.eml": b'From: a@example.org\nTo: (=?x?q?a?=\xc3\xa9])"\nSubject: =?utf-8?q?=0D=0A?=\nMIME-Version: 1.0\n'
        b'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/html; charset=iso-8859-2\n'
        b"Content-Transfer-Encoding: quoted-printable\n\n<p>Dag=AF</p><![>\n--b--\n",
        "document.docx": a_document(WHO, author=WHO, extra={"word/media/a.png": a_picture(author=WHO)}),
        "sheet.xlsx": _sheet(),
        "packed.zip": packed(zipped(WHO.encode()), packed(WHO.encode()), a_pdf("Dag."), HTML),
        "packed.gz": zipped(zipped(WHO.encode(), "a.txt")),
        "rich.pdf": _written(_rich, object_stream_mode=disable, stream_decode_level=pikepdf.StreamDecodeLevel.all, compress_streams=False),
        "streams.pdf": _written(_rich, object_stream_mode=generate, linearize=True),
        "locked.pdf": _written(_rich, encryption=pikepdf.Encryption(owner="a", user="")),
        "scan.pdf": _scan(),
        **{f"picture.{form.lower()}": a_picture(form, author=WHO) for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")},
        "compound.msg": a_compound_file(WHO),
        "sound.mp3": b"ID3\3\0\0\0\0\0\x40TPE1\0\0\0\x20\0\0\1\xff\xfe" + WHO.encode("utf-16-le") + b"\xff\xfb\x90\0" * 40,
    }


def write() -> None:
    """Write the seeds again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in made().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    write()
