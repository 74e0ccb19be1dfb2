"""Creating, changing and deleting rows: statuses, binds, versions, validation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.emulator.client import ANNOTATED, Client, error_of, new_id

REPRESENTATION = {"Prefer": "return=representation"}


@pytest.mark.row(8)
def test_a_created_row_is_named_by_a_header(crm: Client) -> None:
    answer = crm.send("POST", "cf_dossiers", {"cf_name": "D-1"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["OData-EntityId"].startswith(f"{crm.url}cf_dossiers(")
    assert crm.get(answer.headers["OData-EntityId"]).status_code == 200


@pytest.mark.row(8)
def test_a_representation_comes_instead_of_the_header(crm: Client) -> None:
    answer = crm.send("POST", "cf_dossiers?$select=cf_name", {"cf_name": "D-1"}, REPRESENTATION)
    assert answer.status_code == 201
    assert "OData-EntityId" not in answer.headers
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert set(answer.json()) == {"@odata.context", "@odata.etag", "cf_name", "cf_dossierid"}


@pytest.mark.row(8)
def test_the_caller_may_choose_the_id_once(crm: Client) -> None:
    row = new_id()
    assert crm.dossier(cf_dossierid=row) == row
    assert error_of(crm.send("POST", "cf_dossiers", {"cf_dossierid": row.upper(), "cf_name": "D-2"})) == (412, "0x80040237")


def test_a_row_keeps_the_instant_it_was_given(crm: Client) -> None:
    dossier = crm.dossier(overriddencreatedon="2009-08-07T06:05:04Z", createdon="1999-01-01T00:00:00Z")
    row = crm.row(f"cf_dossiers({dossier})")
    assert row["createdon"] == row["overriddencreatedon"] == "2009-08-07T06:05:04Z"
    assert row["modifiedon"] > "2020"
    crm.send("PATCH", f"cf_dossiers({dossier})", {"overriddencreatedon": "2010-01-01T00:00:00Z"})
    assert crm.row(f"cf_dossiers({dossier})")["createdon"] == "2009-08-07T06:05:04Z"


@pytest.mark.row(9)
@pytest.mark.parametrize(
    "address",
    [
        "/contacts({id})",
        "contacts({id})",
        "{url}contacts({id})",
        "/api/data/v9.2/contacts({id})",
        "contacts(cf_nationalnumber='85''07')",
        "/contacts(contactid={id})",
    ],
)
def test_a_lookup_is_bound_by_any_form_of_address(crm: Client, address: str) -> None:
    contact = crm.contact(cf_nationalnumber="85'07")
    bound = address.format(id=contact, url=crm.url)
    party = crm.create("cf_parties", **{"cf_ContactId@odata.bind": bound})
    assert crm.row(f"cf_parties({party})")["_cf_contactid_value"] == contact


@pytest.mark.row(9)
@pytest.mark.parametrize("body", [{"cf_ContactId@odata.bind": None}, {"cf_ContactId": None}])
def test_null_clears_a_lookup(crm: Client, body: dict[str, Any]) -> None:
    party = crm.create("cf_parties", **{"cf_ContactId@odata.bind": f"/contacts({crm.contact()})"})
    assert crm.send("PATCH", f"cf_parties({party})", body, {"If-Match": "*"}).status_code == 204
    assert crm.row(f"cf_parties({party})")["_cf_contactid_value"] is None


@pytest.mark.row(9)
@pytest.mark.parametrize(
    ("name", "address", "status", "code"),
    [
        ("cf_contactid@odata.bind", "/contacts({id})", 400, "0x80048d19"),
        ("cf_ContactId@odata.bind", "/people({id})", 400, "0x80060888"),
        ("cf_ContactId@odata.bind", "/contacts", 400, "0x80060888"),
        ("cf_ContactId@odata.bind", "/cf_dossiers({id})", 400, "0x80060888"),
        ("cf_ContactId@odata.bind", "/contacts({missing})", 404, "0x80040217"),
        ("cf_ContactId@odata.bind", "/contacts(firstname='x')", 400, "0x80060888"),
        ("_cf_contactid_value", "{id}", 400, "0x80048d19"),
        ("cf_ContactId", "/contacts({id})", 400, "0x80048d19"),
        ("cf_nothing", "x", 400, "0x80048d19"),
    ],
)
def test_a_bind_that_leads_nowhere_is_refused(crm: Client, name: str, address: str, status: int, code: str) -> None:
    body = {name: address.format(id=crm.contact(), missing=new_id())}
    assert error_of(crm.send("POST", "cf_parties", body)) == (status, code)
    assert crm.rows("cf_parties") == []


def test_an_unrecognised_path_is_told_in_the_services_words(crm: Client) -> None:
    answer = crm.send("POST", "cf_parties", {"cf_ContactId@odata.bind": "/people(1)"})
    expected = "URL was not parsed due to an ODataUnrecognizedPathException. Resource not found for the segment provided in the URL."
    assert answer.json()["error"]["message"] == expected


def test_setting_one_target_of_a_polymorphic_lookup_clears_the_other(crm: Client) -> None:
    account, contact = crm.create("accounts", name="Voorbeeld NV"), crm.contact()
    person = crm.contact(**{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    crm.send("PATCH", f"contacts({person})", {"parentcustomerid_contact@odata.bind": f"/contacts({contact})"})
    row = crm.row(f"contacts({person})", ANNOTATED)
    assert row["_parentcustomerid_value"] == contact
    assert row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert row["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "parentcustomerid_contact"


def test_a_team_may_own_a_row(crm: Client) -> None:
    team = crm.rows("teams")[0]["teamid"]
    dossier = crm.dossier(**{"ownerid@odata.bind": f"/teams({team})"})
    row = crm.row(f"cf_dossiers({dossier})", ANNOTATED)
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "team"
    assert (row["_owningteam_value"], row["_owninguser_value"]) == (team, None)


def test_rows_nested_in_a_body_are_created_together(crm: Client) -> None:
    body = {"cf_name": "D-1", "cf_dossier_fiches": [{"cf_name": "F-1"}, {"cf_name": "F-2", "cf_fiche_parties": [{"cf_role": 100000000}]}]}
    dossier = crm.create("cf_dossiers", **body)
    fiches = crm.rows(f"cf_fiches?$filter=_cf_dossierid_value eq {dossier}&$orderby=cf_name&$expand=cf_fiche_parties")
    assert [len(fiche["cf_fiche_parties"]) for fiche in fiches] == [0, 1]
    party = crm.create("cf_parties", cf_ContactId={"lastname": "Maes (fictief)"})
    assert crm.row(f"cf_parties({party})?$expand=cf_ContactId")["cf_ContactId"]["fullname"] == "Maes (fictief)"


def test_a_nested_row_that_fails_undoes_all(crm: Client) -> None:
    body = {"cf_name": "D-1", "cf_dossier_fiches": [{"cf_name": "F-1"}, {"cf_name": "F-2", "cf_channel": 7}]}
    assert crm.send("POST", "cf_dossiers", body).status_code == 400
    assert crm.rows("cf_dossiers") == crm.rows("cf_fiches") == []


@pytest.mark.row(10)
@pytest.mark.parametrize(
    ("exists", "header", "status", "code"),
    [
        (True, {}, 204, ""),
        (True, {"If-Match": "*"}, 204, ""),
        (True, {"If-None-Match": "*"}, 412, "0x80040237"),
        (True, {"If-Match": 'W/"1"'}, 412, "0x80060882"),
        (False, {}, 204, ""),
        (False, {"If-None-Match": "*"}, 204, ""),
        (False, {"If-Match": "*"}, 404, "0x80040217"),
        (False, {"If-Match": 'W/"1"'}, 404, "0x80040217"),
        (False, {"If-None-Match": "null"}, 204, ""),
    ],
)
def test_patch_updates_or_creates_as_its_headers_say(crm: Client, exists: bool, header: dict[str, str], status: int, code: str) -> None:
    """Table 4.3."""
    row = new_id()
    if exists:
        crm.dossier(cf_dossierid=row)
    answer = crm.send("PATCH", f"cf_dossiers({row})", {"cf_name": "D-9"}, header)
    assert answer.status_code == status
    if status == 204:
        assert answer.headers["OData-EntityId"] == f"{crm.url}cf_dossiers({row})"
        assert crm.row(f"cf_dossiers({row})")["cf_name"] == "D-9"
    else:
        assert error_of(answer) == (status, code)
        assert crm.exists("cf_dossiers", row) == exists


@pytest.mark.parametrize(("exists", "status"), [(True, 200), (False, 201)])
def test_a_representation_tells_an_update_from_a_creation(crm: Client, exists: bool, status: int) -> None:
    row = crm.dossier() if exists else new_id()
    answer = crm.send("PATCH", f"cf_dossiers({row})", {"cf_name": "D-9"}, REPRESENTATION)
    assert (answer.status_code, answer.json()["cf_name"]) == (status, "D-9")


@pytest.mark.row(11)
def test_each_write_gives_a_new_version_and_an_old_one_is_refused(crm: Client) -> None:
    dossier = crm.dossier()
    old = crm.etag("cf_dossiers", dossier)
    assert crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_name": "D-2"}, {"If-Match": old}).status_code == 204
    assert crm.etag("cf_dossiers", dossier) != old
    assert error_of(crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_name": "D-3"}, {"If-Match": old})) == (412, "0x80060882")
    assert error_of(crm.send("DELETE", f"cf_dossiers({dossier})", headers={"If-Match": old})) == (412, "0x80060882")
    assert crm.row(f"cf_dossiers({dossier})")["cf_name"] == "D-2"


@pytest.mark.row(12)
def test_a_row_is_deleted_once(crm: Client) -> None:
    dossier = crm.dossier()
    first = crm.send("DELETE", f"cf_dossiers({dossier})", headers={"If-Match": crm.etag("cf_dossiers", dossier)})
    assert (first.status_code, first.content) == (204, b"")
    assert error_of(crm.send("DELETE", f"cf_dossiers({dossier})")) == (404, "0x80040217")
    assert error_of(crm.send("DELETE", f"cf_dossiers({dossier})", headers={"If-Match": "*"})) == (404, "0x80040217")


@pytest.mark.row(12)
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT"])
def test_a_set_cannot_be_deleted_or_changed(crm: Client, method: str) -> None:
    assert crm.send(method, "cf_dossiers", {"cf_name": "x"}).status_code == 405


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("cf_name", "x" * 101, "0x80044331"),
        ("cf_name", 5, "0x80048d19"),
        ("cf_outcome", 99, "0x8004431a"),
        ("cf_outcome", "100000001", "0x80048d19"),
        ("cf_categories", "100000021,7", "0x8004431a"),
        ("cf_categories", 100000021, "0x80048d19"),
        ("cf_categories", "x", "0x80040203"),
        ("cf_legalhold", "true", "0x80048d19"),
        ("cf_legalhold", 1, "0x80048d19"),
        ("cf_openedon", "2026-01-01T00:00:00", "0x80048d19"),
        ("cf_openedon", "yesterday", "0x80048d19"),
        ("cf_openedon", "1700-01-01T00:00:00Z", "0x80040239"),
        ("cf_outcomeon", "2026-02-30", "0x80048d19"),
        ("cf_outcomeon", "2026-02-03T00:00:00Z", "0x80048d19"),
        ("cf_dossierid", "7", "0x80048d19"),
        ("cf_courtreference", "a\x00b", "0x80040203"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_refused(crm: Client, column: str, value: object, code: str) -> None:
    assert error_of(crm.send("POST", "cf_dossiers", {"cf_name": "D-1", column: value})) == (400, code)


def test_a_text_too_long_is_refused_in_the_services_words(crm: Client) -> None:
    expected = "A validation error occurred.  The length of the 'cf_name' attribute of the 'cf_dossier' entity exceeded the maximum "
    expected += "allowed length of '100'."
    assert crm.send("POST", "cf_dossiers", {"cf_name": "x" * 101}).json()["error"]["message"] == expected


def test_the_primary_name_is_required_where_the_environment_says_so(crm: Client) -> None:
    assert error_of(crm.send("POST", "cf_dossiers", {})) == (400, "0x80040203")
    assert crm.send("POST", "contacts", {}).status_code == 204


@pytest.mark.row(38)
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"cf_courtreference": ""}, {"cf_courtreference": None}),
        ({"cf_categories": "100000030, 100000021"}, {"cf_categories": "100000021,100000030"}),
        ({"cf_openedon": "2026-03-14T10:30:00+02:00"}, {"cf_openedon": "2026-03-14T08:30:00Z"}),
        ({"cf_openedon": "2026-03-14T08:30:00.789Z"}, {"cf_openedon": "2026-03-14T08:30:00Z"}),
        ({"cf_outcomeon": "2014-07-30"}, {"cf_outcomeon": "2014-07-30"}),
        ({}, {"cf_legalhold": False, "cf_outcome": None}),
    ],
)
def test_values_are_stored_in_the_services_form(crm: Client, sent: dict[str, Any], stored: dict[str, Any]) -> None:
    row = crm.row(f"cf_dossiers({crm.dossier(**sent)})")
    assert {name: row[name] for name in stored} == stored


def test_a_full_name_follows_its_parts(crm: Client) -> None:
    contact = crm.contact(firstname="Lotte", lastname="Peeters (fictief)", fullname="Iemand Anders")
    assert crm.row(f"contacts({contact})")["fullname"] == "Lotte Peeters (fictief)"
    crm.send("PATCH", f"contacts({contact})", {"firstname": None})
    assert crm.row(f"contacts({contact})")["fullname"] == "Peeters (fictief)"
    crm.send("PATCH", f"contacts({contact})", {"lastname": None})
    assert crm.row(f"contacts({contact})")["fullname"] is None


@pytest.mark.parametrize(
    ("body", "state", "status"),
    [({"statecode": 1}, 1, 2), ({"statecode": 1, "statuscode": 2}, 1, 2), ({"statuscode": 1}, 0, 1), ({"statecode": 0}, 0, 1)],
)
def test_a_state_brings_its_default_status(crm: Client, body: dict[str, int], state: int, status: int) -> None:
    dossier = crm.dossier()
    assert crm.send("PATCH", f"cf_dossiers({dossier})", body).status_code == 204
    row = crm.row(f"cf_dossiers({dossier})")
    assert (row["statecode"], row["statuscode"]) == (state, status)


@pytest.mark.parametrize("body", [{"statecode": 1, "statuscode": 1}, {"statuscode": 2}, {"statecode": 7}, {"statuscode": None}])
def test_a_state_and_status_that_do_not_fit_are_refused(crm: Client, body: dict[str, object]) -> None:
    dossier = crm.dossier()
    assert error_of(crm.send("PATCH", f"cf_dossiers({dossier})", body)) == (400, "0x80048408")


def test_a_row_is_born_active(crm: Client) -> None:
    assert crm.send("POST", "cf_dossiers", {"cf_name": "D", "statecode": 1}).status_code == 400
    assert crm.send("POST", "cf_dossiers", {"cf_name": "D", "statuscode": 2}).status_code == 400
    assert crm.send("POST", "cf_dossiers", {"cf_name": "D", "statecode": 0, "statuscode": 1}).status_code == 204


def test_a_call_is_completed_with_a_status_of_its_own(crm: Client) -> None:
    call = crm.create("phonecalls", subject="gesprek")
    assert crm.row(f"phonecalls({call})")["directioncode"] is True
    assert crm.send("PATCH", f"phonecalls({call})", {"statecode": 1, "statuscode": 4}).status_code == 204
    assert crm.send("PATCH", f"phonecalls({call})", {"statecode": 2}).status_code == 204
    assert crm.row(f"phonecalls({call})")["statuscode"] == 3


@pytest.mark.parametrize("body", ["", "[]", "{", '"x"', "null"])
def test_a_body_that_is_no_json_object_is_refused(crm: Client, body: str) -> None:
    answer = crm.http.post(crm.url + "cf_dossiers", data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert error_of(answer) == (400, "0x80048d19")


def test_a_body_must_be_announced_as_json(crm: Client) -> None:
    answer = crm.http.post(crm.url + "cf_dossiers", data='{"cf_name":"D"}', headers={"Content-Type": "text/plain"}, timeout=10)
    assert answer.status_code == 415


def test_the_key_of_a_row_cannot_be_changed(crm: Client) -> None:
    dossier = crm.dossier()
    assert crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_dossierid": new_id()}).status_code == 400
    assert crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_dossierid": dossier, "cf_name": "D-2"}).status_code == 204


@pytest.mark.row(35)
def test_one_property_is_written_and_cleared_by_its_address(crm: Client) -> None:
    dossier = crm.dossier()
    assert crm.send("PUT", f"cf_dossiers({dossier})/cf_courtreference", {"value": "REF"}).status_code == 204
    assert crm.row(f"cf_dossiers({dossier})")["cf_courtreference"] == "REF"
    assert crm.send("DELETE", f"cf_dossiers({dossier})/cf_courtreference").status_code == 204
    assert crm.row(f"cf_dossiers({dossier})")["cf_courtreference"] is None
    assert crm.send("PUT", f"cf_dossiers({dossier})/cf_outcome", {"value": 7}).status_code == 400
    assert crm.send("PUT", f"cf_dossiers({dossier})/createdon", {"value": "2020-01-01T00:00:00Z"}).status_code == 400


@pytest.mark.row(35)
def test_deleting_a_navigation_property_does_not_clear_it(crm: Client) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    assert crm.send("DELETE", f"cf_fiches({fiche})/cf_DossierId").status_code >= 400
    assert crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"] == dossier
    assert crm.exists("cf_dossiers", dossier)


@pytest.mark.row(36)
def test_references_are_added_set_and_removed(crm: Client) -> None:
    """Section 4.6."""
    dossier, fiche = crm.dossier(), crm.fiche()

    def linked() -> object:
        return crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"]

    to_dossier, to_fiche = {"@odata.id": f"{crm.url}cf_dossiers({dossier})"}, {"@odata.id": f"cf_fiches({fiche})"}
    for method, path, body, expected in [
        ("PUT", f"cf_fiches({fiche})/cf_DossierId/$ref", to_dossier, dossier),
        ("DELETE", f"cf_fiches({fiche})/cf_DossierId/$ref", None, None),
        ("POST", f"cf_dossiers({dossier})/cf_dossier_fiches/$ref", to_fiche, dossier),
        ("DELETE", f"cf_dossiers({dossier})/cf_dossier_fiches({fiche})/$ref", None, None),
        ("POST", f"cf_dossiers({dossier})/cf_dossier_fiches/$ref", to_fiche, dossier),
        ("DELETE", f"cf_dossiers({dossier})/cf_dossier_fiches/$ref?$id={crm.url}cf_fiches({fiche})", None, None),
    ]:
        assert crm.send(method, path, body).status_code == 204, path
        assert linked() == expected, path


def test_stats_count_requests_and_operations(crm: Client) -> None:
    dossier = crm.dossier()
    crm.row(f"cf_dossiers({dossier})")
    crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_name": "D-2"})
    crm.send("DELETE", f"cf_dossiers({dossier})")
    stats = crm.control("GET", "stats")
    assert stats == {"requests": 4, "operations": {"read": 1, "create": 1, "update": 1, "delete": 1}, "batches": 0, "throttled": 0}
    assert crm.emulator.stats() == stats


@pytest.mark.row(12)
@pytest.mark.parametrize("status", [404, 400])
def test_the_status_of_a_delete_on_a_set_can_be_another(crm: Client, status: int) -> None:
    crm.dossier()
    crm.switch(delete_on_set_status=status)
    assert [crm.send(method, "cf_dossiers", {"cf_name": "x"}).status_code for method in ("DELETE", "PATCH", "PUT")] == [status, status, 405]
    assert len(crm.rows("cf_dossiers")) == 1
