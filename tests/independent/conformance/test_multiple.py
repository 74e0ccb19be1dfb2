"""Section 6.1: CreateMultiple and its kin."""

from typing import Any

import pytest

from tests.web_api import Row, WebApi, error_of, message_of, new_id

pytestmark = pytest.mark.row(42)
NS = "Microsoft.Dynamics.CRM."


def target(table: str, **columns: Any) -> Row:
    return {"@odata.type": NS + table, **columns}


def test_create_multiple_gives_ids(crm: WebApi) -> None:
    """6.1: '200 {"@odata.context":"…#Microsoft.Dynamics.CRM.CreateMultipleResponse","Ids":["…","…"]}'."""
    mine = new_id()
    body = {"Targets": [target("cf_fiche", cf_ficheid=mine, cf_name="A"), target("cf_fiche", cf_name="B")]}
    answer = crm.post(f"cf_fiches/{NS}CreateMultiple", body)
    told = answer.json()
    assert answer.status_code == 200
    assert told["@odata.context"] == f"{crm.url}$metadata#{NS}CreateMultipleResponse"
    assert told["Ids"][0] == mine
    assert [crm.row(f"cf_fiches({row})")["cf_name"] for row in told["Ids"]] == ["A", "B"]


def test_update_multiple_is_204(crm: WebApi) -> None:
    """6.1: 'UpdateMultiple (PK in each target) 204'."""
    rows = [crm.create("cf_fiches", cf_name="U", cf_callernumber="1") for _ in range(2)]
    body = {"Targets": [target("cf_fiche", cf_ficheid=row, cf_name="-") for row in rows]}
    answer = crm.post(f"cf_fiches/{NS}UpdateMultiple", body)
    assert (answer.status_code, answer.content) == (204, b"")
    told = [crm.row(f"cf_fiches({row})") for row in rows]
    assert [(row["cf_name"], row["cf_callernumber"]) for row in told] == [("-", "1"), ("-", "1")]


def test_upsert_multiple_takes_keys_in_odata_id(crm: WebApi) -> None:
    """6.1: '"@odata.id":"cf_fiches(cf_nationalnumber='85.07.30-033.61')"'."""
    known = crm.create("contacts", lastname="Eerst (fictief)", cf_nationalnumber="M-1")
    body = {
        "Targets": [
            target("contact", **{"@odata.id": "contacts(cf_nationalnumber='M-1')", "lastname": "Daarna (fictief)"}),
            target("contact", **{"@odata.id": "contacts(cf_nationalnumber='O''Neill')", "lastname": "Nieuw (fictief)"}),
        ]
    }
    answer = crm.post(f"contacts/{NS}UpsertMultiple", body)
    assert (answer.status_code, answer.content) == (204, b"")
    rows = {row["cf_nationalnumber"]: row for row in crm.rows("contacts", filter="cf_nationalnumber ne null")}
    assert rows["M-1"]["contactid"] == known
    assert {key: row["lastname"] for key, row in rows.items()} == {"M-1": "Daarna (fictief)", "O'Neill": "Nieuw (fictief)"}


def test_upsert_multiple_refuses_key_columns_in_the_body(crm: WebApi) -> None:
    """4.4: 'Key columns in UpsertMultiple targets that lead to a create gave 400 in practice'."""
    body = {
        "Targets": [target("contact", **{"@odata.id": "contacts(cf_nationalnumber='M-2')", "cf_nationalnumber": "M-2", "lastname": "x"})]
    }
    assert error_of(crm.post(f"contacts/{NS}UpsertMultiple", body)) == (400, "0x80048d19")
    assert crm.rows("contacts", filter="cf_nationalnumber eq 'M-2'") == []
    crm.create("contacts", cf_nationalnumber="M-2")
    assert crm.post(f"contacts/{NS}UpsertMultiple", body).status_code == 204


@pytest.mark.parametrize("name", ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"])
def test_a_target_without_the_type_of_the_set_is_400(crm: WebApi, name: str) -> None:
    """6.1: '@odata.type is mandatory in every target'."""
    row = {"cf_ficheid": new_id(), "cf_name": "x"}
    for targets in ([row], [target("cf_fiche", **row), row], [target("contact", **row)], [{"@odata.type": 1, **row}]):
        assert error_of(crm.post(f"cf_fiches/{NS}{name}", {"Targets": targets})) == (400, "0x80048d19")
    assert not crm.exists(f"cf_fiches({row['cf_ficheid']})")


def test_one_failure_rolls_all_back(crm: WebApi) -> None:
    """6.1: 'Standard tables: one transaction; any failure rolls back all'."""
    one, row = new_id(), crm.create("cf_fiches", cf_name="oud")
    before = crm.get(f"cf_fiches({row})").headers["ETag"]
    body = {"Targets": [target("cf_fiche", cf_ficheid=one, cf_name="x"), target("cf_fiche", cf_name="y" * 101)]}
    assert error_of(crm.post(f"cf_fiches/{NS}CreateMultiple", body)) == (400, "0x80044331")
    assert not crm.exists(f"cf_fiches({one})")
    body = {"Targets": [target("cf_fiche", cf_ficheid=row, cf_name="nieuw"), target("cf_fiche", cf_ficheid=new_id(), cf_name="x")]}
    assert error_of(crm.post(f"cf_fiches/{NS}UpdateMultiple", body)) == (404, "0x80040217")
    after = crm.get(f"cf_fiches({row})")
    assert (after.json()["cf_name"], after.headers["ETag"]) == ("oud", before)


def test_delete_multiple_of_a_standard_table_is_not_implemented(crm: WebApi) -> None:
    """6.1: 'DeleteMultiple on a standard table fails: DeleteMultiple has not yet been implemented.'"""
    row = crm.create("cf_fiches", cf_name="D")
    answer = crm.post(f"cf_fiches/{NS}DeleteMultiple", {"Targets": [target("cf_fiche", cf_ficheid=row)]})
    assert answer.status_code == 400
    assert message_of(answer) == "DeleteMultiple has not yet been implemented."
    assert crm.exists(f"cf_fiches({row})")


def test_message_filters_tell_what_is_supported(crm: WebApi) -> None:
    """6.1: 'sdkmessagefilters?$filter=sdkmessageid/name eq 'CreateMultiple' and primaryobjecttypecode eq
    'cf_fiche''."""
    ask = "sdkmessageid/name eq '{}' and primaryobjecttypecode eq 'cf_fiche'"
    assert len(crm.rows("sdkmessagefilters", select="sdkmessagefilterid", filter=ask.format("CreateMultiple"))) == 1
    assert crm.rows("sdkmessagefilters", select="sdkmessagefilterid", filter=ask.format("DeleteMultiple")) == []
