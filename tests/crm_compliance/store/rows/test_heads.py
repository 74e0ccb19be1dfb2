"""The signed head of the ledger is believed only together with the end of the ledger (ACC-06)."""

from pathlib import Path

import pytest

from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.store import SqlStore
from jobs.ledger.entries import StoreAltered
from tests.crm_compliance.store.rows.test_ledger import sql
from tests.drivers.clock import Clock
from tests.drivers.night import witness_of


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM ledger WHERE seq = 2",
        "DELETE FROM ledger",
        "UPDATE ledger SET hash = prev_hash WHERE seq = 2",
        "INSERT INTO ledger SELECT 3, at, kind, run, data, hash, prev_hash FROM ledger WHERE seq = 2",
    ],
)
def test_a_ledger_that_ends_otherwise_than_it_was_signed_is_not_believed(
    database_url: str, clock: Clock, tmp_path: Path, change: str
) -> None:
    """Also where no strand has an entry of it, and before a checkpoint is made."""
    sealer, witness = Sealing(tmp_path), witness_of(tmp_path, tmp_path, clock)
    store = SqlStore.open(database_url, clock=clock, folder=tmp_path, sealer=sealer, witness=witness)
    for _ in range(2):
        store.ledger.append([("later", {})])
    head = store.ledger.head()
    assert head is not None
    assert head.entries == 2
    sql(database_url, change, unguarded=True)
    with pytest.raises(StoreAltered, match="the end of the ledger"):
        store.ledger.head()
    with pytest.raises(StoreAltered, match="the end of the ledger"):
        store.ledger.append([("later", {})])
    store.close()
