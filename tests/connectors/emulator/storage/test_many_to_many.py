"""N:N relationships: pairs are made, read from both sides, and taken apart; and references to single rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from connectors.emulator.schema.environment_file import EnvironmentProblem, load_environment
from tests.connectors.emulator.client import Client
from tests.web_api import error_of, new_id, request_part, statuses

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
ENVIRONMENT = """
publisher_prefix: cf
languages: {nl: 1043}
tables:
  contact:
    set: contacts
    columns:
      contactid: {type: guid, key: true}
      fullname: {type: string(160), primary_name: true}
      cf_dossierid: {type: lookup cf_dossier, schema_name: cf_DossierId}
  cf_dossier:
    set: cf_dossiers
    columns:
      cf_dossierid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true}
  cf_course:
    columns:
      cf_courseid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true}
many_to_many:
  - {name: cf_contact_course, one: contact, two: cf_course}
  - {name: cf_course_course, one: cf_course, two: cf_course, one_navigation: cf_after, two_navigation: cf_before}
"""


@pytest.fixture
def school(admin: Client) -> Client:
    """Contacts that follow courses."""
    return admin


def a_pair(school: Client) -> tuple[str, str]:
    contact = school.create("contacts", fullname="Lotte Peeters (fictief)")
    course = school.create("cf_courses", cf_name="Rekenen")
    link = {"@odata.id": f"{school.url}cf_courses({course})"}
    assert school.send("POST", f"contacts({contact})/cf_contact_course/$ref", link).status_code == 204
    return contact, course


def test_a_pair_is_seen_from_both_sides(school: Client) -> None:
    contact, course = a_pair(school)
    assert [row["cf_courseid"] for row in school.rows(f"contacts({contact})/cf_contact_course?$select=cf_name")] == [course]
    assert [row["contactid"] for row in school.rows(f"cf_courses({course})/cf_contact_course")] == [contact]
    assert school.rows(f"contacts({contact})/cf_contact_course/$ref") == [{"@odata.id": f"{school.url}cf_courses({course})"}]
    assert school.get(f"contacts({contact})/cf_contact_course/$count").content == b"\xef\xbb\xbf1"


def test_the_same_pair_is_not_made_twice(school: Client) -> None:
    contact, course = a_pair(school)
    answer = school.send("POST", f"cf_courses({course})/cf_contact_course/$ref", {"@odata.id": f"contacts({contact})"})
    assert error_of(answer) == (412, "0x80040237")
    assert len(school.rows("cf_contact_courseset")) == 1


@pytest.mark.parametrize(
    "form",
    [
        "contacts(CONTACT)/cf_contact_course(COURSE)/$ref",
        "contacts(CONTACT)/cf_contact_course/$ref?$id=URLcf_courses(COURSE)",
        "cf_courses(COURSE)/cf_contact_course(CONTACT)/$ref",
    ],
)
def test_a_pair_is_taken_apart_and_both_rows_stay(school: Client, form: str) -> None:
    contact, course = a_pair(school)
    path = form.replace("CONTACT", contact).replace("COURSE", course).replace("URL", school.url)
    assert school.send("DELETE", path).status_code == 204
    assert school.rows(f"contacts({contact})/cf_contact_course") == []
    assert school.exists("contacts", contact)
    assert school.exists("cf_courses", course)
    assert school.send("DELETE", path).status_code == 204


def test_only_rows_of_the_other_side_that_exist_are_associated(school: Client) -> None:
    contact, _ = a_pair(school)
    path = f"contacts({contact})/cf_contact_course/$ref"
    assert error_of(school.send("POST", path, {"@odata.id": f"cf_courses({new_id()})"})) == (404, "0x80040217")
    assert error_of(school.send("POST", path, {"@odata.id": f"contacts({contact})"})) == (400, "0x80060888")
    assert school.send("PATCH", path, {}).status_code == 405


def test_the_end_of_long_term_retention_removes_the_pair(school: Client) -> None:
    contact, course = a_pair(school)
    target = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": contact}
    assert school.send("POST", "Retain", {"Target": target}).status_code == 200
    assert len(school.rows("cf_contact_courseset")) == 1
    body: dict[str, Any] = {
        "JobName": "einde",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
    }
    body["QuerySet"] = [{"EntityName": "contact", "DataSource": "retained"}]
    assert school.send("POST", "BulkDelete", body).status_code == 200
    school.control("PUT", "clock", {"advance_s": 30})
    assert school.rows("cf_contact_courseset") == []
    assert school.exists("cf_courses", course)


@pytest.mark.parametrize("side", ["contacts", "cf_courses"])
def test_deleting_either_side_removes_the_pair_only(school: Client, side: str) -> None:
    contact, course = a_pair(school)
    assert school.send("DELETE", f"{side}({contact if side == 'contacts' else course})").status_code == 204
    assert school.rows("cf_contact_courseset") == []
    assert (school.exists("contacts", contact), school.exists("cf_courses", course)) == (side != "contacts", side != "cf_courses")


def test_the_intersect_table_is_read_but_not_written(school: Client) -> None:
    contact, course = a_pair(school)
    (row,) = school.rows("cf_contact_courseset")
    assert (row["contactid"], row["cf_courseid"]) == (contact, course)
    assert row["cf_contact_courseid"]
    assert error_of(school.send("POST", "cf_contact_courseset", {})) == (405, "0x80040800")
    assert school.send("DELETE", f"cf_contact_courseset({row['cf_contact_courseid']})").status_code == 405
    assert len(school.rows(f"cf_contact_courseset?$filter=contactid eq {contact}")) == 1


def test_peers_are_expanded_one_level_and_filtered_by(school: Client) -> None:
    contact, _ = a_pair(school)
    school.create("contacts", fullname="Bram Maes (fictief)")
    rows = school.rows("contacts?$select=fullname&$expand=cf_contact_course($select=cf_name)&$orderby=fullname")
    assert [[each["cf_name"] for each in row["cf_contact_course"]] for row in rows] == [[], ["Rekenen"]]
    assert rows[1]["cf_contact_course@odata.nextLink"].endswith(f"contacts({contact})/cf_contact_course?$select=cf_name")
    assert len(school.rows("contacts?$filter=cf_contact_course/any()")) == 1
    assert len(school.rows("contacts?$filter=cf_contact_course/any(c:c/cf_name eq 'Rekenen')")) == 1
    assert school.rows("contacts?$filter=cf_contact_course/any(c:c/cf_name eq 'Lezen')") == []
    assert len(school.rows("contacts?$filter=cf_contact_course/all(c:c/cf_name eq 'Rekenen')")) == 2


def test_peers_below_another_expand_are_refused(school: Client) -> None:
    answer = school.get("cf_dossiers?$expand=cf_dossier_contact_cf_dossierid($expand=cf_contact_course)")
    assert error_of(answer) == (400, "0x80060888")
    message = answer.json()["error"]["message"]
    assert message.startswith("The navigation property 'cf_contact_course' cannot be expanded. Only many-to-one")
    assert error_of(school.get("contacts?$expand=cf_contact_course/$ref")) == (400, "0x80060888")


def test_rows_are_created_with_their_peers(school: Client) -> None:
    course = school.create("cf_courses", cf_name="Rekenen")
    contact = school.create(
        "contacts",
        fullname="Lotte Peeters (fictief)",
        cf_contact_course=[{"cf_name": "Lezen"}],
        **{"cf_contact_course@odata.bind": [f"/cf_courses({course})"]},
    )
    names = {row["cf_name"] for row in school.rows(f"contacts({contact})/cf_contact_course")}
    assert names == {"Rekenen", "Lezen"}
    assert school.send("POST", f"contacts({contact})/cf_contact_course", {"cf_name": "Zingen"}).status_code == 204
    assert len(school.rows(f"contacts({contact})/cf_contact_course")) == 3
    assert error_of(school.send("PATCH", f"contacts({contact})", {"cf_contact_course": []})) == (400, "0x80048d19")


def test_a_table_is_paired_with_itself_in_two_directions(school: Client) -> None:
    first, second = school.create("cf_courses", cf_name="Een"), school.create("cf_courses", cf_name="Twee")
    school.send("POST", f"cf_courses({first})/cf_after/$ref", {"@odata.id": f"cf_courses({second})"})
    assert [row["cf_name"] for row in school.rows(f"cf_courses({first})/cf_after")] == ["Twee"]
    assert school.rows(f"cf_courses({first})/cf_before") == []
    assert [row["cf_name"] for row in school.rows(f"cf_courses({second})/cf_before")] == ["Een"]
    assert school.send("DELETE", f"cf_courses({second})").status_code == 204
    assert school.rows("cf_course_courseset") == []


def test_a_change_set_associates_what_it_created(school: Client) -> None:
    contact = school.create("contacts", fullname="Lotte Peeters (fictief)")
    parts = [
        request_part("POST", "/api/data/v9.2/cf_courses", '{"cf_name":"Rekenen"}', content_id="1"),
        request_part("POST", f"/api/data/v9.2/contacts({contact})/cf_contact_course/$ref", '{"@odata.id":"$1"}', content_id="2"),
    ]
    body = "".join(f"--c\r\n{part}\r\n" for part in parts) + "--c--\r\n"
    assert statuses(school.batch(f'Content-Type: multipart/mixed; boundary="c"\r\n\r\n{body}')) == [204, 204]
    assert len(school.rows(f"contacts({contact})/cf_contact_course")) == 1


def test_definitions_describe_the_relationship(school: Client) -> None:
    """Section 10.2."""
    relation = school.row("RelationshipDefinitions(SchemaName='cf_contact_course')")
    expected = {
        "RelationshipType": "ManyToManyRelationship",
        "IntersectEntityName": "cf_contact_course",
        "Entity1LogicalName": "contact",
        "Entity1IntersectAttribute": "contactid",
        "Entity1NavigationPropertyName": "cf_contact_course",
        "Entity2LogicalName": "cf_course",
        "Entity2IntersectAttribute": "cf_courseid",
        "Entity2NavigationPropertyName": "cf_contact_course",
    }
    assert {name: relation[name] for name in expected} == expected
    cast = "RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"
    listed = school.rows(f"{cast}?$select=SchemaName,IntersectEntityName&$filter=Entity1LogicalName eq 'contact'")
    assert [row["SchemaName"] for row in listed] == ["cf_contact_course"]
    table = school.row("EntityDefinitions(LogicalName='cf_course')?$select=LogicalName&$expand=ManyToManyRelationships($select=SchemaName)")
    assert {row["SchemaName"] for row in table["ManyToManyRelationships"]} == {"cf_contact_course", "cf_course_course"}
    assert school.row("EntityDefinitions(LogicalName='cf_contact_course')")["IsIntersect"] is True
    assert school.row("EntityDefinitions(LogicalName='contact')/ManyToManyRelationships(SchemaName='cf_contact_course')")["SchemaName"]


def test_metadata_shows_collections_on_both_sides(school: Client) -> None:
    tree = ElementTree.fromstring(school.get("$metadata").content)
    for name, target in (("contact", "cf_course"), ("cf_course", "contact")):
        entity = next(node for node in tree.iter(EDM + "EntityType") if node.get("Name") == name)
        navigation = next(node for node in entity.iter(EDM + "NavigationProperty") if node.get("Name") == "cf_contact_course")
        assert (navigation.get("Type"), navigation.get("Partner")) == (f"Collection(mscrm.{target})", "cf_contact_course")


@pytest.mark.parametrize("entry", ["{name: cf_x, one: cf_course, two: cf_course}", "{name: contact, one: contact, two: cf_course}"])
def test_an_environment_with_an_impossible_relationship_is_not_served(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "environment.yaml"
    path.write_text(f"{ENVIRONMENT}  - {entry}\n", encoding="utf-8")
    with pytest.raises(EnvironmentProblem):
        load_environment(path)


def test_the_platforms_own_pairs_are_readable(crm: Client) -> None:
    assert {row["systemuserid"] for row in crm.rows("systemuserrolescollection")} >= {"9e8f0000-0000-4000-8000-0000000000a1"}
    assert crm.rows("systemusers?$filter=systemuserroles_association/any(r:r/name eq 'System Administrator')")


@pytest.mark.row(36)
def test_the_four_forms_of_a_reference_show_in_the_lookup(crm: Client) -> None:
    """Add to a collection, set and clear a lookup, remove from a collection in both ways."""
    dossier, fiche = crm.dossier(), crm.fiche()

    def looked_up() -> str | None:
        found: str | None = crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"]
        return found

    def done(method: str, path: str, target: str | None = None) -> int:
        return crm.send(method, path, {"@odata.id": target} if target else None).status_code

    collection, lookup = f"cf_dossiers({dossier})/cf_dossier_fiches", f"cf_fiches({fiche})/cf_DossierId/$ref"
    assert (done("POST", f"{collection}/$ref", f"{crm.url}cf_fiches({fiche})"), looked_up()) == (204, dossier)
    assert (done("DELETE", lookup), looked_up()) == (204, None)
    assert (done("PUT", lookup, f"cf_dossiers({dossier})"), looked_up()) == (204, dossier)
    assert (done("DELETE", f"{collection}({fiche})/$ref"), looked_up()) == (204, None)
    assert (done("PUT", lookup, f"{crm.url}cf_dossiers({dossier})"), looked_up()) == (204, dossier)
    assert (done("DELETE", f"{collection}/$ref?$id={crm.url}cf_fiches({fiche})"), looked_up()) == (204, None)
