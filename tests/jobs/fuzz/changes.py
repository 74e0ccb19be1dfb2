"""What is done to a seed: accidents of bytes, pieces of the format in the wrong place, and the same inside
what is packed."""

import io
import random
import warnings
import zipfile
import zlib
from collections.abc import Sequence

from tests.jobs.fuzz.corpus import Entry

LARGEST = 512 * 1024
_NUMBERS = (b"0", b"-1", b"1", b"65535", b"65536", b"2147483647", b"4294967296", b"99999999999999999999", b"1e9", b"NaN")
_BYTES = (b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\x01\0\0\0")
_WORDS = {
    "pdf": (
        b"/Kids [ 1 0 R ]", b"/Count 9", b"/Length 99999999", b"stream\n", b"endstream", b"endobj", b"1 0 obj", b"<<", b">>", b"(", b")",
        b"\\", b"/FlateDecode", b"/Filter [/ASCIIHexDecode /LZWDecode]", b"/Parent 1 0 R", b"/Annots [ 1 0 R 2 0 R ]", b"<FEFF0041",
        b"R", b"null", b"/Subtype /Image", b"/Type /ObjStm", b"xref\n", b"trailer", b"startxref\n0\n%%EOF", b"/Encrypt 1 0 R",
        b"/Next 1 0 R", b"BT", b"Tj",
    ),
    "html": (
        b"<", b">", b"</", b"<!--", b"-->", b"<![", b"<![CDATA[", b"]]>", b"<?", b"<p ", b"='", b'="', b"&#", b"&#x", b"&#9999999999;",
        b"&", b"<style>", b"<script>", b"</script", b"<title>", b"<template>", b"\x00", b"\xc2\xa0", b"<a b=", b"/>", b"<svg>", b"\\u",
        b"\xe2\x80\xae",
    ),
    "eml": (
        b"\n", b"\n\n", b"\r\n", b": ", b"=?utf-8?q?", b"?=", b"=?utf-8?b?", b"=?x?q?a?=", b"--b\n", b"--b--", b"boundary=",
        b"multipart/mixed", b"message/rfc822", b"Content-Type: ", b"Content-Transfer-Encoding: base64\n", b"charset=", b"To: (", b'"',
        b"<", b"@", b";", b"=0D=0A", b"filename*0*=utf-8''", b"x-uuencode", b"\xe9", b"Content-Disposition: attachment; ",
    ),
    "png": (
        b"IHDR", b"IDAT", b"zTXt", b"iTXt", b"IEND", b"acTL", b"fdAT", b"iCCP", b"eXIf",
    ),
    "gif": (
        b"GIF89a", b"!\xf9\x04", b",\x00\x00\x00\x00", b";",
    ),
    "jpeg": (
        b"\xff\xd8", b"\xff\xe1", b"\xff\xc4", b"\xff\xda", b"\xff\xd9", b"Exif\x00\x00", b"\xff\xc0", b"\xff\xc2",
    ),
}  # fmt: skip
_OF = {"htm": "html", "txt": "html", "json": "html", "csv": "html", "xml": "html", "jpg": "jpeg"}


def changed(entry: Entry, others: Sequence[Entry], chance: random.Random) -> bytes:
    """Return a seed after one to six accidents; of an archive those may happen to what is in it."""
    content = entry.content
    if content.startswith(b"PK") and chance.random() < 0.6:
        content = _inside(content, others, chance)
        if len(content) > LARGEST:
            return entry.content
        if chance.random() < 0.7:
            return content
    if content.startswith(b"\x1f\x8b") and chance.random() < 0.5:
        return _zipped(_accident(b"x" * chance.randrange(2000), "", others, chance), chance)
    if entry.kind == "pdf" and chance.random() < 0.2:
        return _restreamed(content, others, chance)
    for _ in range(chance.randint(1, 6)):
        content = _accident(content, _OF.get(entry.kind, entry.kind), others, chance)
    return content[:LARGEST]


def _accident(content: bytes, kind: str, others: Sequence[Entry], chance: random.Random) -> bytes:
    size = len(content)
    start = chance.randrange(size + 1)
    end = min(size, start + int(chance.expovariate(1 / 40)))
    match chance.randrange(11):
        case 0:
            return content[:start]
        case 1:
            return content[:start] + content[end:]
        case 2:
            return content[:end] + content[start:end] * chance.choice((1, 2, 9, 300, 5000)) + content[end:]
        case 3:
            other = chance.choice(others).content
            return content[:start] + other[chance.randrange(len(other) + 1) :]
        case 4:
            return content[:start] + chance.randbytes(chance.randint(1, 12)) + content[start:]
        case 5:
            return content[:start] + chance.choice(_BYTES) + content[end:]
        case 6 | 7 if kind in _WORDS:
            return content[:start] + chance.choice(_WORDS[kind]) * chance.choice((1, 1, 1, 2, 50, 3000)) + content[end:]
        case 8:
            return _number(content, chance)
        case 9:
            other = chance.choice(others).content
            return content[:start] + other + content[start:]
        case _:
            return content[:start] + bytes(each ^ (1 << chance.randrange(8)) for each in content[start : start + 1]) + content[start + 1 :]


def _number(content: bytes, chance: random.Random) -> bytes:
    """Put another number where one stands in digits."""
    digits = [place for place in range(0, len(content), 7) if content[place : place + 1].isdigit()]
    if not digits:
        return content
    start = chance.choice(digits)
    return content[:start] + chance.choice(_NUMBERS) + content[start + 1 :]


def _inside(content: bytes, others: Sequence[Entry], chance: random.Random) -> bytes:
    """Change parts of an archive and pack it again."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        warnings.simplefilter("ignore")
        for part in old.infolist():
            body = old.read(part)
            if chance.random() < 0.4:
                kind = "html" if part.filename.endswith((".xml", ".rels")) else ""
                body = _accident(body, kind, others, chance)[:LARGEST]
            how = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            for _ in range(chance.choice((0, 1, 1, 1, 2, 40))):
                new.writestr(part.filename, body, how)
    return out.getvalue()


def _zipped(content: bytes, chance: random.Random) -> bytes:
    packer = zlib.compressobj(wbits=31)
    made = packer.compress(content) + packer.flush()
    return made * chance.choice((1, 2, 30)) if chance.random() < 0.5 else made[: chance.randrange(len(made) + 1)]


def _restreamed(content: bytes, others: Sequence[Entry], chance: random.Random) -> bytes:
    """Put a stream that can be inflated, with something else in it, where one of a PDF stands."""
    start = content.find(b"stream\n", chance.randrange(len(content) + 1))
    end = content.find(b"endstream", start)
    if start < 0 or end < 0:
        return content[: chance.randrange(len(content) + 1)]
    body = _accident(chance.choice(others).content, "pdf", others, chance)[:LARGEST]
    return content[: start + 7] + zlib.compress(body) + b"\n" + content[end:]
