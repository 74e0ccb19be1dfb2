"""Stored views, run by their id (row 45)."""

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import error_of, new_id

pytestmark = pytest.mark.row(45)

FETCH = "<fetch><entity name='cf_dossier'><attribute name='cf_name' /><order attribute='cf_name' descending='true' /></entity></fetch>"


def test_every_table_of_the_organisation_has_a_view_of_its_active_rows(crm: Client) -> None:
    query = "savedqueries?$select=name,savedqueryid,fetchxml&$filter=returnedtypecode eq 'cf_dossier'"
    (view,) = crm.rows(query)
    active, inactive = crm.dossier(cf_name="active"), crm.dossier(cf_name="inactive")
    crm.send("PATCH", f"cf_dossiers({inactive})", {"statecode": 1})
    assert view["name"] == "Actieve cf_dossiers"
    rows = crm.rows(f"cf_dossiers?savedQuery={view['savedqueryid']}")
    assert [row["cf_dossierid"] for row in rows] == [active]
    assert rows[0].keys() == {"@odata.etag", "cf_name", "createdon", "cf_dossierid"}


def test_pages_of_a_view_follow_each_other(crm: Client) -> None:
    for name in "ABCDE":
        crm.dossier(cf_name=name)
    view = crm.create("userqueries", name="mine", returnedtypecode="cf_dossier", fetchxml=FETCH, querytype=0)
    seen: list[list[str]] = []
    link = f"cf_dossiers?userQuery={view}"
    while link:
        document = crm.row(link, {"Prefer": "odata.maxpagesize=2"})
        seen.append([row["cf_name"] for row in document["value"]])
        link = document.get("@odata.nextLink", "")
    assert seen == [["E", "D"], ["C", "B"], ["A"]]


def test_a_view_that_does_not_exist_is_not_found(crm: Client) -> None:
    assert error_of(crm.get(f"cf_dossiers?savedQuery={new_id()}")) == (404, "0x80040217")
    assert crm.get("cf_dossiers?savedQuery=x").status_code == 400


def test_a_view_of_another_table_is_refused(crm: Client) -> None:
    (view,) = crm.rows("savedqueries?$filter=returnedtypecode eq 'cf_dossier'")
    assert error_of(crm.get(f"cf_fiches?savedQuery={view['savedqueryid']}")) == (400, "0x80041128")


def test_stored_and_given_queries_work_on_a_collection_of_one_row(crm: Client) -> None:
    first, second = crm.create("cf_dossiers", cf_name="een"), crm.create("cf_dossiers", cf_name="twee")
    fiche = crm.create("cf_fiches", cf_name="F1", **{"cf_DossierId@odata.bind": f"cf_dossiers({first})"})
    crm.create("cf_fiches", cf_name="F2", **{"cf_DossierId@odata.bind": f"cf_dossiers({second})"})
    fetch = '<fetch><entity name="cf_fiche"><attribute name="cf_name"/></entity></fetch>'
    assert [row["cf_ficheid"] for row in crm.rows(f"cf_dossiers({first})/cf_dossier_fiches?fetchXml={fetch}")] == [fiche]
    assert crm.rows(f"cf_dossiers({first})/cf_dossier_fiches?$apply=aggregate($count as n)") == [{"n": 1}]
    answer = crm.get(f"cf_dossiers({first})/cf_dossier_fiches", {"Prefer": "odata.track-changes"})
    assert (answer.status_code, "entity set only" in answer.text) == (400, True)
