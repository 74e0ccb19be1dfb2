"""How long a ledger takes to verify, against the floor: reading the same file line by line and hashing each line with SHA-256.

Chain, form of each line, Merkle tree and a checkpoint every thousand entries are verified, as `ledger verify F.jsonl --anchor F` does.
Both run in one process, in turns, so that the machine's moods hit both; CPU time is compared.

    python -m benchmarks.ledger [--entries 1000000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path

from jobs.checkpoints import Checkpoint, audit_ledger
from jobs.ledger import FIRST, LedgerEntry, decode, encode, next_entry
from jobs.merkle import Tree

EVERY = 1000


def write(path: Path, entries: int) -> list[Checkpoint]:
    """A ledger of outcomes of one to three units each, and unsigned checkpoints over it."""
    last: LedgerEntry | None = None
    tree, points, prev = Tree(), [], FIRST
    with path.open("wb") as out:
        for number in range(entries):
            unit = {"ref": f"{number:064x}", "table": "cf_dossier", "disposition": "delete", "state": "done", "code": "", "rows": 12}
            at = f"2026-11-25T02:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"
            last = next_entry(last, at=at, kind="outcome", run="run-0123456789ab", data={"units": [unit] * (1 + number % 3)})
            tree.add(bytes.fromhex(last.hash))
            out.write(encode(last))
            if tree.size % EVERY == 0:
                points.append(Checkpoint(tree.size, last.hash, tree.root.hex(), at, prev, "s-2026-11-0000000000000000"))
                prev = points[-1].digest
    return points


def floor(path: Path) -> None:
    with path.open("rb") as lines:
        for line in lines:
            hashlib.sha256(line).hexdigest()


def verify(path: Path, points: list[Checkpoint]) -> None:
    with path.open("rb") as lines:
        audit = audit_ledger(decode(lines), points)
    if not audit.ok or audit.checkpoints != len(points):
        raise SystemExit(f"the benchmark's own ledger does not verify: {audit.problems[:1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.jsonl")
        points = write(path, given.entries)
        size = path.stat().st_size
        cpu: dict[str, list[float]] = {"sha256 of the lines": [], "verification": []}
        for _ in range(given.rounds):
            began = time.process_time()
            floor(path)
            between = time.process_time()
            verify(path, points)
            cpu["sha256 of the lines"].append(between - began)
            cpu["verification"].append(time.process_time() - between)
    print(f"{given.entries:,} entries, {size / 1e6:,.0f} MB, {len(points):,} checkpoints; CPU seconds, best and median of {given.rounds}")
    for name, seconds in cpu.items():
        print(f"{name:>20}: {min(seconds):7.2f} {statistics.median(seconds):7.2f}")
    print(f"{'ratio':>20}: {min(cpu['verification']) / min(cpu['sha256 of the lines']):7.1f}")


if __name__ == "__main__":
    main()
