"""The files of an answer that were written out, unencrypted, where somebody wanted them: review pages and
working copies; and their removal with the sealed part of their request that says where they are."""

from contextlib import suppress
from glob import escape
from hashlib import sha256
from pathlib import Path

import msgspec

from rules.decoders import decoder_of


class Written(msgspec.Struct, frozen=True):
    """Such a sealed part: where files were written, and the SHA-256 of each; also folders that were made for
    them."""

    files: tuple[tuple[str, str], ...] = ()


def remove_written(part: bytes) -> None:
    """Remove the files of which such a part tells, unless somebody has changed them: right before the part
    goes, for nothing else knows where they are."""
    written = decoder_of(Written).decode(part).files
    for where, digest in sorted(written, key=lambda file: -file[0].count("/")):  # a folder after what is in it
        _remove(Path(where), digest)


def _remove(path: Path, digest: str) -> None:
    """Remove a file, with what a program that was killed had written of it, or a folder that is empty."""
    with suppress(OSError):  # on another machine, or removed already: nothing is left to do here
        if path.is_dir():
            path.rmdir()
            return
        for begun in path.parent.glob(f".{escape(path.name)}.????????.part"):
            begun.unlink()
        if path.exists() and sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
