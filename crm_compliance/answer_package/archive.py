"""The archive: an AES-256 encrypted ZIP, and the passphrase that opens it (EXP-16)."""

import io
import secrets
from collections.abc import Iterable
from typing import Final

from rules.errors import Refused

WORDS: Final = 8
SYLLABLES: Final = 2
MOST: Final = 450_000_000  # bytes: a value of SQLite has at most 1 GB, and so has one of PostgreSQL that is written as hexadecimals
_CONSONANTS: Final = "bdfgklmnprstvz"
_VOWELS: Final = "aeiou"
# 8 words of 2 syllables of 70 each: log2(70) * 16 = 98 bits. A syllable can be read out on the telephone in
# any of the languages.


def new_passphrase() -> str:
    """Make a passphrase that can be read out: eight words that mean nothing, 98 bits."""
    return "-".join("".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(SYLLABLES)) for _ in range(WORDS))


def archive_of(files: Iterable[tuple[str, bytes]], passphrase: str) -> bytes:
    """Make the archive, file by file. Every entry has the same fixed time: when a file was made is said in
    the letter, and nowhere else. Raises Refused: it would be larger than a database stores."""
    import pyzipper  # with the compilers of C that it loads it takes longer than all pages of the console

    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=256)
        for name, content in files:
            if out.tell() + len(content) > MOST:
                message = f"the files of this answer make a package of more than {MOST // 1_000_000} MB, which no database stores"
                hint = "withhold the largest files, and hand those over in another way"
                raise Refused(message, hint=hint, where=name, code="package_large")
            entry = archive.zipinfo_cls(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content, compress_type=pyzipper.ZIP_DEFLATED)
    return out.getvalue()
