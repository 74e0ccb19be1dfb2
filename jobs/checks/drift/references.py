"""References of the ledger held against the rows that they are said to refer to, and what a difference is."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from jobs.ledger.entries import LedgerEntry
from jobs.ledger.heads import KEYS, PLANS
from jobs.ports.store.store import Store

Reference = Callable[[str, str], str]

References = Callable[[str, str], tuple[str, ...]]

CLOSE_BY = timedelta(minutes=5)  # between the moment of an act and that of its entry


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which store and ledger differ. `is_grave`: by the table, something could go that by the
    ledger may not."""

    where: str
    what: str
    is_grave: bool = True


class Believed:
    """Compares keyed references with the rows that they are said to refer to. References by destroyed keys
    are left aside: nobody can check these any more."""

    def __init__(self, store: Store, references: References) -> None:
        self.references, self._store = references, store
        self._destroyed = _spans_of_destroyed_keys(store.ledger.strand(KEYS))

    @cached_property
    def told_of_plans(self) -> "ToldOfPlans":
        """What the ledger records about each plan."""
        return ToldOfPlans(self._store.ledger.strand(PLANS))

    def is_of(self, entry: LedgerEntry, reference: object, table: str, id: str) -> bool:
        """Return whether a reference in an entry is that of this row."""
        return reference in self.references(table, id) or any(first <= entry.seq < last for first, last in self._destroyed)


class ToldOfPlans:
    """The ledger's entries about plans, by plan; `cleared` is the digest of a head whose ids have had their
    day, `nameless` are the plans that name nobody any more (ACC-07)."""

    def __init__(self, entries: Iterable[LedgerEntry]) -> None:
        self.made: dict[object, list[LedgerEntry]] = {}
        self.approvals: dict[object, list[LedgerEntry]] = {}
        self.cleared: dict[object, object] = {}
        self.nameless: set[object] = set()
        for entry in entries:
            if entry.kind == "plans_cleared":
                heads = entry.data.get("plans")
                for head in heads if isinstance(heads, list) else ():
                    self.cleared[head["plan"]] = head["document"]
                    if head.get("nameless") is True:
                        self.nameless.add(head["plan"])
            else:
                (self.made if entry.kind == "plan" else self.approvals).setdefault(entry.data.get("plan"), []).append(entry)


def _spans_of_destroyed_keys(entries: Sequence[LedgerEntry]) -> Collection[tuple[int, int]]:
    """Return between which entries a register key was in use that has since been destroyed."""
    destroyed = {entry.data.get("key") for entry in entries if entry.kind == "key_destroyed"}
    if not destroyed:
        return ()
    spans: list[tuple[int, int]] = []
    first, current = 0, None
    for entry in entries:
        if entry.kind == "key_destroyed" or entry.data.get("kind") != "register":
            continue
        if current is not None and current in destroyed:
            spans.append((first, entry.seq))
        if entry.kind == "key_rotated" and current is None and entry.data.get("from") in destroyed:
            spans.append((first, entry.seq))
        first, current = entry.seq, entry.data.get("to", entry.data.get("key"))
    return spans


def at(entry: LedgerEntry) -> datetime:
    """Return when an entry was written."""
    return datetime.fromisoformat(entry.at)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
