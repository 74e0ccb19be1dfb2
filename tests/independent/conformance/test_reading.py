"""Sections 2.3, 2.4, 2.5, 3.5 and 4.1: what a row looks like, and what hangs on it."""

from typing import Any

import pytest

from tests.web_api import ANNOTATED, REPRESENTATION, Row, WebApi, error_of, message_of, new_id

FORMATTED = "@OData.Community.Display.V1.FormattedValue"
pytestmark = pytest.mark.row(6, 7, 23, 38, 43)


@pytest.fixture(scope="module")
def ids(crm: WebApi) -> dict[str, str]:
    person = crm.create("contacts", firstname="Lien", lastname="Een (fictief)", birthdate="2014-07-30", donotbulkemail=True, gendercode=2)
    company = crm.create("accounts", name="Bedrijf (fictief)")
    dossier = crm.create("cf_dossiers", cf_name="D-1", cf_openedon="2026-03-14T09:30:00+01:00", cf_categories="100000021, 100000000")
    fiche = crm.create("cf_fiches", cf_name="F-1", cf_channel=100000001, **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    other = crm.create("cf_fiches", cf_name="F-2", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    lone = crm.create("cf_fiches", cf_name="F-3", cf_summary="Verhaal & meer")
    party = crm.create(
        "cf_parties",
        cf_name="rol",
        **{"cf_ContactId@odata.bind": f"/contacts({person})", "cf_FicheId@odata.bind": f"/cf_fiches({fiche})"},
    )
    gift = crm.create("cf_donations", cf_name="G-1", cf_amount=1234.5, **{"cf_ContactId@odata.bind": f"/contacts({person})"})
    return {
        "person": person,
        "company": company,
        "dossier": dossier,
        "fiche": fiche,
        "other": other,
        "lone": lone,
        "party": party,
        "gift": gift,
    }


def test_a_row_has_context_etag_and_explicit_nulls(crm: WebApi, ids: dict[str, str]) -> None:
    """15 row 6: '@odata.context ending /$entity, @odata.etag, ETag header, PK always present, null columns
    explicit'."""
    answer = crm.get(f"cf_fiches({ids['lone']})")
    row = answer.json()
    assert row["@odata.context"] == crm.url + "$metadata#cf_fiches/$entity"
    assert row["@odata.etag"] == answer.headers["ETag"] == f'W/"{row["versionnumber"]}"'
    assert row["cf_ficheid"] == ids["lone"]
    assert row["cf_channel"] is None
    assert row["_cf_dossierid_value"] is None


def test_select_narrows_and_keeps_the_key(crm: WebApi, ids: dict[str, str]) -> None:
    """2.4: 'The PK is always returned, even when absent from $select'; 2.5: the context lists the columns."""
    answer = crm.get(f"cf_fiches({ids['fiche']})?$select=cf_name,cf_ipaddress,_cf_dossierid_value")
    assert answer.headers["ETag"].startswith('W/"')
    assert answer.json() == {
        "@odata.context": crm.url + "$metadata#cf_fiches(cf_name,cf_ipaddress,_cf_dossierid_value)/$entity",
        "@odata.etag": answer.headers["ETag"],
        "cf_name": "F-1",
        "cf_ipaddress": None,
        "_cf_dossierid_value": ids["dossier"],
        "cf_ficheid": ids["fiche"],
    }


def test_without_prefer_a_lookup_is_a_bare_id(crm: WebApi, ids: dict[str, str]) -> None:
    """2.3: 'Without the Prefer header only the bare GUID is returned'."""
    row = crm.row(f"cf_fiches({ids['fiche']})")
    assert row["_cf_dossierid_value"] == ids["dossier"]
    assert [name for name in row if "@" in name] == ["@odata.context", "@odata.etag"]


def test_three_annotations_come_before_a_lookup(crm: WebApi, ids: dict[str, str]) -> None:
    """2.3: 'Three annotations accompany a lookup … They come before the property in the document'."""
    row = crm.row(f"cf_fiches({ids['fiche']})?$select=_cf_dossierid_value", ANNOTATED)
    names = list(row)
    at = names.index("_cf_dossierid_value")
    assert [(name.partition("@")[2], row[name]) for name in names[at - 3 : at]] == [
        ("OData.Community.Display.V1.FormattedValue", "D-1"),
        ("Microsoft.Dynamics.CRM.associatednavigationproperty", "cf_DossierId"),
        ("Microsoft.Dynamics.CRM.lookuplogicalname", "cf_dossier"),
    ]
    empty = crm.row(f"cf_fiches({ids['lone']})?$select=_cf_dossierid_value", ANNOTATED)
    assert empty["_cf_dossierid_value"] is None
    assert not [name for name in empty if name.startswith("_cf_dossierid_value@")]


def test_a_polymorphic_lookup_names_its_target(crm: WebApi, ids: dict[str, str]) -> None:
    """2.3: 'parentcustomerid_account, parentcustomerid_contact'; setting one clears the other."""
    row = crm.create("contacts", lastname="Twee (fictief)", **{"parentcustomerid_account@odata.bind": f"/accounts({ids['company']})"})
    lookup = "_parentcustomerid_value"
    told = crm.row(f"contacts({row})?$select={lookup}", ANNOTATED)
    assert told[f"{lookup}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert told[f"{lookup}@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "parentcustomerid_account"
    crm.patch(f"contacts({row})", {"parentcustomerid_contact@odata.bind": f"/contacts({ids['person']})"})
    told = crm.row(f"contacts({row})?$select={lookup}&$expand=parentcustomerid_account,parentcustomerid_contact", ANNOTATED)
    assert told[f"{lookup}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert told["parentcustomerid_account"] is None
    assert told["parentcustomerid_contact"]["contactid"] == ids["person"]


def test_rows_of_two_tables_with_one_id_have_each_their_own_children(crm: WebApi) -> None:
    """2.3: a polymorphic lookup is a table and an id; collections, expands and filters ask for both."""
    same = new_id()
    crm.create("accounts", accountid=same, name="Bedrijf (fictief)")
    crm.create("contacts", contactid=same, lastname="Drie (fictief)")
    of = {
        name: crm.create("contacts", lastname=name, **{f"parentcustomerid_{name}@odata.bind": f"/{name}s({same})"})
        for name in ("account", "contact")
    }
    mine = f"_parentcustomerid_value eq {same}"
    for name, column in (("account", "accountid"), ("contact", "contactid")):
        collection, nav = f"contact_customer_{name}s", f"parentcustomerid_{name}"
        told = crm.row(f"{name}s({same})?$expand={collection}($select=contactid)")
        for rows in (crm.rows(f"{name}s({same})/{collection}"), told[collection], crm.rows("contacts", filter=f"{nav}/{column} eq {same}")):
            assert [row["contactid"] for row in rows] == [of[name]]
        found = crm.rows("contacts", filter=mine, expand=f"{nav}($select={column})")
        assert [row["contactid"] for row in found if row[nav] is not None] == [of[name]]
        parents = [row[column] for row in crm.rows(f"{name}s", filter=f"{collection}/any(c:c/contactid eq {of['account']})")]
        assert parents == ([same] if name == "account" else [])


def test_the_owner_is_a_user_with_a_typed_twin(crm: WebApi, ids: dict[str, str]) -> None:
    """2.3: '_ownerid_value … the typed pair is owninguser / owningteam, plus owningbusinessunit'."""
    me = crm.row("WhoAmI")
    row = crm.row(f"cf_fiches({ids['fiche']})", ANNOTATED)
    assert row["_ownerid_value"] == row["_owninguser_value"] == row["_createdby_value"] == me["UserId"]
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    assert row["_owningteam_value"] is None
    assert row["_owningbusinessunit_value"] == me["BusinessUnitId"]


def test_annotated_reads_echo_the_preference(crm: WebApi, ids: dict[str, str]) -> None:
    """15 row 7: 'Preference-Applied echoed'."""
    answer = crm.get(f"cf_fiches({ids['fiche']})", ANNOTATED)
    assert answer.headers["Preference-Applied"] == 'odata.include-annotations="*"'


@pytest.mark.parametrize(
    ("path", "column", "value", "formatted"),
    [
        ("contacts({person})", "birthdate", "2014-07-30", "30/07/2014"),
        ("contacts({person})", "donotbulkemail", True, "Ja"),
        ("contacts({person})", "gendercode", 2, "Vrouw"),
        ("contacts({person})", "fullname", "Lien Een (fictief)", None),
        ("contacts({person})", "statecode", 0, "Actief"),
        ("contacts({person})", "statuscode", 1, "Actief"),
        ("cf_dossiers({dossier})", "cf_openedon", "2026-03-14T08:30:00Z", "14/03/2026 08:30"),
        ("cf_dossiers({dossier})", "cf_categories", "100000000,100000021", "Sociale kaart; Grooming"),
        ("cf_fiches({fiche})", "cf_channel", 100000001, "Chat"),
        ("cf_donations({gift})", "cf_amount", 1234.5, "€ 1.234,50"),
    ],
)
def test_a_column_has_its_json_form(crm: WebApi, ids: dict[str, str], path: str, column: str, value: object, formatted: str | None) -> None:
    """2.4: column types in JSON; UserLocal 'always UTC on the wire', DateOnly 'YYYY-MM-DD', choices Int32
    with a label, 'Choices (multi): "1,9"; formatted "Dutch; French"; write "1,9" or "1, 9"'."""
    row = crm.row(path.format(**ids), ANNOTATED)
    assert row[column] == value
    assert type(row[column]) is type(value)
    assert row.get(column + FORMATTED) == formatted


def test_money_brings_its_currency_and_base(crm: WebApi, ids: dict[str, str]) -> None:
    """2.4: 'selecting a Money column adds _transactioncurrencyid_value automatically; a _base companion
    column exists'."""
    answer = crm.get(f"cf_donations({ids['gift']})?$select=cf_amount", ANNOTATED)
    assert '"cf_amount":1234.5000' in answer.text
    assert answer.json()["_transactioncurrencyid_value" + FORMATTED] == "euro"
    assert crm.row(f"cf_donations({ids['gift']})?$select=cf_amount_base")["cf_amount_base"] == 1234.5


def test_an_entity_name_is_a_logical_name(crm: WebApi, ids: dict[str, str]) -> None:
    """2.3: 'objecttypecode holds the logical name as string'."""
    note = crm.create("annotations", subject="n", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({ids['fiche']})"})
    row = crm.row(f"annotations({note})?$select=objecttypecode,_objectid_value", ANNOTATED)
    assert row["objecttypecode"] == "cf_fiche"
    assert row["_objectid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "cf_fiche"
    assert row["_objectid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "objectid_cf_fiche"


def test_overridden_createdon_is_the_creation_instant(crm: WebApi) -> None:
    """4.2: 'Set overriddencreatedon at creation; in the emulator createdon then shows exactly the given
    instant'."""
    row = crm.create("contacts", lastname="Oud (fictief)", overriddencreatedon="2011-02-03T04:05:06Z", createdon="2012-01-01T00:00:00Z")
    told = crm.row(f"contacts({row})")
    assert told["createdon"] == told["overriddencreatedon"] == "2011-02-03T04:05:06Z"
    assert told["modifiedon"] > "2020"
    crm.patch(f"contacts({row})", {"overriddencreatedon": "2012-01-01T00:00:00Z"})
    assert crm.row(f"contacts({row})")["createdon"] == "2011-02-03T04:05:06Z"


def test_a_single_property(crm: WebApi, ids: dict[str, str]) -> None:
    """4.1: '{"@odata.context":"…#cf_fiches(5b1f…)/cf_name","value":"Fiche 2026-014"}; null property →
    204'."""
    body = crm.row(f"cf_fiches({ids['fiche']})/cf_name")
    assert body == {"@odata.context": f"{crm.url}$metadata#cf_fiches({ids['fiche']})/cf_name", "value": "F-1"}
    assert crm.row(f"cf_fiches({ids['fiche']})/_cf_dossierid_value")["value"] == ids["dossier"]
    empty = crm.get(f"cf_fiches({ids['fiche']})/cf_summary")
    assert (empty.status_code, empty.content) == (204, b"")
    assert crm.get(f"cf_fiches({ids['fiche']})/cf_nothing").status_code == 404


def test_a_raw_value(crm: WebApi, ids: dict[str, str]) -> None:
    """4.1: 'GET …/cf_name/$value 200 raw text'."""
    answer = crm.get(f"cf_fiches({ids['lone']})/cf_summary/$value")
    assert (answer.status_code, answer.text) == (200, "Verhaal & meer")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert crm.get(f"cf_fiches({ids['fiche']})/cf_channel/$value").text == "100000001"


def test_a_navigation_leads_to_the_row(crm: WebApi, ids: dict[str, str]) -> None:
    """4.1: 'GET …/cf_ContactId 200'."""
    assert crm.row(f"cf_fiches({ids['fiche']})/cf_DossierId?$select=cf_name")["cf_name"] == "D-1"
    assert crm.row(f"cf_parties({ids['party']})/cf_FicheId")["cf_ficheid"] == ids["fiche"]
    assert crm.get(f"cf_fiches({ids['lone']})/cf_DossierId").status_code == 204


def test_a_reference_to_the_row(crm: WebApi, ids: dict[str, str]) -> None:
    """4.1: '…/nav/$ref'; 3.5: '{"@odata.id":"…"}'."""
    assert crm.row(f"cf_fiches({ids['fiche']})/cf_DossierId/$ref")["@odata.id"] == f"{crm.url}cf_dossiers({ids['dossier']})"


def test_a_collection_can_be_read_and_counted(crm: WebApi, ids: dict[str, str]) -> None:
    """4.1: '…/collection/$count'; 3.7: queries apply to a collection navigation."""
    path = f"cf_dossiers({ids['dossier']})/cf_dossier_fiches"
    assert {row["cf_name"] for row in crm.rows(path, select="cf_name")} == {"F-1", "F-2"}
    assert [row["cf_name"] for row in crm.rows(path, filter="cf_channel ne null")] == ["F-1"]
    assert crm.get(path + "/$count").content == b"\xef\xbb\xbf2"
    references = [{"@odata.id": f"{crm.url}cf_fiches({ids[name]})"} for name in ("fiche", "other")]
    assert sorted(crm.rows(path + "/$ref"), key=str) == sorted(references, key=str)


def test_expand_of_a_single_navigation(crm: WebApi, ids: dict[str, str]) -> None:
    """3.5: 'Single-valued: nested object or null'."""
    rows = crm.rows("cf_fiches", select="cf_name", expand="cf_DossierId($select=cf_name)", orderby="cf_name")
    assert rows[0]["cf_DossierId"] == {"cf_name": "D-1", "cf_dossierid": ids["dossier"]}
    assert rows[2]["cf_DossierId"] is None
    party = crm.row(f"cf_parties({ids['party']})", expand="cf_FicheId($select=cf_name;$expand=cf_DossierId($select=cf_name))")
    assert party["cf_FicheId"]["cf_DossierId"] == rows[0]["cf_DossierId"]


def test_expand_of_a_collection_is_inline_with_a_link(crm: WebApi, ids: dict[str, str]) -> None:
    """3.5: 'children inline; each parent also has "<nav>@odata.nextLink" whose URL has no paging cookie';
    children carry '_…_value'."""
    row = crm.row(
        f"cf_dossiers({ids['dossier']})",
        select="cf_name",
        expand="cf_dossier_fiches($select=cf_name;$filter=cf_name ne 'F-0';$orderby=cf_name desc)",
    )
    children = row["cf_dossier_fiches"]
    assert [(child["cf_name"], child["cf_ficheid"]) for child in children] == [("F-2", ids["other"]), ("F-1", ids["fiche"])]
    assert all(child["_cf_dossierid_value"] == ids["dossier"] and child["@odata.etag"] for child in children)
    link = row["cf_dossier_fiches@odata.nextLink"]
    path = f"{crm.url}cf_dossiers({ids['dossier']})/cf_dossier_fiches"
    assert link == f"{path}?$select=cf_name&$filter=cf_name ne 'F-0'&$orderby=cf_name desc"
    assert [again["cf_ficheid"] for again in crm.rows(link)] == [ids["other"], ids["fiche"]]


def test_filtering_an_expand_never_filters_the_parents(crm: WebApi, ids: dict[str, str]) -> None:
    """3.5: 'Filtering an expand never filters the parents'."""
    rows = crm.rows("cf_dossiers", select="cf_name", expand="cf_dossier_fiches($filter=cf_name eq 'nothing')")
    assert [(row["cf_name"], row["cf_dossier_fiches"]) for row in rows] == [("D-1", [])]


def test_expand_takes_top_and_orderby_at_one_level(crm: WebApi, ids: dict[str, str]) -> None:
    """3.1: 'Inside $expand(...): $select $filter $orderby $top $expand, separated by ;'."""
    row = crm.row(f"cf_dossiers({ids['dossier']})", expand="cf_dossier_fiches($select=cf_name;$orderby=cf_name desc;$top=1)")
    assert [child["cf_name"] for child in row["cf_dossier_fiches"]] == ["F-2"]


@pytest.mark.parametrize("option", ["$skip=1", "$count=true", "$search=x", "$levels=2"])
def test_expand_refuses_other_options(crm: WebApi, option: str) -> None:
    """3.1: 'Not $skip $count $search $levels'."""
    assert error_of(crm.get("cf_dossiers", expand=f"cf_dossier_fiches({option})")) == (400, "0x80060888")


@pytest.mark.parametrize("option", ["$top=1", "$orderby=cf_name"])
@pytest.mark.parametrize(
    ("table_set", "expand"),
    [
        ("cf_dossiers", "cf_dossier_fiches({};$expand=cf_fiche_parties)"),
        ("cf_dossiers", "cf_dossier_fiches($expand=cf_fiche_parties({}))"),
        ("cf_fiches", "cf_DossierId({})"),
    ],
)
def test_nested_expand_refuses_top_and_orderby(crm: WebApi, table_set: str, expand: str, option: str) -> None:
    """3.5: '400 0x80060888 Only $select and $filter clause can be provided while doing $expand on many-to-one
    relationship or …'."""
    answer = crm.get(table_set, expand=expand.format(option))
    assert error_of(answer) == (400, "0x80060888")
    assert message_of(answer) == (
        "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested one-to-many "
        "relationship."
    )


def test_expand_ref_of_a_lookup(crm: WebApi, ids: dict[str, str]) -> None:
    """3.5: 'nav/$ref only single-valued: gives {"@odata.id":"…"}'."""
    row = crm.row(f"cf_fiches({ids['fiche']})", select="cf_name", expand="cf_DossierId/$ref")
    assert row["cf_DossierId"] == {"@odata.id": f"{crm.url}cf_dossiers({ids['dossier']})"}


def test_expand_ref_of_a_collection_is_refused(crm: WebApi, ids: dict[str, str]) -> None:
    """3.5: 'Expand with $ref is only supported on lookup type navigation property.'"""
    answer = crm.get(f"cf_dossiers({ids['dossier']})", expand="cf_dossier_fiches/$ref")
    assert error_of(answer) == (400, "0x80060888")
    assert message_of(answer) == "Expand with $ref is only supported on lookup type navigation property."


def test_the_sixteenth_expand_is_refused(crm: WebApi) -> None:
    """3.5: 'Limit 15 $expand options per query in total'."""
    names = [
        "createdby", "modifiedby", "ownerid", "owninguser", "owningteam", "owningbusinessunit", "parentcustomerid_account",
        "parentcustomerid_contact", "cf_contact_parties", "cf_contact_donations", "cf_contact_enrolments", "cf_contact_engagements",
        "contact_customer_contacts", "Contact_Annotation", "Contact_Phonecalls", "Contact_Emails",
    ]  # fmt: skip
    assert crm.get("contacts", select="fullname", expand=",".join(names[:15])).status_code == 200
    assert error_of(crm.get("contacts", select="fullname", expand=",".join(names))) == (400, "0x80060888")
    inner = ",".join(["cf_fiche_parties"] * 15)
    assert error_of(crm.get("cf_dossiers", expand=f"cf_dossier_fiches($expand={inner})")) == (400, "0x80060888")


def test_an_expand_of_an_n_to_n_relationship_below_another_is_refused(crm: WebApi) -> None:
    """3.5: 'The navigation property '<NAME>' cannot be expanded. Only many-to-one relationships are supported
    for nested expansion.'"""
    answer = crm.get("cf_fiches", expand="owninguser($expand=systemuserroles_association)")
    assert error_of(answer) == (400, "0x80060888")
    assert message_of(answer) == (
        "The navigation property 'systemuserroles_association' cannot be expanded. "
        "Only many-to-one relationships are supported for nested expansion."
    )


def test_older_builds_give_the_link_only(crm: WebApi, ids: dict[str, str], switches: Any) -> None:
    """3.5: '2021 documentation said collection expands on an entity set returned only the nextLink; Clients
    must handle both'; one row still has its children."""
    switches({"collection_links_only": True})
    row = crm.rows("cf_dossiers", expand="cf_dossier_fiches($select=cf_name)")[0]
    assert "cf_dossier_fiches" not in row
    assert len(crm.rows(row["cf_dossier_fiches@odata.nextLink"])) == 2
    assert len(crm.row(f"cf_dossiers({ids['dossier']})", expand="cf_dossier_fiches($select=cf_name)")["cf_dossier_fiches"]) == 2


@pytest.mark.parametrize("table_set", ["contacts", "cf_dossiers"])
@pytest.mark.parametrize(
    ("body", "state", "status"),
    [
        ({"statecode": 1}, 1, 2),
        ({"statecode": 1, "statuscode": 2}, 1, 2),
        ({"statuscode": 1}, 0, 1),
        ({"statecode": 0}, 0, 1),
    ],
)
def test_a_state_brings_its_default_status(crm: WebApi, table_set: str, body: Row, state: int, status: int) -> None:
    """2.4: 'setting only statecode selects that state's default statuscode'; 'Contact: statecode 0 Active
    (default status 1), 1 Inactive (default status 2)'."""
    name = "lastname" if table_set == "contacts" else "cf_name"
    path = f"{table_set}({crm.create(table_set, **{name: 'Staat (fictief)'})})"
    assert crm.row(path).items() >= {"statecode": 0, "statuscode": 1}.items()
    row: Row = crm.patch(path, body, REPRESENTATION).json()
    assert (row["statecode"], row["statuscode"]) == (state, status)


@pytest.mark.parametrize("body", [{"statecode": 1, "statuscode": 1}, {"statuscode": 2}, {"statecode": 7}, {"statuscode": None}])
def test_a_state_and_status_that_do_not_fit_are_400(crm: WebApi, ids: dict[str, str], body: Row) -> None:
    """2.4: 'an incompatible pair is a 400'."""
    path = f"cf_fiches({ids['other']})"
    assert error_of(crm.patch(path, body)) == (400, "0x80048408")
    assert crm.row(path).items() >= {"statecode": 0, "statuscode": 1}.items()


def test_activities_are_one_list(crm: WebApi, ids: dict[str, str]) -> None:
    """15 row 23: 'activitypointers is the union of phonecall/email/…'."""
    call = crm.create("phonecalls", subject="Oproep", **{"regardingobjectid_cf_fiche_phonecall@odata.bind": f"/cf_fiches({ids['fiche']})"})
    mail = crm.create("emails", subject="Bericht", **{"regardingobjectid_contact_email@odata.bind": f"/contacts({ids['person']})"})
    rows = {
        row["activityid"]: row["activitytypecode"] for row in crm.rows("activitypointers", select="activityid,activitytypecode,subject")
    }
    assert rows == {call: "phonecall", mail: "email"}
    told = crm.row(f"phonecalls({call})?$select=_regardingobjectid_value", ANNOTATED)
    assert told["_regardingobjectid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "regardingobjectid_cf_fiche_phonecall"
    pointer = crm.rows("activitypointers", filter=f"_regardingobjectid_value eq {ids['person']}", expand="regardingobjectid_contact")
    assert [row["activityid"] for row in pointer] == [mail]
    assert pointer[0]["regardingobjectid_contact"]["contactid"] == ids["person"]
    assert crm.row(f"activitypointers({call})?$expand=regardingobjectid_cf_fiche")["regardingobjectid_cf_fiche"]["cf_name"] == "F-1"
    assert crm.delete(f"activitypointers({call})").status_code == 405
    assert len(crm.rows("activitypointers", {"Prefer": "odata.maxpagesize=1"})) == 1
