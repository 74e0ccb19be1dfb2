"""What the ledger costs, as ratios of CPU time: verifying it, adding to it signed, and believing it before a
plan or a run.

1. `ledger verify F.jsonl --anchor F` against the floor: reading the same file line by line and hashing each
   line with SHA-256. Chain, form of each line, Merkle tree and a checkpoint every thousand entries are
   verified.
2. A transaction that adds one entry and signs the new end, as each does, against one that only adds it.
3. What `plan` and `apply` look at before they believe the store
   (`jobs.checks.ledger_drift.refuse_altered`), in a store of so many entries and as many units in its
   journal, against `ledger verify` of that store; and the same once more in one process, as a service does.

What is compared runs in one process, in turns, so that the machine's moods hit both.

    python -m benchmarks.ledger [--entries 1000000] [--rounds 3] [--appends 1000] [--store 100000]
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from crm_compliance.configuration.settings import Settings
from crm_compliance.keys.checkpoint_signer import audit_store
from crm_compliance.keys.head_signer import FileWitness
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.store.store import SqlStore
from jobs.checks.ledger_drift import refuse_altered
from jobs.ledger.checkpoints import Checkpoint
from jobs.ledger.entries import FIRST, LedgerEntry, decode, encode, next_entry
from jobs.ledger.merkle import Tree
from jobs.ledger.verification import audit_ledger
from jobs.model.plan import Breaker, Counter, Kind, Plan
from jobs.model.run import Action, ActionState, RowWrite, Run, RunState
from jobs.ports.context import JobContext
from rules.dates.calendar import BELGIAN

EVERY = 1000
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def outcome(number: int) -> dict[str, object]:
    """The data of an entry about one to three units."""
    unit = {"ref": f"{number:064x}", "table": "cf_dossier", "disposition": "delete", "state": "done", "code": "", "rows": 12}
    return {"units": [unit] * (1 + number % 3)}


# -- a file --------------------------------------------------------------------------------------------------


def write(path: Path, entries: int) -> list[Checkpoint]:
    """A ledger, and unsigned checkpoints over it."""
    last: LedgerEntry | None = None
    tree, points, prev = Tree(), [], FIRST
    with path.open("wb") as out:
        for number in range(entries):
            at = f"2026-11-25T02:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"
            last = next_entry(last, at=at, kind="outcome", run="run-0123456789ab", data=outcome(number))
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


def of_a_file(entries: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.jsonl")
        points = write(path, entries)
        print(f"{entries:,} entries in a file of {path.stat().st_size / 1e6:,.0f} MB, {len(points):,} checkpoints")
        compare(rounds, {"sha256 of the lines": lambda: floor(path), "verification": lambda: verify(path, points)})


# -- a store -------------------------------------------------------------------------------------------------


def a_store(folder: Path, *, is_signed: bool) -> SqlStore:
    ring = KeyRing.open(folder, NOW)
    witness = FileWitness(folder, lambda: ring, folder / "erasures.jsonl") if is_signed else None
    return SqlStore.open(f"sqlite:///{folder / 'state.db'}", clock=lambda: NOW, witness=witness)


def appended(store: SqlStore, appends: int) -> None:
    for number in range(appends):
        store.ledger.append([("outcome", outcome(number))], "run-0123456789ab")


def of_appends(appends: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other, ExitStack() as stack:
        plain, signed = (stack.enter_context(a_store(Path(folder), is_signed=folder == other)) for folder in (one, other))
        print(f"{appends:,} transactions of one entry each")
        compare(rounds, {"unsigned": lambda: appended(plain, appends), "signed": lambda: appended(signed, appends)})


def filled(store: SqlStore, entries: int) -> None:
    """Nights of a thousand units each, in the ledger and in the journal."""
    for at in range(0, entries, EVERY):
        plan = a_plan(f"plan-{at:012}")
        run = Run(f"run-{at:012}", plan.kind, plan.id, RunState.RUNNING, NOW, NOW)
        store.plans.save(plan, [], ("plan", {"plan": plan.id, "digest": plan.digest}))
        store.runs.start(run, ("run_started", {"plan": plan.id, "kind": plan.kind.value}))
        store.journal.record(run.id, list(units(at)), [("outcome", outcome(number)) for number in range(at, at + EVERY - 3)])
        store.runs.save(msgspec.structs.replace(run, state=RunState.DONE, ended_at=NOW), [("run_ended", {"plan": plan.id})])


def a_plan(id: str) -> Plan:
    none = Counter(0, 200, None)
    return Plan(
        id=id,
        kind=Kind.ALL,
        created_at=NOW,
        proposer="service",
        as_of=NOW,
        as_of_given=False,
        crm="",
        policy_name="",
        policy_version="",
        policy_digest="",
        mapping_digest="",
        digest=FIRST,
        units=EVERY,
        dispose={"delete": EVERY},
        retain={},
        flags={},
        breaker=Breaker(tripped=False, units=none, recordings=none),
        valid_until=NOW,
    )


def units(at: int) -> Iterator[Action]:
    for number in range(at, at + EVERY):
        id = f"00000000-0000-0000-0000-{number:012}"
        rows = tuple(RowWrite("note", id, "1") for _ in range(3))
        yield Action("cf_dossier", id, "delete", ActionState.DONE, rows=rows, reason="EXPIRED", rule="RET-08")


def context_of(folder: Path, store: SqlStore) -> JobContext:
    """As much of it as the check looks at."""
    ring = KeyRing.read(folder)
    nothing = cast(Any, None)
    return JobContext(
        connector=nothing,
        store=store,
        policy=cast(Any, SimpleNamespace(calendar=BELGIAN)),
        clock=lambda: NOW,
        crm="",
        mapping_digest="",
        software_version="",
        reference=ring.reference,
        references=ring.references,
        new_id=str,
        shuffle=Random(1),
        progress=lambda stage, done, total=None: None,
        speaks_for=nothing,
    )


def of_a_store(entries: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with a_store(folder, is_signed=True) as store:
            began = time.process_time()
            filled(store, entries)
            print(f"{entries:,} entries and as many units in a store, made in {time.process_time() - began:.0f} s")

        def check(store: SqlStore) -> None:
            refuse_altered(context_of(folder, store))

        def first_check() -> None:
            with a_store(folder, is_signed=True) as store:
                check(store)

        def whole() -> None:
            with a_store(folder, is_signed=True) as store:
                audit = audit_store(Settings(data_dir=folder), store, BELGIAN, signatures=False)
                if not audit.verdict.ok:
                    raise SystemExit("the benchmark's own ledger does not verify")

        with a_store(folder, is_signed=True) as lasting:
            check(lasting)
            compare(rounds, {"ledger verify": whole, "check of plan or apply": first_check, "again in one process": lambda: check(lasting)})


# -- comparing -----------------------------------------------------------------------------------------------


def compare(rounds: int, works: dict[str, Callable[[], None]]) -> None:
    """Do each in turns, and print CPU seconds and the ratio to the first."""
    cpu: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.process_time()
            work()
            cpu[name].append(time.process_time() - began)
    first = min(next(iter(cpu.values())))
    print(f"{'':>24} best    median  ratio (CPU seconds of {rounds} rounds)")
    for name, seconds in cpu.items():
        print(f"{name:>24}: {min(seconds):7.2f} {statistics.median(seconds):7.2f} {min(seconds) / first:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="in the file; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--appends", type=int, default=1_000, help="0 leaves them out")
    parser.add_argument("--store", type=int, nargs="*", default=[100_000], help="sizes of stores")
    given = parser.parse_args()
    if given.entries:
        of_a_file(given.entries, given.rounds)
    if given.appends:
        of_appends(given.appends, given.rounds)
    for entries in given.store:
        of_a_store(entries, given.rounds)


if __name__ == "__main__":
    main()
