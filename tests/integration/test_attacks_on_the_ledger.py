"""Whoever can write the store and has not got the keys makes no other ledger unseen: entries, checkpoints,
certificates and the last head belong together (ACC-06)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, text

from crm_compliance.hints import in_words
from crm_compliance.keys.head_signer import NAME, FileWitness, remembers_a_ledger
from crm_compliance.store.rows.heads import Heads
from jobs.ledger.entries import FIRST, StoreAltered, hash_of
from jobs.runs.apply import apply_plan
from tests.drivers.attacking import LONG_AGO, attack, audited
from tests.drivers.holding import place
from tests.drivers.night import Night


def rewrite(night: Night, *, until: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change entries of the ledger, or drop them, and compute the whole chain again."""

    def again(connection: Connection) -> None:
        rows = [dict(row._mapping) for row in connection.execute(text("SELECT * FROM ledger ORDER BY seq"))]
        connection.execute(text("DELETE FROM ledger"))
        last, seq = FIRST, 0
        for row in rows:
            changed = until(row | {"data": msgspec.json.decode(row["data"])})
            if changed is None:
                continue
            seq += 1
            own = hash_of(seq, changed["at"], changed["kind"], changed["run"], changed["data"], last)
            values = changed | {
                "seq": seq,
                "data": msgspec.json.encode(changed["data"], order="sorted").decode(),
                "prev_hash": last,
                "hash": own,
            }
            columns = ", ".join(values)
            connection.execute(text(f"INSERT INTO ledger ({columns}) VALUES ({', '.join(':' + name for name in values)})"), values)
            last = own

    attack(night, with_connection=again)


@pytest.mark.parametrize("also", [(), ("DELETE FROM checkpoints",), ("DELETE FROM checkpoints", "DELETE FROM ledger_head")])
def test_a_chain_that_was_computed_anew_is_noticed_without_any_anchor(attacked: Night, also: tuple[str, ...]) -> None:
    """ACC-06: checkpoints and their log at its default place are within reach of whoever writes the store;
    the keys are not."""
    dossier = attacked.dossier("social_card", spoken=LONG_AGO)
    attacked.apply(attacked.plan())
    attacked.dossier("social_card", spoken=LONG_AGO)
    place(attacked, "cf_fiche", attacked.fiche("social_card", spoken=LONG_AGO))
    assert attacked.get("cf_dossiers", dossier) is None
    (attacked.key.folder.parent / "anchor.jsonl").unlink(missing_ok=True)
    rewrite(attacked, until=lambda row: None if row["kind"] == "hold_placed" else row)
    attack(attacked, "DELETE FROM holds", *also)
    with pytest.raises(StoreAltered):
        attacked.plan()
    assert audited(attacked)


def test_a_ledger_with_runs_and_without_a_checkpoint_is_not_well(attacked: Night) -> None:
    attacked.apply(attacked.plan())
    attack(attacked, "DELETE FROM checkpoints")
    (attacked.key.folder.parent / "anchor.jsonl").unlink(missing_ok=True)
    assert any("not a single checkpoint" in problem.what for problem in audited(attacked))


@pytest.mark.parametrize("seq", [-(2**62) - 5, -1, 0, 10_000])
def test_an_entry_slipped_in_anywhere_is_noticed(attacked: Night, seq: int) -> None:
    attacked.plan()
    attack(
        attacked,
        "INSERT INTO ledger (seq, at, kind, data, prev_hash, hash) VALUES (:seq, '2026-01-01T00:00:00.000Z', 'note', '{}', :hash, :hash)",
        seq=seq,
        hash=FIRST,
    )
    assert audited(attacked)


@pytest.mark.parametrize("change", ["unit_ref = 'x'", "id = 'x'", 'doc = replace(doc, \'"register_key":"r-\', \'"register_key":"r-x\')'])
def test_a_changed_column_of_a_certificate_is_noticed(attacked: Night, change: str) -> None:
    attacked.apply(attacked.plan())
    assert audited(attacked) == []
    attack(attacked, f"UPDATE certificates SET {change}")
    assert any("certificate" in problem.where for problem in audited(attacked))


def test_an_older_copy_of_the_whole_database_is_noticed(night: Night, tmp_path: Path) -> None:
    """The end of the ledger is remembered beside the keys. What it cannot tell is an older copy of database
    and keys together."""
    file = tmp_path / "state.db"
    night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    night.store.close()
    shutil.copy(file, tmp_path / "old.db")
    place(night, "cf_dossier", night.dossier("social_card", spoken=LONG_AGO))
    night.store.close()
    for left in tmp_path.glob("state.db-*"):
        left.unlink()
    shutil.copy(tmp_path / "old.db", file)
    with pytest.raises(StoreAltered, match="older day"):
        night.plan()
    with pytest.raises(StoreAltered):
        night.store.ledger.append([("note", {})])


def without_the_row(night: Night) -> None:
    attack(night, "DELETE FROM ledger_head")


def without_the_file(night: Night) -> None:
    remembered(night).unlink()


def remembered(night: Night) -> Path:
    head = night.store.ledger._heads
    assert isinstance(head, Heads)
    witness = head._witness
    assert isinstance(witness, FileWitness)
    return witness._file


def without_either(night: Night) -> None:
    without_the_row(night)
    without_the_file(night)


@pytest.mark.parametrize("how", [without_the_file, without_either])
def test_a_removed_record_of_the_last_head_is_missed(attacked: Night, how: Callable[[Night], None]) -> None:
    """ACC-06: without it, nobody could tell an older copy of the database from the newest one; and no next
    entry covers that up."""
    ready = attacked.approved(attacked.plan())
    how(attacked)
    for act in (attacked.plan, lambda: apply_plan(attacked.context, ready.id), lambda: attacked.store.ledger.append([("note", {})])):
        with pytest.raises(StoreAltered, match="last head of the ledger is missing") as caught:
            act()
        assert (caught.value.exit_code, caught.value.code, "recover" in in_words(caught.value.hint)) == (7, "head_missing", True)
    assert [problem.code for problem in audited(attacked)] == ["head_missing"]


def test_a_removed_head_whose_end_is_remembered_is_missed(attacked: Night) -> None:
    attacked.plan()
    without_the_row(attacked)
    with pytest.raises(StoreAltered, match="lost the head"):
        attacked.plan()
    assert audited(attacked)


def test_a_first_transaction_that_was_cut_off_leaves_a_new_store(make_night: Callable[..., Night], tmp_path: Path) -> None:
    """What will remember the head is there before the head is, so that a file that is not there was removed;
    nothing is remembered yet."""
    night = make_night(register="erasures.jsonl")
    witness = FileWitness(tmp_path / "new", lambda: night.key, erasures=None)
    assert witness.known() is None
    witness.expect()
    assert witness.known() == (0, FIRST)
    assert not remembers_a_ledger(tmp_path / "new" / "keys" / NAME)
    night.plan()
    assert remembers_a_ledger(remembered(night))
