"""Opens the store and the keys of an installation, and refuses where one of the two was lost and the other
was not.

Keys are made for a store that is new and for no other: with new ones, the references of an old ledger would
lead nowhere without anybody noticing, and rows that had been erased would not be known again (ACC-02,
ERA-13). What a key is, and that nobody else may read its file, is seen to in key_file.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings
from crm_compliance.keys.head_signer import NAME, FileWitness, remembers_a_ledger
from crm_compliance.keys.key_file import is_key_id
from crm_compliance.keys.key_ring import KeyRing, KeysMissing
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.files.erasure_file import ErasureFile
from crm_compliance.store.store import SqlStore
from jobs.ledger.entries import LedgerEntry, StoreAltered
from jobs.ledger.heads import KEYS
from jobs.ports.store.ledger import Entry
from rules.hints import hint_to

if TYPE_CHECKING:
    from jobs.ports.context import Clock

DESTROYED = "key_destroyed"
TOLD = "told"  # in keys/: the keys that a ledger knows of


class StoreLost(StoreAltered):
    """The database is empty, but the files beside it show that it was not empty before."""

    code = "store_lost"


def open_store(settings: Settings, clock: Clock, *, recovering: bool = False) -> SqlStore:
    """Open the state store. With `recovering` also one that was lost or put back to an older day; it is taken
    as it is. Raises Refused: with code `other_crm`, where the CRM is on this machine and the store has served
    one that is not; StoreLost: the database knows nothing, and keys, checkpoint log or register of erasures
    say that there was one."""
    data_dir = settings.make_data_dir()
    store: SqlStore

    def ring() -> KeyRing:
        return open_keys(settings, store, clock)

    witness = FileWitness(data_dir, ring, settings.erasures_path)
    store = SqlStore.open(settings.store_url, clock=clock, sealer=Sealing(data_dir), folder=data_dir, witness=witness)
    try:
        if recovering:
            store.ledger.take_as_it_is()
        elif store.ledger.is_empty and (left := remnants(settings)):
            raise StoreLost(
                f"the database is empty, and there was one: {', '.join(map(str, left))}",
                hint=hint_to("restore_or_recover"),
                where=store.place,
            )
        store.crms.serve(settings.crm_url or "")
    except BaseException:
        store.close()
        raise
    return store


def tell_of_recovery(settings: Settings, store: SqlStore, clock: Clock) -> None:
    """Record in the ledger that a person accepted the database as it is. The entries state how far the lost
    ledger had come, and which keys exist."""
    entries, hash_ = store.ledger.forgotten or (None, None)
    told = keys_of(store.ledger.strand(KEYS))
    ring = open_keys(settings, store, clock)
    recovered: Entry = ("recovered", {"entries": entries, "hash": hash_})
    store.ledger.append([recovered, *_of_keys(ring.becoming(key) for key in ring.keys if key.id not in told)])


def remnants(settings: Settings) -> list[Path]:
    """Return the files that an earlier ledger has left beside the database."""
    keys = settings.data_dir / "keys"
    told = [keys / NAME] if remembers_a_ledger(keys / NAME) else []
    files = [keys / TOLD, settings.checkpoint_log_path, settings.erasures_path]
    return [*told, *(file for file in files if file.is_file() and file.stat().st_size)]


def open_keys(settings: Settings, store: SqlStore, clock: Clock) -> KeyRing:
    """Return the keys; the first ones are made if the store is new. Raises KeysMissing: the ledger, or the
    register of erasures, names keys that do not exist; KeyUnusable: a key is damaged, or others may read
    it."""
    data_dir = settings.make_data_dir()
    erased = ErasureFile(settings.erasures_path)
    told = store.ledger.strand_as_it_is(KEYS)
    named = named_keys(store, told) | _undestroyed(told, {erased.last_key()})
    ring = KeyRing.read(data_dir)
    there = {key.id for key in ring.keys}
    lacking = sorted(named - there)
    if not lacking and ring.is_complete:
        return ring
    if lacking or named or remnants(settings):
        lacking = sorted(set(lacking) | (_undestroyed(told, erased.keys()) - there))
        raise KeysMissing.of(data_dir / "keys", lacking)
    return KeyRing.open(data_dir, clock())


def settled(store: SqlStore, ring: KeyRing) -> KeyRing:
    """Return the keys after the ledger knows of each: of the first ones, and of those of which an interrupted
    command did not tell any more. Those that it says were destroyed are, also where the command did not come
    to it."""

    def known() -> set[str]:
        told = store.ledger.strand_as_it_is(KEYS)
        return {str(entry.data[field]) for entry in told for field in ("key", "from", "to") if field in entry.data}

    ring = ring.settle(known, lambda entries: tell_of_keys(store, entries), destroyed_keys(store))
    if made := ring.untold():
        ring.mark_told(made)
    return ring


def destroyed_keys(store: SqlStore) -> set[str]:
    """Return the ids of the register keys of which the ledger says that they were destroyed."""
    return {str(entry.data.get("key")) for entry in store.ledger.strand(KEYS) if entry.kind == DESTROYED}


def tell_of_keys(store: SqlStore, entries: Iterable[Mapping[str, object]]) -> None:
    """Add to the ledger what became of keys, a key an entry."""
    store.ledger.append(_of_keys(entries))


def _of_keys(entries: Iterable[Mapping[str, object]]) -> list[Entry]:
    return [("key_rotated" if "from" in entry else "key_made", dict(entry)) for entry in entries]


def keys_of_register(settings: Settings) -> KeyRing:
    """Return the keys as they are after the database was lost; no key is made. Raises KeysMissing: the file
    of the register of erasures names keys that do not exist."""
    ring = KeyRing.read(settings.data_dir)
    named = ErasureFile(settings.erasures_path).keys()
    lacking = sorted({key for key in named if is_key_id(key)} - {key.id for key in ring.keys})
    if lacking or not ring.keys:
        raise KeysMissing.of(settings.data_dir / "keys", lacking)
    return ring


def named_keys(store: SqlStore, told: Sequence[LedgerEntry]) -> set[str]:
    """Return the ids of all keys, not destroyed, that the ledger, its head and the erasures name; `told` is
    what the ledger says of keys."""
    named = keys_of(told) | _undestroyed(told, store.erasures.keys())
    head = store.ledger.signed_by
    return named | {head} if head else named


def _undestroyed(told: Sequence[LedgerEntry], keys: set[str]) -> set[str]:
    """Return those of these ids that are valid key ids and that no ledger entry records as destroyed."""
    destroyed = {str(entry.data.get("key")) for entry in told if entry.kind == DESTROYED}
    return {key for key in keys if is_key_id(key)} - destroyed


def keys_of(entries: Iterable[LedgerEntry]) -> set[str]:
    """Return the ids of the keys that these entries name, except those that they record as destroyed."""
    named: set[str] = set()
    for entry in entries:
        if entry.kind == DESTROYED:
            named.discard(str(entry.data.get("key")))
        else:
            named.update(str(entry.data[field]) for field in ("key", "from", "to") if field in entry.data)
    return named
