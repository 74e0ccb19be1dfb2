"""The register of erasures has two places: one that is lost, damaged or under an earlier key is made good."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.erasures.register import load_register, reconcile
from jobs.ledger.entries import StoreAltered
from jobs.model.run import RunState
from jobs.restores.recover import recover
from jobs.restores.replay import replay_if_restored
from tests.drivers.night import Night
from tests.drivers.restoring import Backing
from tests.jobs.restores.replaying import LONG_AGO, MakeNight, made_again, replay_plan, replayed
from tests.jobs.runs.interruptions import killed_before
from tests.jobs.runs.kill_points import organisation, state_of


def test_a_lost_database_is_made_good_by_the_journal(make_night: MakeNight, backup: Backing, database_file: Callable[[], str]) -> None:
    """The new database knows no rows to look for, so all are looked for; afterwards it has what the journal
    has."""
    before = make_night(url=database_file(), register="erasures.jsonl")
    organisation(before)
    kept = backup(before)
    before.apply(before.plan())
    after = state_of(before)
    known = {(entry.ref, entry.operation) for entry in before.store.erasures.all()}
    night = make_night(url=database_file(), register="erasures.jsonl")
    kept.restore()
    with pytest.raises(StoreAltered) as caught:
        replay_if_restored(night.context)
    assert caught.value.code == "store_behind"
    run = recover(night.context).run
    assert run is not None
    assert run.state is RunState.DONE
    assert state_of(night)["cf_dossiers"] == after["cf_dossiers"]
    assert {(entry.ref, entry.operation) for entry in night.store.erasures.all()} >= known
    assert replay_if_restored(night.context) is None


def test_an_emptying_that_a_lost_run_had_announced_is_carried_out_by_the_replay(
    make_night: MakeNight, database_file: Callable[[], str]
) -> None:
    """Its dossier has gone, and the contact is as it was: nothing but the announcement tells that it is to be
    emptied."""
    before = make_night(url=database_file(), register="erasures.jsonl")
    person = before.contact(birthdate="1980-05-05", description="Verzonnen.")
    before.donation(person)
    before.party(person, "reporter", dossier=before.dossier("social_card", spoken=LONG_AGO))
    killed_before(before, before.plan(), "change", at=2)
    night = make_night(url=database_file(), register="erasures.jsonl")
    run = recover(night.context).run
    assert run is not None
    assert (run.counts["trimmed"], run.counts["skipped"]) == (1, {})
    assert (night.get("contacts", person) or {})["description"] is None


def test_a_lost_journal_is_made_good_by_the_database(night: Night, tmp_path: Path) -> None:
    organisation(night)
    night.apply(night.plan())
    known = {(entry.ref, entry.operation) for entry in night.store.erasures.all()}
    assert {(entry.ref, entry.operation) for entry in night.context.erased.read()} == known
    journal = tmp_path / "erasures.jsonl"
    journal.unlink()
    assert reconcile(night.context) == (0, len(known))
    assert {(entry.ref, entry.operation) for entry in night.context.erased.read()} == known
    assert reconcile(night.context) == (0, 0)


def test_a_key_that_was_rotated_still_finds_what_was_erased(night: Night) -> None:
    """9.2: keys are rotated yearly, and references under every key that lives are looked up."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    made_again(night, lambda night: night.dossier("social_card", spoken=LONG_AGO))
    night.key, _ = night.key.rotate(night.clock())
    assert load_register(night.context).find([night.key.reference("cf_dossier", dossier)]) is None
    assert replayed(night).counts["deleted"] == 1


def test_the_register_names_nobody(night: Night, tmp_path: Path) -> None:
    """R-142: keyed references alone, in the database and beside it."""
    organisation(night)
    run = night.apply(night.plan())
    text = (tmp_path / "erasures.jsonl").read_text(encoding="utf-8")
    ids = [write.id for action in night.store.journal.of_run(run.id) for write in action.rows]
    assert ids
    assert [row for row in ids if row in text] == []
    assert "Peeters" not in text
    assert {entry.row_table for entry in night.store.erasures.all()} >= {"cf_dossier", "cf_fiche", "cf_party", "contact", "annotation"}


def test_a_damaged_journal_is_told_and_the_rest_of_it_used(night: Night, tmp_path: Path) -> None:
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    night.apply(night.plan())
    made_again(night, lambda night: night.dossier("social_card", spoken=LONG_AGO))
    journal = tmp_path / "erasures.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"cf_fiche", b"cf_fichf"))
    plan = replay_plan(night)
    assert all("erasures.jsonl" in str(warning) for warning in plan.warnings)
    assert plan.warnings
    assert night.apply(plan).counts["deleted"] == 1
    assert night.get("cf_dossiers", dossier) is None
