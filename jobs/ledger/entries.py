"""The ledger: an append-only, hash-chained history without personal data (ACC-06)."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import rfc8785

from rules.decoders import decoder_of
from rules.errors import ComplianceError

FIRST = "0" * 64  # the hash before the first entry
_SORTED = msgspec.json.Encoder(order="sorted")
# Where RFC 8785 may differ from sorted JSON: a name that starts beyond U+D7FF (other order), a number with a
# fraction or too many digits.
_HIGH = re.compile(rb"[\xee-\xff]")
_UNUSUAL = re.compile(rb"[:\[,]-?(?:\d{16}|\d+(?:\.\d|[eE])[\d+\-eE.]*[,\]}])")
# What a line has to have a few of to be an entry that somebody broke, and no other kind of file.
_MARKS = (b'"at":', b'"data":', b'"hash":', b'"kind":', b'"prev_hash":', b'"run":', b'"seq":')


class LedgerBroken(ComplianceError):
    """An entry does not follow from the one before it."""

    exit_code = 7
    code = "ledger_broken"


class StoreAltered(ComplianceError):
    """The store is not what the ledger says, or the ledger not what was signed: it was changed."""

    exit_code = 7
    code = "store_altered"


class LedgerEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry. `seq` counts from 1 without gaps, `at` is RFC 3339 in UTC, `data` holds JSON values: keyed
    references, counts, digests."""

    seq: int
    at: str
    kind: str
    run: str | None
    data: dict[str, object]
    prev_hash: str
    hash: str

    @property
    def is_whole(self) -> bool:
        """Whether its hash is that of its fields; only the chain shows whether it follows the one before."""
        return self.hash == _expected(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: how many entries, the last good hash, and the `seq` of the first entry that
    does not fit."""

    entries: int
    head: str
    first_broken: int | None

    @property
    def ok(self) -> bool:
        return self.first_broken is None


def canonical(value: object) -> bytes:
    """Return the RFC 8785 form of a JSON value: the only way to write it.

    Raises:
        rfc8785.CanonicalizationError, UnicodeError, RecursionError: there is no such form."""
    text = _SORTED.encode(value)
    is_usual = text[:1] in b"{[" and _UNUSUAL.search(text) is None and (text.isascii() or _HIGH.search(text) is None)
    return text if is_usual else rfc8785.dumps(msgspec.json.decode(text))


def digest_of(value: object) -> str:
    """Return the SHA-256, in lower-case hex, of the RFC 8785 form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def hash_of(seq: int, at: str, kind: str, run: str | None, data: Mapping[str, object], prev_hash: str) -> str:
    """Return the SHA-256, in lower-case hex, of the RFC 8785 form of the entry without its hash."""
    return digest_of({"seq": seq, "at": at, "kind": kind, "run": run, "data": data, "prev_hash": prev_hash})


class End(NamedTuple):
    """Place and hash of the last entry: what the next one is chained to."""

    seq: int
    hash: str


def next_entry(last: LedgerEntry | End | None, *, at: str, kind: str, run: str | None, data: Mapping[str, object]) -> LedgerEntry:
    """Return the entry that follows `last` (None: the first of all). Raises TypeError: `data` holds what has
    no single JSON form, for example a fraction: two programs may write 0.1 differently, and then an honest
    entry would not verify. Write it as an integer (thousandths) or as text."""
    seq, prev_hash = (last.seq + 1, last.hash) if last else (1, FIRST)
    plain = _plain(data, "data")
    assert isinstance(plain, dict)
    return LedgerEntry(seq, at, kind, run, plain, prev_hash, hash_of(seq, at, kind, run, plain, prev_hash))


class Chain:
    """A chain that is recomputed entry by entry, from the first on. What follows the first entry that does
    not fit proves nothing. Entries cut off at the end leave a chain that fits: only a checkpoint kept
    elsewhere shows that (`ledger verify --anchor`)."""

    def __init__(self, entries: int = 0, head: str = FIRST) -> None:
        self.entries, self.head = entries, head
        self.first_broken: int | None = None

    def add(self, entry: LedgerEntry | None) -> bool:
        """Add an entry; return whether it, and everything before it, fits. None represents an entry that
        could not even be read."""
        self.entries += 1
        if self.first_broken is not None:
            return False
        if entry is None or entry.seq != self.entries or entry.prev_hash != self.head or entry.hash != _expected(entry):
            self.first_broken = self.entries
            return False
        self.head = entry.hash
        return True

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.entries, self.head, self.first_broken)


def encode(entry: LedgerEntry) -> bytes:
    """Return one line of the export, newline included: RFC 8785, the only way to write an entry."""
    return canonical(entry) + b"\n"


def decode(lines: Iterable[bytes]) -> Iterator[LedgerEntry | None]:
    """Yield the entries of an export, line by line (a file opened for bytes). A line that is not byte for
    byte what `encode` writes becomes None: an edit that does not change the meaning, for example a space, is
    still an edit (R-141)."""
    yield from (_decoded(line.removesuffix(b"\n")) for line in lines)


def looks_like_one(line: bytes) -> bool:
    """Return whether a line was a ledger entry once, whatever somebody did to it. A letter or a list of names
    never was one."""
    return line.startswith(b'{"at":"') or sum(mark in line for mark in _MARKS) >= 3


def _decoded(line: bytes) -> LedgerEntry | None:
    try:
        entry = decoder_of(LedgerEntry).decode(line)
        return entry if canonical(entry) == line else None
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        return None


def _expected(entry: LedgerEntry) -> str:
    try:
        return hash_of(entry.seq, entry.at, entry.kind, entry.run, entry.data, entry.prev_hash)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        return ""  # no hash is empty: what cannot be written down cannot fit


def _plain(value: object, where: str) -> object:
    """Return the same value in plain JSON types: a list for a tuple, a str for a StrEnum. So it reads back
    equal from the database."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:  # RFC 8785, section 3.2.2.3: beyond that, a JSON number loses digits
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {str.__str__(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    raise TypeError(f"{where}: a ledger entry holds text, whole numbers, booleans, lists and mappings, not {type(value).__name__}")
