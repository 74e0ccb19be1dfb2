"""Signs the head of the ledger with a key of the data folder, and remembers the last one outside the
database, in `keys/ledger.head`.

It is kept beside the keys. Anybody who can write the database, but not `keys/`, can neither add an entry nor
restore the whole database to an earlier day unnoticed; whoever can write both is noticed by the external
checkpoint log (checkpoint_log.py). The file is written after the database, in place and without waiting for
the disk: after a power cut it may lag behind, which is not a sign of anything."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from crm_compliance.host.files import disk_errors, place_once, private_folder
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.keys.public_keys import PublicKeys
from crm_compliance.store.files.erasure_file import ErasureFile
from crm_compliance.store.sql.seals import Seals
from jobs.ledger.entries import FIRST
from jobs.ledger.heads import Head, altered
from rules.decoders import decoder_of
from rules.errors import UsageError
from rules.hints import hint_to

NAME = "ledger.head"
LENGTH = 256  # bytes; always the same, so that writing again never leaves half a file


class HeadUnreadable(UsageError):
    """The file that remembers the end of the ledger is damaged."""

    code = "ledger_head"


class Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds: the place and the hash of the last entry; the place 0 where the first is about to
    be written."""

    entries: int
    hash: str

    @property
    def text(self) -> bytes:
        return msgspec.json.encode(self).ljust(LENGTH - 1) + b"\n"


NOTHING = Remembered(0, FIRST)


def remembers_a_ledger(file: Path) -> bool:
    """Return whether a file of this kind exists and records that there was an entry, or cannot be read."""
    return file.is_file() and file.stat().st_size > 0 and file.read_bytes() != NOTHING.text


class FileWitness:
    """The witness of one data folder. `ring` opens its keys when first needed: most commands look."""

    def __init__(self, data_dir: Path, ring: Callable[[], KeyRing], erasures: Path | None) -> None:
        self._erasures = ErasureFile(erasures) if erasures is not None else None
        self._folder = data_dir / "keys"
        self._file = self._folder / NAME
        self._open = ring
        self._ring: KeyRing | None = None
        self._as_of = 0
        self._public = PublicKeys(())

    def sign(self, head: Head) -> Head:
        ring = self._keys()
        named = msgspec.structs.replace(head, key=ring.signing_key)
        return msgspec.structs.replace(named, signature=ring.sign(named.message))

    def check(self, head: Head) -> None:
        self._keys()
        if self._public.check(head.key, head.message, head.signature) is not True:
            raise altered("the head of the ledger")

    def seals(self) -> Seals:
        return self._keys()

    def known(self) -> tuple[int, str] | None:
        for _ in range(2):  # a second look where somebody was just writing
            try:
                text = self._file.read_bytes()
            except FileNotFoundError:
                return None
            with suppress(msgspec.MsgspecError):
                found = decoder_of(Remembered).decode(text)
                return found.entries, found.hash
        raise HeadUnreadable(f"{self._file} is not as it was written", hint=hint_to("restore_head_or_recover"), where=str(self._file))

    def expect(self) -> None:
        with disk_errors(self._file):
            place_once(private_folder(self._folder) / NAME, NOTHING.text)

    def register_end(self) -> str:
        return self._erasures.end() if self._erasures is not None else ""

    def check_register(self, end: str) -> None:
        if self._erasures is not None:
            self._erasures.refuse_lost(end)

    def note(self, head: Head, *, older: bool = False) -> None:
        """Write the head to the file. A failure here makes the file lag behind, and undoes nothing."""
        text = Remembered(head.entries, head.hash).text
        with suppress(OSError):
            if not self._file.exists():
                place_once(private_folder(self._folder) / NAME, text)
                return
            before = None
            with suppress(HeadUnreadable):
                before = self.known()
            if older or before is None or before[0] < head.entries:
                with self._file.open("r+b", buffering=0) as file:
                    os.pwrite(file.fileno(), text, 0)

    def _keys(self) -> KeyRing:
        """Return the keys as they are now: another program may have replaced them since."""
        if self._ring is None or self._ring.folder.stat().st_mtime_ns != self._as_of:
            self._ring = self._open()
            self._as_of = self._ring.folder.stat().st_mtime_ns
            self._public = PublicKeys(key.raw for key in self._ring.public())
        return self._ring
