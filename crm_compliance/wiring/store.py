"""The state store, and what is kept in files beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.clock import clock_of

if TYPE_CHECKING:
    from crm_compliance.store.store import SqlStore
    from jobs.erasures.register import Register
    from jobs.ports.context import Clock


def store_of(settings: Settings, clock: Clock, *, recovering: bool = False) -> SqlStore:
    """Open the state store in the data folder, or at `DATABASE_URL`; it remembers the CRM of the settings.
    Raises StoreLost: it is empty, but the files beside it show that it was not empty before; Refused: with
    code `other_crm`, if that is on this machine and the store has served one that is not."""
    from crm_compliance.keys.store_and_keys import open_store

    _drop_older_lines(settings.data_dir / "lines")
    return open_store(settings, clock, recovering=recovering)


def _drop_older_lines(folder: Path) -> None:
    """Remove the sealed files in which an older version kept lines of plans beside the store: nobody reads
    them, and nothing else would remove them once the lines have expired (ACC-04, ACC-07)."""
    with suppress(OSError):
        for file in folder.glob("*.lines"):
            file.unlink()
        folder.rmdir()


def refuse_older(settings: Settings, store: SqlStore) -> None:
    """Refuse to list what an older copy of the database has, beside newer keys or a newer checkpoint log:
    what came since would be told as if there were none. Where keys are missing nothing tells how old it is,
    and a list still answers. Raises StoreAltered: as a plan does."""
    from crm_compliance.keys.checkpoint_log import refuse_behind_log
    from crm_compliance.keys.key_ring import KeysMissing

    with suppress(KeysMissing):
        store.ledger.head()
        refuse_behind_log(settings, store.checkpoints.all)


@contextmanager
def erased_before(settings: Settings, warn: Callable[[str], None]) -> Iterator[tuple[Register, Callable[[str, str], Collection[str]]]]:
    """Yield the register of erasures and how its references are made, without a CRM. After the database was
    lost, the register is what the file beside it has."""
    from crm_compliance.keys.store_and_keys import StoreLost, keys_of_register, open_keys
    from crm_compliance.store.files.erasure_file import ErasureFile
    from jobs.erasures.register import Register

    clock = clock_of(settings)
    try:
        opened = store_of(settings, clock)
    except StoreLost as lost:
        warn(f"{lost}; the file of the register alone is asked")
        ring = keys_of_register(settings)
        journal = ErasureFile(settings.erasures_path, ring)
        for damage in journal.damage():
            warn(str(damage))
        yield Register(journal.read()), ring.references
        return
    with opened as store:
        ring = open_keys(settings, store, clock)
        journal = ErasureFile(settings.erasures_path, ring)
        for damage in journal.damage():
            warn(str(damage))
        store.erasures.check(whole=True)
        yield Register(chain(store.erasures.all(), journal.read())), ring.references
