"""CreateMultiple, UpdateMultiple and UpsertMultiple: many rows in one message, all or nothing."""

import json
from typing import Any

import pytest
import requests

from tests.connectors.emulator.client import Client
from tests.web_api import change_set, error_of, new_id, request_part

pytestmark = pytest.mark.row(42)
FICHE = {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche"}
CONTACT = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}


def send(crm: Client, message: str, *targets: Any, table_set: str = "cf_fiches") -> requests.Response:
    return crm.send("POST", f"{table_set}/Microsoft.Dynamics.CRM.{message}", {"Targets": list(targets)})


def names(crm: Client) -> list[str]:
    return sorted(row["cf_name"] for row in crm.rows("cf_fiches?$select=cf_name"))


def test_a_target_may_bind_lookups_and_hold_rows_of_its_own(crm: Client) -> None:
    dossier = crm.dossier()
    bound = {**FICHE, "cf_name": "A", "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})", "cf_fiche_parties": [{"cf_name": "P"}]}
    fiche = send(crm, "CreateMultiple", bound).json()["Ids"][0]
    assert crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"] == dossier
    assert [row["_cf_ficheid_value"] for row in crm.rows("cf_parties")] == [fiche]


def test_an_update_without_its_key_is_refused(crm: Client) -> None:
    assert error_of(send(crm, "UpdateMultiple", {**FICHE, "cf_name": "-"})) == (400, "0x80048d19")
    assert error_of(send(crm, "UpdateMultiple", {**FICHE, "cf_ficheid": "x", "cf_name": "-"})) == (400, "0x80048d19")


@pytest.mark.parametrize("message", ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"])
def test_targets_are_a_list_with_something_in_it(crm: Client, message: str) -> None:
    assert error_of(send(crm, message)) == (400, "0x80040203")
    address = f"cf_fiches/Microsoft.Dynamics.CRM.{message}"
    assert crm.send("POST", address, {}).status_code == 400
    assert crm.send("POST", address, {"Targets": {}}).status_code == 400
    assert crm.send("POST", address, {"Targets": ["x"]}).status_code == 400
    assert crm.send("GET", address).status_code == 404


def test_an_upsert_by_primary_key_creates_under_that_id(crm: Client) -> None:
    by_column, by_address = new_id(), new_id()
    targets = [
        {**FICHE, "cf_ficheid": by_column, "cf_name": "A"},
        {**FICHE, "@odata.id": f"/api/data/v9.2/cf_fiches({by_address})", "cf_name": "B"},
    ]
    assert send(crm, "UpsertMultiple", *targets).status_code == 204
    assert [crm.exists("cf_fiches", row) for row in (by_column, by_address)] == [True, True]
    assert error_of(send(crm, "UpsertMultiple", {**FICHE, "cf_name": "C"})) == (400, "0x80048d19")
    assert send(crm, "UpsertMultiple", {**FICHE, "@odata.id": f"contacts({by_column})", "cf_name": "C"}).status_code == 400
    for wrong in ("cf_fiches", "cf_fiches(%FF)", "", 3):
        assert send(crm, "UpsertMultiple", {**FICHE, "@odata.id": wrong, "cf_name": "C"}).status_code == 400


def supported(crm: Client, message: str, table: str) -> int:
    path = "sdkmessagefilters?$select=sdkmessagefilterid&$filter="
    return len(crm.rows(f"{path}sdkmessageid/name eq '{message}' and primaryobjecttypecode eq '{table}'"))


def test_message_filters_tell_which_tables_are_supported(crm: Client) -> None:
    for message in ("CreateMultiple", "UpdateMultiple", "UpsertMultiple"):
        assert (supported(crm, message, "cf_fiche"), supported(crm, message, "systemuser")) == (1, 0)
    assert supported(crm, "DeleteMultiple", "cf_fiche") == 0
    assert {row["name"] for row in crm.rows("sdkmessages?$select=name")} == {"CreateMultiple", "UpdateMultiple", "UpsertMultiple"}
    user = {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "lastname": "Claes (fictief)"}
    assert error_of(send(crm, "CreateMultiple", user, table_set="systemusers")) == (405, "0x80040800")


def test_without_bulk_messages_neither_they_nor_their_filters_exist(crm: Client) -> None:
    assert supported(crm, "CreateMultiple", "cf_fiche") == 1
    crm.control("PUT", "switches", {"bulk_messages": False})
    for message in ("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple"):
        assert send(crm, message, {**FICHE, "cf_name": "A"}).status_code == 404
    assert crm.rows("sdkmessagefilters") == []
    crm.control("PUT", "switches", {"bulk_messages": True})
    assert supported(crm, "CreateMultiple", "cf_fiche") == 1


def test_message_filters_are_not_written(crm: Client) -> None:
    row = crm.rows("sdkmessagefilters?$top=1")[0]["sdkmessagefilterid"]
    assert error_of(crm.send("DELETE", f"sdkmessagefilters({row})")) == (405, "0x80040800")
    assert error_of(crm.send("POST", "sdkmessages", {"name": "x"})) == (405, "0x80040800")


def test_each_row_counts_as_one_write(crm: Client) -> None:
    crm.contact(cf_nationalnumber="1")
    before = crm.control("GET", "stats")["operations"]
    ids = send(crm, "CreateMultiple", {**FICHE, "cf_name": "A"}, {**FICHE, "cf_name": "B"}).json()["Ids"]
    send(crm, "UpdateMultiple", *({**FICHE, "cf_ficheid": row, "cf_name": "-"} for row in ids))
    keyed = [{**CONTACT, "@odata.id": f"contacts(cf_nationalnumber='{n}')", "lastname": "Claes (fictief)"} for n in (1, 2, 3)]
    send(crm, "UpsertMultiple", *keyed, table_set="contacts")
    after = crm.control("GET", "stats")["operations"]
    assert {kind: after[kind] - before[kind] for kind in ("create", "update", "delete")} == {"create": 4, "update": 3, "delete": 0}


def test_a_bulk_message_in_a_change_set_is_undone_with_it(crm: Client) -> None:
    body = json.dumps({"Targets": [{**FICHE, "cf_name": "A"}]})
    answer = crm.batch(
        change_set(
            request_part("POST", "/api/data/v9.2/cf_fiches/Microsoft.Dynamics.CRM.CreateMultiple", body, content_id="1"),
            request_part("DELETE", f"/api/data/v9.2/cf_fiches({new_id()})", content_id="2"),
        )
    )
    assert answer.status_code == 400
    assert names(crm) == []
