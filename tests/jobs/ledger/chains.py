"""A ledger of some entries, with its checkpoints."""

from collections.abc import Iterable, Sequence

import msgspec

from jobs.ledger.checkpoints import Checkpoint
from jobs.ledger.entries import FIRST, LedgerEntry, next_entry
from jobs.ledger.merkle import Levels
from tests.jobs.notary import PlainNotary

NOTARY = PlainNotary()


def chain(numbers: Iterable[int]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for number in numbers:
        entries.append(next_entry(entries[-1] if entries else None, at="2026-03-02T01:30:00.000Z", kind="x", run=None, data={"n": number}))
    return entries


def points_of(entries: Sequence[LedgerEntry], sizes: Sequence[int]) -> list[Checkpoint]:
    points: list[Checkpoint] = []
    for size in sizes:
        root = Levels(bytes.fromhex(entry.hash) for entry in entries[:size]).root.hex()
        prev = points[-1].digest if points else FIRST
        plain = Checkpoint(size, entries[size - 1].hash, root, "2026-03-02T01:30:00.000Z", prev, NOTARY.key)
        points.append(msgspec.structs.replace(plain, signature=NOTARY.sign(plain.message)))
    return points
