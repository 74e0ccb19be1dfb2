"""Relationships and alternate keys written over the Web API."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.posted import CRM, TABLE, attribute, contact_lookup, exists, label, make, visit
from tests.web_api import error_of


@pytest.fixture
def visits(crm: Client) -> Client:
    make(crm, "EntityDefinitions", visit())
    return crm


@pytest.mark.parametrize(("delete", "status"), [("Cascade", 204), ("RemoveLink", 204), ("Restrict", 405)])
def test_a_new_lookup_cascades_as_its_relationship_says(visits: Client, delete: str, status: int) -> None:
    make(visits, "RelationshipDefinitions", contact_lookup(CascadeConfiguration={"Delete": delete, "Assign": "NoCascade"}))
    contact = visits.contact()
    row = visits.create("new_visits", **{"new_ContactId@odata.bind": f"/contacts({contact})"})
    assert [child["new_visitid"] for child in visits.rows(f"contacts({contact})/new_contact_visit")] == [row]
    found = visits.row("RelationshipDefinitions(SchemaName='new_contact_visit')")
    assert found["CascadeConfiguration"]["Delete"] == delete
    assert (found["ReferencingAttribute"], found["ReferencingEntityNavigationPropertyName"]) == ("new_contactid", "new_ContactId")
    assert visits.send("DELETE", f"contacts({contact})").status_code == status
    assert visits.exists("new_visits", row) is (delete != "Cascade")
    if delete == "RemoveLink":
        assert visits.row(f"new_visits({row})")["_new_contactid_value"] is None


def test_restrict_two_cascades_below_stops_all(visits: Client) -> None:
    make(visits, "RelationshipDefinitions", contact_lookup(CascadeConfiguration={"Delete": "Cascade"}))
    within = {"SchemaName": "new_visit_visit", "ReferencedEntity": "new_visit", "Lookup": attribute("Lookup", "new_BeforeId")}
    make(visits, "RelationshipDefinitions", contact_lookup(CascadeConfiguration={"Delete": "Restrict"}) | within)
    company = visits.create("accounts", name="B (fictief)")
    contact = visits.contact(**{"parentcustomerid_account@odata.bind": f"/accounts({company})"})
    row = visits.create("new_visits", **{"new_ContactId@odata.bind": f"/contacts({contact})"})
    follows = visits.create("new_visits", **{"new_BeforeId@odata.bind": f"/new_visits({row})"})
    assert error_of(visits.send("DELETE", f"accounts({company})")) == (405, "0x80040227")
    assert [visits.exists(*each) for each in (("accounts", company), ("contacts", contact), ("new_visits", row))] == [True] * 3
    assert visits.send("DELETE", f"new_visits({follows})").status_code == 204
    assert visits.send("DELETE", f"accounts({company})").status_code == 204
    assert [visits.exists(*each) for each in (("accounts", company), ("contacts", contact), ("new_visits", row))] == [False] * 3


def test_a_relationship_goes_with_its_lookup_and_another_cascade_can_be_put_in_its_place(visits: Client) -> None:
    address = make(visits, "RelationshipDefinitions", contact_lookup())
    changed = contact_lookup(CascadeConfiguration={"Delete": "Restrict"})
    assert visits.send("PUT", address, changed).status_code == 204
    contact = visits.contact()
    visits.create("new_visits", **{"new_ContactId@odata.bind": f"/contacts({contact})"})
    assert visits.send("DELETE", f"contacts({contact})").status_code == 405
    assert visits.send("DELETE", address, headers={"If-Match": "*"}).status_code == 204
    assert visits.send("DELETE", f"contacts({contact})").status_code == 204
    assert error_of(visits.get("new_visits?$select=_new_contactid_value"))[0] == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SchemaName": "cf_dossier_cf_fiche_DossierId"}, "0x80040203"),
        ({"ReferencedEntity": "nothing"}, "0x80040203"),
        ({"Lookup": None}, "0x80040203"),
        ({"Lookup": attribute("Lookup", "new_Name")}, "0x80047013"),
        ({"CascadeConfiguration": {"Delete": "NoCascade"}}, "0x80040203"),
        ({"@odata.type": CRM + "Nonsense"}, "0x80040203"),
    ],
)
def test_a_relationship_that_cannot_be_is_refused(visits: Client, changes: dict[str, Any], code: str) -> None:
    document = contact_lookup() | changes
    if changes.get("SchemaName"):
        document["SchemaName"] = "no prefix"
    assert error_of(visits.send("POST", "RelationshipDefinitions", document)) == (400, code)
    assert visits.rows("RelationshipDefinitions?$filter=SchemaName eq 'new_contact_visit'") == []


def test_a_table_has_one_parent_at_most(visits: Client) -> None:
    cascade = {"CascadeConfiguration": {"Delete": "Cascade"}}
    make(visits, "RelationshipDefinitions", contact_lookup(**cascade))
    second = {"SchemaName": "new_dossier_visit", "ReferencedEntity": "cf_dossier", "Lookup": attribute("Lookup", "new_DossierId")}
    assert error_of(visits.send("POST", "RelationshipDefinitions", contact_lookup(**cascade) | second)) == (400, "0x80047007")
    make(visits, "RelationshipDefinitions", contact_lookup() | second)


def test_a_table_that_a_lookup_leads_to_stays_until_the_lookup_goes(visits: Client) -> None:
    make(visits, "EntityDefinitions", visit("new_Place"))
    link = {"SchemaName": "new_place_visit", "ReferencedEntity": "new_place", "Lookup": attribute("Lookup", "new_PlaceId")}
    address = make(visits, "RelationshipDefinitions", contact_lookup() | link)
    assert error_of(visits.send("DELETE", "EntityDefinitions(LogicalName='new_place')")) == (400, "0x8004f01f")
    assert visits.send("DELETE", address).status_code == 204
    assert visits.send("DELETE", "EntityDefinitions(LogicalName='new_place')").status_code == 204


def test_rows_of_two_tables_can_be_paired(visits: Client) -> None:
    document = {
        "@odata.type": CRM + "ManyToManyRelationshipMetadata",
        "SchemaName": "new_visit_contact",
        "Entity1LogicalName": "new_visit",
        "Entity2LogicalName": "contact",
        "IntersectEntityName": "new_visit_contact",
    }
    address = make(visits, "RelationshipDefinitions", document)
    row, contact = visits.create("new_visits", new_name="v"), visits.contact()
    pair = {"@odata.id": f"{visits.url}contacts({contact})"}
    assert visits.send("POST", f"new_visits({row})/new_visit_contact/$ref", pair).status_code == 204
    assert [found["contactid"] for found in visits.rows(f"new_visits({row})/new_visit_contact")] == [contact]
    assert visits.row(f"{TABLE}?$expand=ManyToManyRelationships")["ManyToManyRelationships"][0]["SchemaName"] == "new_visit_contact"
    assert visits.send("DELETE", address).status_code == 204
    assert visits.get(f"new_visits({row})/new_visit_contact").status_code == 404
    assert not exists(visits, "new_visit_contact")


def test_a_new_key_finds_rows_and_keeps_them_apart(visits: Client) -> None:
    address = make(visits, f"{TABLE}/Keys", {"SchemaName": "new_NameKey", "KeyAttributes": ["new_name"], "DisplayName": label("Name")})
    row = visits.create("new_visits", new_name="only")
    assert visits.row("new_visits(new_name='only')")["new_visitid"] == row
    assert error_of(visits.send("POST", "new_visits", {"new_name": "only"})) == (412, "0x80060892")
    (key,) = visits.rows(f"{TABLE}/Keys")
    assert (key["SchemaName"], key["KeyAttributes"], key["EntityKeyIndexStatus"]) == ("new_NameKey", ["new_name"], "Active")
    assert error_of(visits.send("DELETE", f"{TABLE}/Attributes(LogicalName='new_name')"))[0] == 400
    assert visits.send("DELETE", address).status_code == 204
    assert visits.get("new_visits(new_name='only')").status_code == 400
    visits.create("new_visits", new_name="only")


def test_the_index_of_a_key_over_rows_that_are_alike_fails(visits: Client) -> None:
    for _ in range(2):
        visits.create("new_visits", new_name="twice")
    address = make(visits, f"{TABLE}/Keys", {"SchemaName": "new_NameKey", "KeyAttributes": ["new_name"]})
    assert visits.rows(f"{TABLE}/Keys")[0]["EntityKeyIndexStatus"] == "Failed"
    assert visits.get("new_visits(new_name='twice')").status_code == 400
    assert visits.send("DELETE", address).status_code == 204
    assert visits.rows(f"{TABLE}/Keys") == []


@pytest.mark.parametrize("columns", [[], ["new_nothing"], ["ownerid", "versionnumber"], "new_name"])
def test_a_key_that_cannot_be_is_refused(visits: Client, columns: Any) -> None:
    answer = visits.send("POST", f"{TABLE}/Keys", {"SchemaName": "new_Key", "KeyAttributes": columns})
    assert error_of(answer) == (400, "0x80040203")
    assert visits.rows(f"{TABLE}/Keys") == []
