"""Makes a signed checkpoint of the ledger after a run, and keeps a copy apart from the database (ACC-06)."""

import msgspec

from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
from jobs.ledger.entries import FIRST, Chain, LedgerBroken
from jobs.ledger.merkle import Tree
from jobs.ports.context import Clock
from jobs.ports.notary import Notary
from jobs.ports.store.store import Store
from rules.dates.instants import instant
from rules.hints import hint_to


def make_checkpoint(store: Store, notary: Notary | None, clock: Clock) -> None:
    """Sign what the ledger is now, unless the last checkpoint says it already, and bring the external log up
    to date. Only what was added since is read again; the whole is verified by `ledger verify`. Raises
    LedgerBroken: what was added does not follow from what was there. Nothing is signed then."""
    if notary is None:
        return
    while not _make(store, notary, clock):
        pass  # somebody else's has come between: sign what there is behind it, if anything
    notary.log_checkpoints(store.checkpoints.all)


def _make(store: Store, notary: Notary, clock: Clock) -> bool:
    last = store.checkpoints.last()
    tree = last.tree() if last is not None else Tree()
    chain = Chain(last.checkpoint.entries, last.checkpoint.head) if last is not None and tree is not None else Chain()
    tree = tree or Tree()  # peaks that are not those of the root are of no use: from the beginning then
    entries = store.ledger.entries(after=chain.entries - 1 if chain.entries else None)
    if chain.entries:
        known = next(entries, None)
        if known is None or (known.seq, known.hash) != (chain.entries, chain.head):
            raise _broken(f"entry {chain.entries} is not the one of the last checkpoint")
    for entry in entries:
        if not chain.add(entry):
            raise _broken(f"entry {chain.entries} does not follow from the one before it")
        tree.add(bytes.fromhex(entry.hash))
    if tree.size <= (last.checkpoint.entries if last is not None else 0):
        return True
    return store.checkpoints.add(KeptCheckpoint(_signed(notary, clock, tree, chain, last), tuple(peak.hex() for peak in tree.peaks)))


def _broken(what: str) -> LedgerBroken:
    return LedgerBroken(f"{what}: no checkpoint is signed", hint=hint_to("verify_ledger_and_tell"))


def _signed(notary: Notary, clock: Clock, tree: Tree, chain: Chain, last: KeptCheckpoint | None) -> Checkpoint:
    at = instant(clock(), "milliseconds")
    prev = last.checkpoint.digest if last is not None else FIRST
    plain = Checkpoint(tree.size, chain.head, tree.root.hex(), at, prev, notary.key)
    signed = msgspec.structs.replace(plain, signature=notary.sign(plain.message))
    return msgspec.structs.replace(signed, timestamp=notary.stamp(signed.form))
