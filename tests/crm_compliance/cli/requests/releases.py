"""Answers that are released, and what is in their packages."""

import io
from pathlib import Path
from typing import Any

import pyzipper

from tests.crm_compliance.cli.requests.family import LOTTE
from tests.drivers.asking import Asking
from tests.drivers.typist import ERIK

LOTTE_ASKS = LOTTE | {"birthdate": "2012-03-04"}


def release(asking: Asking, name: str = "answer") -> tuple[dict[str, Any], dict[str, bytes]]:
    """Release an answer; what the command says, and the files in the archive."""
    folder = asking.typist.folder
    zipped, passphrase = folder / f"{name}.zip", folder / f"{name}.txt"
    said = asking.typist.ask("requests", "release", asking.id, "--output", zipped, "--passphrase-file", passphrase, *ERIK)
    return said, unpacked(zipped.read_bytes(), passphrase)


def unpacked(zipped: bytes, passphrase: Path) -> dict[str, bytes]:
    with pyzipper.AESZipFile(io.BytesIO(zipped)) as archive:
        archive.setpassword(passphrase.read_bytes())
        return {name: archive.read(name) for name in archive.namelist()}
