"""What the CRM keeps of rows beside them, found and purged by the real client (ERA-12)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector, connect
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.residual.purge_job import IDS_OF_A_QUERY, queries_for
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import ConnectorError
from connectors.interface.remains import DependentRow, Reach, RowKey, Trace
from jobs.model.privileges import NEEDS
from tests.connectors.emulator.client import Client
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

ENVIRONMENT = Path(__file__).parents[4] / "connectors/emulator/schema/environment.yaml"
EXTRA = Path(__file__).parents[3] / "data" / "extra-tables.yaml"
DAY_S = 86_400
TOKEN = "any"


def environment_with_more(folder: Path) -> Path:
    """The reference environment with tables that no mapping names."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    more: dict[str, Any] = read_yaml(EXTRA)
    document["tables"] |= more["tables"]
    document["relationships"] += more["relationships"]
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


class Crm(Client):
    """An emulator with rows, and the client under test; its clock goes on by what the client sleeps."""

    def __init__(self, emulator: RunningEmulator, **changes: str) -> None:
        super().__init__(emulator)
        self.switch(bulk_delete_queue_s=0.0, bulk_delete_run_s=0.0)
        text = REFERENCE.read_text("utf-8")
        for old, new in changes.items():
            text = text.replace(f"{old}: []", f"{old}: {new}") if f"{old}: []" in text else f"{old}: {new}\n{text}"
        self.connector: DynamicsConnector = connect(
            url=emulator.url,
            tokens=StaticToken(TOKEN, emulator.url),
            mapping_text=text,
            mapping_source="test.yaml",
            sleep=lambda seconds: self.control("PUT", "clock", {"advance_s": seconds}) and None,
        )

    def close(self) -> None:
        self.connector.close()
        self.http.close()

    def remove(self, table_set: str, row: str) -> None:
        assert self.send("DELETE", f"{table_set}({row})").status_code == 204

    def point(self, table: str, key: str, column: str, at: RowKey, **columns: Any) -> str:
        """A row that points to another by a lookup of many tables."""
        row = str(uuid.uuid4())
        self.emulator.load([(table, {key: row, column: at, **columns})])
        return row

    def may(self, *but: str) -> None:
        """Grant the user the least role and all of the cleaning role but these privileges."""
        lines = [*self.connector.least_role(NEEDS), *self.connector.cleaning_role()]
        privileges = {line.name: line.depth for line in lines if line.name not in but}
        user = self.connector.whoami()
        answer = requests.put(f"{self.root}/_emulator/privileges", json={"user": user, "set": privileges}, timeout=30)
        assert answer.status_code == 200, answer.text

    @property
    def job_rows(self) -> int:
        return sum(len(self.rows(name)) for name in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures"))

    def counts(self, trace: Trace, rows: Collection[RowKey]) -> Mapping[RowKey, int]:
        return {row: left.count for row, left in self.connector.traces(trace, rows).left.items()}


@pytest.fixture
def crm() -> Iterator[Crm]:
    with running() as emulator, KNOWN.of(emulator, TOKEN):
        made = Crm(emulator)
        yield made
        made.close()


@pytest.fixture
def more(tmp_path: Path) -> Iterator[Crm]:
    with running(environment=environment_with_more(tmp_path)) as emulator, KNOWN.of(emulator, TOKEN):
        made = Crm(emulator)
        yield made
        made.close()


# -- history -------------------------------------------------------------------------------------------------


def gone_fiche(crm: Crm, **columns: Any) -> RowKey:
    fiche = crm.fiche(**{"cf_name": "F"} | columns)
    crm.send("PATCH", f"cf_fiches({fiche})", {"cf_name": "G"})
    crm.remove("cf_fiches", fiche)
    return ("cf_fiche", fiche)


def test_the_history_of_a_row_that_is_gone_is_counted_and_purged_with_the_entry_of_its_deletion(crm: Crm) -> None:
    """ERA-12, line 7: a job deletes all three entries, and nothing of the job stays."""
    row, other = gone_fiche(crm), ("cf_fiche", crm.fiche())
    found = crm.connector.traces(Trace.HISTORY, [row, other])
    assert (found.reach, {key: (left.place, left.count) for key, left in found.left.items()}) == (
        Reach.READ,
        {row: ("audit", 3), other: ("audit", 1)},
    )
    assert found.kept_of == {"cf_fiche"}
    assert crm.connector.purge(Trace.HISTORY, [row]) == frozenset()
    assert crm.counts(Trace.HISTORY, [row, other]) == {other: 1}
    assert crm.rows(f"audits?$filter=_objectid_value eq {row[1]}") == []
    assert crm.job_rows == 0
    assert crm.connector.warnings == []


def test_the_log_of_an_earlier_purge_is_no_trace_and_goes_with_the_next_job(crm: Crm) -> None:
    """It holds an id and no value; by a job it goes all the same (reference, section 11.3)."""
    fiche = crm.fiche()
    target = {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}
    assert crm.send("POST", "DeleteRecordChangeHistory", {"Target": target}).status_code == 200
    assert crm.counts(Trace.HISTORY, [("cf_fiche", fiche)]) == {}
    crm.remove("cf_fiches", fiche)
    crm.connector.purge(Trace.HISTORY, [("cf_fiche", fiche)])
    assert crm.rows(f"audits?$filter=_objectid_value eq {fiche}") == []


def test_thousands_of_rows_go_by_one_job(crm: Crm) -> None:
    fiches = [str(uuid.uuid4()) for _ in range(1_200)]
    crm.emulator.load([("cf_fiche", {"cf_ficheid": fiche, "cf_name": "F"}) for fiche in fiches])
    for start in range(0, len(fiches), 200):
        conditions = [
            {"AttributeName": "cf_ficheid", "Operator": "In", "Values": [{"Value": one, "Type": "System.Guid"} for one in some]}
            for some in [fiches[start : start + 200]]
        ]
        query = {"@odata.type": "Microsoft.Dynamics.CRM.QueryExpression", "EntityName": "cf_fiche"}
        body = {"JobName": "x", "SendEmailNotification": False, "ToRecipients": [], "CCRecipients": [], "RecurrencePattern": ""}
        crm.send("POST", "BulkDelete", body | {"QuerySet": [query | {"Criteria": {"FilterOperator": "And", "Conditions": conditions}}]})
    crm.control("PUT", "clock", {"advance_s": 30})
    crm.rows("asyncoperations")
    rows = [("cf_fiche", fiche) for fiche in fiches]
    before = crm.connector.stats.requests
    assert sum(crm.counts(Trace.HISTORY, rows).values()) == 1_200
    crm.connector.purge(Trace.HISTORY, rows)
    assert crm.counts(Trace.HISTORY, rows) == {}
    assert crm.connector.stats.requests - before < 45


def test_a_query_of_a_job_names_every_id_and_is_never_empty() -> None:
    ids = [str(uuid.uuid4()) for _ in range(2 * IDS_OF_A_QUERY + 1)]
    queries = queries_for("audit", "auditid", "objectid", ids)
    conditions = [query["Criteria"]["Conditions"] for query in queries]
    assert [len(each) for each in conditions] == [1, 1, 1]
    assert {value["Value"] for each in conditions for value in each[0]["Values"]} == set(ids)
    assert queries_for("audit", "auditid", "objectid", []) == []


def test_tables_that_are_not_audited_have_no_history_to_keep(crm: Crm) -> None:
    row = ("cf_statistic", crm.create("cf_statistics", cf_name="s"))
    found = crm.connector.traces(Trace.HISTORY, [row])
    assert (found.reach, found.left, found.kept_of) == (Reach.READ, {}, frozenset())


def test_old_history_is_found_also_after_auditing_was_switched_off(crm: Crm) -> None:
    row = gone_fiche(crm)
    organisation = crm.rows("organizations?$select=organizationid")[0]["organizationid"]
    crm.send("PATCH", f"organizations({organisation})", {"isauditenabled": False})
    found = crm.connector.traces(Trace.HISTORY, [row])
    assert (crm.counts(Trace.HISTORY, [row]), found.kept_of) == ({row: 3}, frozenset())


def test_who_may_not_read_audit_rows_is_told_so(crm: Crm) -> None:
    row = gone_fiche(crm)
    crm.may("prvReadAuditSummary")
    found = crm.connector.traces(Trace.HISTORY, [row])
    assert (found.reach, found.left) == (Reach.NOT_REACHABLE, {})
    assert "prvReadAuditSummary" in crm.connector.warnings[0]


@pytest.mark.parametrize("lacking", ["prvBulkDelete", "prvDeleteAuditPartitions", "prvReadAsyncOperation"])
def test_without_the_right_to_a_job_the_history_goes_row_by_row_as_long_as_the_row_is_there(crm: Crm, lacking: str) -> None:
    """ERA-15: purged before the row's deletion where the platform needs the row; the entry of the deletion
    then stays."""
    fiche = crm.fiche()
    row = ("cf_fiche", fiche)
    crm.may(lacking)
    assert crm.connector.needs_row_for_history()
    assert crm.connector.purge(Trace.HISTORY, [row], alive=[row]) == frozenset()
    assert crm.counts(Trace.HISTORY, [row]) == {}
    crm.remove("cf_fiches", fiche)
    assert crm.counts(Trace.HISTORY, [row]) == {row: 1}
    assert crm.connector.purge(Trace.HISTORY, [row]) == {row}
    assert any("what a deletion itself writes" in warning and lacking in warning for warning in crm.connector.warnings)


def test_where_the_history_of_a_row_that_is_gone_may_be_removed_nothing_stays(crm: Crm) -> None:
    crm.switch(history_of_deleted="delete")
    row = gone_fiche(crm)
    crm.may("prvBulkDelete")
    assert crm.connector.purge(Trace.HISTORY, [row]) == frozenset()
    assert crm.counts(Trace.HISTORY, [row]) == {}


def test_who_may_purge_in_no_way_is_told_once(crm: Crm) -> None:
    rows = [gone_fiche(crm), ("cf_fiche", crm.fiche())]
    crm.may("prvBulkDelete", "prvDeleteRecordChangeHistory")
    assert crm.connector.purge(Trace.HISTORY, rows, alive=rows[1:]) == set(rows)
    assert len([warning for warning in crm.connector.warnings if "cannot be purged" in warning]) == 1


def test_with_all_rights_no_row_is_needed_for_its_history(crm: Crm) -> None:
    assert not crm.connector.needs_row_for_history()
    crm.may()
    assert not crm.connector.needs_row_for_history()


@pytest.mark.parametrize("status", [500, 400])
def test_a_read_of_the_history_that_fails_is_never_nothing_there(crm: Crm, status: int) -> None:
    row = gone_fiche(crm)
    crm.control("PUT", "faults", [{"match": {"path": "/audits"}, "do": "status", "status": status}])
    with pytest.raises(ConnectorError):
        crm.connector.traces(Trace.HISTORY, [row])


@pytest.mark.parametrize("status", [500, 400])
def test_a_job_that_the_crm_does_not_take_leaves_the_history_to_be_found(crm: Crm, status: int) -> None:
    row = gone_fiche(crm)
    crm.control("PUT", "faults", [{"match": {"path": "BulkDelete"}, "do": "status", "status": status}])
    assert crm.connector.purge(Trace.HISTORY, [row]) == frozenset()
    assert crm.counts(Trace.HISTORY, [row]) == {row: 3}
    assert "the audit history could not be cleaned" in crm.connector.warnings[0]


def test_history_in_many_pages_is_counted_to_its_end(crm: Crm) -> None:
    """Pages hold 5,000 rows at most; a link of the CRM is followed."""
    rows = [gone_fiche(crm) for _ in range(3)]
    found = list(crm.connector._places._directory._pages("audits?$select=auditid,_objectid_value", "audits"))
    assert len(found) == 9
    assert sum(crm.counts(Trace.HISTORY, rows).values()) == 9


# -- recycle bin ---------------------------------------------------------------------------------------------


def call_about(crm: Crm, fiche: str) -> str:
    return crm.create(
        "phonecalls",
        subject="c",
        phonecall_activity_parties=[{"partyid_contact@odata.bind": f"/contacts({crm.contact()})", "participationtypemask": 1}],
        **{"regardingobjectid_cf_fiche_phonecall@odata.bind": f"/cf_fiches({fiche})"},
    )


def in_bin(crm: Crm, table_set: str, table: str, key: str) -> list[str]:
    text = f'<fetch datasource="bin"><entity name="{table}"><attribute name="{key}"/></entity></fetch>'
    return [row[key] for row in crm.rows(f"{table_set}?fetchXml={quote(text)}")]


def test_a_bin_that_is_off_holds_nothing(crm: Crm) -> None:
    found = crm.connector.traces(Trace.BIN, [gone_fiche(crm)])
    assert (found.reach, found.left, found.kept_of) == (Reach.READ, {}, frozenset())


def test_rows_and_what_went_along_are_found_in_the_bin_and_removed_from_it(crm: Crm) -> None:
    """Parties of an activity keep name and address there; so does the reference (reference, section 11.4)."""
    crm.switch(recycle_bin_days=30)
    fiche = crm.fiche()
    call = call_about(crm, fiche)
    other = gone_fiche(crm)
    crm.remove("phonecalls", call)
    crm.remove("cf_fiches", fiche)
    rows = [("cf_fiche", fiche), ("phonecall", call)]
    found = crm.connector.traces(Trace.BIN, rows)
    assert {key: left.count for key, left in found.left.items()} == {("cf_fiche", fiche): 1, ("phonecall", call): 2}
    assert crm.connector.purge(Trace.BIN, rows) == frozenset()
    assert crm.counts(Trace.BIN, rows) == {}
    assert in_bin(crm, "activityparties", "activityparty", "activitypartyid") == []
    assert in_bin(crm, "cf_fiches", "cf_fiche", "cf_ficheid") == [other[1]]
    assert [row["_deletedobject_value"] for row in crm.rows("deleteditemreferences")] == [other[1]]
    assert crm.job_rows == 0


@pytest.mark.parametrize(("purges", "is_left"), [(True, False), (False, True)])
def test_without_a_job_the_references_are_deleted_and_what_is_still_restorable_is_found(crm: Crm, purges: bool, is_left: bool) -> None:
    """R-088: what deleting a reference does to the row is not the same everywhere, so the row is looked for
    itself."""
    crm.switch(recycle_bin_days=30, reference_delete_purges=purges)
    row = gone_fiche(crm)
    crm.may("prvBulkDelete")
    assert crm.connector.purge(Trace.BIN, [row]) == {row}
    assert crm.rows("deleteditemreferences") == []
    assert (row in crm.connector.traces(Trace.BIN, [row]).left) is is_left


def test_a_participant_whose_copy_stays_in_the_bin_is_found_although_nothing_refers_to_it(crm: Crm) -> None:
    crm.switch(recycle_bin_days=30, reference_delete_purges=False)
    call = call_about(crm, crm.fiche())
    row = ("phonecall", call)
    crm.remove("phonecalls", call)
    crm.connector.purge(Trace.BIN, [row])
    assert crm.rows("deleteditemreferences") == []
    assert crm.counts(Trace.BIN, [row]) == {row: 1}


def test_who_may_see_no_references_still_finds_rows_in_the_bin(crm: Crm) -> None:
    crm.switch(recycle_bin_days=30)
    row = gone_fiche(crm)
    crm.may("prvReadDeletedItemReference", "prvDeleteDeletedItemReference", "prvBulkDelete")
    assert crm.counts(Trace.BIN, [row]) == {row: 1}
    assert crm.connector.purge(Trace.BIN, [row]) == {row}
    assert crm.counts(Trace.BIN, [row]) == {row: 1}


def test_a_crm_that_knows_no_bin_is_not_asked_on(crm: Crm) -> None:
    crm.control("PUT", "faults", [{"match": {"path": "datasource"}, "do": "status", "status": 400}])
    found = crm.connector.traces(Trace.BIN, [gone_fiche(crm)])
    assert found.reach is Reach.NOT_REACHABLE
    assert "the recycle bin cannot be looked into" in crm.connector.warnings[0]


# -- long-term retention, timeline, jobs ---------------------------------------------------------------------


def test_a_retained_copy_of_a_row_is_found_and_removed(crm: Crm) -> None:
    fiche = crm.fiche()
    target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}}
    assert crm.send("POST", "Retain", target).status_code == 200
    row = ("cf_fiche", fiche)
    assert crm.counts(Trace.RETAINED, [row]) == {row: 1}
    assert crm.connector.purge(Trace.RETAINED, [row]) == frozenset()
    assert crm.counts(Trace.RETAINED, [row]) == {}


def test_system_jobs_about_a_row_are_removed_once_they_have_ended(crm: Crm) -> None:
    fiche = crm.fiche()
    row = ("cf_fiche", fiche)
    done, waiting = (
        crm.point("asyncoperation", "asyncoperationid", "regardingobjectid", row, statecode=state, statuscode=status)
        for state, status in ((3, 30), (0, 0))
    )
    found = crm.connector.traces(Trace.JOBS, [row]).left[row]
    assert (found.place, set(found.rows)) == ("asyncoperation", {("asyncoperation", done), ("asyncoperation", waiting)})
    crm.connector.purge(Trace.JOBS, [row])
    assert crm.connector.traces(Trace.JOBS, [row]).left[row].rows == (("asyncoperation", waiting),)


def test_a_crm_without_posts_and_queues_has_no_timeline(crm: Crm) -> None:
    assert crm.connector.traces(Trace.TIMELINE, [gone_fiche(crm)]).reach is Reach.NOT_KEPT


def test_posts_and_connections_about_a_row_that_is_gone_are_removed(more: Crm) -> None:
    """ERA-12, line 3."""
    fiche, other = more.fiche(), more.fiche()
    row = ("cf_fiche", fiche)
    more.point("post", "postid", "regardingobjectid", row, text="bericht")
    more.point("connection", "connectionid", "record2id", row, name="c")
    more.point("connection", "connectionid", "record1id", ("cf_fiche", other), name="d")
    assert more.counts(Trace.TIMELINE, [row]) == {row: 2}
    more.connector.purge(Trace.TIMELINE, [row])
    assert more.counts(Trace.TIMELINE, [row, ("cf_fiche", other)]) == {("cf_fiche", other): 1}
    assert more.rows("posts") == []


def test_trace_logs_name_no_row_so_that_nobody_can_say_that_they_are_clean(more: Crm) -> None:
    row = ("cf_fiche", more.fiche())
    assert more.connector.traces(Trace.JOBS, [row]).reach is Reach.READ
    more.create("plugintracelogs", messageblock="Verzonnen.")
    assert more.connector.traces(Trace.JOBS, [row]).reach is Reach.NOT_REACHABLE


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
        for trace in Trace:
            crm.connector.purge(trace, [row])
            assert crm.connector.traces(trace, [row]).left == {}
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


def test_copies_are_what_the_mapping_says() -> None:
    with running() as emulator:
        for given, found in (("[]", ()), ("[lake, search_index]", ("lake", "search_index"))):
            crm = Crm(emulator, copies=given)
            assert crm.connector.copies == found
            crm.close()
