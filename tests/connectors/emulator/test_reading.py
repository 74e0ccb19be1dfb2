"""Reading rows: what a row looks like, how lookups and labels show, what a query option may say."""

from __future__ import annotations

import pytest

from tests.connectors.emulator.client import ANNOTATED, Client, error_of, new_id

FORMATTED = "@OData.Community.Display.V1.FormattedValue"
LOOKUP = "@Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "@Microsoft.Dynamics.CRM.associatednavigationproperty"


@pytest.mark.row(5)
def test_names_are_case_sensitive(crm: Client) -> None:
    assert error_of(crm.get("Cf_fiches")) == (404, "0x8006088a")
    assert crm.get("Cf_fiches").json()["error"]["message"] == "Resource not found for the segment 'Cf_fiches'."


@pytest.mark.row(5)
@pytest.mark.parametrize(
    "query", ["$select=cf_nam", "$filter=cf_nam eq 'x'", "$orderby=cf_nam", "$expand=cf_dossierid", "$filter=cf_Nam/cf_name eq 'x'"]
)
def test_an_unknown_column_is_refused_by_name(crm: Client, query: str) -> None:
    answer = crm.get("cf_fiches?" + query)
    assert error_of(answer) == (400, "0x0")
    assert answer.json()["error"]["message"].startswith("Could not find a property named '")
    assert answer.json()["error"]["message"].endswith("on type 'Microsoft.Dynamics.CRM.cf_fiche'.")


@pytest.mark.row(6)
def test_a_row_has_its_context_etag_key_and_explicit_nulls(crm: Client) -> None:
    fiche = crm.fiche()
    answer = crm.get(f"cf_fiches({fiche})?$select=cf_name,cf_ipaddress")
    row = answer.json()
    assert row == {
        "@odata.context": f"{crm.url}$metadata#cf_fiches(cf_name,cf_ipaddress)/$entity",
        "@odata.etag": answer.headers["ETag"],
        "cf_name": "F-1",
        "cf_ipaddress": None,
        "cf_ficheid": fiche,
    }
    assert answer.headers["ETag"].startswith('W/"')


def test_without_select_every_column_comes(crm: Client) -> None:
    row = crm.row(f"cf_fiches({crm.fiche()})")
    assert row["@odata.context"].endswith("$metadata#cf_fiches/$entity")
    assert {"cf_summary", "_cf_dossierid_value", "_ownerid_value", "statecode", "versionnumber", "createdon", "overriddencreatedon"} <= set(
        row
    )
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'


@pytest.mark.row(6)
def test_an_unknown_id_is_not_found(crm: Client) -> None:
    answer = crm.get("cf_fiches(5b1f0c7e-3d0a-ef11-9f8a-000d3ab1c001)")
    assert error_of(answer) == (404, "0x80040217")
    assert answer.json()["error"]["message"] == "Entity 'cf_fiche' With Id = 5b1f0c7e-3d0a-ef11-9f8a-000d3ab1c001 Does Not Exist"


def test_a_malformed_id_is_a_bad_request(crm: Client) -> None:
    assert crm.get("cf_fiches(not-a-guid)").status_code == 400
    assert crm.get(f"cf_fiches('{new_id()}')").status_code == 400


def test_an_id_is_found_in_upper_case_and_by_name(crm: Client) -> None:
    fiche = crm.fiche()
    assert crm.row(f"cf_fiches({fiche.upper()})")["cf_ficheid"] == fiche
    assert crm.row(f"cf_fiches(cf_ficheid={fiche})")["cf_ficheid"] == fiche


@pytest.mark.row(7)
def test_a_lookup_is_a_bare_guid_without_the_preference(crm: Client) -> None:
    fiche = crm.fiche(crm.dossier())
    assert set(crm.row(f"cf_fiches({fiche})?$select=_cf_dossierid_value")) == {
        "@odata.context",
        "@odata.etag",
        "_cf_dossierid_value",
        "cf_ficheid",
    }


@pytest.mark.row(7)
def test_annotations_come_before_the_property_they_describe(crm: Client) -> None:
    dossier = crm.dossier()
    answer = crm.get(f"cf_fiches({crm.fiche(dossier)})?$select=_cf_dossierid_value", ANNOTATED)
    assert list(answer.json())[2:6] == [f"_cf_dossierid_value{name}" for name in (FORMATTED, NAVIGATION, LOOKUP, "")]
    row = answer.json()
    assert row["_cf_dossierid_value" + FORMATTED] == "D-1"
    assert row["_cf_dossierid_value" + NAVIGATION] == "cf_DossierId"
    assert row["_cf_dossierid_value" + LOOKUP] == "cf_dossier"
    assert answer.headers["Preference-Applied"] == 'odata.include-annotations="*"'


@pytest.mark.row(7)
@pytest.mark.parametrize("target", ["contact", "cf_dossier"])
def test_a_polymorphic_lookup_tells_its_table(crm: Client, target: str) -> None:
    row_id, table_set = (crm.contact(), "contacts") if target == "contact" else (crm.dossier(), "cf_dossiers")
    note = crm.create("annotations", subject="notitie", **{f"objectid_{target}@odata.bind": f"/{table_set}({row_id})"})
    row = crm.row(f"annotations({note})?$select=_objectid_value,objecttypecode", ANNOTATED)
    assert row["_objectid_value"] == row_id
    assert row["_objectid_value" + LOOKUP] == target
    assert row["_objectid_value" + NAVIGATION] == f"objectid_{target}"
    assert row["objecttypecode"] == target


def test_an_empty_lookup_has_no_annotations(crm: Client) -> None:
    row = crm.row(f"cf_fiches({crm.fiche()})?$select=_cf_dossierid_value", ANNOTATED)
    assert row["_cf_dossierid_value"] is None
    assert not [name for name in row if name.startswith("_cf_dossierid_value@")]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("OData.Community.Display.V1.FormattedValue", {FORMATTED}),
        ("Microsoft.Dynamics.CRM.*", {LOOKUP, NAVIGATION}),
        ("Microsoft.Dynamics.CRM.lookuplogicalname,OData.*", {LOOKUP, FORMATTED}),
        ("Nothing.At.All", set()),
    ],
)
def test_annotations_are_chosen_by_list_and_wildcard(crm: Client, wanted: str, found: set[str]) -> None:
    fiche = crm.fiche(crm.dossier())
    row = crm.row(f"cf_fiches({fiche})?$select=_cf_dossierid_value", {"Prefer": f'odata.include-annotations="{wanted}"'})
    assert {name.removeprefix("_cf_dossierid_value") for name in row if name.startswith("_cf_dossierid_value@")} == found


def test_formatted_values_are_what_a_person_sees(crm: Client) -> None:
    dossier = crm.dossier(
        cf_categories="100000021,100000030",
        cf_outcome=100000001,
        cf_legalhold=True,
        cf_openedon="2026-03-14T08:30:00Z",
        cf_outcomeon="2014-07-30",
    )
    row = crm.row(f"cf_dossiers({dossier})", ANNOTATED)
    assert row["cf_categories" + FORMATTED] == "Grooming; Weglopen"
    assert row["cf_outcome" + FORMATTED] == "Gelokaliseerd"
    assert row["cf_legalhold" + FORMATTED] == "Ja"
    assert row["cf_openedon" + FORMATTED] == "14/03/2026 08:30"
    assert row["cf_outcomeon" + FORMATTED] == "30/07/2014"
    assert row["statecode" + FORMATTED] == "Actief"
    donation = crm.create("cf_donations", cf_name="gift", cf_amount=1234.5)
    gift = crm.row(f"cf_donations({donation})?$select=cf_amount", ANNOTATED)
    assert gift["cf_amount" + FORMATTED] == "€ 1.234,50"
    assert '"cf_amount":1234.5000' in crm.get(f"cf_donations({donation})?$select=cf_amount").text
    assert gift["_transactioncurrencyid_value" + FORMATTED] == "euro"


def test_values_survive_quotes_backslashes_and_other_scripts(crm: Client) -> None:
    text = 'Zoë zei: "100% zeker" \\ c\'est ça %s %d\n\tпривет 🙂 </script>'
    fiche = crm.fiche(cf_summary=text)
    assert crm.row(f"cf_fiches({fiche})?$select=cf_summary")["cf_summary"] == text
    assert crm.rows("cf_fiches?$select=cf_summary", ANNOTATED)[0]["cf_summary"] == text
    dossier = crm.dossier(cf_name="100% 'x' \"y\"")
    row = crm.rows(
        f"cf_dossiers?$select=cf_name&$expand=cf_dossier_fiches($select=cf_summary)&$filter=cf_dossierid eq {dossier}", ANNOTATED
    )[0]
    assert row["cf_name"] == "100% 'x' \"y\""


@pytest.mark.row(14)
@pytest.mark.parametrize("option", ["$skip=1", "$search=x", "$format=json", "$Select=cf_name", "foo=1", "$top=-1", "$top=x", "$count=yes"])
def test_an_option_that_is_not_there_is_refused(crm: Client, option: str) -> None:
    """`$skip` above all."""
    assert error_of(crm.get("cf_fiches?" + option)) == (400, "0x80060888")


def test_an_option_given_twice_is_refused(crm: Client) -> None:
    assert crm.get("cf_fiches?$top=1&$top=2").status_code == 400


@pytest.mark.row(11)
def test_a_current_version_is_not_sent_again(crm: Client) -> None:
    fiche = crm.fiche()
    etag = crm.etag("cf_fiches", fiche)
    answer = crm.get(f"cf_fiches({fiche})", {"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert crm.get(f"cf_fiches({fiche})", {"If-None-Match": 'W/"1"'}).status_code == 200
    assert crm.get(f"cf_fiches({fiche})", {"If-None-Match": etag, **ANNOTATED}).status_code == 200
    assert crm.get(f"cf_fiches({fiche})?$expand=cf_DossierId", {"If-None-Match": etag}).status_code == 200


@pytest.mark.row(15)
def test_the_count_stops_at_five_thousand(crm: Client) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": f"D-{n}"}) for n in range(5001))
    page = crm.row("cf_dossiers?$select=cf_name&$count=true&$top=1", ANNOTATED)
    assert page["@odata.count"] == 5000
    assert page["@Microsoft.Dynamics.CRM.totalrecordcount"] == 5000
    assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
    answer = crm.get("cf_dossiers/$count")
    assert answer.content == b"\xef\xbb\xbf5000"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert crm.get("cf_dossiers/$count?$filter=cf_name eq 'D-7'").content == b"\xef\xbb\xbf1"


@pytest.mark.row(15)
def test_the_bare_count_may_go_on_past_five_thousand(crm: Client) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": f"D-{n}"}) for n in range(5001))
    crm.switch(count_capped=False)
    assert crm.get("cf_dossiers/$count").content == b"\xef\xbb\xbf5001"
    assert crm.row("cf_dossiers?$select=cf_name&$count=true&$top=1")["@odata.count"] == 5000


def test_the_count_does_not_depend_on_the_page(crm: Client) -> None:
    for number in range(3):
        crm.dossier(cf_name=f"D-{number}")
    page = crm.row("cf_dossiers?$select=cf_name&$count=true&$filter=cf_name ne 'D-0'", {"Prefer": "odata.maxpagesize=1"})
    assert (page["@odata.count"], len(page["value"])) == (2, 1)
    assert crm.row("cf_dossiers", ANNOTATED)["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1


def test_rows_are_ordered_and_cut_as_asked(crm: Client) -> None:
    for name in ("b", "A", "c"):
        crm.dossier(cf_name=name, cf_outcome=100000001 if name == "c" else None)
    assert [row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name&$orderby=cf_name")] == ["A", "b", "c"]
    assert [row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name&$orderby=cf_name desc&$top=2")] == ["c", "b"]
    assert [row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name&$orderby=cf_outcome desc,cf_name asc")] == ["c", "A", "b"]
    assert crm.rows("cf_dossiers?$top=0") == []


def test_a_lookup_is_expanded_to_a_row_or_null(crm: Client) -> None:
    dossier = crm.dossier()
    with_dossier, alone = crm.fiche(dossier), crm.fiche()
    rows = {row["cf_ficheid"]: row for row in crm.rows("cf_fiches?$select=cf_name&$expand=cf_DossierId($select=cf_name)")}
    assert rows[with_dossier]["cf_DossierId"] == {"cf_name": "D-1", "cf_dossierid": dossier}
    assert rows[alone]["cf_DossierId"] is None


def test_a_collection_is_expanded_with_its_own_options(crm: Client) -> None:
    dossier = crm.dossier()
    for number in range(3):
        crm.fiche(dossier, cf_name=f"F-{number}")
    expand = "cf_dossier_fiches($select=cf_name;$filter=cf_name ne 'F-1';$orderby=cf_name desc;$top=5)"
    row = crm.row(f"cf_dossiers({dossier})?$select=cf_name&$expand={expand}")
    assert [fiche["cf_name"] for fiche in row["cf_dossier_fiches"]] == ["F-2", "F-0"]
    assert row["cf_dossier_fiches"][0]["_cf_dossierid_value"] == dossier
    assert row["cf_dossier_fiches"][0]["@odata.etag"].startswith("W/")
    assert f"cf_dossiers({dossier})/cf_dossier_fiches?$select=cf_name" in row["cf_dossier_fiches@odata.nextLink"]
    assert "skiptoken" not in row["cf_dossier_fiches@odata.nextLink"]
    assert len(crm.rows(row["cf_dossier_fiches@odata.nextLink"])) == 2


def test_an_expand_can_hold_another(crm: Client) -> None:
    dossier = crm.dossier()
    party = crm.create("cf_parties", **{"cf_FicheId@odata.bind": f"/cf_fiches({crm.fiche(dossier)})"})
    row = crm.row(f"cf_parties({party})?$select=cf_name&$expand=cf_FicheId($select=cf_name;$expand=cf_DossierId($select=cf_name))")
    assert row["cf_FicheId"]["cf_DossierId"] == {"cf_name": "D-1", "cf_dossierid": dossier}


@pytest.mark.parametrize(
    ("expand", "code"),
    [
        ("cf_dossier_fiches/$ref", "0x80060888"),
        ("cf_nothing", "0x0"),
        ("cf_dossier_fiches($skip=1)", "0x80060888"),
        ("cf_dossier_fiches($top=1;$expand=cf_fiche_parties($select=cf_name))", "0x80060888"),
        (",".join(["createdby"] * 16), "0x80060888"),
    ],
)
def test_an_expand_that_is_not_allowed_is_refused(crm: Client, expand: str, code: str) -> None:
    assert error_of(crm.get("cf_dossiers?$expand=" + expand)) == (400, code)


def test_a_reference_can_be_expanded_instead_of_the_row(crm: Client) -> None:
    dossier = crm.dossier()
    row = crm.row(f"cf_fiches({crm.fiche(dossier)})?$select=cf_name&$expand=cf_DossierId/$ref")
    assert row["cf_DossierId"] == {"@odata.id": f"{crm.url}cf_dossiers({dossier})"}


@pytest.mark.row(35)
def test_a_single_property_is_read_by_its_address(crm: Client) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(dossier, cf_channel=100000001)
    assert crm.row(f"cf_fiches({fiche})/cf_name") == {"@odata.context": f"{crm.url}$metadata#cf_fiches({fiche})/cf_name", "value": "F-1"}
    assert crm.get(f"cf_fiches({fiche})/cf_ipaddress").status_code == 204
    assert crm.get(f"cf_fiches({fiche})/cf_name/$value").text == "F-1"
    assert crm.get(f"cf_fiches({fiche})/cf_channel/$value").text == "100000001"
    assert crm.row(f"cf_fiches({fiche})/_cf_dossierid_value")["value"] == dossier
    assert crm.get(f"cf_fiches({fiche})/cf_nothing").status_code == 404


def test_navigation_properties_are_read_by_their_address(crm: Client) -> None:
    dossier = crm.dossier()
    fiche, alone = crm.fiche(dossier), crm.fiche()
    assert crm.row(f"cf_fiches({fiche})/cf_DossierId?$select=cf_name")["cf_dossierid"] == dossier
    assert crm.get(f"cf_fiches({alone})/cf_DossierId").status_code == 204
    assert crm.row(f"cf_fiches({fiche})/cf_DossierId/$ref")["@odata.id"] == f"{crm.url}cf_dossiers({dossier})"
    assert [row["cf_ficheid"] for row in crm.rows(f"cf_dossiers({dossier})/cf_dossier_fiches?$select=cf_name")] == [fiche]
    assert crm.get(f"cf_dossiers({dossier})/cf_dossier_fiches/$count").content == b"\xef\xbb\xbf1"
    assert crm.rows(f"cf_dossiers({dossier})/cf_dossier_fiches/$ref") == [{"@odata.id": f"{crm.url}cf_fiches({fiche})"}]


@pytest.mark.row(20)
def test_error_details_come_only_for_who_asks(crm: Client) -> None:
    plain, detailed = crm.get("cf_nothing").json()["error"], crm.get("cf_nothing", ANNOTATED).json()["error"]
    assert set(plain) == {"code", "message"}
    assert "@Microsoft.PowerApps.CDS.HelpLink" in detailed
