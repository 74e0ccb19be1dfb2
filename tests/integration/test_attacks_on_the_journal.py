"""Whoever can write the store and has not got the keys makes no unit half done, or done, that is not: the
journal of the runs is sealed (ACC-06, ERA-15)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from jobs.ledger.entries import StoreAltered
from jobs.model.plan import Plan
from jobs.model.run import Action, ActionState, RowWrite, Run
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from tests.drivers.attacking import LONG_AGO, attack, audited
from tests.drivers.night import Night

KEPT = date(2026, 10, 1)


def insert(night: Night, run: str, action: Action, seal: str | None = None) -> None:
    attack(
        night,
        "INSERT INTO actions (position, run, unit_table, unit_id, state, doc, seal)"
        " VALUES ((SELECT max(position) + 1 FROM actions), :run, :table, :id, :state, :doc, :seal)",
        run=run,
        table=action.table,
        id=action.id,
        state=action.state.value,
        doc=msgspec.json.encode(action).decode(),
        seal=seal,
    )


def half_done(night: Night, state: ActionState) -> Action:
    """A dossier that nothing allows to go, as if a run had taken one of its fiches already."""
    kept = night.dossier("sexting", spoken=KEPT)
    (fiche,) = night.fiches_of(kept)
    etags = {row: night.get(table, row) or {} for table, row in (("cf_dossiers", kept), ("cf_fiches", fiche))}
    rows = (
        RowWrite("fiche", str(uuid.UUID(int=7)), 'W/"1"'),
        RowWrite("fiche", fiche, str(etags[fiche]["@odata.etag"])),
        RowWrite("dossier", kept, str(etags[kept]["@odata.etag"])),
    )
    return Action("cf_dossier", kept, "delete", state, rows=rows)


def forge_partial(night: Night, run: str) -> None:
    insert(night, run, half_done(night, ActionState.PARTIAL))


def forge_partial_with_a_seal_of_another_row(night: Night, run: str) -> None:
    with night.store.database.reading() as connection:
        seal = connection.exec_driver_sql("SELECT seal FROM actions").scalar()
    insert(night, run, half_done(night, ActionState.PARTIAL), seal)


def forge_intended(night: Night, run: str) -> None:
    insert(night, run, half_done(night, ActionState.INTENDED), "r-2026-11-00000000:" + "0" * 64)


def forge_failed(night: Night, run: str) -> None:
    insert(night, run, half_done(night, ActionState.FAILED))


def change_a_document(night: Night, run: str) -> None:
    """With the rows of another unit in it."""
    (action, *_) = night.store.journal.of_run(run)
    forged = msgspec.structs.replace(action, state=ActionState.PARTIAL, rows=half_done(night, ActionState.PARTIAL).rows)
    attack(
        night,
        "UPDATE actions SET state = 'partial', doc = :doc WHERE unit_id = :id",
        doc=msgspec.json.encode(forged).decode(),
        id=action.id,
    )


def change_a_state(night: Night, run: str) -> None:
    attack(night, "UPDATE actions SET state = 'skipped'")


def remove_one(night: Night, run: str) -> None:
    attack(night, "DELETE FROM actions WHERE position = (SELECT min(position) FROM actions)")


def remove_all(night: Night, run: str) -> None:
    attack(night, "DELETE FROM actions")


def move_it_in_the_order(night: Night, run: str) -> None:
    attack(night, "UPDATE actions SET position = position + 100 WHERE position = (SELECT min(position) FROM actions)")


def put_an_earlier_one_back(night: Night, run: str) -> None:
    """With the seal that it had: it was ours once."""
    with night.store.database.reading() as connection:
        state, doc, seal = connection.exec_driver_sql("SELECT state, doc, seal FROM actions ORDER BY position").all()[0]
    kept = night.store.journal.of_run(run)[0]
    night.store.journal.record(run, [msgspec.structs.replace(kept, audit_entries=7)])
    attack(
        night,
        "UPDATE actions SET state = :state, doc = :doc, seal = :seal WHERE unit_id = :id",
        state=state,
        doc=doc,
        seal=seal,
        id=kept.id,
    )


FORGERIES = [
    forge_partial,
    forge_partial_with_a_seal_of_another_row,
    forge_intended,
    forge_failed,
    change_a_document,
    change_a_state,
    remove_one,
    remove_all,
    move_it_in_the_order,
    put_an_earlier_one_back,
]


@pytest.mark.parametrize("how", FORGERIES)
def test_an_altered_journal_lets_nothing_go(attacked: Night, how: Callable[[Night, str], None]) -> None:
    """RET-24, ERA-15: what an earlier run left half done is finished without being judged, so nobody else may
    say what that was."""
    run = attacked.apply(attacked.plan())
    attacked.dossier("social_card", spoken=LONG_AGO)
    ready = attacked.approved(attacked.plan())
    how(attacked, run.id)
    before = attacked.writes()
    for act in (attacked.plan, lambda: apply_plan(attacked.context, ready.id), lambda: verify_run(attacked.context, run.id)):
        with pytest.raises(StoreAltered) as caught:
            act()
        assert (caught.value.exit_code, caught.value.code) == (7, "store_altered")
    assert attacked.writes() == before
    assert any("journal" in problem.what for problem in audited(attacked))


@pytest.mark.parametrize("how", [forge_intended, forge_partial, change_a_document])
def test_a_run_that_was_cut_off_goes_on_by_no_altered_journal(
    attacked: Night, how: Callable[[Night, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ERA-15: an intent that stands in the journal is reconciled before anything else."""
    plan, run = cut_off(attacked, monkeypatch)
    how(attacked, run.id)
    before = attacked.writes()
    with pytest.raises(StoreAltered, match="journal"):
        apply_plan(attacked.context, plan.id)
    assert attacked.writes() == before


def test_a_run_that_was_cut_off_goes_on_by_its_own_journal(attacked: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, _ = cut_off(attacked, monkeypatch)
    run = apply_plan(attacked.context, plan.id)
    assert (run.is_over, audited(attacked)) == (True, [])
    assert verify_run(attacked.context, run.id)["still_there"] == []


def cut_off(night: Night, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Run]:
    plan = night.approved(night.plan())
    with monkeypatch.context() as patch:

        def die(journal: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr("jobs.runs.run.clean_up", die)
        with pytest.raises(KeyboardInterrupt):
            apply_plan(night.context, plan.id)
    run = night.store.runs.of_plan(plan.id)
    assert run is not None
    assert not run.is_over
    return plan, run


def test_a_journal_is_believed_after_keys_were_replaced_and_destroyed(night: Night) -> None:
    """ACC-07: a register key goes when the certificates that it protects are past their term; what is still
    to be done stays known."""
    night.dossier("social_card", spoken=LONG_AGO)
    run = night.apply(night.plan())
    before = night.key.register_key
    night.clock.now += timedelta(days=366)
    night.key, replaced = night.key.rotate(night.clock())
    night.store.ledger.append([("key_rotated", entry) for entry in replaced])
    assert night.store.journal.of_run(run.id)
    night.clock.now += timedelta(days=11 * 366)
    night.store.journal.forget_key(before, ("key_destroyed", {"key": before}))
    night.key = night.key.destroy(before, 10, night.clock())
    assert night.store.journal.of_run(run.id)
    night.store.journal.check(whole=True)
