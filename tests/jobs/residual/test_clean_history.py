"""The audit history of what a run disposes of goes too, whatever interrupts it (ERA-12, line 7)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from connectors.interface.errors import Forbidden, ReadIncomplete
from connectors.interface.remains import Reach, ResidualData, ResidualKind
from jobs.model.plan import Kind, Plan
from jobs.model.run import Action, ActionState, RunState
from jobs.nightly.retention import plan_and_apply
from jobs.runs.apply import apply_plan
from jobs.runs.verify import verify_run
from tests.drivers.night import Night
from tests.jobs.residual.cleaning import LONG_AGO, NAME, MakeNight, actions, audits, expired, fault, may, places, switch
from tests.jobs.runs.kill_points import Fragile, Killed, Points, Snapshots


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
    told = verify_run(night.context, run.id)
    assert (told["checked"], told["still_there"], told["unsettled"], told["not_checkable"]) == (run_rows(found), [], 0, ["backups"])
    assert sum(len(night.rows(name)) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures")) == 0


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_of_a_gateway_that_refuses_once_leaves_no_history_behind(night: Night, status: int) -> None:
    """The rows are gone by then: nobody would look there again."""
    expired(night)
    plan = night.plan()
    fault(night, {"match": {"method": "GET", "path": "audits"}, "times": 1, "do": "status", "status": status, "html": True})
    with pytest.raises(ReadIncomplete, match="a web page answers"):
        night.apply(plan)
    assert night.apply(plan).state is RunState.DONE
    assert NAME not in audits(night)


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
    second = plan_and_apply(night.context, Kind.RETENTION)
    done = actions(night, second)
    assert (done[dossier].state, done[person].state) == (ActionState.DONE, ActionState.DONE)
    assert NAME not in audits(night)
    third = plan_and_apply(night.context, Kind.RETENTION)
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


class Losing:
    """A connector that calls something once, right before or after a call of one of its methods."""

    def __init__(self, inner: Any, name: str, lose: Callable[[], None], *, before: bool = False) -> None:
        self._inner, self._name, self._lose, self._before, self._is_lost = inner, name, lose, before, False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name != self._name or self._is_lost:
            return found

        def losing(*args: Any, **more: Any) -> Any:
            self._is_lost = True
            if self._before:
                self._lose()
            answer = found(*args, **more)
            if not self._before:
                self._lose()
            return answer

        return losing


@pytest.mark.parametrize("is_back", [True, False])
@pytest.mark.parametrize(("method", "before"), [("change", True), ("change", False), ("purge", False)])
def test_a_right_to_the_history_that_is_lost_in_the_middle_leaves_the_cleaning_to_be_done(
    make_night: Callable[..., Night], method: str, *, before: bool, is_back: bool
) -> None:
    """ERA-12, ERA-15: what could be read before the rows went is no place out of reach. The next run tries
    again, and says whether it could."""
    night = make_night()
    dossier, _ = expired(night)
    may(night)
    plan = night.plan()
    context = night.context
    losing = Losing(context.connector, method, lambda: may(night, but=("prvReadAuditSummary",)), before=before)
    with pytest.raises(Forbidden, match="could be read before"):
        apply_plan(dataclasses.replace(context, connector=losing), night.approved(plan).id)
    (run,) = night.store.runs.all()
    assert (run.is_over, night.store.certificates.of_run(run.id), night.get("cf_dossiers", dossier)) == (False, [], None)
    if is_back:
        may(night)
    night = make_night()  # the next night's process asks again what it may
    again = night.apply(plan)
    assert (again.id, again.state) == (run.id, RunState.DONE)
    assert places(night, again, dossier)["audit_history"] == ("done" if is_back else "not_reachable")
    told = {issued.certificate.method["audit_history"] for issued in night.store.certificates.of_run(run.id)}
    assert ("not_reachable" in told) is not is_back
    if is_back:
        assert NAME not in audits(night)


def test_a_place_that_nobody_may_look_into_any_more_after_a_purge_is_not_called_clean(night: Night) -> None:
    dossier, _ = expired(night)
    context = night.context

    class Blind:
        purged = False

        def __getattr__(self, name: str) -> Any:
            return getattr(context.connector, name)

        def purge(self, residual: ResidualKind, rows: Any, **more: Any) -> Any:
            self.purged = residual is ResidualKind.HISTORY
            return context.connector.purge(residual, rows, **more)

        def residual_data(self, residual: ResidualKind, rows: Any) -> ResidualData:
            if self.purged and residual is ResidualKind.HISTORY:
                return ResidualData(Reach.NOT_REACHABLE)
            return context.connector.residual_data(residual, rows)

    run = apply_plan(dataclasses.replace(context, connector=Blind()), night.approved(night.plan()).id)
    assert (actions(night, run)[dossier].state, places(night, run, dossier)["audit_history"]) == (ActionState.PARTIAL, "still_there")
    assert night.store.certificates.of_run(run.id) == []
