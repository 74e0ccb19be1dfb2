"""The keys of references and signatures, made and replaced in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of

if TYPE_CHECKING:
    from crm_compliance.keys.key_ring import KeyRing
    from crm_compliance.store.store import SqlStore
    from jobs.ports.context import Clock


def register_key(settings: Settings) -> KeyRing:
    """Return the keys of references and signatures, made at the first start. Raises KeysMissing: the ledger
    names keys that do not exist."""
    from crm_compliance.keys.store_and_keys import open_keys

    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        return open_keys(settings, store, clock)


def keys_in_force(settings: Settings, store: SqlStore, clock: Clock, warn: Callable[[str], None] | None = None) -> KeyRing:
    """Return the keys, those that are a year old replaced, and record in the ledger what became of them
    (9.2). They are not replaced while a run is unfinished: its intents and outcomes have their references by
    one key. `warn` is told where they were: a backup from before lacks them."""
    from crm_compliance.keys.store_and_keys import open_keys, settled, tell_of_keys

    ring = settled(store, open_keys(settings, store, clock))
    if not ring.is_due(clock()) or store.runs.unfinished():
        return ring
    ring, replaced = ring.rotate(clock(), if_due=True, tell=lambda entries: tell_of_keys(store, entries))
    if replaced and warn is not None:
        warn(f"the keys were a year old and are replaced: back up {ring.folder} now, apart from the database")
    return ring
