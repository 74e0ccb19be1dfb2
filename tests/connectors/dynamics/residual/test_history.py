"""The audit history of rows, found and purged by the real client: by a job, or row by row where none may be
started (ERA-12)."""

import uuid

import pytest

from connectors.dynamics.residual.purge_job import IDS_OF_A_QUERY, queries_for
from connectors.interface.errors import ConnectorError
from connectors.interface.remains import Reach, ResidualKind
from tests.connectors.dynamics.residual.residual_crm import Crm, gone_fiche

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


def test_the_history_of_a_row_that_is_gone_is_counted_and_purged_with_the_entry_of_its_deletion(crm: Crm) -> None:
    """ERA-12, line 7: a job deletes all three entries, and nothing of the job stays."""
    row, other = gone_fiche(crm), ("cf_fiche", crm.fiche())
    found = crm.connector.residual_data(ResidualKind.HISTORY, [row, other])
    assert (found.reach, {key: (left.place, left.count) for key, left in found.left.items()}) == (
        Reach.READ,
        {row: ("audit", 3), other: ("audit", 1)},
    )
    assert found.kept_of == {"cf_fiche"}
    assert crm.connector.purge(ResidualKind.HISTORY, [row]) == frozenset()
    assert crm.counts(ResidualKind.HISTORY, [row, other]) == {other: 1}
    assert crm.rows(f"audits?$filter=_objectid_value eq {row[1]}") == []
    assert crm.job_rows == 0
    assert crm.connector.warnings == []


def test_the_log_of_an_earlier_purge_is_no_trace_and_goes_with_the_next_job(crm: Crm) -> None:
    """It holds an id and no value; by a job it goes all the same (reference, section 11.3)."""
    fiche = crm.fiche()
    target = {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}
    assert crm.send("POST", "DeleteRecordChangeHistory", {"Target": target}).status_code == 200
    assert crm.counts(ResidualKind.HISTORY, [("cf_fiche", fiche)]) == {}
    crm.remove("cf_fiches", fiche)
    crm.connector.purge(ResidualKind.HISTORY, [("cf_fiche", fiche)])
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
    assert sum(crm.counts(ResidualKind.HISTORY, rows).values()) == 1_200
    crm.connector.purge(ResidualKind.HISTORY, rows)
    assert crm.counts(ResidualKind.HISTORY, rows) == {}
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
    found = crm.connector.residual_data(ResidualKind.HISTORY, [row])
    assert (found.reach, found.left, found.kept_of) == (Reach.READ, {}, frozenset())


def test_old_history_is_found_also_after_auditing_was_switched_off(crm: Crm) -> None:
    row = gone_fiche(crm)
    organisation = crm.rows("organizations?$select=organizationid")[0]["organizationid"]
    crm.send("PATCH", f"organizations({organisation})", {"isauditenabled": False})
    found = crm.connector.residual_data(ResidualKind.HISTORY, [row])
    assert (crm.counts(ResidualKind.HISTORY, [row]), found.kept_of) == ({row: 3}, frozenset())


def test_who_may_not_read_audit_rows_is_told_so(crm: Crm) -> None:
    row = gone_fiche(crm)
    crm.may("prvReadAuditSummary")
    found = crm.connector.residual_data(ResidualKind.HISTORY, [row])
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
    assert crm.connector.purge(ResidualKind.HISTORY, [row], alive=[row]) == frozenset()
    assert crm.counts(ResidualKind.HISTORY, [row]) == {}
    crm.remove("cf_fiches", fiche)
    assert crm.counts(ResidualKind.HISTORY, [row]) == {row: 1}
    assert crm.connector.purge(ResidualKind.HISTORY, [row]) == {row}
    assert any("what a deletion itself writes" in warning and lacking in warning for warning in crm.connector.warnings)


def test_where_the_history_of_a_row_that_is_gone_may_be_removed_nothing_stays(crm: Crm) -> None:
    crm.switch(history_of_deleted="delete")
    row = gone_fiche(crm)
    crm.may("prvBulkDelete")
    assert crm.connector.purge(ResidualKind.HISTORY, [row]) == frozenset()
    assert crm.counts(ResidualKind.HISTORY, [row]) == {}


def test_who_may_purge_in_no_way_is_told_once(crm: Crm) -> None:
    rows = [gone_fiche(crm), ("cf_fiche", crm.fiche())]
    crm.may("prvBulkDelete", "prvDeleteRecordChangeHistory")
    assert crm.connector.purge(ResidualKind.HISTORY, rows, alive=rows[1:]) == set(rows)
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
        crm.connector.residual_data(ResidualKind.HISTORY, [row])


@pytest.mark.parametrize("status", [500, 400])
def test_a_job_that_the_crm_does_not_take_leaves_the_history_to_be_found(crm: Crm, status: int) -> None:
    row = gone_fiche(crm)
    crm.control("PUT", "faults", [{"match": {"path": "BulkDelete"}, "do": "status", "status": status}])
    assert crm.connector.purge(ResidualKind.HISTORY, [row]) == frozenset()
    assert crm.counts(ResidualKind.HISTORY, [row]) == {row: 3}
    assert "the audit history could not be cleaned" in crm.connector.warnings[0]


def test_history_in_many_pages_is_counted_to_its_end(crm: Crm) -> None:
    """Pages hold 5,000 rows at most; a link of the CRM is followed."""
    rows = [gone_fiche(crm) for _ in range(3)]
    found = list(crm.connector._places._directory._pages("audits?$select=auditid,_objectid_value", "audits"))
    assert len(found) == 9
    assert sum(crm.counts(ResidualKind.HISTORY, rows).values()) == 9
