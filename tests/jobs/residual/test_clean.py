"""Every place of ERA-12 in the CRM is cleaned after a night, read back, and recorded; what is left keeps its
unit open."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from connectors.emulator.serving.server import running
from connectors.interface.remains import Left, Reach, ResidualData, ResidualKind
from jobs.model.plan import Plan
from jobs.model.privileges import NEEDS
from jobs.model.run import Action, ActionState, Run, RunState
from jobs.nightly.retention import run_retention
from jobs.plans.cascade_preview import cascade_counts
from jobs.reading.gather import gather_units
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from rules.model.records import UnitKind
from rules.model.residual_data import PlaceState, ResidualPlace
from tests.connectors.dynamics.residual.residual_crm import environment_with_more
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.jobs.runs.test_kill_and_resume import Fragile, Killed, Points, Snapshots
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO = date(2018, 3, 1)
NAME = "Wouter Verzonnen"
MakeNight = Callable[..., Night]


@pytest.fixture
def more(tmp_path: Path, make_night: MakeNight) -> Iterator[Night]:
    """A night in an organisation with tables that the mapping does not name."""
    with running(environment=environment_with_more(tmp_path), token=TOKEN, limits=False) as emulator, KNOWN.of(emulator, TOKEN):
        base = make_night()
        night = Night(emulator, base.store, base.key, base.policy, base.clock)
        yield night
        night.close()


def switch(night: Night, **switches: object) -> None:
    night.http.put(f"{night.emulator.root}/_emulator/switches", json=switches).raise_for_status()


def fault(night: Night, *rules: dict[str, Any]) -> None:
    set_faults(night.emulator, *rules)


def may(night: Night, *, cleaning: bool = True, but: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> None:
    lines = [*night.connector.least_role(NEEDS), *(night.connector.cleaning_role() if cleaning else ())]
    privileges = {line.name: line.depth for line in lines if line.name not in but} | dict.fromkeys(more, "Global")
    body = {"user": night.connector.whoami(), "set": privileges}
    requests.put(f"{night.emulator.root}/_emulator/privileges", json=body, timeout=30).raise_for_status()


def actions(night: Night, run: Run) -> dict[str, Action]:
    return {action.id: action for action in night.store.journal.of_run(run.id)}


def places(night: Night, run: Run, unit: str) -> dict[str, str]:
    return actions(night, run)[unit].places


def audits(night: Night) -> str:
    return json.dumps(night.rows("audits"))


def in_bin(night: Night, table_set: str, table: str) -> int:
    text = f'<fetch datasource="bin"><entity name="{table}"><attribute name="createdon"/></entity></fetch>'
    return len(night.rows(f"{table_set}?fetchXml={quote(text)}"))


def expired(night: Night) -> tuple[str, str]:
    """A dossier past its end with everything that depends on it, of which the history tells a name; and its
    reporter."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2, cf_summary=NAME)
    first = night.fiches_of(dossier)[0]
    night.patch("cf_fiches", first, cf_summary=NAME)
    night.patch("cf_fiches", first, cf_summary="-")
    person = night.contact(lastname=NAME)
    night.party(person, "reporter", dossier=dossier)
    night.note("cf_dossier", dossier)
    night.call("cf_fiche", first, [person])
    return dossier, person


# -- history -------------------------------------------------------------------------------------------------


def test_no_history_of_a_disposed_dossier_remains(night: Night) -> None:
    """ERA-12, line 7: also what the deletion itself wrote; the certificate's count of entries is the number
    that went."""
    dossier, person = expired(night)
    kept = night.dossier("runaway", spoken=date(2026, 11, 1), cf_summary="Blijft.")
    assert NAME in audits(night)
    run = night.apply(night.plan())
    assert run.state is RunState.DONE
    assert NAME not in audits(night)
    assert "Blijft." in audits(night)
    found = actions(night, run)
    # Dossier: created, closed, deleted. Its fiches: two created, two changes, two deleted. Its role: created
    # and deleted.
    assert found[dossier].audit_entries == 11
    assert found[person].audit_entries == 2
    assert night.rows(f"audits?$filter=_objectid_value eq {kept}") != []
    assert found[dossier].places == {
        "notes": "done",
        "activities": "done",
        "timeline": "not_applicable",
        "files": "done",
        "child_rows": "done",
        "recordings": "not_applicable",
        "audit_history": "done",
        "recycle_bin": "not_applicable",
        "job_rows": "not_applicable",
        "copies": "not_applicable",
        "exports": "not_applicable",
        "extracts": "not_applicable",
    }
    assert verify_run(night.context, run.id) == {"run": run.id, "checked": run_rows(found), "still_there": [], "not_checkable": ["backups"]}
    assert sum(len(night.rows(name)) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures")) == 0


def run_rows(found: dict[str, Action]) -> int:
    return sum(len(action.rows) for action in found.values())


def test_the_history_of_what_was_emptied_goes_and_the_contact_stays(night: Night) -> None:
    """RET-20: a donor loses the data of operations, and with them the history that still has them."""
    donor = night.contact(cf_birthplace=NAME)
    night.donation(donor)
    night.party(donor, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    run = night.apply(night.plan())
    assert (run.state, run.counts["trimmed"]) == (RunState.DONE, 1)
    assert night.get("contacts", donor) is not None
    assert NAME not in audits(night)
    assert places(night, run, donor)["audit_history"] == "done"
    night.patch("contacts", donor, cf_birthplace="elders")
    assert verify_run(night.context, run.id)["still_there"] != []  # a field that was emptied is filled again
    night.patch("contacts", donor, cf_birthplace=None)
    assert verify_run(night.context, run.id)["still_there"] == []  # its new history is not the run's


def test_history_from_before_auditing_was_switched_off_goes_too(night: Night) -> None:
    dossier, _ = expired(night)
    organisation = night.rows("organizations?$select=organizationid")[0]["organizationid"]
    night.patch("organizations", organisation, isauditenabled=False)
    other = night.fiche("social_card", spoken=LONG_AGO)
    run = night.apply(night.plan())
    assert NAME not in audits(night)
    assert places(night, run, dossier)["audit_history"] == "done"
    assert places(night, run, other)["audit_history"] == "not_applicable"


def test_without_the_rights_to_clean_a_night_goes_on_and_says_what_it_could_not_reach(night: Night) -> None:
    dossier, _ = expired(night)
    may(night, cleaning=False)
    run = night.apply(night.plan())
    assert (run.state, run.counts["deleted"]) == (RunState.DONE, 2)
    found = places(night, run, dossier)
    assert (found["audit_history"], found["job_rows"], found["recycle_bin"]) == ("not_reachable", "not_reachable", "not_applicable")
    assert any("prvReadAuditSummary" in warning for warning in night.connector.warnings)
    assert verify_run(night.context, run.id)["not_checkable"] == ["audit_history", "job_rows", "backups"]


def test_history_that_may_be_seen_and_not_purged_leaves_its_unit_partial_until_it_may(make_night: Callable[..., Night]) -> None:
    """ERA-12, ERA-15: no certificate before everything is gone, or the controller has accepted that it is out
    of reach."""
    night = make_night()
    dossier, _ = expired(night)
    may(night, but=("prvBulkDelete",))
    run = night.apply(night.plan())
    assert (run.state, actions(night, run)[dossier].state) == (RunState.DONE_WITH_FAILURES, ActionState.PARTIAL)
    assert night.store.certificates.of_run(run.id) == []
    may(night)
    night = make_night()  # the next night's process asks again what it may
    again = night.apply(night.plan())
    assert actions(night, again)[dossier].state is ActionState.DONE
    assert NAME not in audits(night)
    assert len(night.store.certificates.of_run(again.id)) == 2


def test_where_no_job_may_purge_the_history_goes_before_the_rows(night: Night) -> None:
    """ERA-15: what the deletions wrote stays. The mapping accepts it as not reachable, and reading back names
    it."""
    night.connector.mapping = dataclasses.replace(night.connector.mapping, beyond_reach=frozenset({"audit_history"}))
    dossier, person = expired(night)
    may(night, but=("prvBulkDelete",))
    run = night.apply(night.plan())
    found = actions(night, run)[dossier]
    assert (run.state, found.places["audit_history"], found.audit_entries) == (RunState.DONE, "not_reachable", 7)
    left = night.rows("audits?$select=operation,_objectid_value&$filter=action ne 111 and operation ne 3")
    assert {row["_objectid_value"] for row in left}.isdisjoint({dossier, person})
    still = verify_run(night.context, run.id)["still_there"]
    assert {"table": "audit", "id": dossier} in still  # type: ignore[operator]
    assert any("what a deletion itself writes" in warning for warning in night.connector.warnings)


def test_where_no_job_may_purge_a_unit_that_has_come_under_a_hold_keeps_its_history(night: Night) -> None:
    """HLD-07: the purge before the deletion looks at the versions itself, since the deletion will be refused
    for them."""
    dossier, _ = expired(night)
    may(night, but=("prvBulkDelete",), more=("prvWritecf_dossier",))
    plan = night.approved(night.plan())
    before = len(night.rows(f"audits?$filter=_objectid_value eq {dossier}"))
    context = night.context

    class Holding:
        """Somebody sets the hold of the CRM just before the history would be purged."""

        def __getattr__(self, name: str) -> Any:
            return getattr(context.connector, name)

        def needs_row_for_history(self) -> bool:
            night.patch("cf_dossiers", dossier, cf_legalhold=True)
            return context.connector.needs_row_for_history()

    held: Any = Holding()
    run = apply_plan(dataclasses.replace(context, connector=held), plan.id)
    assert night.get("cf_dossiers", dossier) is not None
    assert actions(night, run)[dossier].state is ActionState.SKIPPED
    assert len(night.rows(f"audits?$filter=_objectid_value eq {dossier}")) == before + 1


def test_a_purge_that_fails_leaves_the_unit_open_and_the_next_night_completes_it_once(night: Night) -> None:
    """R-089, for the history: PARTIAL first, done by the next run, and by no further one."""
    dossier, person = expired(night)
    fault(night, {"match": {"path": "BulkDelete"}, "do": "status", "status": 500})
    first = night.apply(night.plan())
    assert (first.state, first.counts["partial"], first.counts["deleted"]) == (RunState.DONE_WITH_FAILURES, 2, 0)
    assert {(one.state, one.code) for one in actions(night, first).values()} == {(ActionState.PARTIAL, "PLACES_LEFT")}
    assert {"table": "audit", "id": dossier} in verify_run(night.context, first.id)["still_there"]  # type: ignore[operator]
    fault(night)
    second = run_retention(night.context)
    done = actions(night, second)
    assert (done[dossier].state, done[person].state) == (ActionState.DONE, ActionState.DONE)
    assert NAME not in audits(night)
    third = run_retention(night.context)
    assert actions(night, third) == {}


def test_a_history_that_cannot_be_read_ends_the_run_and_applying_again_cleans(night: Night) -> None:
    dossier, _ = expired(night)
    plan = night.approved(night.plan())
    fault(night, {"match": {"path": "/audits"}, "do": "status", "status": 500})
    with pytest.raises(Exception, match="HTTP 500"):
        night.apply(plan)
    fault(night)
    run = night.apply(plan)
    assert (run.state, places(night, run, dossier)["audit_history"]) == (RunState.DONE, "done")
    assert NAME not in audits(night)


def test_a_run_killed_between_deletion_and_purge_cleans_when_it_goes_on(night: Night) -> None:
    dossier, _ = expired(night)
    plan = night.approved(night.plan())
    killed_at(night, plan, "purge")
    assert night.get("cf_dossiers", dossier) is None
    assert NAME in audits(night)
    run = night.apply(plan)
    assert (run.state, run.counts["deleted"]) == (RunState.DONE, 2)
    assert NAME not in audits(night)


def test_a_run_killed_at_any_step_of_cleaning_ends_clean(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    night = make_night(url=(url := database_file()))
    without_waits = {"recycle_bin_days": 30, "bulk_delete_queue_s": 0.0, "bulk_delete_run_s": 0.0}
    switch(night, **without_waits)
    expired(night)
    plan, points = night.approved(night.plan()), Snapshots(night, url)
    context = night.context
    apply_plan(dataclasses.replace(context, connector=Fragile(context.connector, points, ("residual_data", "purge"))), plan.id)
    assert (points.passed >= 12, len(points) >= 3) == (True, True), "before, between and after two purges"
    for at, again in points.nights(make_night, database_file):
        switch(again, **without_waits)
        run = again.apply(plan)
        assert (run.state, run.counts["deleted"]) == (RunState.DONE, 2), at
        assert NAME not in audits(again), at
        assert again.rows("deleteditemreferences") == [], at


def killed_at(night: Night, plan: Plan, method: str) -> None:
    context = night.context
    broken = Fragile(context.connector, Points(1), (method,))
    with pytest.raises(Killed):
        apply_plan(dataclasses.replace(context, connector=broken), plan.id)


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
    second = run_retention(night.context)
    assert actions(night, second)[dossier].state is ActionState.PARTIAL
    night.clock.now += timedelta(days=30)
    night.http.put(f"{night.emulator.root}/_emulator/clock", json={"advance_s": 32 * 86_400}).raise_for_status()
    third = run_retention(night.context)
    done = actions(night, third)
    assert (done[dossier].state, done[person].state) == (ActionState.DONE, ActionState.DONE)
    assert actions(night, run_retention(night.context)) == {}
    assert certificates(night) == 2


def certificates(night: Night) -> int:
    return sum(len(night.store.certificates.of_run(run.id)) for run in night.store.runs.all())


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
    assert run_retention(more.context).counts["deleted"] == 1


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
