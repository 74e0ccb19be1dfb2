"""A run that is killed while it purges what lies in long-term retention, and a job that does not do it: what
is left is taken up later. All people are fictitious."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection
from typing import Any

import pytest

from connectors.interface.remains import ResidualKind
from jobs.erasures.register import load_register
from jobs.model.plan import Plan
from jobs.model.run import Run, RunState
from jobs.restores.recover import recover
from jobs.runs.apply import apply_plan
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO
from tests.jobs.residual.retained import (
    KEYS,
    LATELY,
    SETS,
    MakeNight,
    actions,
    all_there,
    applied,
    retain,
    retained_dossier,
    roll_back,
    skipped,
    there,
)
from tests.jobs.runs.kill_points import Fragile, Killed, Points, Snapshots, fragile_store


def test_a_job_that_is_refused_leaves_the_unit_for_the_next_night(night: Night) -> None:
    """HLD-13."""
    dossier, person = retained_dossier(night)
    before = all_there(night)
    set_faults(night.emulator, {"match": {"method": "POST", "path": "*BulkDelete*"}, "do": "status", "status": 403})
    run = night.apply(night.plan())
    assert (run.state, run.counts["deleted"], all_there(night)) == (RunState.DONE_WITH_FAILURES, 0, before)
    assert actions(night, run)[dossier].code == "SKIPPED_TECHNICAL"
    assert night.get("contacts", person) is not None
    assert load_register(night.context).find(night.key.references("cf_dossier", dossier)) is None, "nothing of it has gone"
    assert night.store.certificates.of_run(run.id) == []
    set_faults(night.emulator)
    run = night.apply(night.plan())
    assert (run.state, run.counts["deleted"], all_there(night)) == (RunState.DONE, 2, {})


def test_a_job_that_did_not_do_it_is_not_believed(night: Night) -> None:
    dossier, _ = retained_dossier(night)
    before = all_there(night)
    run = applied(night, night.plan(), purge=lambda residual, rows, **more: frozenset())
    assert (run.state, run.counts["failed"], all_there(night)) == (RunState.DONE_WITH_FAILURES, 1, before)
    assert (actions(night, run)[dossier].code, night.store.certificates.of_run(run.id)) == ("NO_ANSWER", [])
    run = night.apply(night.plan())
    assert (run.state, all_there(night)) == (RunState.DONE, {})


def test_what_is_left_there_of_a_unit_whose_live_rows_went_is_taken_up_the_next_night(night: Night) -> None:
    """R-089: a note there that no plan would find again."""
    night.fiche("social_card", spoken=LATELY)
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    note = night.note("cf_dossier", dossier)
    retain(night, "annotation", note)
    set_faults(night.emulator, {"match": {"method": "POST", "path": "*BulkDelete*"}, "do": "status", "status": 403})
    run = night.apply(night.plan())
    assert (run.state, run.counts["partial"]) == (RunState.DONE_WITH_FAILURES, 1)
    assert (night.get("cf_dossiers", dossier), there(night, "annotation"), night.store.certificates.of_run(run.id)) == (None, {note}, [])
    set_faults(night.emulator)
    run = night.apply(night.plan())
    assert (run.state, there(night, "annotation")) == (RunState.DONE, set())
    assert [each.certificate.unit_type for each in night.store.certificates.of_run(run.id)] == ["dossier"]


def test_a_row_that_came_back_since_the_plan_is_another_one(night: Night) -> None:
    """RET-17."""
    dossier, _ = retained_dossier(night)
    plan = night.plan()
    roll_back(night, "cf_dossier", dossier)
    assert skipped(night.apply(plan)) == {"CHANGED": 1, "STILL_REFERRED": 1}
    assert night.get("cf_dossiers", dossier) is not None
    assert night.apply(night.plan()).counts["deleted"] == 2
    assert (night.rows("cf_dossiers"), all_there(night)) == ([], {})


def organisation(night: Night) -> None:
    retained_dossier(night)
    mixed = night.dossier("social_card", spoken=LONG_AGO, fiches=2)
    night.note("cf_dossier", mixed)
    retain(night, "cf_fiche", night.fiches_of(mixed)[0])
    retained_dossier(night, spoken=LATELY)


def state_of(night: Night) -> str:
    live = {table: sorted(row[KEYS.get(table, f"{table}id")] for row in night.rows(SETS[table])) for table in SETS}
    return json.dumps([live, {table: sorted(there(night, table)) for table in SETS}])


def run_fragile(night: Night, plan: Plan, points: Points) -> Run:
    context = night.context
    store = fragile_store(night.store, points, journal=("record",), runs=("save", "start"))
    return apply_plan(dataclasses.replace(context, store=store, connector=Fragile(context.connector, points, ("change", "purge"))), plan.id)


def test_a_run_killed_at_any_point_ends_like_an_undisturbed_one(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    url = database_file()
    night = make_night(url=url)
    organisation(night)
    plan, points = night.plan(), Snapshots(night, url)
    undisturbed = run_fragile(night, plan, points)
    expected, counts = state_of(night), undisturbed.counts
    assert (undisturbed.state, counts["deleted"], len(points) > 10) == (RunState.DONE, 3, True)
    for at, again in points.nights(make_night, database_file):
        run = again.apply(plan)
        assert (state_of(again), run.counts, run.state) == (expected, counts, RunState.DONE), f"killed at {at}"


def test_a_run_killed_in_the_middle_of_the_job_goes_on_with_what_is_left(night: Night) -> None:
    """Part of what a unit was judged by has gone: the rest is finished, for nobody could judge it any
    more."""
    dossier, _ = retained_dossier(night)
    plan, context = night.plan(), night.context

    def purge(residual: ResidualKind, rows: Collection[tuple[str, str]], **more: Any) -> Any:
        context.connector.purge(residual, [row for row in rows if row[0] == "cf_fiche"], **more)
        raise Killed

    with pytest.raises(Killed):
        applied(night, plan, purge=purge)
    assert (len(there(night, "cf_fiche")), there(night, "cf_dossier")) == (0, {dossier})
    run = night.apply(plan)
    assert (run.state, run.counts["deleted"], all_there(night)) == (RunState.DONE, 2, {})
    assert len(night.store.certificates.of_run(run.id)) == 2


@pytest.mark.parametrize("before", ["change", "purge"])
@pytest.mark.parametrize("whole", [True, False])
def test_what_was_announced_and_not_purged_when_the_database_was_lost_is_judged_again(
    make_night: MakeNight, database_file: Callable[[], str], *, whole: bool, before: str
) -> None:
    """ERA-13: recovering purges no unit that is still there; of one whose own row has gone it purges the
    rest."""
    night = make_night(url=database_file(), register=f"lost-{whole}-{before}.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2)
    for table, row in [*(("cf_fiche", fiche) for fiche in night.fiches_of(dossier)), *([("cf_dossier", dossier)] if whole else [])]:
        retain(night, table, row)
    plan, context, there_before = night.plan(), night.context, all_there(night)
    killing = Fragile(context.connector, Points(1), (before,))
    if whole and before == "change":  # nothing of it is written by a request
        killing = Fragile(context.connector, Points(1), ("purge",))
    with pytest.raises(Killed):
        apply_plan(dataclasses.replace(context, connector=killing), plan.id)
    after = make_night(url=database_file(), register=f"lost-{whole}-{before}.jsonl")
    recover(after.context)
    if whole or before == "change":
        assert all_there(after) == there_before
        assert after.apply(after.plan()).counts["deleted"] == 1
    assert (all_there(after), after.rows("cf_dossiers")) == ({}, [])
