"""Every place of ERA-12 in the CRM is cleaned after a night, read back, and recorded; what is left keeps its
unit open."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from connectors.emulator.serving.server import running
from connectors.interface.remains import Left, Reach, ResidualData, ResidualKind
from jobs.model.plan import Kind
from jobs.model.run import ActionState, RunState
from jobs.nightly.retention import plan_and_apply
from jobs.plans.cascade_preview import cascade_counts
from jobs.reading.gather import gather_units
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from rules.model.records import UnitKind
from rules.model.residual_data import PlaceState, ResidualPlace
from tests.connectors.dynamics.residual.residual_crm import environment_with_more
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.jobs.residual.cleaning import LONG_AGO, NAME, MakeNight, actions, audits, expired, fault, in_bin, kept, may, places, switch
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text


@pytest.fixture
def more(tmp_path: Path, make_night: MakeNight) -> Iterator[Night]:
    """A night in an organisation with tables that the mapping does not name."""
    with running(environment=environment_with_more(tmp_path), token=TOKEN, limits=False) as emulator, KNOWN.of(emulator, TOKEN):
        base = make_night()
        night = Night(emulator, base.store, base.key, base.policy, base.clock)
        yield night
        night.close()


# -- recycle bin ---------------------------------------------------------------------------------------------


def test_nothing_of_a_disposed_dossier_stays_in_the_recycle_bin(night: Night) -> None:
    """Participants of a call keep names there although they never stood in a change set."""
    switch(night, recycle_bin_days=30)
    dossier, _ = expired(night)
    run = night.apply(night.plan())
    assert (run.state, places(night, run, dossier)["recycle_bin"]) == (RunState.DONE, "done")
    assert night.rows("deleteditemreferences") == []
    for table_set, table in (("cf_dossiers", "cf_dossier"), ("cf_fiches", "cf_fiche"), ("activityparties", "activityparty")):
        assert in_bin(night, table_set, table) == 0
    assert verify_run(night.context, run.id)["still_there"] == []


def test_a_row_that_is_still_restorable_keeps_its_unit_partial_until_it_has_expired(night: Night) -> None:
    """R-088 and R-089: no job may empty the bin, and deleting the references leaves the rows."""
    night.connector.mapping = dataclasses.replace(night.connector.mapping, beyond_reach=frozenset({"audit_history"}))
    switch(night, recycle_bin_days=30, reference_delete_purges=False)
    dossier, person = expired(night)
    may(night, but=("prvBulkDelete", "prvDeleteAuditPartitions"))
    first = night.apply(night.plan())
    assert first.state is RunState.DONE_WITH_FAILURES
    assert {(one.state, one.places["recycle_bin"]) for one in actions(night, first).values()} == {(ActionState.PARTIAL, "still_there")}
    assert certificates(night) == 0
    assert {"table": "deleteditemreference", "id": dossier} in verify_run(night.context, first.id)["still_there"]  # type: ignore[operator]
    night.clock.now += timedelta(days=1)
    second = plan_and_apply(night.context, Kind.RETENTION)
    assert actions(night, second)[dossier].state is ActionState.PARTIAL
    night.clock.now += timedelta(days=30)
    night.http.put(f"{night.emulator.root}/_emulator/clock", json={"advance_s": 32 * 86_400}).raise_for_status()
    third = plan_and_apply(night.context, Kind.RETENTION)
    done = actions(night, third)
    assert (done[dossier].state, done[person].state) == (ActionState.DONE, ActionState.DONE)
    assert actions(night, plan_and_apply(night.context, Kind.RETENTION)) == {}
    assert certificates(night) == 2


def certificates(night: Night) -> int:
    return sum(len(night.store.certificates.of_run(run.id)) for run in night.store.runs.all())


def test_a_recording_that_goes_by_itself_has_no_rows_below_it(night: Night) -> None:
    """A certificate states a place only where something of the unit was."""
    recording = night.recording(LONG_AGO)
    found = places(night, night.apply(night.plan()), recording)
    assert (found["recordings"], found["child_rows"]) == ("done", "not_applicable")


# -- tables that are not mapped ------------------------------------------------------------------------------


def test_what_the_crm_deletes_along_is_told_before_and_cleaned_after(more: Night) -> None:
    """Tasks and a custom table that cascade; the custom one is audited, and both are in the bin."""
    switch(more, recycle_bin_days=30)
    dossier = more.dossier("social_card", spoken=LONG_AGO)
    task = more.create("tasks", "activityid", subject=NAME, **{"regardingobjectid_cf_dossier_task@odata.bind": f"/cf_dossiers({dossier})"})
    measure = more.create("cf_measures", "cf_measureid", cf_name=NAME, **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    run = more.apply(more.plan())
    action = actions(more, run)[dossier]
    assert (run.state, action.along) == (RunState.DONE, (("cf_measure", measure), ("task", task)))
    assert (action.places["child_rows"], action.places["recycle_bin"]) == ("done", "done")
    assert NAME not in audits(more)
    assert more.rows("deleteditemreferences") == []
    assert verify_run(more.context, run.id)["still_there"] == []


def test_what_has_come_to_a_row_that_stayed_is_cleaned_with_it(more: Night) -> None:
    """The CRM says that it deleted the dossier and did not. What somebody makes on it until the next night is
    deleted along by then, and not left in the history or the bin (ERA-12)."""
    switch(more, recycle_bin_days=30)
    dossier = more.dossier("social_card", spoken=LONG_AGO)
    fault(more, kept("cf_dossiers", dossier))
    assert more.apply(more.plan()).counts["partial"] == 1
    measure = more.create("cf_measures", "cf_measureid", cf_name=NAME, **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    run = more.apply(more.plan())
    action = actions(more, run)[dossier]
    assert (run.state, action.along) == (RunState.DONE, (("cf_measure", measure),))
    assert (action.places["child_rows"], action.places["recycle_bin"]) == ("done", "done")
    assert NAME not in audits(more)
    assert more.rows("deleteditemreferences") == []


def test_the_cascade_of_a_plan_is_counted_by_table(more: Night) -> None:
    """An attachment that goes alone leaves its fiche, and all that depends on it, as it is (RET-03)."""
    dossier = more.dossier("social_card", spoken=LONG_AGO)
    for _ in range(2):
        more.create("cf_measures", "cf_measureid", cf_name="m", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    heard = [*more.fiches_of(dossier), *more.fiches_of(more.dossier("unexplained_disappearance", spoken=LONG_AGO))]
    for fiche in heard:
        more.create("tasks", "activityid", subject=NAME, **{"regardingobjectid_cf_fiche_task@odata.bind": f"/cf_fiches({fiche})"})
    notes = [more.note("cf_fiche", fiche, filename="a.mp3", mimetype="audio/mpeg", documentbody="AAAA", isdocument=True) for fiche in heard]
    plan = more.plan()
    assert plan.victims == {"cf_measure": 2, "task": 1}
    assert {row for row, line in more.lines(plan).items() if line.is_disposal} == {dossier, *notes}
    found = gather_units(more.connector, {UnitKind.DOSSIER: [dossier], UnitKind.ATTACHMENT: notes})
    assert [cascade_counts(more.connector, [unit]) for unit in (found.dossiers[dossier], *found.attachments.values())] == [
        plan.victims,
        {},
        {},
    ]


def test_a_unit_of_which_something_would_stay_behind_waits(more: Night) -> None:
    """R-158: a relationship of a table that nobody mapped only removes the link."""
    fiche = more.fiche("social_card", spoken=LONG_AGO)
    other = more.fiche("social_card", spoken=LONG_AGO)
    review = more.create("cf_reviews", "cf_reviewid", cf_name=NAME, **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    run = more.apply(more.plan())
    assert run.counts["skipped"] == {"SKIPPED_TECHNICAL": 1}
    assert (more.get("cf_fiches", fiche) is None, more.get("cf_fiches", other) is None) == (False, True)
    assert any("cf_review" in warning for warning in more.connector.warnings)
    more.http.delete(f"{more.emulator.url}cf_reviews({review})").raise_for_status()
    assert plan_and_apply(more.context, Kind.RETENTION).counts["deleted"] == 1


def test_posts_about_a_dossier_go_after_it(more: Night) -> None:
    dossier = more.dossier("social_card", spoken=LONG_AGO)
    post = "7d7d0000-0000-4000-8000-000000000001"
    more.emulator.load([("post", {"postid": post, "text": NAME, "regardingobjectid": ("cf_dossier", dossier)})])
    run = more.apply(more.plan())
    assert (run.state, places(more, run, dossier)["timeline"]) == (RunState.DONE, "done")
    assert more.rows("posts") == []


def test_plug_in_trace_logs_are_not_reachable(more: Night) -> None:
    dossier = more.dossier("social_card", spoken=LONG_AGO)
    more.create("plugintracelogs", "plugintracelogid", messageblock="Verzonnen.")
    run = more.apply(more.plan())
    assert places(more, run, dossier)["job_rows"] == "not_reachable"
    assert "job_rows" in verify_run(more.context, run.id)["not_checkable"]  # type: ignore[operator]


# -- the states ----------------------------------------------------------------------------------------------


def test_every_unit_that_is_done_says_what_became_of_every_place(night: Night) -> None:
    """ERA-12: no line is left open, and only `still_there` keeps a unit from being done."""
    expired(night)
    night.recording(LONG_AGO)
    run = night.apply(night.plan())
    for action in night.store.journal.of_run(run.id):
        assert set(action.places) == {place.value for place in ResidualPlace}
        assert PlaceState.STILL_THERE.value not in action.places.values()


@pytest.mark.parametrize(("copies", "state"), [((), "not_applicable"), (("lake",), "not_reachable"), (None, "not_reachable")])
def test_copies_are_not_reachable_unless_the_mapping_says_that_there_are_none(
    night: Night, copies: tuple[str, ...] | None, state: str
) -> None:
    night.connector.mapping = dataclasses.replace(night.connector.mapping, copies=copies)
    dossier, _ = expired(night)
    run = night.apply(night.plan())
    assert (run.state, places(night, run, dossier)["copies"]) == (RunState.DONE, state)
    assert ("copies" in verify_run(night.context, run.id)["not_checkable"]) is (state == "not_reachable")  # type: ignore[operator]


def test_a_retained_copy_goes_too(night: Night) -> None:
    """ERA-12, line 10: a row is in long-term retention and, restored from elsewhere, live again under its
    id."""
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}}
    night.http.post(f"{night.emulator.url}Retain", json=target).raise_for_status()
    columns = {"cf_ficheid": fiche, "cf_name": "F", "cf_categories": "100000000", "cf_communicatedon": "2018-03-01T11:00:00Z"}
    assert night.http.post(f"{night.emulator.url}cf_fiches", json=columns).status_code == 204
    run = night.apply(night.plan())
    assert (run.state, places(night, run, fiche)["copies"]) == (RunState.DONE, "done")
    text = '<fetch datasource="retained"><entity name="cf_fiche"><attribute name="cf_ficheid"/></entity></fetch>'
    assert night.rows(f"cf_fiches?fetchXml={quote(text)}") == []


def test_a_place_that_still_holds_something_makes_the_run_end_with_failures(night: Night) -> None:
    """R-088 for any place: the connector says what is left, whatever it said of its purge."""
    expired(night)
    context = night.context

    class Sticky:
        """Of the rows in the bin nothing ever goes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(context.connector, name)

        def residual_data(self, residual: ResidualKind, rows: Any) -> ResidualData:
            found: ResidualData = context.connector.residual_data(residual, rows)
            return ResidualData(Reach.READ, {row: Left("x", 1) for row in rows}) if residual is ResidualKind.BIN else found

    sticky: Any = Sticky()
    run = apply_plan(dataclasses.replace(context, connector=sticky), night.approved(night.plan()).id)
    assert (run.state, run.counts["partial"]) == (RunState.DONE_WITH_FAILURES, 2)


def test_connections_that_are_no_roles_are_cleaned_although_the_crm_takes_them_along(tmp_path: Path, make_night: MakeNight) -> None:
    """ERA-12, lines 3, 7 and 8: they go before anybody can look at the timeline."""
    file = environment_with_more(tmp_path)
    document: dict[str, Any] = read_yaml(file)
    document["tables"]["connection"]["audited"] = True
    for each in document["relationships"]:
        if each["child"] == "connection":
            each["on_delete"] = "cascade"
    file.write_text(yaml_text(document), encoding="utf-8")
    with running(environment=file, token=TOKEN, limits=False) as emulator:
        base = make_night()
        night = Night(emulator, base.store, base.key, base.policy, base.clock)
        lone, kept = night.fiche("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=date(2026, 11, 1))
        for fiche, said in ((lone, NAME), (kept, "Blijft.")):
            own = night.create("connections", "connectionid", name=said, **{"record1id_cf_fiche@odata.bind": f"/cf_fiches({fiche})"})
            night.patch("connections", own, name=f"{said} (gewijzigd)")
        assert NAME in audits(night)
        run = night.apply(night.plan())
        assert run.state is RunState.DONE
        assert [row["name"] for row in night.rows("connections")] == ["Blijft. (gewijzigd)"]
        assert (NAME in audits(night), "Blijft." in audits(night)) == (False, True)
        assert in_bin(night, "connections", "connection") == 0
        night.close()
