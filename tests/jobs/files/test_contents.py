"""What is read of files, wherever in them it stands (EXP-06, R-118, R-119). Everybody is fictitious."""

import base64
import io
import json
import textwrap
import zipfile

import pytest

from jobs.files.file_texts import text_in
from jobs.files.limits import Unread
from jobs.files.result import Told
from jobs.files.supervisor import SHARED
from rules.redaction.leak_terms import LeakTerms
from tests.jobs.files.made import a_compound_file, a_document, a_message, a_picture, packed, zipped
from tests.jobs.files.readings import WHO, said

LATIN = "Eloïse Müllenaere"


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


PHOTO = a_picture(size=(120, 90))
ODT = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": "<office:p>x</office:p>"}


@pytest.mark.parametrize(
    "content",
    [
        a_document("", extra={"word/media/image1.png": PHOTO}),
        a_document("Een brief met een foto.", extra={"word/media/image1.jpeg": a_picture("JPEG", size=(120, 90))}),
        packed(**{"[Content_Types].xml": "<T/>", "xl/media/image1.png": PHOTO}),
        packed(**{"[Content_Types].xml": "<T/>", "ppt/media/image1.png": PHOTO}),
        packed(**ODT, **{"Pictures/1.png": PHOTO}),
        packed(**{"scan.png": PHOTO}),
        a_message(("foto.png", PHOTO)),
        packed(**{"bericht.eml": a_message(("in.eml", a_message(("foto.png", PHOTO))))}),
        a_document("x", extra={"docProps/thumbnail.jpeg": a_picture("BMP", size=(900, 900))}),
    ],
    ids=["document", "beside words", "sheet", "slides", "ODT", "archive", "message", "message in a message in an archive",
         "a first page that can be read"],
)  # fmt: skip
def test_what_a_picture_inside_shows_is_not_taken_for_read(content: bytes) -> None:
    """A scan that was pasted into a document holds names as the page itself does."""
    assert SHARED.read(content).why == Unread.PICTURES


def test_an_icon_and_the_small_picture_of_a_first_page_show_no_words() -> None:
    assert SHARED.read(a_document("x", extra={"word/media/image1.png": a_picture(size=(64, 64))})).why == ""
    assert SHARED.read(packed(**ODT, **{"Thumbnails/thumbnail.png": a_picture(size=(181, 256))})).why == ""


@pytest.mark.parametrize("media_type", ["text/html", "application/octet-stream"])
@pytest.mark.parametrize(
    "markup",
    [
        "<p>Dag.</p><img src='data:image/png;base64,iVBORw0KGgo='>",
        '<p style="background: url(data:image/png;base64,iVBOR)">Dag.</p>',
        "<style>p {background: url('data:image/svg+xml,%3Csvg/%3E')}</style><p>Dag.</p>",
        "<p>Dag.</p><svg viewBox='0 0 9 9'><path d='M0 0'/></svg>",
        "<pkg:package><w:t>Dag.</w:t><pkg:binaryData>iVBORw0KGgo=</pkg:binaryData></pkg:package>",
    ],
)
def test_a_page_that_holds_more_than_words_is_not_taken_for_read(markup: str, media_type: str) -> None:
    """A picture is in it as letters that say nothing; it is told as a text, which is not the whole of it."""
    assert SHARED.read(markup.encode(), media_type, "pagina.html").why == Unread.UNKNOWN
    told = text_in(markup.encode(), media_type, "pagina.html")
    assert told is not None
    assert ("Dag." in told.text, told.is_whole) == (True, False)


def in_lines(content: bytes, join: str) -> str:
    return join.join(textwrap.wrap(base64.b64encode(content).decode(), 75))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kaart.vcf", "BEGIN:VCARD\nPHOTO;ENCODING=b;TYPE=PNG:{}\nEND:VCARD"),
        ("data.json", '{{"foto": "{}", "naam": "x"}}'),
        ("brief.txt", "Zie hier: {} en zo."),
        ("kaart.xml", "<kaart><foto>{}</foto></kaart>"),
    ],
)
@pytest.mark.parametrize("join", ["", "\n", "\r\n ", "-_"])
def test_a_picture_that_is_written_into_a_text_is_not_told_with_it(name: str, text: str, join: str) -> None:
    """Nobody who reads the text sees it, and it says who took it."""
    if join == "-_":
        written = base64.urlsafe_b64encode(a_picture(author=WHO, size=(120, 90))).decode()
    else:
        written = in_lines(a_picture(author=WHO, size=(120, 90)), join)
    content = text.format(written).encode()
    told = text_in(content, "", name)
    assert told is not None
    assert "[…]" in told.text
    assert (len(told.text) < 80, told.is_whole) == (True, False)
    found = SHARED.read(content, "", name)
    assert (found.why, WHO in "\n".join(found.texts)) == (Unread.UNKNOWN, True)


def test_letters_that_are_no_file_stay_in_a_text() -> None:
    """A long link, a key, a text in base64, which is read in its place."""
    for letters in ("a" * 300, "https://example.org/" + "Abc123" * 50, base64.b64encode(b"Dag, hoe gaat het?" * 20).decode()):
        assert text_in(letters.encode(), "text/plain", "x.txt") == Told(letters)


@pytest.mark.parametrize("media_type", ["text/html", "application/octet-stream"])
def test_a_page_of_words_is_read_and_told_whole(media_type: str) -> None:
    """What lies elsewhere is not in the file, and a text that only speaks of markup is a text."""
    for text in ("<p>Dag, <img src='https://example.org/a.png' alt='x'> hoe gaat het?</p>", "data:image/png;base64,AAAA en 1 < 2"):
        assert SHARED.read(text.encode(), media_type, "pagina.html").why == ""
        told = text_in(text.encode(), media_type, "pagina.html")
        assert (told is not None and told.is_whole) is True


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
    assert text_in(raw, "message/rfc822", "bericht.eml") == Told(told)


def _around(inner: bytes, head: str = "") -> bytes:
    """An e-mail that forwards another as a part of it."""
    begin = 'From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
    return f"{begin}Content-Type: message/rfc822\n{head}\n".encode() + inner + b"\n--b--\n"


INNER = f"From: {WHO} <b@example.org>\nSubject: Binnen\nContent-Type: text/plain; charset=utf-8\n\nDag van binnen.".encode()


@pytest.mark.parametrize(
    "raw",
    [
        _around(INNER),
        _around(INNER, "Content-Disposition: attachment; filename=x.eml\n"),
        _around(base64.encodebytes(INNER), "Content-Transfer-Encoding: base64\n"),
        _around(_around(INNER)),
        a_message(("doorgestuurd.eml", INNER)),
        a_message(("doorgestuurd.eml", a_message(("nog.eml", INNER)))),
    ],
    ids=["as a part", "as an attachment", "packed", "twice", "as a file", "as a file in a file"],
)
def test_a_message_within_a_message_is_told_with_it(raw: bytes) -> None:
    """Who sent it and what it says are redacted and read like the rest."""
    told = text_in(raw, "message/rfc822", "bericht.eml")
    assert told is not None
    assert f"From: {WHO} <b@example.org>\nSubject: Binnen" in told.text
    assert ("Dag van binnen." in told.text, told.is_whole) == (True, True)
    assert WHO in said(raw)


@pytest.mark.parametrize(
    "raw",
    [
        a_message(("foto.png", a_picture())),
        a_message(("brief.docx", a_document(WHO))),
        a_message(("bericht.msg", a_compound_file(WHO))),
        a_message(("nota.txt", WHO.encode())),
        a_message(("doorgestuurd.eml", a_message(("foto.png", a_picture())))),
        _around(a_message(("foto.png", a_picture()))),
        b"Subject: x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(a_picture()),
        b"Subject: x\nContent-Type: text/html\n\n<p>Dag</p><img src='data:image/png;base64,iVBOR'>",
    ],
    ids=["picture", "document", "Outlook", "text", "picture of an inner one", "picture of a part", "picture alone", "picture in the page"],
)
def test_a_message_with_files_is_not_told_as_if_it_were_all(raw: bytes) -> None:
    told = text_in(raw, "message/rfc822", "bericht.eml")
    assert told is not None
    assert (WHO in told.text, told.is_whole) == (False, False)


def test_messages_within_messages_are_not_followed_for_ever() -> None:
    raw = INNER
    for _ in range(12):
        raw = a_message(("x.eml", raw))
    assert text_in(raw, "message/rfc822", "bericht.eml") is None
    assert SHARED.read(raw, "message/rfc822").why == Unread.DEEP


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
