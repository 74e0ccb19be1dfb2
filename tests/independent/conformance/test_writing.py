"""Section 4: create, update, upsert, delete, single properties."""

import re
from typing import Any

import pytest

from tests.web_api import ANNOTATED, REPRESENTATION, WebApi, error_of, message_of, new_id

pytestmark = pytest.mark.row(8, 9, 10, 11, 12, 35, 36, 37, 47)


def person(crm: WebApi, **columns: Any) -> str:
    return crm.create("contacts", firstname="Voorbeeld", lastname="Persoon (fictief)", **columns)


def test_a_create_is_204_with_an_absolute_address(crm: WebApi) -> None:
    """4.1: 'POST cf_fiches 204 OData-EntityId: https://…/cf_fiches(guid)'; row 8: 'absolute, empty body'."""
    row = new_id()
    answer = crm.post("cf_fiches", {"cf_ficheid": row, "cf_name": "F"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["OData-EntityId"] == f"{crm.url}cf_fiches({row})"
    assert answer.headers["OData-Version"] == "4.0"


def test_the_server_makes_an_id_where_none_is_given(crm: WebApi) -> None:
    """4.2: 'Extract the id with the last (...) of OData-EntityId'."""
    address = crm.post("cf_fiches", {"cf_name": "F"}).headers["OData-EntityId"]
    assert crm.row(address)["cf_name"] == "F"


def test_a_create_with_representation_is_201_without_address(crm: WebApi) -> None:
    """4.1: '201 entity JSON incl. @odata.etag; doc example shows no OData-EntityId'."""
    answer = crm.post("cf_fiches?$select=cf_name", {"cf_name": "F"}, REPRESENTATION)
    row = answer.json()
    assert answer.status_code == 201
    assert "OData-EntityId" not in answer.headers
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert set(row) == {"@odata.context", "@odata.etag", "cf_name", "cf_ficheid"}


def test_a_taken_id_is_412(crm: WebApi) -> None:
    """4.2: 'Duplicate PK → 412 0x80040237 Cannot insert duplicate key.'"""
    row = person(crm)
    for taken in (row, row.upper()):
        answer = crm.post("contacts", {"contactid": taken, "lastname": "x"})
        assert error_of(answer) == (412, "0x80040237")
        assert message_of(answer) == "Cannot insert duplicate key."


def test_a_taken_alternate_key_is_412_with_the_other_code(crm: WebApi) -> None:
    """4.2: 'duplicate alternate key → 0x80060892' on create and on update."""
    person(crm, cf_nationalnumber="K-1")
    other = person(crm)
    assert error_of(crm.post("contacts", {"lastname": "x", "cf_nationalnumber": "K-1"})) == (412, "0x80060892")
    assert error_of(crm.patch(f"contacts({other})", {"cf_nationalnumber": "K-1"})) == (412, "0x80060892")
    assert crm.row(f"contacts({other})")["cf_nationalnumber"] is None


def test_an_undeclared_property_is_400(crm: WebApi) -> None:
    """4.2: '400 0x80048d19 Error identified in Payload provided by the user for Entity :'cf_fiches', …'."""
    for body in ({"cf_name": "F", "cf_nam": "x"}, {"cf_name": "F", "_cf_dossierid_value": new_id()}):
        answer = crm.post("cf_fiches", body)
        assert error_of(answer) == (400, "0x80048d19")
        assert message_of(answer).startswith(
            "Error identified in Payload provided by the user for Entity :'cf_fiches', For more information"
        )
        assert re.search(r"\s---->\s+InnerException : ", message_of(answer))


def test_a_string_too_long_is_400(crm: WebApi) -> None:
    """4.2: 'A validation error occurred.  The length of the 'cf_name' attribute … exceeded the maximum
    allowed length of '100'.'"""
    answer = crm.post("cf_fiches", {"cf_name": "x" * 101})
    assert error_of(answer) == (400, "0x80044331")
    assert message_of(answer) == (
        "A validation error occurred.  The length of the 'cf_name' attribute of the 'cf_fiche' entity exceeded the maximum allowed "
        "length of '100'."
    )


@pytest.mark.parametrize(
    ("table_set", "column", "value", "code"),
    [
        ("cf_dossiers", "cf_name", 5, "0x80048d19"),
        ("cf_fiches", "cf_channel", 5, "0x8004431a"),
        ("cf_fiches", "cf_channel", "phone", "0x80048d19"),
        ("cf_dossiers", "cf_outcome", "100000001", "0x80048d19"),
        ("cf_dossiers", "cf_categories", "100000021,7", "0x8004431a"),
        ("cf_dossiers", "cf_categories", 100000021, "0x80048d19"),
        ("cf_dossiers", "cf_categories", "x", "0x80040203"),
        ("cf_dossiers", "cf_legalhold", "true", "0x80048d19"),
        ("cf_dossiers", "cf_legalhold", 1, "0x80048d19"),
        ("cf_dossiers", "cf_openedon", "2026-01-01T00:00:00", "0x80048d19"),
        ("cf_dossiers", "cf_openedon", "yesterday", "0x80048d19"),
        ("cf_dossiers", "cf_openedon", "1752-12-31T00:00:00Z", "0x80040239"),
        ("cf_dossiers", "cf_outcomeon", "2026-02-30", "0x80048d19"),
        ("cf_dossiers", "cf_outcomeon", "14/03/2026", "0x80048d19"),
        ("cf_dossiers", "cf_outcomeon", "2026-02-03T00:00:00Z", "0x80048d19"),
        ("contacts", "cf_birthyear", "x", "0x80048d19"),
        ("cf_dossiers", "cf_dossierid", "7", "0x80048d19"),
        ("cf_dossiers", "cf_courtreference", "a\x00b", "0x80040203"),
    ],
)
def test_a_value_of_the_wrong_kind_is_400(crm: WebApi, table_set: str, column: str, value: object, code: str) -> None:
    """2.4: 'invalid value → 400'; 'Earliest storable date 1753-01-01'."""
    names = {"contacts": "lastname"}
    assert error_of(crm.post(table_set, {names.get(table_set, "cf_name"): "x", column: value})) == (400, code)


@pytest.mark.parametrize("body", ["", "[]", '{"cf_name": ', '"x"', "null"])
def test_a_body_that_is_no_json_object_is_400(crm: WebApi, body: str) -> None:
    """8.2: 400 bad argument."""
    answer = crm.send("POST", "cf_fiches", headers={"Content-Type": "application/json"}, data=body.encode())
    assert error_of(answer) == (400, "0x80048d19")


@pytest.mark.parametrize(
    "form",
    [
        "/contacts({id})",
        "contacts({id})",
        "{root}contacts({id})",
        "{path}contacts({id})",
        "/contacts(contactid={id})",
        "contacts(cf_nationalnumber='85''{key}')",
    ],
)
def test_a_bind_has_several_forms(crm: WebApi, form: str) -> None:
    """2.3: bind forms with a slash, relative, absolute; '"contacts(emailaddress1='jo@cf.example')"'."""
    key = new_id()[:8]
    who = person(crm, cf_nationalnumber=f"85'{key}")
    bound = form.format(id=who, key=key, root=crm.url, path=crm.path)
    row = crm.create("cf_parties", cf_name="p", **{"cf_ContactId@odata.bind": bound})
    assert crm.row(f"cf_parties({row})")["_cf_contactid_value"] == who


@pytest.mark.parametrize("empty", [{"cf_ContactId@odata.bind": None}, {"cf_ContactId": None}])
def test_null_clears_a_lookup(crm: WebApi, empty: dict[str, Any]) -> None:
    """2.3: 'null clears; {"cf_ContactId": null} clears too'."""
    row = crm.create("cf_parties", cf_name="p", **{"cf_ContactId@odata.bind": f"/contacts({person(crm)})"})
    assert crm.patch(f"cf_parties({row})", empty, {"If-Match": "*"}).status_code == 204
    assert crm.row(f"cf_parties({row})")["_cf_contactid_value"] is None


UNRECOGNISED = "URL was not parsed due to an ODataUnrecognizedPathException. Resource not found for the segment provided in the URL."  # 2.3


@pytest.mark.parametrize(
    ("name", "address", "expected", "words"),
    [
        ("cf_contactid@odata.bind", "/contacts({id})", (400, "0x80048d19"), "Error identified in Payload"),
        ("cf_ContactId@odata.bind", "/people({id})", (400, "0x80060888"), UNRECOGNISED),
        ("cf_ContactId@odata.bind", "/people(1)", (400, "0x80060888"), UNRECOGNISED),
        ("cf_ContactId@odata.bind", "/contacts", (400, "0x80060888"), ""),
        ("cf_ContactId@odata.bind", "/cf_dossiers({id})", (400, "0x80060888"), ""),
        ("cf_ContactId@odata.bind", "/contacts(firstname='x')", (400, "0x80060888"), ""),
        ("cf_ContactId@odata.bind", "/contacts({missing})", (404, "0x80040217"), "Does Not Exist"),
        ("_cf_contactid_value", "{id}", (400, "0x80048d19"), "Error identified in Payload"),
        ("cf_ContactId", "/contacts({id})", (400, "0x80048d19"), "Error identified in Payload"),
    ],
)
def test_a_bind_that_leads_nowhere_is_refused(crm: WebApi, name: str, address: str, expected: tuple[int, str], words: str) -> None:
    """2.3: 'Writing a navigation name with wrong case → 400, code 0x80048d19'; 'Binding to a non-existing id
    → 404, 0x80040217'; an unknown set is '400 0x80060888'."""
    answer = crm.post("cf_parties", {"cf_name": "nergens", name: address.format(id=person(crm), missing=new_id())})
    assert error_of(answer) == expected
    assert words in message_of(answer)
    assert crm.rows("cf_parties", filter="cf_name eq 'nergens'") == []


def test_a_deep_insert_is_one_transaction(crm: WebApi) -> None:
    """4.2: 'Deep insert (nested objects/arrays) is one transaction'."""
    row, bad = new_id(), new_id()
    fiches = [{"cf_name": "A"}, {"cf_name": "B", "cf_fiche_parties": [{"cf_name": "p"}]}]
    assert crm.post("cf_dossiers", {"cf_dossierid": row, "cf_name": "D", "cf_dossier_fiches": fiches}).status_code == 204
    assert {f["cf_name"] for f in crm.rows(f"cf_dossiers({row})/cf_dossier_fiches")} == {"A", "B"}
    assert len(crm.rows("cf_parties", filter=f"cf_FicheId/_cf_dossierid_value eq {row}")) == 1
    refused = crm.post(
        "cf_dossiers", {"cf_dossierid": bad, "cf_name": "D", "cf_dossier_fiches": [{"cf_name": "C"}, {"cf_name": "x" * 200}]}
    )
    assert error_of(refused)[0] == 400
    assert not crm.exists(f"cf_dossiers({bad})")
    assert crm.rows("cf_fiches", filter="cf_name eq 'C'") == []


def test_a_nested_object_makes_the_parent(crm: WebApi) -> None:
    """4.2: deep insert of 'nested objects'."""
    row = crm.create("cf_fiches", cf_name="F", cf_DossierId={"cf_name": "made on the way"})
    assert crm.row(f"cf_fiches({row})/cf_DossierId")["cf_name"] == "made on the way"


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
def test_an_update_is_204_with_the_address_and_a_new_version(crm: WebApi, headers: dict[str, str]) -> None:
    """4.1: 'PATCH cf_fiches(id) existing 204 OData-EntityId'; row 11: 'each write changes the ETag'."""
    row = person(crm)
    before = crm.get(f"contacts({row})")
    answer = crm.patch(f"contacts({row})", {"firstname": "Nieuw"}, headers)
    after = crm.get(f"contacts({row})")
    assert (answer.status_code, answer.headers["OData-EntityId"]) == (204, f"{crm.url}contacts({row})")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json()["fullname"] == "Nieuw Persoon (fictief)"
    assert after.json()["modifiedon"] >= before.json()["modifiedon"]


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "null"}])
def test_a_patch_of_a_missing_row_creates_it(crm: WebApi, headers: dict[str, str]) -> None:
    """4.1: 'PATCH on a missing id (upsert) 204 OData-EntityId – indistinguishable from update'."""
    row = new_id()
    answer = crm.patch(f"contacts({row})", {"lastname": "Terug (fictief)"}, headers)
    assert (answer.status_code, answer.headers["OData-EntityId"]) == (204, f"{crm.url}contacts({row})")
    assert crm.row(f"contacts({row})")["lastname"] == "Terug (fictief)"


def test_a_patch_with_representation_tells_200_from_201(crm: WebApi) -> None:
    """4.1: 'PATCH + return=representation 200 (update) / 201 (created by upsert)'."""
    row = new_id()
    answers = [crm.patch(f"contacts({row})", {"lastname": name}, REPRESENTATION) for name in ("x", "y")]
    assert [(answer.status_code, answer.json()["lastname"]) for answer in answers] == [(201, "x"), (200, "y")]


@pytest.mark.parametrize("version", ["*", 'W/"1"'])
def test_if_match_never_creates(crm: WebApi, version: str) -> None:
    """4.3: 'PATCH If-Match: * missing → 404 0x80040217 Does Not Exist'."""
    row = new_id()
    answer = crm.patch(f"contacts({row})", {"lastname": "x"}, {"If-Match": version})
    assert error_of(answer) == (404, "0x80040217")
    assert f"With Id = {row} Does Not Exist" in message_of(answer)
    assert not crm.exists(f"contacts({row})")


def test_if_none_match_star_never_updates(crm: WebApi) -> None:
    """4.3: '412 A record with matching key values already exists. (0x80040237 in a captured fixture)';
    missing → 'creates, 204'."""
    row = new_id()
    assert crm.patch(f"contacts({row})", {"lastname": "een"}, {"If-None-Match": "*"}).status_code == 204
    answer = crm.patch(f"contacts({row})", {"lastname": "twee"}, {"If-None-Match": "*"})
    assert error_of(answer) == (412, "0x80040237")
    assert message_of(answer) == "A record with matching key values already exists."
    assert crm.row(f"contacts({row})")["lastname"] == "een"


@pytest.mark.parametrize("verb", ["PATCH", "DELETE"])
def test_a_stale_version_is_412_and_changes_nothing(crm: WebApi, verb: str) -> None:
    """4.3: '412 0x80060882 The version of the existing record doesn't match the RowVersion property
    provided.'"""
    row = person(crm)
    old = crm.get(f"contacts({row})").headers["ETag"]
    crm.patch(f"contacts({row})", {"firstname": "Anders"})
    now = crm.get(f"contacts({row})").headers["ETag"]
    answer = crm.send(verb, f"contacts({row})", {"firstname": "Weg"} if verb == "PATCH" else None, {"If-Match": old})
    assert error_of(answer) == (412, "0x80060882")
    assert message_of(answer) == "The version of the existing record doesn't match the RowVersion property provided."
    assert crm.get(f"contacts({row})").headers["ETag"] == now


@pytest.mark.parametrize("verb", ["PATCH", "DELETE"])
def test_the_current_version_passes(crm: WebApi, verb: str) -> None:
    """4.3: optimistic concurrency with the current ETag."""
    row = person(crm)
    tag = crm.get(f"contacts({row})").headers["ETag"]
    assert crm.send(verb, f"contacts({row})", {"firstname": "x"} if verb == "PATCH" else None, {"If-Match": tag}).status_code == 204


def test_a_get_with_the_current_version_is_304(crm: WebApi) -> None:
    """4.3: '304, empty body – only if … no $expand, no include-annotations'."""
    row = person(crm)
    tag = crm.get(f"contacts({row})").headers["ETag"]
    answer = crm.get(f"contacts({row})", {"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert crm.get(f"contacts({row})?$expand=ownerid", {"If-None-Match": tag}).status_code == 200
    assert crm.get(f"contacts({row})", {"If-None-Match": tag, **ANNOTATED}).status_code == 200
    assert crm.get(f"contacts({row})", {"If-None-Match": 'W/"1"'}).status_code == 200


def test_upsert_by_alternate_key(crm: WebApi) -> None:
    """4.4: '204 either way; with representation, 201 = created and 200 = updated'."""
    path = "contacts(cf_nationalnumber='U-1')"
    assert error_of(crm.patch(path, {"lastname": "x"}, {"If-Match": "*"})) == (404, "0x80040217")
    created = crm.patch(path, {"lastname": "Sleutel (fictief)"}, REPRESENTATION)
    assert (created.status_code, created.json()["cf_nationalnumber"]) == (201, "U-1")
    updated = crm.patch(path, {"firstname": "x"}, REPRESENTATION)
    assert (updated.status_code, updated.json()["fullname"]) == (200, "x Sleutel (fictief)")
    assert updated.json()["contactid"] == created.json()["contactid"]
    again = crm.patch(path, {"firstname": "x"}, {"If-Match": "*"})
    assert again.headers["OData-EntityId"] == f"{crm.url}contacts({created.json()['contactid']})"
    assert crm.row(path).items() >= {"cf_nationalnumber": "U-1", "firstname": "x", "lastname": "Sleutel (fictief)"}.items()
    assert crm.patch("contacts(cf_nationalnumber='U-2')", {"lastname": "x"}).status_code == 204
    assert crm.delete(path).status_code == 204
    assert error_of(crm.get(path)) == (404, "0x80040217")


def test_a_delete_is_204_then_404(crm: WebApi) -> None:
    """4.5: '204 No Content'; 'Repeat delete → 404 0x80040217'; 4.3: 'DELETE If-Match: * missing 404'."""
    row = person(crm)
    answer = crm.delete(f"contacts({row})")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(crm.delete(f"contacts({row})")) == (404, "0x80040217")
    assert error_of(crm.delete(f"contacts({row})", {"If-Match": "*"})) == (404, "0x80040217")


@pytest.mark.parametrize("verb", ["DELETE", "PATCH", "PUT"])
def test_a_whole_set_is_not_deleted_or_updated(crm: WebApi, verb: str) -> None:
    """4.1: 'DELETE/PATCH on a set (cf_fiches) 405'."""
    assert error_of(crm.send(verb, "cf_fiches", {"cf_name": "x"}))[0] == 405


def test_a_single_property_can_be_put_and_cleared(crm: WebApi) -> None:
    """4.1: 'PUT cf_fiches(id)/cf_name {"value":"x"} 204; DELETE cf_fiches(id)/cf_name 204 clears one
    column'; the others stay, and the version is another."""
    path = f"cf_fiches({crm.create('cf_fiches', cf_name='F', cf_summary='s', cf_channel=100000000, cf_calleremail='a@example.org')})"
    before = crm.get(path).headers["ETag"]
    answer = crm.put(path + "/cf_summary", {"value": "anders"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert crm.get(path).headers["ETag"] != before
    assert crm.row(path + "/cf_summary")["value"] == "anders"
    for column in ("cf_summary", "cf_channel"):
        assert crm.delete(f"{path}/{column}").status_code == 204
        assert crm.get(f"{path}/{column}").status_code == 204
    crm.put(path + "/cf_summary", {"value": "anders"})
    assert crm.put(path + "/cf_summary", {"value": None}).status_code == 204
    assert crm.row(path).items() >= {"cf_summary": None, "cf_channel": None, "cf_calleremail": "a@example.org"}.items()


def test_rows_keep_their_creator_and_times(crm: WebApi) -> None:
    """environment: system columns of each table; 4.2: 'createdon is ignored'."""
    me = crm.row("WhoAmI")["UserId"]
    row = crm.row(f"contacts({person(crm, createdon='1999-01-01T00:00:00Z')})")
    assert row["_createdby_value"] == row["_modifiedby_value"] == row["_ownerid_value"] == me
    assert row["createdon"] > "2020"
    assert row["_createdonbehalfby_value"] is None
    assert {"versionnumber", "overriddencreatedon", "statecode", "statuscode", "modifiedon"} <= set(row)


def test_a_published_rule_finds_duplicates_for_who_asks(crm: WebApi) -> None:
    """4.2: 'With MSCRM.SuppressDuplicateDetection: false and a published rule: 412 0x80040333 A record was
    not created or updated …'; 15 row 47: 'without header it saves'."""
    rule = crm.create("duplicaterules", name="zelfde adres", baseentityname="contact", matchingentityname="contact")
    condition = {"baseattributename": "emailaddress1", "matchingattributename": "emailaddress1", "operatorcode": 0}
    crm.create("duplicateruleconditions", **condition, **{"regardingobjectid@odata.bind": f"/duplicaterules({rule})"})
    body = {"lastname": "Regel (fictief)", "emailaddress1": "regel@example.org"}
    ask = {"MSCRM.SuppressDuplicateDetection": "false"}
    assert [crm.post("contacts", body, ask).status_code for _ in range(2)] == [204, 204]
    assert crm.post(f"duplicaterules({rule})/Microsoft.Dynamics.CRM.PublishDuplicateRule", {}).status_code < 300
    answer = crm.post("contacts", body, ask)
    assert error_of(answer) == (412, "0x80040333")
    assert message_of(answer) == "A record was not created or updated because a duplicate of the current record already exists."
    assert len(crm.rows("contacts", filter="lastname eq 'Regel (fictief)'")) == 2
    for without in ({}, {"MSCRM.SuppressDuplicateDetection": "true"}):
        assert crm.post("contacts", body, without).status_code == 204
    assert crm.post("contacts", {**body, "emailaddress1": "ander@example.org"}, ask).status_code == 204
    crm.delete(f"duplicaterules({rule})")


def test_a_key_column_in_the_body_is_ignored_or_refused(crm: WebApi) -> None:
    """4.4: 'key columns in the body are ignored or rejected if they differ'."""
    crm.patch("contacts(cf_nationalnumber='V-1')", {"lastname": "Vast (fictief)"})
    answer = crm.patch("contacts(cf_nationalnumber='V-1')", {"cf_nationalnumber": "V-2", "firstname": "x"})
    assert answer.status_code in {204, 400}
    assert crm.get("contacts(cf_nationalnumber='V-2')").status_code == 404
