"""The ledger: an append-only, hash-chained history without personal data (ACC-06)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
import rfc8785

from rules.errors import ComplianceError

FIRST = "0" * 64  # the hash before the first entry


class LedgerBroken(ComplianceError):
    """An entry does not follow from the one before it."""

    exit_code = 7
    code = "ledger_broken"


class LedgerEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry. `seq` counts from 1 without gaps, `at` is RFC 3339 in UTC, `data` holds JSON values: keyed references, counts, digests."""

    seq: int
    at: str
    kind: str
    run: str | None
    data: dict[str, object]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: how many entries, the last good hash, and the `seq` of the first entry that does not fit."""

    entries: int
    head: str
    first_broken: int | None

    @property
    def ok(self) -> bool:
        return self.first_broken is None


def hash_of(seq: int, at: str, kind: str, run: str | None, data: Mapping[str, object], prev_hash: str) -> str:
    """SHA-256, in lower-case hex, of the RFC 8785 form of the entry without its hash."""
    entry = {"seq": seq, "at": at, "kind": kind, "run": run, "data": dict(data), "prev_hash": prev_hash}
    return hashlib.sha256(rfc8785.dumps(entry)).hexdigest()  # type: ignore[arg-type]


def next_entry(last: LedgerEntry | None, *, at: str, kind: str, run: str | None, data: Mapping[str, object]) -> LedgerEntry:
    """The entry that follows `last` (None: the first of all).

    Raises:
        TypeError: `data` holds what has no single JSON form, a broken number for one: two programs may write 0.1 differently,
            and then an honest entry would not verify. Say it as an integer (thousandths) or as text.
    """
    seq, prev_hash = (last.seq + 1, last.hash) if last else (1, FIRST)
    plain = _plain(data, "data")
    assert isinstance(plain, dict)
    return LedgerEntry(seq, at, kind, run, plain, prev_hash, hash_of(seq, at, kind, run, plain, prev_hash))


def verify_chain(entries: Iterable[LedgerEntry | None]) -> Verdict:
    """Recompute the chain from the first entry on. The first entry that does not fit is named; what follows it proves nothing.

    None stands for an entry that could not even be read; it is broken at its place. Entries cut off at the end leave a chain that
    fits: only a head kept elsewhere shows that (`ledger verify --anchor`).
    """
    head, count, broken = FIRST, 0, None
    for entry in entries:
        count += 1
        if broken is not None:
            continue
        if entry is None or entry.seq != count or entry.prev_hash != head or entry.hash != _expected(entry):
            broken = count
        else:
            head = entry.hash
    return Verdict(count, head, broken)


def encode(entry: LedgerEntry) -> bytes:
    """One line of the export, newline included: RFC 8785, so that there is one way only to write an entry."""
    return rfc8785.dumps(msgspec.structs.asdict(entry)) + b"\n"


def decode(lines: Iterable[bytes]) -> Iterator[LedgerEntry | None]:
    """The entries of an export, line by line (a file opened for bytes). None for a line that is not byte for byte what `encode` writes:
    an edit that leaves the meaning alone, a space for one, is an edit all the same (R-141)."""
    for line in lines:
        yield _decoded(line.removesuffix(b"\n"))


def _decoded(line: bytes) -> LedgerEntry | None:
    try:
        entry = msgspec.json.decode(line, type=LedgerEntry)
        return entry if encode(entry) == line + b"\n" else None
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        return None


def _expected(entry: LedgerEntry) -> str:
    try:
        return hash_of(entry.seq, entry.at, entry.kind, entry.run, entry.data, entry.prev_hash)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        return ""  # no hash is empty: what cannot be written down cannot fit


def _plain(value: object, where: str) -> object:
    """The same value in plain JSON types: a list for a tuple, a str for a StrEnum. So it reads back equal from the database."""
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
