"""The signed head of the ledger: its end at this moment (ACC-06).

Nobody who can write the database alone can add, change or cut off anything unseen. A chain proves nothing to
a person who can recompute it. So each transaction that adds entries leaves a head: the last entry's position
and hash, and a running digest of each strand, signed by a key that is not in the database. A strand is the
entries of the kinds that answer one question: which holds there are, what was planned and approved. Its
digest lets a command believe them without reading the whole ledger."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.ledger.entries import FIRST, LedgerEntry, StoreAltered, canonical
from jobs.model.run import Erasure
from rules.hints import hint_to

PLANS, RUNS, HOLDS, SWITCH, QUARANTINE, REQUESTS, KEYS = "plans", "runs", "holds", "switch", "quarantine", "requests", "keys"
CRMS, LOST = "crms", "lost"
STRANDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        PLANS: ("plan", "approval", "plans_cleared"),
        RUNS: ("run_started", "run_ended"),
        HOLDS: ("hold_placed", "hold_released", "hold_restated", "hold_looked_up"),
        SWITCH: ("stopped", "resumed"),
        QUARANTINE: ("quarantined", "quarantine_undone", "quarantine_left"),
        REQUESTS: ("request", "requests_totalled"),
        KEYS: ("key_made", "key_rotated", "key_destroyed"),
        CRMS: ("crm_seen", "authority_seen"),
        LOST: ("lost_places",),
    }
)
_OF_KIND: Final = MappingProxyType({kind: strand for strand, kinds in STRANDS.items() for kind in kinds})

_encode = msgspec.json.Encoder().encode


class RegisterCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The register of erasures: how many `rows` the table has, the `position` of the last and the running
    `digest` of all; `end` says how long the file was, and which line it ended with."""

    rows: int = 0
    position: int = 0
    digest: str = FIRST
    end: str = ""

    def after(self, rows: Iterable[tuple[int, Erasure]]) -> "RegisterCounts":
        """Return the same after these rows, each with its position, have been added."""
        number, last, digest = self.rows, self.position, self.digest
        for position, row in rows:
            number, last = number + 1, position
            digest = hashlib.sha256(digest.encode() + _encode(row)).hexdigest()
        return msgspec.structs.replace(self, rows=number, position=last, digest=digest)


class JournalCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The journal of all runs: how many `rows` it has, and the `sum`, modulo 2^256, of a keyed digest of
    each, in hex. A sum, because rows are replaced and expire: it follows each change without the
    others being read."""

    rows: int = 0
    sum: str = FIRST

    def after(self, rows: int, weight: int) -> "JournalCounts":
        """Return the same after so many rows, of this total weight, have been added or removed."""
        return JournalCounts(self.rows + rows, f"{(int(self.sum, 16) + weight) % (1 << 256):064x}")


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of the ledger. `entries` is the place of the last entry and `hash` its hash; `strands` the
    digest of each strand that has an entry; `erasures` what the register of erasures was then, `journal` the
    journal of all runs, `waiting` the seal of the statistics that wait for their month (ERA-16), empty where
    none do, and unset in a head from before these were sealed; `key` the id of the signing key."""

    entries: int
    hash: str
    strands: dict[str, str]
    erasures: RegisterCounts
    journal: JournalCounts = JournalCounts()
    waiting: str | msgspec.UnsetType = msgspec.UNSET
    key: str = ""
    signature: str = ""

    @property
    def message(self) -> bytes:
        """What is signed: the RFC 8785 form without the signature."""
        fields = msgspec.structs.asdict(self)
        del fields["signature"]
        return canonical({name: value for name, value in fields.items() if value is not msgspec.UNSET})


def strands_after(strands: Mapping[str, str], entries: Iterable[LedgerEntry]) -> dict[str, str]:
    """Return the digests of the strands after these entries have been added."""
    after = dict(strands)
    for entry in entries:
        strand = _OF_KIND.get(entry.kind)
        if strand is not None:
            after[strand] = hashlib.sha256((after.get(strand, FIRST) + entry.hash).encode()).hexdigest()
    return after


def believed(strand: str, entries: Sequence[LedgerEntry], head: Head | None) -> None:
    """Raise StoreAltered unless these are all entries of a strand, as written; none without a head."""
    digest = FIRST
    for entry in entries:
        if not entry.is_whole:
            raise altered(f"ledger entry {entry.seq}")
        digest = hashlib.sha256((digest + entry.hash).encode()).hexdigest()
    if digest != (head.strands.get(strand, FIRST) if head is not None else FIRST):
        raise altered(f"the ledger's entries of kind {', '.join(STRANDS[strand])}")


def altered(what: str) -> StoreAltered:
    """Return the error that something of the ledger is not as it was signed."""
    return StoreAltered(f"{what}: not as written and signed by this installation", hint=hint_to("restore_unsigned"), where="ledger")
