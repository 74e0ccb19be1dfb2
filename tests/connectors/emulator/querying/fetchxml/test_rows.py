"""FetchXML: rows, links, who may see them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.connectors.emulator.fetches import LABEL, address, fill, found, names, refusal
from tests.web_api import ANNOTATED, error_of, request_part, statuses

pytestmark = pytest.mark.row(45)

# -- rows ----------------------------------------------------------------------------------------------------


def test_all_attributes_gives_what_is_not_null(crm: Client) -> None:
    crm.dossier()
    row = found(crm, "cf_dossiers", "<fetch><entity name='cf_dossier'><all-attributes /></entity></fetch>")["value"][0]
    assert {"createdon", "statecode", "_ownerid_value", "cf_legalhold"} <= row.keys()
    assert None not in row.values()


def test_annotations_are_given_as_for_other_rows(crm: Client) -> None:
    dossier = crm.dossier(cf_name="D-9")
    crm.fiche(dossier, cf_channel=100000000)
    xml = "<fetch><entity name='cf_fiche'><attribute name='cf_dossierid' /><attribute name='cf_channel' alias='how' /></entity></fetch>"
    row = found(crm, "cf_fiches", xml, ANNOTATED)["value"][0]
    assert row["_cf_dossierid_value"] == dossier
    assert row["_cf_dossierid_value" + LABEL] == "D-9"
    assert row["_cf_dossierid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "cf_dossier"
    assert (row["how"], row["how" + LABEL]) == (100000000, "Telefoon")


def test_distinct_rows_come_once(crm: Client) -> None:
    fill(crm, 3, cf_courtreference="same")
    xml = "<fetch distinct='true'><entity name='cf_dossier'><attribute name='cf_courtreference' /></entity></fetch>"
    assert found(crm, "cf_dossiers", xml)["value"] == [{"cf_courtreference": "same"}]


def test_an_order_by_a_choice_goes_by_its_label_unless_raw_values_are_asked_for(crm: Client) -> None:
    for outcome in (100000000, 100000001, 100000002):  # Niet gelokaliseerd, Gelokaliseerd, Teruggekeerd
        crm.dossier(cf_outcome=outcome)
    order = "<entity name='cf_dossier'><attribute name='cf_outcome' /><order attribute='cf_outcome' /></entity></fetch>"
    by_label = [row["cf_outcome"] for row in found(crm, "cf_dossiers", "<fetch>" + order)["value"]]
    raw = [row["cf_outcome"] for row in found(crm, "cf_dossiers", "<fetch useraworderby='true'>" + order)["value"]]
    assert by_label == [100000001, 100000000, 100000002]
    assert raw == sorted(raw)


# -- links ---------------------------------------------------------------------------------------------------


@pytest.fixture
def family(crm: Client) -> Client:
    """Dossier A with fiches A1 and A2, dossier B without any, and a lone fiche."""
    first = crm.dossier(cf_name="A")
    crm.dossier(cf_name="B")
    crm.fiche(first, cf_name="A1", cf_channel=100000000)
    crm.fiche(first, cf_name="A2", cf_channel=100000001)
    crm.fiche(cf_name="lone")
    return crm


def test_an_outer_link_keeps_rows_that_have_none(family: Client) -> None:
    link = "<link-entity name='cf_dossier' from='cf_dossierid' to='cf_dossierid' link-type='outer'>"
    link += "<attribute name='cf_name' alias='of' /></link-entity>"
    xml = f"<fetch><entity name='cf_fiche'><attribute name='cf_name' /><order attribute='cf_name' />{link}</entity></fetch>"
    assert [row.get("of") for row in found(family, "cf_fiches", xml)["value"]] == ["A", "A", None]


def test_links_can_stand_in_links(family: Client) -> None:
    contact = family.contact()
    fiche = family.rows("cf_fiches?$filter=cf_name eq 'A1'")[0]["cf_ficheid"]
    family.create(
        "cf_parties", cf_name="P", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})", "cf_ContactId@odata.bind": f"/contacts({contact})"}
    )
    inner = "<link-entity name='contact' from='contactid' to='cf_contactid' alias='c'><attribute name='lastname' /></link-entity>"
    link = f"<link-entity name='cf_party' from='cf_ficheid' to='cf_ficheid' link-type='outer' alias='p'>{inner}</link-entity>"
    xml = f"<fetch><entity name='cf_fiche'><attribute name='cf_name' /><order attribute='cf_name' />{link}</entity></fetch>"
    rows = found(family, "cf_fiches", xml)["value"]
    assert [(row["cf_name"], row.get("c_x002e_lastname")) for row in rows] == [("A1", "Peeters (fictief)"), ("A2", None), ("lone", None)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("any", ["A"]), ("not any", ["B"]), ("not all", ["A"]), ("all", [])],
)
def test_a_filter_asks_for_related_rows(family: Client, kind: str, expected: list[str]) -> None:
    condition = "<filter><condition attribute='cf_channel' operator='eq' value='100000000' /></filter>"
    link = f"<link-entity name='cf_fiche' from='cf_dossierid' to='cf_dossierid' link-type='{kind}'>{condition}</link-entity>"
    assert names(family, f"<filter>{link}</filter>") == expected


def test_all_finds_rows_whose_related_rows_never_match(family: Client) -> None:
    condition = "<filter><condition attribute='cf_channel' operator='eq' value='100000005' /></filter>"
    link = f"<link-entity name='cf_fiche' from='cf_dossierid' to='cf_dossierid' link-type='all'>{condition}</link-entity>"
    assert names(family, f"<filter>{link}</filter>") == ["A"]


def test_exists_gives_each_row_once(family: Client) -> None:
    link = "<link-entity name='cf_fiche' from='cf_dossierid' to='cf_dossierid' link-type='{}' />"
    assert names(family, link.format("exists")) == ["A"]
    assert names(family, link.format("inner")) == ["A", "A"]


def test_columns_can_be_compared_with_each_other(crm: Client) -> None:
    crm.dossier(cf_name="same", cf_courtreference="Same")
    crm.dossier(cf_name="other", cf_courtreference="x")
    assert names(crm, "<filter><condition attribute='cf_name' operator='eq' valueof='cf_courtreference' /></filter>") == ["same"]


# -- who may see what ----------------------------------------------------------------------------------------


def signed_in(crm: Client, privileges: dict[str, str]) -> Client:
    return crm.application("proef", privileges)


@pytest.mark.row(30)
def test_no_kind_of_query_shows_rows_out_of_reach(crm: Client) -> None:
    crm.fiche(crm.dossier())
    clerk = signed_in(crm, {"prvReadcf_dossier": "Basic", "prvReadUser": "Global"})
    link = "<link-entity name='cf_fiche' from='cf_dossierid' to='cf_dossierid' {} />"
    assert names(crm, "") == ["D-1"]
    assert names(clerk, "") == []
    assert clerk.rows("cf_dossiers?$apply=aggregate($count as n)") == [{"n": 0}]
    assert clerk.rows("cf_dossiers?sql=SELECT cf_name FROM cf_dossier") == []
    for kind in ("", "link-type='outer'", "link-type='exists'"):
        xml = f"<fetch><entity name='cf_dossier'>{link.format(kind)}</entity></fetch>"
        assert error_of(clerk.get(address("cf_dossiers", xml))) == (403, "0x80040220"), kind


SECURED = """
publisher_prefix: cf
languages: {en: 1033}
tables:
  contact:
    set: contacts
    columns:
      contactid: {type: guid, key: true}
      fullname: {type: string(160), primary_name: true}
      cf_number: {type: string(20), secured: true}
"""


@pytest.mark.row(48)
def test_no_kind_of_query_shows_a_secured_column(tmp_path: Path) -> None:
    path = tmp_path / "environment.yaml"
    path.write_text(SECURED, encoding="utf-8")
    with running(environment=path) as emulator:
        crm = Client(emulator)
        crm.create("contacts", fullname="Lotte (fictief)", cf_number="7")
        clerk = signed_in(crm, {"prvReadContact": "Global", "prvReadUser": "Global"})
        number = "<fetch{}><entity name='contact'><attribute name='cf_number'{} /></entity></fetch>"
        condition = (
            "<fetch><entity name='contact'><filter><condition attribute='cf_number' operator='eq' value='7' /></filter></entity></fetch>"
        )

        def seen(client: Client, query: str) -> list[dict[str, Any]]:
            return [{key: row[key] for key in row if key in ("cf_number", "n")} for row in client.rows(f"contacts?{query}")]

        plain = "fetchXml=" + quote(number.format("", ""), safe="")
        grouped = "fetchXml=" + quote(number.format(" aggregate='true'", " alias='n' groupby='true'"), safe="")
        highest = "fetchXml=" + quote(number.format(" aggregate='true'", " alias='n' aggregate='countcolumn'"), safe="")
        assert (seen(crm, plain), seen(clerk, plain)) == ([{"cf_number": "7"}], [{}])
        assert (seen(crm, grouped), seen(clerk, grouped)) == ([{"n": "7"}], [{}])
        assert (seen(crm, highest), seen(clerk, highest)) == ([{"n": 1}], [{"n": 0}])
        assert (len(found(crm, "contacts", condition)["value"]), len(found(clerk, "contacts", condition)["value"])) == (1, 0)
        apply, sql = "$apply=groupby((cf_number))", "sql=SELECT cf_number FROM contact ORDER BY cf_number"
        assert (seen(crm, apply), seen(clerk, apply)) == ([{"cf_number": "7"}], [{}])
        assert (seen(crm, sql), seen(clerk, sql)) == ([{"cf_number": "7"}], [{"cf_number": None}])
        for client in (crm, clerk):
            client.http.close()


FILTERED = "<fetch><entity name='cf_dossier'><filter><condition {} /></filter></entity></fetch>"

# -- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "code", "words"),
    [
        ("<fetch", "0x80040201", "Invalid Xml"),
        ("", "0x80040201", "Invalid Xml"),
        ("<fetch/>", "0x80040201", "Invalid Xml"),
        ("<fetch><!-- > --><![CDATA[x]]><entity name='cf_dossier'>&undefined;</entity></fetch>", "0x80040201", "Invalid Xml"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><fetch><entity name='cf_dossier' /></fetch>", "0x80040201", "Invalid Xml"),
        ("<fetch><entity name='cf_nothing' /></fetch>", "0x80041102", "'cf_nothing'"),
        ("<fetch><entity name='cf_fiche' /></fetch>", "0x80041128", "cf_fiche"),
        (
            "<fetch><entity name='cf_dossier'><attribute name='cf_nam' /></entity></fetch>",
            "0x80041103",
            "'cf_dossier' entity doesn't contain attribute with Name = 'cf_nam'",
        ),
        (
            FILTERED.format("attribute='cf_name' operator='sounds-like' value='x'"),
            "0x80041120",
            "Unknown Condition Operator: sounds-like",
        ),
        (
            FILTERED.format("attribute='cf_outcome' operator='eq' value='x'"),
            "0x80041108",
            "expected argument(s) of type 'System.Int32'",
        ),
        (
            FILTERED.format("attribute='cf_name' operator='eq'"),
            "0x80041108",
            "1 value",
        ),
        (
            FILTERED.format("entityname='z' attribute='cf_name' operator='null'"),
            "0x8004110a",
            "z",
        ),
        (
            "<fetch><entity name='cf_dossier'><link-entity name='cf_fiche' from='cf_dossierid' link-type='right' /></entity></fetch>",
            "0x80041117",
            "right",
        ),
        ("<fetch><entity name='cf_dossier'><columns /></entity></fetch>", "0x8004111c", "columns"),
        (
            "<fetch aggregate='true'><entity name='cf_dossier'><attribute name='cf_name' aggregate='count' /></entity></fetch>",
            "0x8004110b",
            "alias",
        ),
        ("<fetch count='0'><entity name='cf_dossier' /></fetch>", "0x8004110c", "count"),
    ],
)
def test_what_is_no_query_is_refused_in_the_platforms_words(crm: Client, xml: str, code: str, words: str) -> None:
    status, found_code, message = refusal(crm, xml)
    assert (status, found_code) == (400, code)
    assert words in message


def test_conditions_and_links_have_a_limit(crm: Client) -> None:
    def query(conditions: int, links: int) -> str:
        filters = "<condition attribute='cf_name' operator='eq' value='x' />" * conditions
        linked = "<link-entity name='cf_fiche' from='cf_dossierid' to='cf_dossierid' />" * links
        return f"<fetch><entity name='cf_dossier'><filter>{filters}</filter>{linked}</entity></fetch>"

    assert found(crm, "cf_dossiers", query(300, 15))["value"] == []
    assert refusal(crm, query(0, 16))[:2] == (400, "0x8004430d")
    answer = crm.batch(request_part("GET", crm.url + address("cf_dossiers", query(501, 0).replace("value='x'", "value=''"))))
    assert statuses(answer) == [400]
    assert "0x8004430C" in answer.text


def test_filters_nest_so_deep_and_no_deeper(crm: Client) -> None:
    def query(depth: int) -> str:
        condition = "<condition attribute='cf_name' operator='eq' value='x' />"
        return f"<fetch><entity name='cf_dossier'>{'<filter>' * depth}{condition}{'</filter>' * depth}</entity></fetch>"

    assert found(crm, "cf_dossiers", query(100))["value"] == []
    assert refusal(crm, query(900))[0] == 400
    sql = "SELECT cf_name FROM cf_dossier WHERE " + "(" * 5000 + "cf_name = 'x'" + ")" * 5000
    assert crm.get(f"cf_dossiers?sql={sql}").status_code == 400
