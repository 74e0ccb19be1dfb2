"""What the CRM keeps of rows beside them, and which rows depend on others: found and purged by the real
client (ERA-12)."""

import uuid
from pathlib import Path

import pytest

from connectors.emulator.serving.server import running
from connectors.interface.remains import DependentRow, Reach, ResidualKind
from jobs.model.privileges import NEEDS
from tests.connectors.dynamics.residual.residual_crm import Crm, environment_with_more, gone_fiche

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


# -- long-term retention, timeline, jobs ---------------------------------------------------------------------


def test_a_retained_copy_of_a_row_is_found_and_removed(crm: Crm) -> None:
    fiche = crm.fiche()
    target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}}
    assert crm.send("POST", "Retain", target).status_code == 200
    row = ("cf_fiche", fiche)
    assert crm.counts(ResidualKind.RETAINED, [row]) == {row: 1}
    assert crm.connector.purge(ResidualKind.RETAINED, [row]) == frozenset()
    assert crm.counts(ResidualKind.RETAINED, [row]) == {}


def test_system_jobs_about_a_row_are_removed_once_they_have_ended(crm: Crm) -> None:
    fiche = crm.fiche()
    row = ("cf_fiche", fiche)
    done, waiting = (
        crm.point("asyncoperation", "asyncoperationid", "regardingobjectid", row, statecode=state, statuscode=status)
        for state, status in ((3, 30), (0, 0))
    )
    found = crm.connector.residual_data(ResidualKind.JOBS, [row]).left[row]
    assert (found.place, set(found.rows)) == ("asyncoperation", {("asyncoperation", done), ("asyncoperation", waiting)})
    crm.connector.purge(ResidualKind.JOBS, [row])
    assert crm.connector.residual_data(ResidualKind.JOBS, [row]).left[row].rows == (("asyncoperation", waiting),)


def test_a_crm_without_posts_and_queues_has_no_timeline(crm: Crm) -> None:
    assert crm.connector.residual_data(ResidualKind.TIMELINE, [gone_fiche(crm)]).reach is Reach.NOT_KEPT


def test_posts_and_connections_about_a_row_that_is_gone_are_removed(more: Crm) -> None:
    """ERA-12, line 3."""
    fiche, other = more.fiche(), more.fiche()
    row = ("cf_fiche", fiche)
    more.point("post", "postid", "regardingobjectid", row, text="bericht")
    more.point("connection", "connectionid", "record2id", row, name="c")
    more.point("connection", "connectionid", "record1id", ("cf_fiche", other), name="d")
    assert more.counts(ResidualKind.TIMELINE, [row]) == {row: 2}
    more.connector.purge(ResidualKind.TIMELINE, [row])
    assert more.counts(ResidualKind.TIMELINE, [row, ("cf_fiche", other)]) == {("cf_fiche", other): 1}
    assert more.rows("posts") == []


def test_trace_logs_name_no_row_so_that_nobody_can_say_that_they_are_clean(more: Crm) -> None:
    row = ("cf_fiche", more.fiche())
    assert more.connector.residual_data(ResidualKind.JOBS, [row]).reach is Reach.READ
    more.create("plugintracelogs", messageblock="Verzonnen.")
    assert more.connector.residual_data(ResidualKind.JOBS, [row]).reach is Reach.NOT_REACHABLE


# -- tables that are not mapped ------------------------------------------------------------------------------


def test_rows_that_go_along_and_rows_that_would_stay_are_told_apart(more: Crm) -> None:
    dossier, fiche = more.dossier(), more.fiche()
    task = more.create("tasks", subject="t", **{"regardingobjectid_cf_dossier_task@odata.bind": f"/cf_dossiers({dossier})"})
    review = more.create("cf_reviews", cf_name="r", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    rows = [("cf_dossier", dossier), ("cf_fiche", fiche)]
    assert more.connector.dependent_rows(rows) == [
        DependentRow(("task", task), ("cf_dossier", dossier), cascades=True),
        DependentRow(("cf_review", review), ("cf_fiche", fiche), cascades=False),
    ]
    (warning,) = more.connector.warnings
    assert "cf_review" in warning
    assert "`stay`" in warning


def test_documents_in_sharepoint_never_go_with_the_row_that_tells_where_they_lie(more: Crm) -> None:
    fiche = more.fiche()
    more.point("sharepointdocumentlocation", "sharepointdocumentlocationid", "regardingobjectid", ("cf_fiche", fiche), name="map")
    (found,) = more.connector.dependent_rows([("cf_fiche", fiche)])
    assert not found.cascades
    assert "documents in SharePoint" in more.connector.warnings[0]


def test_what_the_mapping_lets_stay_is_not_asked_for(tmp_path: Path) -> None:
    with running(environment=environment_with_more(tmp_path)) as emulator:
        crm = Crm(emulator, stay="[cf_review.cf_ficheid]")
        fiche = crm.fiche()
        crm.create("cf_reviews", cf_name="r", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
        assert crm.connector.dependent_rows([("cf_fiche", fiche)]) == []
        crm.close()


def test_a_table_that_cannot_be_looked_at_keeps_the_row_unless_it_is_empty(more: Crm) -> None:
    fiche = more.fiche()
    row = ("cf_fiche", fiche)
    more.may()
    assert more.connector.dependent_rows([row]) == []
    assert more.connector.warnings == []
    more.emulator.load([("cf_review", {"cf_reviewid": str(uuid.uuid4()), "cf_name": "r", "cf_ficheid": fiche})])
    assert more.connector.dependent_rows([row]) == [DependentRow(("cf_review", ""), row, cascades=False)]


def test_a_table_of_which_a_part_is_seen_keeps_the_row_unless_it_is_empty(more: Crm) -> None:
    """Whoever reads a part of it gets no error for the rest."""
    row = ("cf_fiche", fiche := more.fiche())
    more.may(prvReadcf_review="Basic")
    more.connector.check_privileges(NEEDS)
    assert more.connector.dependent_rows([row]) == []
    more.emulator.load([("cf_review", {"cf_reviewid": str(uuid.uuid4()), "cf_name": "r", "cf_ficheid": fiche})])
    assert more.connector.dependent_rows([row]) == [DependentRow(("cf_review", ""), row, cascades=False)]
    assert "prvReadcf_review reaches Basic only" in more.connector.warnings[0]
    more.may(prvReadcf_review="Global")
    more.connector.check_privileges(NEEDS)
    assert [each.row[1] != "" for each in more.connector.dependent_rows([row])] == [True]


def test_nothing_depends_on_rows_of_the_reference_environment_that_the_mapping_does_not_name(crm: Crm) -> None:
    assert crm.connector.dependent_rows([("cf_fiche", crm.fiche()), ("contact", crm.contact()), ("cf_dossier", crm.dossier())]) == []


def test_rows_of_any_table_are_looked_for(more: Crm) -> None:
    task, fiche = more.create("tasks", subject="t"), more.fiche()
    never = str(uuid.uuid4())
    assert more.connector.existing([("task", task), ("task", never), ("cf_fiche", fiche)]) == {("task", task), ("cf_fiche", fiche)}


# -- on-premises, doctor, mapping ----------------------------------------------------------------------------


def test_on_premises_history_is_purged_too() -> None:
    with running(profile="onprem") as emulator:
        crm = Crm(emulator)
        row = gone_fiche(crm)
        for residual in ResidualKind:
            crm.connector.purge(residual, [row])
            assert crm.connector.residual_data(residual, [row]).left == {}
        crm.close()


@pytest.mark.parametrize(
    ("lacking", "names"),
    [((), ()), (("prvBulkDelete",), ("audit history", "emptying the recycle bin")), (("prvReadAuditSummary",), ("audit history",))],
)
def test_doctor_tells_what_cannot_be_cleaned_and_why(crm: Crm, lacking: tuple[str, ...], names: tuple[str, ...]) -> None:
    crm.may(*lacking)
    told = {each.name: each for each in crm.connector.capabilities() if each.name in ("audit history", "emptying the recycle bin")}
    assert tuple(name for name, each in told.items() if not each.available) == names
    assert all(any(privilege in told[name].reason for privilege in lacking) for name in names)


def test_doctor_speaks_of_no_recycle_bin_on_premises() -> None:
    with running(profile="onprem") as emulator:
        crm = Crm(emulator)
        crm.may("prvBulkDelete")
        (told,) = [each for each in crm.connector.capabilities() if each.name == "emptying the recycle bin"]
        assert (told.available, told.reason) == (False, "online only")
        crm.close()


def test_copies_are_what_the_mapping_says() -> None:
    with running() as emulator:
        for given, found in (("[]", ()), ("[lake, search_index]", ("lake", "search_index"))):
            crm = Crm(emulator, copies=given)
            assert crm.connector.copies == found
            crm.close()


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_row_to_which_people_may_lead_that_nobody_shows_is_not_said_to_have_none(crm: Crm, status: int) -> None:
    """Of a row that is deleted the CRM removes the lookup; what another system has nobody knows."""
    kept = ("contact", crm.create("contacts", firstname="Lotte", lastname="Peeters (fictief)"))
    assert crm.connector.tied_to_people([kept]) == set()
    crm.control("PUT", "faults", [{"match": {"path": "/contacts"}, "times": 99, "do": "status", "status": status}])
    assert crm.connector.tied_to_people([kept]) == {kept}
